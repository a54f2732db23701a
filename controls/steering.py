"""The controls of one mock, put together: what `create_app` needs to serve them and to let them steer the API."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Scope

from ..contract.document import Contract
from ..contract.redaction import Redaction
from ..contract.resource import Resource
from ..identity.caller import Unauthorized, bearer_token, equal
from ..storage import ConfigurationStore
from .document import load_controls
from .layers import JournalLayer, SteeringLayer, session_of
from .session import Limits, Session, Sessions
from .sources import Sources

Layer = Callable[[ASGIApp], ASGIApp]


class Controls:
    """Sessions and the operations on them. The default session has the configured store, and its sources.

    With a `token`, every control asks for it. The store stays the caller's to close.
    """

    def __init__(
        self,
        contract: Contract,
        store: ConfigurationStore,
        sources: Sources,
        resource: Resource,
        *,
        limits: Limits | None = None,
        token: str | None = None,
    ) -> None:
        self.contract = load_controls(contract)
        name_pattern = self.contract.resolve("#/components/schemas/Name")["pattern"]
        self._token = token.encode() if token is not None else None
        self._mocked = contract
        self._sessions = Sessions(
            store,
            sources,
            resource,
            prefix=contract.stored.prefix,
            name_pattern=name_pattern,
            limits=limits or Limits(),
        )
        self._shared = {
            "sessions": self._sessions,
            "resource": resource,
            "contract": contract,
            "redaction": Redaction(contract),
        }

    def session(self, scope: Scope) -> Session:
        """The session that a request is in. Raises InvalidSessionName, TooManySessions."""
        return session_of(scope, self._sessions)

    def context(self, scope: Scope) -> Mapping[str, Any]:
        """What the handlers of controls ask for. Raises Unauthorized, and what `session` raises."""
        if self._token is not None and not equal(self._token, bearer_token(scope)):
            raise Unauthorized("The token is not the control token.")
        return {**self._shared, "session": self.session(scope)}

    def outer_layers(self) -> list[Layer]:
        """The layers outside of everything else, outermost first."""
        return [partial(JournalLayer, sessions=self._sessions)]

    def inner_layers(self, base_path: str) -> list[Layer]:
        """The layers directly around the API, outermost first."""
        return [partial(SteeringLayer, sessions=self._sessions, contract=self._mocked, base_path=base_path)]

    def stop(self) -> None:
        """Let everything that waits come to its end, because the server does."""
        self._sessions.stop()
