"""One request and its answer on their way: the layer makes it, whatever stands behind it fills it in."""

import time
from dataclasses import dataclass, field

from starlette.types import Message, Scope, Send

from ..contract.body import Headers
from ..contract.finding import others
from ..contract.interaction import by_name
from ..contract.operation import Operation, Reply, Request
from ..contract.paths import Route
from ..contract.problem import Problem
from ..controls.controls import SESSION_HEADER
from ..controls.journal import LARGEST_BODY, Entry
from ..controls.rules import Turn
from ..controls.sessions import Session

KEY = "callconfig.exchange"


@dataclass(slots=True)
class Exchange:
    """What is known of a request; it is under KEY in the request's ASGI scope."""

    entry: Entry
    """The part that a journal keeps."""
    headers: Headers
    server_send: Send
    """The server's own `send`, which knows the connection."""
    route: Route | None
    """None where the path is no operation's."""
    address: str
    """The one that the request came to."""
    query: bytes = b""
    """The query that is judged: without what only the steering reads."""
    session: Session | None = None
    """None without controls, and before the session has appeared."""
    named: str | None = None
    """The session that the URL names."""
    problem: Problem | None = None
    preferred: Reply | Problem | None = None
    """What the request asks for itself, and gets instead of the handler's reply if it keeps the contract."""
    turn: Turn | None = None
    """The rule that the request matched; its answer outranks what is preferred."""
    _clock: float = field(default_factory=time.perf_counter)
    _pieces: list[bytes] = field(default_factory=list)
    _kept: int = 0

    @classmethod
    def of(cls, scope: Scope) -> "Exchange":
        exchange: Exchange = scope[KEY]
        return exchange

    @classmethod
    def begin(cls, scope: Scope, send: Send, route: Route | None, named: str | None = None) -> "Exchange":
        target: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        if query:
            target += b"?" + query
        entry = Entry(time.time(), scope["method"], scope["scheme"], scope["path"], target, scope["headers"])
        address = (scope.get("server") or ("",))[0]
        headers = by_name([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
        if named is not None:
            headers = {**headers, SESSION_HEADER: named}
        exchange = scope[KEY] = cls(entry, headers, send, route, address, query, named=named)
        if (operation := exchange.operation) is not None:
            entry.operation = operation.id
        return exchange

    def enter(self, session: Session, *, journaled: bool = True) -> Session:
        """Be in a session from here on."""
        self.session = session
        if journaled:
            session.journal.begin(self.entry)
        return session

    def note(self, message: Message) -> bool:
        """Remember a part of the answer; whether it was the last."""
        if message["type"] == "http.response.start":
            self.entry.status, self.entry.response_headers = message["status"], message["headers"]
            return False
        if (piece := message.get("body")) and self._kept <= LARGEST_BODY:
            self._pieces.append(piece)
            self._kept += len(piece)
        return not message.get("more_body", False)

    def end(self) -> None:
        """Close the entry: nothing more comes. A rule that did not answer the request is free for the next one."""
        entry = self.entry
        if self.turn is not None:
            self.turn.release()
        entry.seconds = time.perf_counter() - self._clock
        entry.response_body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        if self.session is not None:
            self.session.journal.end(entry)
        else:
            entry.ended = 1

    @property
    def operation(self) -> Operation | None:
        return self.route.operation(self.entry.method) if self.route else None

    @property
    def request(self) -> Request:
        """What is judged of it, once its body is read."""
        path = self.route.parameters if self.route else {}
        return Request(path, self.query, self.headers, self.entry.request_body)

    @property
    def reason(self) -> str:
        """Why the request was refused, in a few words; empty when it was not."""
        findings = self.entry.findings
        if self.problem and (self.operation is None or not findings):
            return self.problem.detail
        return f"{findings[0]}{others(findings)}" if findings else ""
