"""Documented responses, made from the contract's examples and schemas."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any

import orjson

from .body import Content
from .document import Contract
from .media import concrete, is_json, media_type
from .operation import Operation, Response
from .parameters import Parameter
from .problem import PROBLEM_JSON, Problem
from .references import References
from .schema import show
from .witness import ABSENT


class NotDocumented(Exception):
    """The contract has no such response or example; the message names those that it has."""


def documented_reply(
    contract: Contract,
    operation: Operation,
    status: int | None = None,
    example: str | None = None,
    *,
    made: bool = False,
    draw: int = 0,
) -> tuple[Any, int, Mapping[str, str]]:
    """The body, the status and the header fields of a documented response. Raises NotDocumented.

    Without a status, the first success; without a name, the first example. A problem without an example, or with
    `made`, is made from the contract's catalogue of problems, any other body without an example from its schema: `draw`
    chooses among the values.
    """
    status = usual_status(operation) if status is None else status
    response = documented_response(operation, status)
    headers = dict(_headers(contract, response.headers))
    refused: NotDocumented | None = None
    for name, content in response.representations.items():
        try:
            value = _value(contract, f"{operation.id} {status}", status, content, example, draw, made=made)
        except NotDocumented as reason:
            refused = refused or reason
            continue
        headers["content-type"] = concrete(name)
        return written(value, name), status, headers
    if refused is not None:
        raise refused
    return None, status, headers


def documented_response(operation: Operation, status: int) -> Response:
    """The documented response for a status. Raises NotDocumented."""
    if (response := operation.response(status)) is None:
        has = ", ".join(operation.responses) or "none"
        raise NotDocumented(f"{operation.id} has no response {status}; it has {has}")
    return response


def required_headers(contract: Contract, response: Response) -> dict[str, str]:
    """The required header fields of a response, with values."""
    return dict(_headers(contract, [each for each in response.headers if each.required]))


def usual_status(operation: Operation) -> int:
    """The lowest documented success, 200 for `2XX` and `default`; without one, the first status."""
    declared = operation.responses.keys()
    numbers = [int(each) for each in declared if each.isdigit()]
    if success := [each for each in numbers if each < 300]:
        return min(success)
    if declared & {"2XX", "DEFAULT"} or not declared:
        return 200
    return numbers[0] if numbers else 100 * int(next(iter(declared))[0])


def written(value: Any, documented: str) -> Any:
    """A value as the body of a media type: unchanged for JSON, else bytes.

    A value without a text in this media type, such as the XML of an object, gives no bytes.
    """
    name, charset = media_type(concrete(documented))
    if is_json(name) or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        with suppress(LookupError):  # an unknown charset
            return value.encode(charset, "replace")
        return value.encode()
    return b"" if value is None or isinstance(value, dict | list) else orjson.dumps(value)


def _headers(contract: Contract, fields: Iterable[Parameter]) -> Iterator[tuple[str, str]]:
    """The header fields with an example, and the required ones."""
    for field in fields:
        value = next(iter(values_of(field.source, contract.resolve).values()), ABSENT)
        if value is ABSENT and field.required:
            value = contract.values("response").value(field.declared, otherwise=ABSENT)
        if value is not ABSENT:
            yield field.written(value)[0]


def examples_of(declared: Mapping[str, Any], resolve: References) -> dict[str, Mapping[str, Any]]:
    """The Example Objects of a media type, a parameter or a header by name; a single `example` has this name."""
    if "example" in declared:
        return {"example": {"value": declared["example"]}}
    return {str(name): resolve.followed(example) for name, example in declared.get("examples", {}).items()}


def values_of(declared: Mapping[str, Any], resolve: References) -> dict[str, Any]:
    """The values of the examples by name, without those with an `externalValue`."""
    return {name: each["value"] for name, each in examples_of(declared, resolve).items() if "value" in each}


def request_example(contract: Contract, operation: Operation) -> dict[str, Any]:
    """The first documented body of a request, or one that is made from its schema; empty where that is no object."""
    contents = operation.request_body.contents.values()
    documented = (value for each in contents for value in values_of(each.declared, contract.resolve).values())
    made = (contract.values("request").value(each.raw) for each in contents)
    value = next(chain(documented, made), None)
    return value if isinstance(value, dict) else {}


def _value(
    contract: Contract, answer: str, status: int, content: Content, example: str | None, draw: int, *, made: bool
) -> Any:
    """The value for one media type of a response. Raises NotDocumented."""
    values = values_of(content.declared, contract.resolve)
    if example is not None:
        if example in values:
            return values[example]
        named = ", ".join(map(show, values)) or "none"
        raise NotDocumented(f"{answer} has no example {show(example)}; it has {named}")
    if content.name == PROBLEM_JSON and (made or not values):
        for kind, declared in contract.problems.items():
            if declared["status"] == status:
                return Problem(kind, declared["cause"]).document(contract.problems)
    for value in filter(content.schema.accepts, values.values()):
        return value
    if (value := contract.values("response").value(content.raw, draw, otherwise=ABSENT)) is ABSENT:
        raise NotDocumented(f"{answer} has no example, and its schema no value")
    return value
