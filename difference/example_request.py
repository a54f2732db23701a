"""Example requests that a contract accepts, and its documented responses, as evidence of breaking changes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from ..contract.example import values_of
from ..contract.finding import Finding
from ..contract.interaction import Fields, Interaction, by_name
from ..contract.media import is_json
from ..contract.operation import Request
from ..contract.parameters import Parameter, joined
from ..contract.schema import Direction, Json
from ..contract.witness import ABSENT
from .containment import example
from .revision import RevisionOperation

REQUIRED: Any = object()
"""The placeholder for an example body, where the contract requires one."""


@dataclass(frozen=True, slots=True)
class ExampleRequest:
    """A request as an interaction, and as the engine reads it."""

    interaction: Interaction
    request: Request


def read(parameter: Parameter, texts: list[tuple[str, str]]) -> tuple[Json, list[Finding]]:
    """The value and the findings of the engine for the texts of a parameter."""
    found = parameter.find(texts)[0] if parameter.place in ("query", "cookie") else [text for _, text in texts]
    return parameter.read(found) if found else (None, [])


def parameter_example(operation: RevisionOperation, parameter: Parameter) -> Json:
    """A valid value of a parameter."""
    for value in values_of(parameter.source, operation.revision.resolve).values():
        if not read(parameter, parameter.written(value))[1]:
            return value
    value = example(operation.revision.normal_schema(parameter.raw, "request"))
    return "a" if value == "" and parameter.place == "path" else None if value is ABSENT else value


def body_examples(operation: RevisionOperation, content: Mapping[str, Json], direction: Direction) -> list[Json]:
    """Valid bodies: the documented examples, or a simple one. They are cached."""
    revision = operation.revision
    if (key := (id(content), direction)) not in revision.bodies:
        schema = revision.normal_schema(content.get("schema", {}), direction)
        found = [value for value in values_of(content, revision.resolve).values() if schema.accepts(value)]
        revision.bodies[key] = found or [value for value in (example(schema),) if value is not ABSENT]
    return revision.bodies[key]


def body_example(operation: RevisionOperation, content: Mapping[str, Json], direction: Direction) -> Json:
    """A valid body, or ABSENT where none was found."""
    return next(iter(body_examples(operation, content, direction)), ABSENT)


def request(
    operation: RevisionOperation,
    parameters: Mapping[tuple[str, str], Json] | None = None,
    body: Json = REQUIRED,
    content_type: str | None = None,
    headers: Fields = (),
) -> ExampleRequest:
    """The simplest request that an operation accepts, with the given parameters and body."""
    values = dict(parameters or {})
    for key, (parameter, _) in operation.placed.items():
        if parameter.required and key not in values:
            values[key] = parameter_example(operation, parameter)
    path, query, cookies = operation.path, list[str](), list[str]()
    fields, read_path, in_url = list(headers), {}, partial(quote, safe="")
    for key, value in values.items():
        if value is ABSENT or key not in operation.placed:
            continue
        parameter = operation.placed[key][0]
        if key[0] == "path":
            read_path[parameter.name] = parameter.written(value)[0][1]
            path = path.replace(f"{{{parameter.name}}}", parameter.written(value, in_url)[0][1])
        elif key[0] == "query":
            query += map("=".join, parameter.written(value, in_url))
        elif key[0] == "header":
            fields += parameter.written(value)
        else:
            cookies += map("=".join, parameter.written(value))
    fields += [("Cookie", "; ".join(cookies))] if cookies else []
    data, of_body = _body(operation, body, content_type)
    fields += of_body
    text = "&".join(query)
    url = f"{base_url(operation)}{path}{'?' if text else ''}{text}"
    status, answer_fields, answer = example_response(operation)
    sent = Interaction(operation.method, url, status, tuple(fields), data, answer_fields, answer)
    return ExampleRequest(sent, Request(read_path, text.encode(), by_name(fields), data))


def _body(operation: RevisionOperation, body: Json, content_type: str | None) -> tuple[bytes, Fields]:
    """The given body, or an example where one is required, with its header field."""
    content = operation.declared_body.get("content", {})
    content_type = content_type or next(iter(content), "application/json")
    if body is REQUIRED and content and operation.request_body.required:
        body = body_example(operation, content.get(content_type, {}), "request")
    if body is REQUIRED or body is ABSENT:
        return b"", ()
    if content_type == "application/x-www-form-urlencoded" and isinstance(body, dict):
        return urlencode(list(_pairs(body))).encode(), (("Content-Type", content_type),)
    as_json = is_json(content_type) or not isinstance(body, str)
    return orjson.dumps(body) if as_json else (body or "text").encode(), (("Content-Type", content_type),)


def _pairs(value: Json, name: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a form; nested ones are named as in `a[b]`."""
    if isinstance(value, dict | list):
        for step, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _pairs(each, f"{name}[{step}]" if name else str(step))
    else:
        yield name, joined(value)


def base_url(operation: RevisionOperation) -> str:
    """The base URL of example requests: the first server of the contract, or one on this machine."""
    servers = operation.revision.document.get("servers") or [{"url": "/"}]
    url = str(servers[0].get("url", "/")).rstrip("/")
    return url if "://" in url and "{" not in url else f"http://127.0.0.1:8080{'' if '{' in url else url}"


def response_for(status: str, responses: Iterable[str]) -> str | None:
    """The key of the response for a status: the status itself, its class, or the default."""
    return next((name for name in (status, f"{status[0]}XX", "DEFAULT") if name in responses), None)


def number_of(status: str) -> int:
    """A status for the key of a response."""
    return int(status) if status.isdecimal() else int(status[0]) * 100 if status[0].isdecimal() else 500


def example_response(operation: RevisionOperation, status: str | None = None) -> tuple[int, Fields, bytes]:
    """The documented response for a status, or the first success: status, fields, body."""
    status = status or min(operation.responses, key=lambda each: (each[0] != "2", each), default="200")
    content = operation.responses[status].declared.get("content") if status in operation.responses else None
    if not content:
        return number_of(status), (), b""
    name, declared = next(iter(content.items()))
    value = body_example(operation, declared, "response") if is_json(name) else ABSENT
    return number_of(status), (("Content-Type", name),), b"" if value is ABSENT else orjson.dumps(value)


def required_headers(operation: RevisionOperation, status: int, without: set[str]) -> Fields:
    """The required header fields of a response, without those in `without` (in lower case)."""
    response = operation.response(status)
    return tuple(
        (each.name, joined(parameter_example(operation, each)))
        for each in (response.headers if response else ())
        if each.required and each.name.lower() not in without
    )
