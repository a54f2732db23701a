"""The parts of a contract that the engine does not judge, which a verdict must not hide."""

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from typing import Any

from .document import Contract
from .finding import counted
from .formats import JUDGED_FORMATS
from .grammar import SCHEMAS, SCHEMAS_BY_NAME
from .operation import Operation
from .references import References


def unjudged(contract: Contract, judged: Container[str]) -> list[str]:
    """One sentence for each kind of unjudged part, with the number of judged operations that have it."""
    operations = [operation for name, operation in contract.operations.items() if name in judged]
    concerned = Counter(kind for operation in operations for kind in set(_kinds(operation)))
    sentences = [f"{kind} ({counted(count, 'operation')})" for kind, count in sorted(concerned.items())]
    webhooks = len(contract.document.get("webhooks") or ())
    return [*sentences, *([f"webhooks are not judged ({counted(webhooks, 'webhook')})"] if webhooks else [])]


def _kinds(operation: Operation) -> Iterator[str]:
    contents, fields = [*operation.request_body.contents.values()], [*operation.parameters]
    for response in operation.responses.values():
        contents += response.representations.values()
        fields += response.headers
    for content in contents:
        yield from content.unjudged
    if not all(field.is_judged for field in fields):
        yield "a parameter with content that is not JSON is judged by its presence, not by its schema"
    for scheme in operation.security.schemes:
        if not scheme.is_seen:
            yield f"security scheme {scheme.name} is not judged: no request shows it"
    if operation.declared.get("callbacks"):
        yield "callbacks are not judged"
    for schema in _schemas([*(each.declared for each in fields), *(each.raw for each in contents)], operation.resolve):
        yield from _keywords(schema, operation.resolve)


def _keywords(schema: Mapping[str, Any], resolve: References) -> Iterator[str]:
    form, pattern = schema.get("format"), schema.get("pattern")
    if isinstance(form, str) and form not in JUDGED_FORMATS:
        yield f"format {form} is not judged: it is in no registry that is known here"
    if isinstance(pattern, str) and not resolve.judges(pattern):
        yield f"pattern {pattern} is not judged: it is not known here"
    if "contentSchema" in schema:
        yield "contentSchema is not judged"


def _schemas(node: Any, resolve: References) -> Iterator[Mapping[str, Any]]:
    """Every schema inside of schemas and behind their references, each once."""
    open_at, seen = [node], set[str]()
    while open_at:
        node = open_at.pop()
        if isinstance(node, list):
            open_at += node
        elif isinstance(node, Mapping):
            if isinstance(reference := node.get("$ref"), str) and reference not in seen:
                seen.add(reference)
                open_at.append(resolve(reference))
            yield node
            for keyword in (SCHEMAS & node.keys()) - {"contentSchema"}:
                inside = node[keyword]
                open_at += inside.values() if keyword in SCHEMAS_BY_NAME and isinstance(inside, Mapping) else [inside]
