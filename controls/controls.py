"""The controls of one mock: access, sessions, and the arguments of their handlers."""

from collections.abc import Collection, Mapping
from hmac import compare_digest
from typing import Any

from ..contract.body import Headers
from ..contract.document import Contract
from ..contract.operation import Operation
from ..identity.caller import Unauthorized, bearer_token
from ..storage.store import Store
from ..traffic.redaction import Redaction
from .bundle import BASE_PATH, load_controls
from .clock import Sources
from .gate import Gate
from .sessions import DEFAULT, Limits, Session, Sessions

SESSION_HEADER = "x-mock-session"

_LOOKS = ("findRequests", "forkSession")
"""Operations, beside those with GET, that change nothing in their session, and so do not create it."""


def is_control(path: str) -> bool:
    return path.startswith(BASE_PATH) and path[len(BASE_PATH) :][:1] in ("", "/")


def is_read_only(operation: Operation | None) -> bool:
    """Whether an operation is a control that changes nothing."""
    return operation is not None and (operation.method == "GET" or operation.id in _LOOKS)


class Controls:
    """Sessions and the operations on them. The default session has the given store and sources.

    With a `token`, every control requires it. `hosts` are names of the mock beside those of this machine; pages of
    `origins` may use the controls in a browser. The caller closes the store.
    """

    def __init__(
        self,
        contract: Contract,
        store: Store,
        sources: Sources,
        *,
        limits: Limits | None = None,
        token: str | None = None,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
    ) -> None:
        self.contract, self.mocked = load_controls(contract), contract
        self._token = token.encode() if token is not None else None
        self.origins = tuple(origins)
        self._gate = Gate(hosts, self.origins)
        self._limits, self._redaction = limits or Limits(), Redaction(contract)
        self.begin(store, sources)

    def begin(self, store: Store, sources: Sources) -> None:
        """Start over with the default session alone, with this store and these sources."""
        self.sessions = Sessions(
            store,
            sources,
            self.mocked.resources,
            name_pattern=self.contract.resolve("#/components/schemas/Name")["pattern"],
            limits=self._limits,
        )
        self._shared = {"sessions": self.sessions, "contract": self.mocked, "redaction": self._redaction}

    def present_session(self, headers: Headers) -> Session | None:
        """The session that a request names, if it exists."""
        return self.sessions.find(headers.get(SESSION_HEADER, DEFAULT))

    def session(self, headers: Headers) -> Session:
        """The session that a request names, created if need be. Raises SessionUnavailable."""
        return self.sessions.use(headers.get(SESSION_HEADER, DEFAULT))

    def context(self, headers: Headers, scheme: str, address: str, operation: Operation | None) -> Mapping[str, Any]:
        """The further arguments of the controls' handlers; `address` is the server's, to which the request came.

        Raises Refused, Unauthorized.
        """
        self._gate.check(headers, scheme, address)
        if self._token is not None and not compare_digest(self._token, bearer_token(headers)):
            raise Unauthorized("The token is not the control token.")
        name = headers.get(SESSION_HEADER, DEFAULT)
        session = self.sessions.peek(name) if is_read_only(operation) else self.sessions.use(name)
        return {**self._shared, "session": session}
