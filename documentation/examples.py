"""The examples of the contract, and how each comes about: the requests before it, its own, and what is answered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from ..contract.document import Contract
from ..contract.operation import Operation
from ..contract.problem import PROBLEM_JSON, type_of
from ..contract.schema import Json

ABSENT: Any = object()
"""Stands where a JSON value could, and there is none."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: its target is a path with its query, percent-encoded."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = ABSENT

    @property
    def content(self) -> bytes | None:
        """The body as it is on the wire."""
        if self.body is ABSENT:
            return None
        return self.body.encode() if isinstance(self.body, str) else orjson.dumps(self.body)


@dataclass(frozen=True, slots=True)
class Example:
    """A documented exchange. What it shows may be abbreviated: members of the answer may be left out."""

    anchor: str
    summary: str
    operation: Operation | None
    given: tuple[Sent, ...]
    sent: Sent
    status: str
    media_type: str
    body: Json = ABSENT
    headers: Mapping[str, str] = field(default_factory=dict)
    is_executable: bool = False


def examples(contract: Contract) -> list[Example]:
    """Every example of an answer, operation by operation, then those of problems that no operation has.

    An operation without one has an example of a request only. Raises InvalidContract for a name of nothing.
    """
    found = [each for operation in operations(contract) for each in _of_operation(contract, operation)]
    kinds = {each.body["type"] for each in found if each.media_type == PROBLEM_JSON and each.body is not ABSENT}
    return found + [
        _of_problem(kind, problem)
        for kind, problem in contract.problems.items()
        if type_of(kind, problem) not in kinds and "x-request" in problem
    ]


def operations(contract: Contract) -> list[Operation]:
    """The operations in the order in which the contract has them."""
    by_place = {(operation.path, operation.method): operation for operation in contract.operations.values()}
    places = ((path, name.upper()) for path, item in contract.document["paths"].items() for name in item)
    return [by_place[place] for place in places if place in by_place]


def _of_problem(kind: str, problem: Mapping[str, Any]) -> Example:
    request = problem["x-request"]
    body = {"type": type_of(kind, problem), **{name: problem[name] for name in ("title", "status", "detail")}}
    sent = Sent(request["method"], request["target"])
    return Example(
        f"{kind}.example", problem["title"], None, (), sent, str(problem["status"]), PROBLEM_JSON, body,
        is_executable=True,
    )  # fmt: skip


def _of_operation(contract: Contract, operation: Operation) -> Iterator[Example]:
    executable = "x-examples" in contract.document
    bodies = request_examples(contract, operation)
    some = False
    for status, declared in sorted(operation.declared["responses"].items()):
        response = contract.dereferenced(declared)
        headers = {
            name: header["example"]
            for name, each in response.get("headers", {}).items()
            if "example" in (header := contract.dereferenced(each))
        }
        for content_type, content in response.get("content", {}).items():
            for name, example in named(contract, content).items():
                some = True
                request = example.get("x-request", {})
                yield Example(
                    anchor=f"{operation.id}.{status}.{name}",
                    summary=example.get("summary", name),
                    operation=operation,
                    given=_given(contract, request.get("given", ())),
                    sent=_sent(contract, operation, request, name, bodies),
                    status=str(status),
                    media_type=content_type,
                    body=example.get("value", ABSENT),
                    headers=headers,
                    is_executable=executable and "x-request" in example,
                )
    if not some:
        status = min(operation.declared["responses"])
        name = next(iter(bodies), "request")
        sent = _sent(contract, operation, {}, name, bodies)
        yield Example(f"{operation.id}.{status}.{name}", "A request", operation, (), sent, str(status), "")


def _given(contract: Contract, names: list[str] | tuple[str, ...]) -> tuple[Sent, ...]:
    if not names:
        return ()
    operation = contract.operations[contract.document["x-examples"]["given_by"]]
    bodies = request_examples(contract, operation)
    return tuple(_sent(contract, operation, {"body": name}, name, bodies) for name in names)


def _sent(
    contract: Contract, operation: Operation, request: Mapping[str, Any], name: str, bodies: Mapping[str, Json]
) -> Sent:
    """The request that `x-request` describes; what it leaves open is filled from the examples of that name, or any."""
    path, query = operation.path, dict(request.get("query", {}))
    for parameter in operation.parameters:
        if parameter.place == "path":
            value = request.get("path", {}).get(parameter.name, ABSENT)
            value = _parameter_example(contract, operation, parameter.name, name) if value is ABSENT else value
            if value is not ABSENT:
                path = path.replace(f"{{{parameter.name}}}", quote(str(value), safe=""))
        elif parameter.place == "query" and not request:
            value = _parameter_example(contract, operation, parameter.name, name)
            if value is not ABSENT:
                query[parameter.name] = value
    target = f"{path}?{urlencode(query, doseq=True)}" if query else path
    headers = dict(request.get("headers", {}))
    if operation.request_body is None:
        return Sent(operation.method, target, headers)
    body = request.get("body", name if not request else ABSENT)
    if isinstance(body, str):
        body = bodies.get(body, next(iter(bodies.values()), ABSENT))
    content_type = next(iter(contract.dereferenced(operation.declared["requestBody"])["content"]))
    return Sent(
        operation.method, target, headers if body is ABSENT else {"Content-Type": content_type, **headers}, body
    )


def request_examples(contract: Contract, operation: Operation) -> dict[str, Json]:
    """The bodies of an operation's request examples, by name."""
    if operation.request_body is None:
        return {}
    content = next(iter(contract.dereferenced(operation.declared["requestBody"])["content"].values()))
    return {name: example["value"] for name, example in named(contract, content).items() if "value" in example}


def named(contract: Contract, content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The examples of a media type or a parameter by name; a single `example` is named so."""
    if "example" in content:
        return {"example": {"value": content["example"]}}
    return {name: contract.dereferenced(example) for name, example in content.get("examples", {}).items()}


def _parameter_example(contract: Contract, operation: Operation, parameter: str, name: str) -> Json:
    item = contract.document["paths"][operation.path]
    for declared in (*operation.declared.get("parameters", ()), *item.get("parameters", ())):
        each = contract.dereferenced(declared)
        if each["name"] == parameter:
            found = named(contract, each)
            example = found.get(name) or next(iter(found.values()), {})
            return example.get("value", ABSENT)
    return ABSENT
