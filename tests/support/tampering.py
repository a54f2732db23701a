"""Servers with one mistake, made by changing requests or responses of a right server."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from callconfig.storage.store import Store
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Body = Any


@dataclass(frozen=True)
class TamperedRequest:
    """A request on its way to the right server."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Body:
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError):
            return None

    def with_body(self, body: Body) -> "TamperedRequest":
        return replace(self, raw=json.dumps(body).encode())


@dataclass(frozen=True)
class TamperedResponse:
    """A response on its way back."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Body:
        return json.loads(self.raw) if self.raw else None

    def with_body(self, body: Body) -> "TamperedResponse":
        return replace(self, raw=json.dumps(body).encode())


Server = Callable[[TamperedRequest], Awaitable[TamperedResponse]]
Mutant = Callable[[Server, Store], Server]


def tampered(app: ASGIApp, store: Store, mutate: Mutant) -> ASGIApp:
    """The application with a mutant around it."""

    async def serve(request: TamperedRequest) -> TamperedResponse:
        return await call(app, request)

    mutant = mutate(serve, store)

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        raw = await Request(scope, receive).body()
        path = scope["raw_path"].decode()
        response = await mutant(
            TamperedRequest(scope["method"], path, scope["query_string"].decode("latin-1"), headers, raw)
        )
        fields = {**response.headers, "content-length": str(len(response.raw))}
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": encoded})
        await send({"type": "http.response.body", "body": response.raw})

    return wrapped


async def call(app: ASGIApp, request: TamperedRequest) -> TamperedResponse:
    """The response to an ASGI request in uvicorn's form."""
    headers = {**request.headers, "content-length": str(len(request.raw))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": request.method,
        "path": unquote(request.path),
        "raw_path": request.path.encode(),
        "root_path": "",
        "query_string": request.query.encode("latin-1"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": request.raw, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    raw = b"".join(message.get("body", b"") for message in sent[1:])
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return TamperedResponse(start["status"], headers, raw)


def mutant(respond: Callable[[TamperedRequest, Server, Store], Awaitable[TamperedResponse]]) -> Mutant:
    """A server that responds by this function of a request, the right server and its store."""
    return lambda serve, store: lambda request: respond(request, serve, store)


def changing_requests(change: Callable[[TamperedRequest], TamperedRequest]) -> Mutant:
    """A server that misunderstands requests."""
    return lambda serve, _store: lambda request: serve(change(request))


def changing_responses(change: Callable[[TamperedRequest, TamperedResponse], TamperedResponse]) -> Mutant:
    """A server with wrong responses."""

    @mutant
    async def wrong(request: TamperedRequest, serve: Server, _store: Store) -> TamperedResponse:
        return change(request, await serve(request))

    return wrong


def header(name: str, change: Callable[[str], str | None], *codes: int) -> Mutant:
    """A server with a wrong header field."""

    def show(_request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
        if name not in response.headers or (codes and response.status not in codes):
            return response
        value = change(response.headers[name])
        rest = {key: text for key, text in response.headers.items() if key != name}
        return replace(response, headers=rest if value is None else {**rest, name: value})

    return changing_responses(show)


def without(body: dict[str, Any], *members: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in members}


def repairing(change: Callable[[dict[str, Any]], dict[str, Any] | None], *methods: str) -> Mutant:
    """A server that silently mends invalid bodies."""

    def repair(request: TamperedRequest) -> TamperedRequest:
        body = request.body
        repaired = change(body) if isinstance(body, dict) and request.method in (methods or ("POST", "PUT")) else None
        return request.with_body(repaired) if repaired is not None else request

    return changing_requests(repair)


def problem(code: int) -> TamperedResponse:
    document = {"type": "/docs#x", "title": "X", "status": code, "detail": "no"}
    return TamperedResponse(code, {"content-type": "application/problem+json"}, json.dumps(document).encode())


async def shown(store: Store) -> list[dict[str, Any]]:
    rows = [json.loads(text) for text in await store.find()]
    return [{**row, "telephony_config": hidden(row["telephony_config"])} for row in rows]


def hidden(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    return settings and without(settings, "auth_token")
