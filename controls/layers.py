"""The layers around the API that make it steerable: journal, rules, preferences. What is not in use costs nothing."""

import time
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..contract.document import Contract
from ..contract.middleware import Exchange, read_body, respond
from ..contract.operation import MAX_BYTES, Operation, Request
from . import faults
from .journal import Entry, Journal, texts
from .match import described
from .prefer import preferred, without_twins
from .rules import Rule, given_headers
from .session import DEFAULT, InvalidSessionName, Session, Sessions, TooManySessions

SESSION_HEADER = b"x-mock-session"
PREFER_HEADER = b"prefer"
SESSION = "callconfig.session"
SEND = "callconfig.send"
PREFERS = "callconfig.prefers"
WITHOUT_BODY = (204, 304)
BASE_PATH = "/_mock"


def session_of(scope: Scope, sessions: Sessions) -> Session:
    """The session that a request is in. Raises InvalidSessionName, TooManySessions."""
    session: Session | None = scope.get(SESSION)
    if session is None:
        name = next((value.decode("latin-1") for field, value in scope["headers"] if field == SESSION_HEADER), DEFAULT)
        session = sessions.use(name)
    return session


def is_control(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(BASE_PATH) and path[len(BASE_PATH) :][:1] in ("", "/")


class JournalLayer:
    """The outermost layer: finds the session of a request to the API, and keeps what came and what was answered."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app, self._sessions = app, sessions

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http" or is_control(scope):
            return self._app(scope, receive, send)
        name = DEFAULT
        for field, value in scope["headers"]:
            if field == SESSION_HEADER:
                name = value.decode("latin-1")
            elif field == PREFER_HEADER:
                scope[PREFERS] = True
        try:
            scope[SESSION] = session = self._sessions.use(name)
        except (InvalidSessionName, TooManySessions):
            return self._app(scope, receive, send)  # asking for the session raises again, where it is answered
        if session.rules:
            scope[SEND] = send  # only for faults: the connection knows its scope, and cycles cost the garbage collector
        if session.journal.keeps:
            return _recorded(self._app, session.journal, scope, receive, send)
        return self._app(scope, receive, send)


async def _recorded(app: ASGIApp, journal: Journal, scope: Scope, receive: Receive, send: Send) -> None:
    """Call `app` and keep in the journal what came and what was answered."""
    exchange = Exchange.of(scope)
    target = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    entry = Entry(time.time(), scope["method"], scope["scheme"], scope["path"], target, scope["headers"])
    started = time.perf_counter()
    chunks: list[bytes] = []
    recorded = False

    def record() -> None:
        nonlocal recorded
        recorded = True
        operation = exchange.operation
        if operation is None and exchange.problem is None and exchange.rule is None:
            return  # a page beside the API, or a browser's preflight request
        entry.seconds = time.perf_counter() - started
        entry.operation = operation.id if operation else None
        entry.rule = exchange.rule
        entry.request_body, entry.findings = exchange.request_body, exchange.findings
        entry.response_body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        journal.append(entry)

    async def send_and_note(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry.status, entry.response_headers = message["status"], message["headers"]
        elif body := message.get("body"):
            chunks.append(body)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            record()  # before it is sent: who has the answer finds the entry
        await send(message)

    await app(scope, receive, send_and_note)
    if not recorded:
        record()


class SteeringLayer:
    """Steps aside, at next to no cost, when a session has no rules and a request has no preference."""

    def __init__(self, app: ASGIApp, sessions: Sessions, contract: Contract, base_path: str) -> None:
        self._app = app
        self._steered = RulesLayer(PreferLayer(app, contract, base_path), sessions, contract, base_path)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        session: Session | None = scope.get(SESSION)
        if session is not None and (session.rules or PREFERS in scope or b"__" in scope["query_string"]):
            return self._steered(scope, receive, send)
        return self._app(scope, receive, send)


class RulesLayer:
    """Carries out the rules of the session."""

    def __init__(self, app: ASGIApp, sessions: Sessions, contract: Contract, base_path: str) -> None:
        self._app, self._sessions, self._contract, self._base_path = app, sessions, contract, base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session: Session = scope[SESSION]
        if not session.rules:
            await self._app(scope, receive, send)
            return
        body = b""
        if session.rules.need_body:
            read = await read_body(receive, dict(texts(scope["headers"])), MAX_BYTES)
            if read is None:
                return  # the client went away
            # What is too large is given on too large, for the inner layers to refuse it.
            body = read if isinstance(read, bytes) else b""
            receive = _again(body if isinstance(read, bytes) else bytes(MAX_BYTES + 1), receive)
        operation = _operation(self._contract, self._base_path, scope)
        rule = session.rules.choose(operation, _described(scope, operation, body))
        if rule is None:
            await self._app(scope, receive, send)
            return
        await self._apply(rule, operation, scope, receive, send)

    async def _apply(self, rule: Rule, operation: Operation | None, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange.of(scope)
        exchange.rule = rule.identity
        seconds = rule.seconds()
        if seconds and rule.fault != "dribble":
            await self._sessions.pause(seconds)
        if rule.fault in faults.INSTEAD or rule.off_contract:
            await self._note(operation, scope, receive)
        if rule.fault in faults.INSTEAD:
            await faults.INSTEAD[rule.fault](scope[SEND], receive)
            return
        if rule.fault is not None:
            pause = partial(self._sessions.pause, (seconds or faults.DRIBBLE_SECONDS) / faults.DRIBBLED_PIECES)
            send = faults.of_answer(rule.fault, pause, scope[SEND], receive, send)
        if rule.off_contract and rule.answer is not None:
            await _send_as_it_is(rule.answer, send)
            return
        if rule.replies is not None and operation is not None:
            exchange.forced = rule.replies[operation.id]
        await self._app(scope, receive, send)

    async def _note(self, operation: Operation | None, scope: Scope, receive: Receive) -> None:
        """Note what the inner layers would, of a request that they will not see."""
        exchange = Exchange.of(scope)
        headers = dict(texts(scope["headers"]))
        body = await read_body(receive, headers, MAX_BYTES)
        exchange.operation, exchange.request_body = operation, body if isinstance(body, bytes) else b""
        known = self._contract.route(scope["path"].removeprefix(self._base_path))
        if operation is not None and known is not None:
            request = Request(known[1], scope["query_string"], headers, exchange.request_body)
            exchange.findings = operation.check_request(request)[1]


class PreferLayer:
    """`Prefer: code=404, example=name`: the answer that this request wants, from the contract's examples."""

    def __init__(self, app: ASGIApp, contract: Contract, base_path: str) -> None:
        self._app, self._contract, self._base_path = app, contract, base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fields = [value for field, value in scope["headers"] if field == PREFER_HEADER]
        prepared = self._prepared(scope, b",".join(fields) if fields else None)
        await self._app(prepared, receive, send)

    def _prepared(self, scope: Scope, header: bytes | None) -> Scope:
        query, twins = without_twins(scope["query_string"])
        operation = _operation(self._contract, self._base_path, scope)
        exchange = Exchange.of(scope)
        if operation is not None and exchange.forced is None:
            exchange.forced = preferred(header, twins, operation, self._contract)
        return {**scope, "query_string": query}


def _operation(contract: Contract, base_path: str, scope: Scope) -> Operation | None:
    """The operation that a request goes to, before it is routed."""
    path: str = scope["path"]
    known = contract.route(path[len(base_path) :]) if path.startswith(base_path) else None
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return known[0].get(method) if known else None


def _described(scope: Scope, operation: Operation | None, body: bytes) -> dict[str, Any]:
    identity = operation.id if operation else None
    headers = texts(scope["headers"])
    return described(identity, scope["method"], scope["path"], scope["query_string"], headers, body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read already, and then what comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _send_as_it_is(answer: Mapping[str, Any], send: Send) -> None:
    value, headers = answer.get("body"), given_headers(answer)
    if "body" not in answer or answer["status"] in WITHOUT_BODY:
        body = b""
    elif isinstance(value, str):
        body = value.encode()
        headers.setdefault("content-type", "text/plain; charset=utf-8")
    else:
        body = orjson.dumps(value)
        headers.setdefault("content-type", "application/json")
    await respond(send, answer["status"], headers, body)
