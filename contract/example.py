"""Answers that the contract documents, put together from its examples: what a mock says when it is told what to say."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import orjson

from .document import Contract
from .generator import Generator, NoValue
from .media import is_json
from .operation import Operation
from .problem import PROBLEM_JSON, Problem
from .schema import show


class NotDocumented(Exception):
    """The contract has no such answer; the message says what it has."""


def documented_reply(
    contract: Contract,
    operation: Operation,
    status: int | None = None,
    example: str | None = None,
    *,
    made: bool = False,
    draw: int = 0,
) -> tuple[Any, int, Mapping[str, str]]:
    """The body, the status and the header fields of a documented answer. Raises NotDocumented.

    Without a status, the first success; without a name, the first example. A problem that has no example, or with
    `made`, is made from the contract's catalogue of problems, and whatever else has no example from its schema: `draw`
    chooses among the values that it has.
    """
    documented = [int(each) for each in operation.responses if each.isdigit()]
    if status is None:
        status = min((each for each in documented if each < 300), default=documented[0])
    if status not in documented:
        raise NotDocumented(f"{operation.id} has no response {status}; it has {_listed(documented)}")
    response = contract.dereferenced(operation.declared["responses"][str(status)])
    generator = contract.values("response")
    headers = dict(_headers(contract, response, generator))
    content: Mapping[str, Any] = response.get("content", {})
    if not content:
        return None, status, headers
    media_type, representation = next(iter(content.items()))
    headers["content-type"] = media_type
    try:
        value = _value(contract, operation, status, media_type, representation, example, made=made)
    except NotDocumented:
        if example is not None or not is_json(media_type):
            raise
        try:
            value = generator.value(representation.get("schema", {}), draw)
        except NoValue as error:
            raise NotDocumented(f"{operation.id} {status} has no example, and its schema no value") from error
    return value, status, headers


def _headers(contract: Contract, response: Mapping[str, Any], generator: Generator) -> Iterator[tuple[str, str]]:
    """The fields that have an example, and those that must be there."""
    for name, declared in response.get("headers", {}).items():
        field = contract.dereferenced(declared)
        if "example" in field:
            yield name, str(field["example"])
        elif field.get("required"):
            with suppress(NoValue):
                value = generator.value(field.get("schema", {}))
                yield name, value if isinstance(value, str) else orjson.dumps(value).decode()


def request_example(contract: Contract, operation: Operation) -> Any:
    """The first documented body of a request. Raises NotDocumented."""
    declared = contract.dereferenced(operation.declared.get("requestBody", {}))
    for representation in declared.get("content", {}).values():
        for example in representation.get("examples", {}).values():
            return contract.dereferenced(example)["value"]
        if "example" in representation:
            return representation["example"]
    raise NotDocumented(f"{operation.id} has no example of a request")


def _value(
    contract: Contract,
    operation: Operation,
    status: int,
    media_type: str,
    representation: Mapping[str, Any],
    example: str | None,
    *,
    made: bool,
) -> Any:
    examples = representation.get("examples", {})
    if example is not None and example not in examples:
        has = _listed(examples) if examples else "none"
        raise NotDocumented(f"{operation.id} {status} has no example {show(example)}; it has {has}")
    if media_type == PROBLEM_JSON and example is None and (made or not examples):
        for kind, declared in contract.problems.items():
            if declared["status"] == status:
                return Problem(kind, declared["cause"]).document(contract.problems)
    if examples:
        return contract.dereferenced(examples[example or next(iter(examples))])["value"]
    if "example" in representation:
        return representation["example"]
    raise NotDocumented(f"{operation.id} {status} has no example")


def _listed(names: Any) -> str:
    return ", ".join(map(str, names))
