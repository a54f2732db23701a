"""The documented exchanges of a contract: for each the requests before it, its own, and its answer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..contract.document import Contract
from ..contract.operation import Operation
from ..contract.problem import PROBLEM_JSON, type_of
from ..contract.schema import Json
from .samples import ABSENT, Sent, named, request, request_examples, text_of


@dataclass(frozen=True, slots=True)
class Example:
    """A documented exchange. Its answer may be abbreviated: members may be left out."""

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
    published: Json = ABSENT
    """The answer as somebody published it, where that leaves members out (`x-published`)."""

    @property
    def text(self) -> str:
        return "" if self.body is ABSENT else text_of(self.body)

    @property
    def published_text(self) -> str:
        return "" if self.published is ABSENT else text_of(self.published)


def slug(name: str) -> str:
    """A name as an address inside the page."""
    return re.sub(r"[^\w.]+", "-", name).strip("-") or "-"


def operations(contract: Contract) -> list[Operation]:
    """The operations in the order of the document."""
    by_place = {(operation.path, operation.method): operation for operation in contract.operations.values()}
    return [
        by_place[at]
        for path, item in contract.path_items.items()
        for name in item
        if (at := (path, name.upper())) in by_place
    ]


def examples(contract: Contract) -> list[Example]:
    """Every example of an answer, operation by operation, then those of problems that no operation has.

    An operation without one has an example of a request only. Raises InvalidContract for a name of nothing.
    """
    found: dict[str, Example] = {}
    kinds = set()
    for operation in operations(contract):
        for each in _of_operation(contract, operation, found):
            found[each.anchor] = each
            if each.media_type == PROBLEM_JSON and isinstance(each.body, dict):
                kinds.add(each.body.get("type"))
    return list(found.values()) + [
        _of_problem(kind, problem, executable="x-examples" in contract.document)
        for kind, problem in contract.problems.items()
        if type_of(kind, problem) not in kinds and "x-request" in problem
    ]


def _of_problem(kind: str, problem: Mapping[str, Any], *, executable: bool) -> Example:
    described = problem["x-request"]
    body = {"type": type_of(kind, problem), **{name: problem[name] for name in ("title", "status", "detail")}}
    sent = Sent(described["method"], described["target"])
    return Example(
        f"{kind}.example", problem["title"], None, (), sent, str(problem["status"]), PROBLEM_JSON, body,
        is_executable=executable,
    )  # fmt: skip


def _of_operation(contract: Contract, operation: Operation, taken: Mapping[str, Example]) -> Iterator[Example]:
    executable = "x-examples" in contract.document  # the world in which examples come about
    bodies = request_examples(contract, operation)
    some = False
    for status, declared in sorted(operation.declared.get("responses", {}).items(), key=lambda each: str(each[0])):
        if str(status).startswith("x-"):
            continue
        response = contract.dereferenced(declared)
        headers = {
            name: str(header["example"])
            for name, each in response.get("headers", {}).items()
            if "example" in (header := contract.dereferenced(each))
        }
        for content_type, content in response.get("content", {}).items():
            for name, example in named(contract, content).items():
                some = True
                described = example.get("x-request", {})
                anchor = slug(f"{operation.id}.{status}.{name}")
                yield Example(
                    anchor=anchor if anchor not in taken else slug(f"{anchor}.{content_type}"),
                    summary=example.get("summary", name),
                    operation=operation,
                    given=_given(contract, described.get("given", ())),
                    sent=request(contract, operation, described, name, bodies),
                    status=str(status),
                    media_type=content_type,
                    body=example.get("value", ABSENT),
                    headers=headers,
                    is_executable=executable and "x-request" in example,
                    published=example.get("x-published", ABSENT),
                )
    if not some:
        status = min((str(each) for each in operation.declared.get("responses", {})), default="default")
        name = next(iter(bodies), "request")
        sent = request(contract, operation, {}, name, bodies)
        yield Example(slug(f"{operation.id}.{status}.{name}"), "A request", operation, (), sent, status, "")


def _given(contract: Contract, names: list[str] | tuple[str, ...]) -> tuple[Sent, ...]:
    if not names:
        return ()
    operation = contract.operations[contract.document["x-examples"]["given_by"]]
    bodies = request_examples(contract, operation)
    return tuple(request(contract, operation, {"body": name}, name, bodies) for name in names)
