"""The caller of a request, and the two errors of access."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from ..contract.body import Headers
from ..contract.problem import Problem, Problems


class Unauthorized(Exception):
    """The request has no token, or an unknown one. The message never holds the token."""


class Forbidden(Exception):
    """The role of the caller does not permit the request."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A role, and the members with their values that the caller's own documents have, such as its `reseller_id`."""

    role: str
    own: Mapping[str, str] = field(default_factory=dict)

    def require_role(self, roles: Collection[str]) -> None:
        """Raises Forbidden when the caller's role is none of these."""
        if self.role not in roles:
            raise Forbidden(f"The role {self.role} may not use this operation.")


def bearer_token(headers: Headers) -> bytes:
    """The token of a request (RFC 6750, section 2.1). Raises Unauthorized."""
    if (given := headers.get("authorization")) is None:
        raise Unauthorized("The request has no Authorization header; it must be `Bearer` and a token.")
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("The Authorization header must be `Bearer` and a token.")
    return token.strip().encode("latin-1")


Authenticate = Callable[[Headers], Caller]
"""Returns the caller of a request by its header fields. Raises Unauthorized."""


CHALLENGE = {"WWW-Authenticate": 'Bearer realm="callconfig"'}
IDENTITY_PROBLEMS: Problems = {
    Unauthorized: lambda error: Problem("unauthorized", str(error), headers=CHALLENGE),
    Forbidden: lambda error: Problem("forbidden", str(error)),
}
