"""Servers with one mistake, made by changing requests or responses of a right server."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from callconfig.storage.store import Store
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Body = Any


@dataclass(frozen=True)
class Asked:
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
        except ValueError:
            return None

    def with_body(self, body: Body) -> "Asked":
        return replace(self, raw=json.dumps(body).encode())


@dataclass(frozen=True)
class Answer:
    """A response on its way back."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Body:
        return json.loads(self.raw) if self.raw else None

    def with_body(self, body: Body) -> "Answer":
        return replace(self, raw=json.dumps(body).encode())


Server = Callable[[Asked], Awaitable[Answer]]
Mutant = Callable[[Server, Store], Server]


def tampered(app: ASGIApp, store: Store, mutate: Mutant) -> ASGIApp:
    """The application with a mutant around it."""

    async def serve(asked: Asked) -> Answer:
        return await _call(app, asked)

    mutant = mutate(serve, store)

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        raw = b""
        while (message := await receive())["type"] == "http.request":
            raw += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope["raw_path"].decode()
        answer = await mutant(Asked(scope["method"], path, scope["query_string"].decode("latin-1"), headers, raw))
        fields = {**answer.headers, "content-length": str(len(answer.raw))}
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer.raw})

    return wrapped


async def _call(app: ASGIApp, asked: Asked) -> Answer:
    headers = {**asked.headers, "content-length": str(len(asked.raw))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": asked.method,
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "root_path": "",
        "query_string": asked.query.encode("latin-1"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": asked.raw, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    raw = b"".join(message.get("body", b"") for message in sent[1:])
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], headers, raw)


def mutant(respond: Callable[[Asked, Server, Store], Awaitable[Answer]]) -> Mutant:
    """A server that responds by this function of a request, the right server and its store."""
    return lambda serve, store: lambda asked: respond(asked, serve, store)


def asking(change: Callable[[Asked], Asked]) -> Mutant:
    """A server that misunderstands requests."""
    return lambda serve, _store: lambda asked: serve(change(asked))


def answering(change: Callable[[Asked, Answer], Answer]) -> Mutant:
    """A server with wrong responses."""

    @mutant
    async def wrong(asked: Asked, serve: Server, _store: Store) -> Answer:
        return change(asked, await serve(asked))

    return wrong


def header(name: str, change: Callable[[str], str | None], *codes: int) -> Mutant:
    """A server with a wrong header field."""

    def show(_asked: Asked, answer: Answer) -> Answer:
        if name not in answer.headers or (codes and answer.status not in codes):
            return answer
        value = change(answer.headers[name])
        rest = {key: text for key, text in answer.headers.items() if key != name}
        return replace(answer, headers=rest if value is None else {**rest, name: value})

    return answering(show)


def without(body: dict[str, Any], *members: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in members}
