"""The controls of one mock, put together: whom they obey, and what their handlers and the steering need."""

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
"""Operations that change nothing in the session they are used in, and so do not make it, beside those with GET."""


def is_control(path: str) -> bool:
    return path.startswith(BASE_PATH) and path[len(BASE_PATH) :][:1] in ("", "/")


def only_looks(operation: Operation | None) -> bool:
    """Whether it is a control that changes nothing."""
    return operation is not None and (operation.method == "GET" or operation.id in _LOOKS)


class Controls:
    """Sessions and the operations on them. The default session has the configured store, and its sources.

    With a `token`, every control asks for it. `hosts` are names of the mock beside those of this machine; pages of
    `origins` may use the controls in a browser. The store stays the caller's to close.
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
        """Begin anew: no session is there but the default one, with this store and these sources."""
        self.sessions = Sessions(
            store,
            sources,
            self.mocked.resources,
            name_pattern=self.contract.resolve("#/components/schemas/Name")["pattern"],
            limits=self._limits,
        )
        self._shared = {"sessions": self.sessions, "contract": self.mocked, "redaction": self._redaction}

    def present_session(self, headers: Headers) -> Session | None:
        """The session that a request names, if it is there."""
        return self.sessions.find(headers.get(SESSION_HEADER, DEFAULT))

    def session(self, headers: Headers) -> Session:
        """The session that a request names; it appears. Raises NoSession."""
        return self.sessions.use(headers.get(SESSION_HEADER, DEFAULT))

    def context(self, headers: Headers, scheme: str, address: str, operation: Operation | None) -> Mapping[str, Any]:
        """What the handlers of controls ask for; `address` is the one that the request came to.

        Raises Refused, Unauthorized.
        """
        self._gate.check(headers, scheme, address)
        if self._token is not None and not compare_digest(self._token, bearer_token(headers)):
            raise Unauthorized("The token is not the control token.")
        name = headers.get(SESSION_HEADER, DEFAULT)
        session = self.sessions.look(name) if only_looks(operation) else self.sessions.use(name)
        return {**self._shared, "session": session}
