"""The documented exchanges of a contract: each with its earlier requests, its own, and its response."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..contract.document import Contract
from ..contract.example import examples_of
from ..contract.operation import Operation
from ..contract.problem import PROBLEM_JSON, type_of
from ..contract.schema import Json
from ..contract.witness import ABSENT
from .samples import SampleRequest, request, request_examples

_NO_WORD = re.compile(r"[^\w.]+")


@dataclass(frozen=True, slots=True)
class Example:
    """A documented exchange. Its response may be abbreviated: members may be left out.

    The values of members in `varying`, at any depth, differ each time; only the type is the same.
    """

    anchor: str
    summary: str
    operation: Operation | None
    given: tuple[SampleRequest, ...]
    sent: SampleRequest
    status: str
    media_type: str
    body: Json = ABSENT
    headers: Mapping[str, str] = field(default_factory=dict)
    is_executable: bool = False
    varying: frozenset[str] = frozenset()
    published: Json = ABSENT
    """The response as it was published elsewhere, without some members (`x-published`)."""


def slug(name: str) -> str:
    """A name as an anchor in the page."""
    return _NO_WORD.sub("-", name).strip("-") or "-"


def operations(contract: Contract) -> list[Operation]:
    """The operations in the order of the document, those of one tag together."""
    by_place = {(operation.path, operation.method): operation for operation in contract.operations.values()}
    by_tag: dict[str, list[Operation]] = {}
    for path, item in contract.path_items.items():
        for name in item:
            if (operation := by_place.get((path, name.upper()))) is not None:
                by_tag.setdefault(tag_of(operation), []).append(operation)
    return [operation for each in by_tag.values() for operation in each]


def tag_of(operation: Operation) -> str:
    """The first tag of an operation, or an empty text."""
    return next(iter(operation.declared.get("tags", ())), "")


def examples(contract: Contract) -> list[Example]:
    """Every example of a response, operation by operation, then those of problems that no operation has.

    An operation without one has an example of a request only. Raises InvalidContract for an unknown name.
    """
    found: dict[str, Example] = {}
    kinds = set()
    for operation in operations(contract):
        for each in _of_operation(contract, operation, found):
            found[each.anchor] = each
            if each.media_type == PROBLEM_JSON and isinstance(each.body, dict):
                kinds.add(each.body.get("type"))
    return list(found.values()) + [
        _of_problem(kind, problem, executable=has_example_scenario(contract))
        for kind, problem in contract.problems.items()
        if type_of(kind, problem) not in kinds and "x-request" in problem
    ]


def responses(contract: Contract, declared: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The responses that an operation declares, by status and in its order."""
    every = {str(status): contract.resolve.followed(each) for status, each in declared.get("responses", {}).items()}
    return {status: every[status] for status in sorted(every) if not status.startswith("x-")}


def has_example_scenario(contract: Contract) -> bool:
    """Whether the contract declares the clock and the ids of its examples (`x-examples`)."""
    return "now" in contract.document.get("x-examples", {})


def _of_problem(kind: str, problem: Mapping[str, Any], *, executable: bool) -> Example:
    described = problem["x-request"]
    body = {"type": type_of(kind, problem), **{name: problem[name] for name in ("title", "status", "detail")}}
    sent = SampleRequest(described["method"], described["target"])
    return Example(
        f"{kind}.example", problem["title"], None, (), sent, str(problem["status"]), PROBLEM_JSON, body,
        is_executable=executable,
    )  # fmt: skip


def _of_operation(contract: Contract, operation: Operation, taken: Mapping[str, Example]) -> Iterator[Example]:
    some = False
    documented = responses(contract, operation.declared)
    for status, response in documented.items():
        headers = {
            name: str(header["example"])
            for name, each in response.get("headers", {}).items()
            if "example" in (header := contract.resolve.followed(each))
        }
        for content_type, name, example in _response_examples(contract, response):
            some = True
            described = example.get("x-request", {})
            anchor = slug(f"{operation.id}.{status}.{name}")
            yield Example(
                anchor=anchor if anchor not in taken else slug(f"{anchor}.{content_type}"),
                summary=example.get("summary", name),
                operation=operation,
                given=tuple(_given(contract, each) for each in described.get("given", ())),
                sent=request(contract, operation, described, name),
                status=status,
                media_type=content_type,
                body=example.get("value", ABSENT),
                headers=headers,
                is_executable=has_example_scenario(contract) and "x-request" in example,
                varying=frozenset(example.get("x-varying", ())),
                published=example.get("x-published", ABSENT),
            )
    if not some:
        status = next(iter(documented), "default")
        name = next(iter(request_examples(operation)), "request")
        sent = request(contract, operation, {}, name)
        yield Example(slug(f"{operation.id}.{status}.{name}"), "A request", operation, (), sent, status, "")


def _response_examples(contract: Contract, response: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The media type, the name and the example of each documented response.

    A response without a body is its own example when it has an `x-request`.
    """
    for content_type, content in response.get("content", {}).items():
        for name, example in examples_of(content, contract.resolve).items():
            yield content_type, name, example
    if "x-request" in response:
        yield "", "done", {"summary": response["description"].rstrip("."), "x-request": response["x-request"]}


def _given(contract: Contract, name: str) -> SampleRequest:
    """The request with this name in `x-examples`, to be sent before an example."""
    described = contract.resolve(f"#/x-examples/given/{name}")
    body = described.get("body", ABSENT)
    body = contract.resolve(body["$ref"])["value"] if isinstance(body, Mapping) and "$ref" in body else body
    headers = {} if body is ABSENT else {"Content-Type": "application/json"}
    return SampleRequest(described["method"], described["target"], headers, body, name)
