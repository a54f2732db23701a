"""Servers with the habits of five web frameworks, all right by HTTP and by their contract, or wrong on purpose.

They share their function, a list of items in memory, and differ in the form of their responses.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from callconfig.contract.document import Contract
from callconfig.contract.operation import Request
from starlette.requests import Request as Received
from starlette.types import Receive, Scope, Send

Json = Any
Answer = tuple[int, dict[str, str], bytes]

ITEM = {
    "type": "object",
    "required": ["id", "name", "made"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "readOnly": True},
        "name": {"type": "string", "minLength": 1, "maxLength": 20},
        "note": {"type": "string", "nullable": True, "maxLength": 40},
        "price": {"type": "number", "minimum": 0, "maximum": 1000},
        "made": {"type": "string", "format": "date-time", "readOnly": True},
    },
}
IDENTITY = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 100}}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}},
}


@dataclass(frozen=True, repr=False)
class Framework:
    """The habits of one framework."""

    name: str
    error_schema: Mapping[str, Any]
    error: Callable[[int, str], bytes]
    error_type: str = "application/json"
    documented: tuple[str, ...] = ("application/json",)
    """The media types that its contract names for an item."""
    json: str = "application/json; charset=utf-8"
    """The `Content-Type` of an item."""
    invalid: int = 400
    error_content_type: str = ""
    """The `Content-Type` of an error, where it is not `error_type`."""
    spelled: Callable[[str], str] = str.lower
    """The case of header names."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The header fields of every response."""
    entity_tag: str = ""
    """The prefix of an entity tag; empty where it has none."""
    answers_head: bool = True
    options: int = 405
    with_slash: int = 0
    """The status for a path with a trailing slash: a redirect, 404, or 0 for the same as without."""
    unsupported: int = 405
    is_chunked: bool = False
    leaves_out_null: bool = False
    time: Callable[[datetime], str] = datetime.isoformat
    empty: Mapping[str, str] = field(default_factory=dict)
    """The header fields of a response without a body."""

    def __repr__(self) -> str:
        return self.name


def _problem(status: int, title: str) -> bytes:
    links = "https://tools.ietf.org/html/rfc9110#section-15.5.1"
    return json.dumps({"type": links, "title": title, "status": status, "traceId": "00-4bf9-01"}).encode()


def _title_case(name: str) -> str:
    return {"etag": "ETag", "x-request-id": "X-Request-ID"}.get(name, name.title())


DETAIL = {"type": "object", "required": ["detail"], "properties": {"detail": {}}}
ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}

FRAMEWORKS = [
    Framework(
        "FastAPI",
        json="application/json",
        error_schema=DETAIL,
        error=lambda status, title: json.dumps({"detail": [{"msg": title}] if status == 422 else title}).encode(),
        invalid=422,
        answers_head=False,
        with_slash=307,
        time=lambda at: at.isoformat().replace("+00:00", "Z"),
    ),
    Framework(
        "Express",
        error_type="text/html",
        error_schema={"type": "string"},
        error=lambda _status, title: f"<!DOCTYPE html>\n<pre>{title}</pre>".encode(),
        error_content_type="text/html; charset=utf-8",
        spelled=_title_case,
        headers={"x-powered-by": "Express", "keep-alive": "timeout=5", "vary": "Accept-Encoding"},
        entity_tag="W/",
        options=200,
        unsupported=404,
        time=lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    ),
    Framework(
        "Spring",
        documented=("*/*",),
        json="application/json",
        error_type="*/*",
        error_schema={
            "type": "object",
            "required": ["timestamp", "status"],
            "properties": {"timestamp": {"type": "string", "format": "date-time"}, "status": {"type": "integer"}},
        },
        error=lambda status, title: json.dumps(
            {"timestamp": "2025-01-15T10:30:00.123+00:00", "status": status, "error": title, "path": "/items"}
        ).encode(),
        error_content_type="application/json",
        spelled=_title_case,
        headers={"vary": "Origin", "cache-control": "no-cache, no-store", "pragma": "no-cache", "expires": "0"},
        options=200,
        with_slash=404,
        is_chunked=True,
        time=lambda at: at.isoformat(timespec="microseconds"),
    ),
    Framework(
        "Rails",
        error_schema=ERROR,
        error=lambda _status, title: json.dumps({"error": title}).encode(),
        invalid=422,
        headers={"x-request-id": "4bf92f35-77b3-4da6", "x-runtime": "0.004", "referrer-policy": "same-origin"},
        entity_tag="W/",
        options=404,
        unsupported=404,
        time=lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        empty={"content-type": "text/html; charset=utf-8"},
    ),
    Framework(
        "ASP.NET",
        documented=("text/plain", "application/json", "text/json"),
        error_type="application/problem+json",
        error_schema=PROBLEM,
        error=_problem,
        error_content_type="application/problem+json; charset=utf-8",
        spelled=_title_case,
        headers={"server": "Kestrel", "date": format_datetime(datetime(2025, 1, 15, tzinfo=UTC), usegmt=True)},
        is_chunked=True,
        leaves_out_null=True,
        time=lambda at: at.isoformat(timespec="microseconds").replace("+00:00", "0Z"),
        empty={"content-length": "0"},
    ),
]


def contract_of(framework: Framework) -> dict[str, Any]:
    """The contract in the form of the framework's own generator, in OpenAPI 3.0."""

    def answer(schema: Mapping[str, Any]) -> dict[str, Any]:
        return {"description": "OK", "content": {name: {"schema": schema} for name in framework.documented}}

    refused = {"description": "Refused", "content": {framework.error_type: {"schema": framework.error_schema}}}
    invalid = {str(framework.invalid): refused}
    item = {"$ref": "#/components/schemas/Item"}
    made = {**answer(item), "headers": {"Location": {"required": True, "schema": {"type": "string"}}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": framework.name, "version": "1.0.0"},
        "paths": {
            "/items": {
                "get": {
                    "operationId": "listItems",
                    "parameters": [LIMIT],
                    "responses": {"200": answer({"type": "array", "items": item}), **invalid},
                },
                "post": {
                    "operationId": "makeItem",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": item}}},
                    "responses": {"201": made, **invalid, "415": refused},
                },
            },
            "/items/{id}": {
                "parameters": [IDENTITY],
                "get": {"operationId": "readItem", "responses": {"200": answer(item), **invalid, "404": refused}},
                "delete": {
                    "operationId": "dropItem",
                    "responses": {"204": {"description": "Gone"}, **invalid, "404": refused},
                },
            },
        },
        "components": {"schemas": {"Item": ITEM}},
    }


class Items:
    """The ASGI application, with a mistake."""

    def __init__(self, framework: Framework, mistake: str = "") -> None:
        self._of, self._mistake = framework, mistake
        self._contract = Contract(json.loads(json.dumps(contract_of(framework))))
        self._items: dict[int, dict[str, Json]] = {}
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Received(scope, receive).body()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["raw_path"].decode("latin-1")
        status, fields, content = self._answer(scope["method"], path, scope["query_string"], headers, body)
        fields = {**self._of.headers, **fields}
        if status in (204, 304) or (scope["method"] == "HEAD" and not content):
            fields = {**fields, **(self._of.empty if status == 204 else {})}
        elif not self._of.is_chunked:
            fields["content-length"] = str(len(content))
        raw = [(self._of.spelled(name).encode(), value.encode("latin-1")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        pieces = [content] if not self._of.is_chunked or len(content) < 2 else [content[:1], content[1:]]
        for piece in pieces if scope["method"] != "HEAD" and status not in (204, 304) else ():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _answer(self, method: str, path: str, query: bytes, headers: Mapping[str, str], body: bytes) -> Answer:
        of = self._of
        if path.endswith("/") and path != "/":
            if of.with_slash == 404:
                return self._error(404, "Not Found")
            if of.with_slash:
                return of.with_slash, {"location": path.rstrip("/")}, b""
            path = path.rstrip("/")
        route = self._contract.route(path)
        if route is None:
            return self._error(404, "Not Found")
        operations, parameters = route
        allow = {"allow": ", ".join([*operations, *(["HEAD"] if "GET" in operations and of.answers_head else [])])}
        if method == "OPTIONS" and of.options < 300:
            return of.options, {**allow, "content-type": "text/plain"}, b"GET"
        operation = operations.get("GET" if method == "HEAD" and of.answers_head else method)
        if operation is None:
            status, fields, content = self._error(of.unsupported, "Method Not Allowed")
            return status, {**fields, **(allow if status == 405 else {})}, content
        arguments, findings = operation.check_request(Request(parameters, query, headers, body))
        wrong = [finding for finding in findings if finding.severity == "error"]
        if wrong:
            return self._error(415 if wrong[0].rule == "media-type" else of.invalid, "The request is invalid.")
        return getattr(self, f"_{operation.id}")(arguments, headers)  # type: ignore[no-any-return]

    def _listItems(self, arguments: Mapping[str, Json], headers: Mapping[str, str]) -> Answer:  # noqa: N802
        return self._shown(200, list(self._items.values())[: arguments["limit"]], headers)

    def _makeItem(self, arguments: Mapping[str, Json], headers: Mapping[str, str]) -> Answer:  # noqa: N802
        number, at = next(self._numbers), datetime(2025, 1, 15, 10, 30, 0, 123000, tzinfo=UTC)
        item = {"note": None, **arguments["body"], "id": number, "made": self._of.time(at)}
        if self._mistake == "a time without its zone":
            item["made"] = "2025-01-15T10:30:00"
        if self._mistake == "null where no null may be":
            item["price"] = None
        self._items[number] = item
        status, fields, content = self._shown(201, item, headers)
        location = {} if self._mistake == "no Location" else {"location": f"/items/{quote(str(number))}"}
        return status, {**fields, **location}, content

    def _readItem(self, arguments: Mapping[str, Json], headers: Mapping[str, str]) -> Answer:  # noqa: N802
        item = self._items.get(arguments["id"])
        return self._error(404, "Not Found") if item is None else self._shown(200, item, headers)

    def _dropItem(self, arguments: Mapping[str, Json], headers: Mapping[str, str]) -> Answer:  # noqa: N802, ARG002
        if self._items.pop(arguments["id"], None) is None:
            return self._error(404, "Not Found")
        return 204, {}, b""

    def _shown(self, status: int, value: Json, headers: Mapping[str, str]) -> Answer:
        of = self._of
        if of.leaves_out_null:
            value = [_without_null(each) for each in value] if isinstance(value, list) else _without_null(value)
        content = json.dumps(value).encode()
        fields = {"content-type": "text/html" if self._mistake == "another media type" else of.json}
        if of.entity_tag and status == 200:
            fields["etag"] = f'{of.entity_tag}"{hashlib.sha256(content).hexdigest()[:27]}"'
            if headers.get("if-none-match") == fields["etag"]:
                return 304, {"etag": fields["etag"]}, b""
        return status, fields, content

    def _error(self, status: int, title: str) -> Answer:
        of = self._of
        content = b'{"oops": true}' if self._mistake == "another error" else of.error(status, title)
        return status, {"content-type": of.error_content_type or of.error_type}, content


def _without_null(item: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in item.items() if value is not None}
