"""What is not judged in operations, though their contract says it: a verdict must not hide it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .formats import JUDGED_FORMATS
from .operation import Operation
from .schema import Resolve

_SCHEMAS = ("allOf", "anyOf", "oneOf", "not", "items", "additionalProperties")


def unjudged(operations: Iterable[Operation]) -> list[str]:
    """One sentence for each kind, with how many of these operations it concerns."""
    concerned: dict[str, int] = {}
    for operation in operations:
        for kind in set(_kinds(operation)):
            concerned[kind] = concerned.get(kind, 0) + 1
    return [f"{kind} ({count} operation{'s' if count > 1 else ''})" for kind, count in sorted(concerned.items())]


def _kinds(operation: Operation) -> Iterator[str]:
    for content in operation.contents:
        yield from content.unjudged
    headers = (each for response in operation.responses.values() for each in response.headers)
    for parameter in (*operation.parameters, *headers):
        if not parameter.is_judged:
            yield "a parameter with content that is not JSON is judged by its presence, not by its schema"
    for name in operation.security.unseen:
        yield f"security scheme {name} is not judged: no request shows it"
    if operation.declared.get("callbacks"):
        yield "callbacks are not judged"
    for name in _formats(operation.schemas, operation.resolve):
        yield f"format {name} is not judged: it is in no registry that is known here"


def _formats(node: Any, resolve: Resolve) -> Iterator[str]:
    """The formats in a schema that nothing judges; a recursive schema is followed once around."""
    open_at, seen = [node], set[str]()
    while open_at:
        node = open_at.pop()
        if isinstance(node, list):
            open_at += node
        elif isinstance(node, Mapping) and isinstance(reference := node.get("$ref"), str):
            if reference not in seen:
                seen.add(reference)
                open_at.append(resolve(reference))
        elif isinstance(node, Mapping):
            if isinstance(name := node.get("format"), str) and name not in JUDGED_FORMATS:
                yield name
            open_at += node.get("properties", {}).values()
            open_at += (each for keyword, each in node.items() if keyword in _SCHEMAS)
