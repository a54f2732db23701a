"""One request and its response: created by the layer, completed by steering, routing and endpoint."""

import time
from dataclasses import dataclass, field

from starlette.types import Message, Scope, Send

from ..contract.body import Headers
from ..contract.finding import more_findings
from ..contract.interaction import by_name
from ..contract.operation import Operation, Reply, Request
from ..contract.paths import Route
from ..contract.problem import Problem
from ..controls.controls import SESSION_HEADER
from ..controls.journal import LARGEST_BODY, Entry, texts
from ..controls.rules import Turn
from ..controls.sessions import Session

KEY = "callconfig.exchange"


@dataclass(slots=True)
class Exchange:
    """The state of one request, under KEY in its ASGI scope."""

    entry: Entry
    """The part that a journal keeps."""
    headers: Headers
    server_send: Send
    """The server's own `send`, which knows the connection."""
    route: Route | None
    """The route; None where no operation has the path."""
    address: str
    """The server's address that the request came to."""
    query: bytes = b""
    """The query to judge, without the parameters that only the steering reads."""
    operation: Operation | None = None
    session: Session | None = None
    """The session; None without controls, and before it exists."""
    session_name: str | None = None
    """The name of the session in the URL."""
    problem: Problem | None = None
    preferred: Reply | Problem | None = None
    """The reply to the request's own `Prefer`, sent in place of the handler's if the request is valid."""
    turn: Turn | None = None
    """The turn at the rule that the request matched; its reply outranks `preferred`."""
    _clock: float = field(default_factory=time.perf_counter)
    _pieces: list[bytes] = field(default_factory=list)
    _kept: int = 0

    @classmethod
    def of(cls, scope: Scope) -> "Exchange":
        exchange: Exchange = scope[KEY]
        return exchange

    @classmethod
    def begin(cls, scope: Scope, send: Send, route: Route | None, session_name: str | None = None) -> "Exchange":
        target: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        if query:
            target += b"?" + query
        entry = Entry(time.time(), scope["method"], scope["scheme"], scope["path"], target, scope["headers"])
        address = (scope.get("server") or ("",))[0]
        headers = by_name(texts(scope["headers"]))
        if session_name is not None:
            headers = {**headers, SESSION_HEADER: session_name}
        exchange = scope[KEY] = cls(entry, headers, send, route, address, query, session_name=session_name)
        if route is not None and (operation := route.operation(scope["method"])) is not None:
            exchange.operation, entry.operation = operation, operation.id
        return exchange

    def enter(self, session: Session, *, journaled: bool = True) -> Session:
        self.session = session
        if journaled:
            session.journal.begin(self.entry)
        return session

    def note(self, message: Message) -> bool:
        """Record a message of the response; returns whether it was the last."""
        if message["type"] == "http.response.start":
            self.entry.status, self.entry.response_headers = message["status"], message["headers"]
            return False
        if (piece := message.get("body")) and self._kept <= LARGEST_BODY:
            self._pieces.append(piece)
            self._kept += len(piece)
        return not message.get("more_body", False)

    def end(self) -> None:
        """Close the journal's entry, and give back the turn at a rule that did not answer the request."""
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
    def request(self) -> Request:
        """The request to judge, once its body is read."""
        path = self.route.parameters if self.route else {}
        return Request(path, self.query, self.headers, self.entry.request_body)

    @property
    def reason(self) -> str:
        """Why the request was refused, in a few words; empty when it was not."""
        findings = self.entry.findings
        if self.problem and (self.operation is None or not findings):
            return self.problem.detail
        return f"{findings[0]}{more_findings(findings)}" if findings else ""
