"""Answers that the contract documents, put together from its examples: what a mock says when it is told what to say."""

from collections.abc import Mapping
from typing import Any

from .document import Contract
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
) -> tuple[Any, int, Mapping[str, str]]:
    """The body, the status and the header fields of a documented answer. Raises NotDocumented.

    Without a status, the first success; without a name, the first example. A problem that has no example, or with
    `made`, is made from the contract's catalogue of problems.
    """
    documented = [int(each) for each in operation.responses if each.isdigit()]
    if status is None:
        status = min((each for each in documented if each < 300), default=documented[0])
    if status not in documented:
        raise NotDocumented(f"{operation.id} has no response {status}; it has {_listed(documented)}")
    response = contract.dereferenced(operation.declared["responses"][str(status)])
    headers = {
        name: str(field["example"])
        for name, declared in response.get("headers", {}).items()
        if "example" in (field := contract.dereferenced(declared))
    }
    content: Mapping[str, Any] = response.get("content", {})
    if not content:
        return None, status, headers
    media_type, representation = next(iter(content.items()))
    headers["content-type"] = media_type
    return _value(contract, operation, status, media_type, representation, example, made=made), status, headers


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
