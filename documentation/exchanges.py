"""The documented exchanges of a contract: for each the requests before it, its own, and its answer."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from ..contract.document import Contract
from ..contract.operation import Operation
from ..contract.problem import PROBLEM_JSON, type_of
from ..contract.schema import Json
from .wording import resolved

ABSENT: Any = object()
"""Stands where a JSON value could, and there is none."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: its target is a path with its query, percent-encoded, from the root of a mock.

    `name` is that of the example of its body, or of the request itself where it goes before an example.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = ABSENT
    name: str = ""

    @property
    def content(self) -> bytes | None:
        """The body as it is on the wire."""
        if self.body is ABSENT:
            return None
        return self.body.encode() if isinstance(self.body, str) else orjson.dumps(self.body)

    @property
    def text(self) -> str | None:
        return None if self.body is ABSENT else text_of(self.body)


@dataclass(frozen=True, slots=True)
class Example:
    """A documented exchange. Its answer may be abbreviated: members may be left out.

    Of the members that `varying` names, at any depth, only the type is the same each time.
    """

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
    varying: frozenset[str] = frozenset()
    published: Json = ABSENT
    """The answer as somebody published it, where that leaves members out (`x-published`)."""

    @property
    def text(self) -> str:
        return "" if self.body is ABSENT else text_of(self.body)

    @property
    def published_text(self) -> str:
        return "" if self.published is ABSENT else text_of(self.published)


def text_of(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def slug(name: str) -> str:
    """A name as an address inside the page."""
    return re.sub(r"[^\w.]+", "-", name).strip("-") or "-"


def operations(contract: Contract) -> list[Operation]:
    """The operations in the order of the document."""
    by_place = {(operation.path, operation.method): operation for operation in contract.operations.values()}
    items = ((path, path_item(contract, path)) for path in contract.document.get("paths", {}))
    return [by_place[at] for path, item in items for name in item if (at := (path, name.upper())) in by_place]


def path_item(contract: Contract, path: str) -> Mapping[str, Any]:
    item = contract.document["paths"][path]
    return contract.dereferenced(item) if isinstance(item, Mapping) else {}


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
        _of_problem(kind, problem, executable=_has_world(contract))
        for kind, problem in contract.problems.items()
        if type_of(kind, problem) not in kinds and "x-request" in problem
    ]


def _has_world(contract: Contract) -> bool:
    """Whether the contract says in which world its examples come about."""
    return "now" in contract.document.get("x-examples", {})


def _of_problem(kind: str, problem: Mapping[str, Any], *, executable: bool) -> Example:
    request = problem["x-request"]
    body = {"type": type_of(kind, problem), **{name: problem[name] for name in ("title", "status", "detail")}}
    sent = Sent(request["method"], request["target"])
    return Example(
        f"{kind}.example", problem["title"], None, (), sent, str(problem["status"]), PROBLEM_JSON, body,
        is_executable=executable,
    )  # fmt: skip


def _of_operation(contract: Contract, operation: Operation, taken: Mapping[str, Example]) -> Iterator[Example]:
    bodies = request_examples(contract, operation)
    some = False
    for status, declared in sorted(operation.declared["responses"].items(), key=lambda each: str(each[0])):
        if str(status).startswith("x-"):
            continue
        response = contract.dereferenced(declared)
        headers = {
            name: str(header["example"])
            for name, each in response.get("headers", {}).items()
            if "example" in (header := contract.dereferenced(each))
        }
        for content_type, name, example in _answers(contract, response):
            some = True
            request = example.get("x-request", {})
            anchor = slug(f"{operation.id}.{status}.{name}")
            yield Example(
                anchor=anchor if anchor not in taken else slug(f"{anchor}.{content_type}"),
                summary=example.get("summary", name),
                operation=operation,
                given=tuple(_given(contract, each) for each in request.get("given", ())),
                sent=_sent(contract, operation, request, name, bodies),
                status=str(status),
                media_type=content_type,
                body=example.get("value", ABSENT),
                headers=headers,
                is_executable=_has_world(contract) and "x-request" in example,
                varying=frozenset(example.get("x-varying", ())),
                published=example.get("x-published", ABSENT),
            )
    if not some:
        status = min((str(each) for each in operation.declared["responses"]), default="default")
        name = next(iter(bodies), "request")
        sent = _sent(contract, operation, {}, name, bodies)
        yield Example(slug(f"{operation.id}.{status}.{name}"), "A request", operation, (), sent, status, "")


def _answers(contract: Contract, response: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The media type, the name and the example of each documented answer.

    An answer without a body is its own example when it says how it comes about.
    """
    for content_type, content in response.get("content", {}).items():
        for name, example in named(contract, content).items():
            yield content_type, name, example
    if "x-request" in response:
        yield "", "done", {"summary": response["description"].rstrip("."), "x-request": response["x-request"]}


def _given(contract: Contract, name: str) -> Sent:
    """The request of this name among those that go before examples."""
    request = contract.resolve(f"#/x-examples/given/{name}")
    body = request.get("body", ABSENT)
    body = contract.resolve(body["$ref"])["value"] if isinstance(body, Mapping) and "$ref" in body else body
    headers = {} if body is ABSENT else {"Content-Type": "application/json"}
    return Sent(request["method"], request["target"], headers, body, name)


def _sent(
    contract: Contract, operation: Operation, request: Mapping[str, Any], name: str, bodies: Mapping[str, Json]
) -> Sent:
    """The request that `x-request` describes; what it leaves open is filled from the examples of that name, or any.

    Without an `x-request` it has the parameters that have an example or are required, and a body made from its schema
    where there is no example of one.
    """
    path, query = contract.base_path + operation.path, dict(request.get("query", {}))
    headers = dict(request.get("headers", {}))
    for parameter in parameters(contract, operation):
        wanted, value = parameter["name"], _parameter_example(contract, parameter, name)
        if value is ABSENT and parameter.get("required"):
            value = made(contract, content_schema(parameter))
        value = request.get("path", {}).get(wanted, value)
        if value is ABSENT:
            continue
        if parameter["in"] == "path":
            path = path.replace(f"{{{wanted}}}", quote(value if isinstance(value, str) else _joined(value), safe=""))
        elif parameter["in"] == "query" and not request:
            query[wanted] = value if isinstance(value, list) else _joined(value)
        elif parameter["in"] == "header" and not request and parameter.get("required"):
            headers[wanted] = _joined(value)
    target = f"{path}?{urlencode(query, doseq=True)}" if query else path
    if "requestBody" not in operation.declared:
        return Sent(operation.method, target, headers)
    body = request.get("body", name if not request else ABSENT)
    content_type, content = first_content(contract, operation)
    if isinstance(body, str):
        name = body
        body = bodies.get(body, next(iter(bodies.values()), ABSENT))
        body = made(contract, content.get("schema", {})) if body is ABSENT and "schema" in content else body
    headers = headers if body is ABSENT else {"Content-Type": content_type, **headers}
    return Sent(operation.method, target, headers, body, name)


def _joined(value: Json) -> str:
    if isinstance(value, list):
        return ",".join(map(_joined, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parameters(contract: Contract, operation: Operation) -> list[Mapping[str, Any]]:
    """Those of the path, each unless the operation has it itself, and those of the operation."""
    item = path_item(contract, operation.path)
    both = (
        contract.dereferenced(each) for each in (*item.get("parameters", ()), *operation.declared.get("parameters", ()))
    )
    return list({(each["name"], each["in"]): each for each in both}.values())


def content_schema(declared: Mapping[str, Any]) -> Any:
    """The schema of a parameter or a header, whichever way it has one; {} where it has none."""
    contents = ({"schema": declared.get("schema")}, *declared.get("content", {}).values())
    return next((each["schema"] for each in contents if each.get("schema")), {})


def first_content(contract: Contract, operation: Operation) -> tuple[str, Mapping[str, Any]]:
    """The first media type of a request body, and its content."""
    declared = contract.dereferenced(operation.declared.get("requestBody", {}))
    return next(iter(declared.get("content", {}).items()), ("application/octet-stream", {}))


def request_examples(contract: Contract, operation: Operation) -> dict[str, Json]:
    """The bodies of an operation's request examples, by name."""
    content = first_content(contract, operation)[1]
    return {name: example["value"] for name, example in named(contract, content).items() if "value" in example}


def named(contract: Contract, content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The examples of a media type or a parameter by name; a single `example` is named so."""
    if "example" in content:
        return {"example": {"value": content["example"]}}
    return {str(name): contract.dereferenced(example) for name, example in content.get("examples", {}).items()}


def _parameter_example(contract: Contract, parameter: Mapping[str, Any], name: str) -> Json:
    found = named(contract, parameter)
    return (found.get(name) or next(iter(found.values()), {})).get("value", ABSENT)


def made(contract: Contract, schema: Any, depth: int = 0) -> Json:
    """A value that a schema describes, for a request without an example: what is required, and no more."""
    flat = resolved(contract, schema)
    for keyword in ("example", "default"):
        if keyword in flat:
            return flat[keyword]
    if listed := flat.get("enum") or flat.get("examples"):
        return listed[0]
    kind = flat.get("type", "object" if "properties" in flat else "string")
    if alternatives := flat.get("oneOf") or flat.get("anyOf"):
        return made(contract, alternatives[0], depth + 1) if depth < 4 else None
    if kind == "object":
        wanted = [name for name in flat.get("required", ()) if name in flat.get("properties", {})] if depth < 4 else []
        return {name: made(contract, flat["properties"][name], depth + 1) for name in wanted}
    if kind == "array":
        return (
            [made(contract, flat["items"], depth + 1)] if flat.get("minItems") and "items" in flat and depth < 4 else []
        )
    return {"integer": flat.get("minimum", 1), "number": flat.get("minimum", 1), "boolean": True}.get(kind, "string")
