"""Whether a document is a contract: OpenAPI 3.0, whole in itself, without endless schemas, its `x-` members sound."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote

from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV30SpecValidator
from referencing.exceptions import Unresolvable

from .document import InvalidContract
from .extensions import extensions
from .operation import Operation

_DATA = {"example", "default", "enum", "value"}
"""Members that hold data of the API, in which a `$ref` is a member like any other."""
_SAME_VALUE = ("allOf", "anyOf", "oneOf", "not")
"""Keywords whose schemas judge the value itself, not a part of it."""
MOST_REFERENCES = 50_000
"""How many references one reference may come to, when all that it leads to are written out."""

Compiled = TypeVar("Compiled", bound="HasOperations")


class HasOperations(Protocol):
    operations: dict[str, Operation]


def validated(document: Mapping[str, Any], compiled: Callable[[Mapping[str, Any]], Compiled]) -> Compiled:
    """What `compiled` makes of the document, with every schema compiled. Raises InvalidContract."""
    references = set(_references(document))
    if outside := sorted(reference for reference in references if not reference.startswith("#/")):
        raise InvalidContract(f"{outside[0]}: only references inside the document are followed")
    try:
        _bound({reference: _target(document, reference) for reference in references})
    except RecursionError as error:
        raise InvalidContract("its references lead on and on") from error
    _judge(document)
    if wrong := next(extensions(document), None):
        raise InvalidContract(wrong)
    try:
        contract = compiled(document)
        for operation in contract.operations.values():
            operation.compile()
    except RecursionError as error:
        raise InvalidContract("its references lead on and on") from error
    except ValueError as error:  # such as a pattern that is no regular expression
        raise InvalidContract(" ".join(str(error).split())[:300]) from error
    return contract


def _judge(document: Mapping[str, Any]) -> None:
    try:
        # No handler, so that nothing is fetched, whatever a reference says.
        error = next(OpenAPIV30SpecValidator(SchemaPath.from_dict(dict(document), handlers={})).iter_errors(), None)
    except Unresolvable as unresolvable:
        raise InvalidContract(f"{unresolvable.ref}: refers to nothing inside the document") from unresolvable
    except RecursionError:
        return  # the validator does not come to an end with some recursive schemas, and has nothing against them
    if error is not None:
        where = "/".join(map(str, error.absolute_path)) or "the document"
        raise InvalidContract(f"{where}: {error.message.splitlines()[0][:300]}")


def _target(document: Any, reference: str) -> Any:
    """What a reference names, without following those on the way; None for nothing, which others tell of."""
    node = document
    for step in reference[2:].split("/"):
        node = node.get(unquote(step).replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    return node


def _bound(targets: Mapping[str, Any]) -> None:
    """Raises InvalidContract for a schema that is made of itself, and for references that multiply without end."""
    same = {reference: set(_same_value(target)) for reference, target in targets.items()}
    done: set[str] = set()
    for reference in sorted(targets):
        _check_ends(reference, same, (), done)
    inside = {reference: list(_references(target)) for reference, target in targets.items()}
    sizes: dict[str, int] = {}
    for reference in sorted(targets):
        if _size(reference, inside, sizes) > MOST_REFERENCES:
            raise InvalidContract(f"{reference}: comes to more than {MOST_REFERENCES} references")


def _check_ends(reference: str, same: Mapping[str, set[str]], above: tuple[str, ...], done: set[str]) -> None:
    if reference in above:
        raise InvalidContract(f"{reference}: refers to itself")
    if reference not in done:
        for each in same.get(reference, ()):
            _check_ends(each, same, (*above, reference), done)
        done.add(reference)


def _size(reference: str, inside: Mapping[str, list[str]], sizes: dict[str, int]) -> int:
    if reference not in sizes:
        sizes[reference] = 1  # a recursive reference meets itself here
        sizes[reference] += sum(_size(each, inside, sizes) for each in inside.get(reference, ()))
    return sizes[reference]


def _same_value(schema: Any) -> Iterator[str]:
    """The references to schemas that judge the value that a schema judges."""
    if isinstance(schema, list):
        for each in schema:
            yield from _same_value(each)
    elif isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference
        for keyword in _SAME_VALUE:
            yield from _same_value(schema.get(keyword))


def _references(document: Any) -> Iterator[str]:
    nodes = [document]
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                yield reference
            nodes += [value for key, value in node.items() if key not in _DATA and not str(key).startswith("x-")]
