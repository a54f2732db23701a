"""Authentication by tokens in a file, and by signed tokens (JWT, RFC 7519) where the file has a key for them."""

from collections.abc import Mapping, Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Any

from ..contract.body import Headers
from ..contract.document import Contract
from ..contract.references import NO_REFERENCES, read_file
from ..contract.schema import Schema
from ..contract.strict_json import NotStrictJson, decode
from .caller import Caller, Unauthorized, bearer_token

_TEXT = {"type": "string", "minLength": 1, "maxLength": 16384}
_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["tokens"]}, {"required": ["jwt"]}],
    "properties": {
        "tokens": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["token"],
                "properties": {"token": {**_TEXT, "format": "password"}, "role": _TEXT},
                "additionalProperties": _TEXT,
            },
        },
        "jwt": {
            "type": "object",
            "additionalProperties": False,
            "required": ["key", "algorithms"],
            "properties": {
                "key": {**_TEXT, "format": "password"},
                "algorithms": {"type": "array", "minItems": 1, "items": {**_TEXT, "not": {"enum": ["none"]}}},
                "issuer": _TEXT,
                "audience": _TEXT,
            },
        },
    },
}


class InvalidAuthentication(Exception):
    """An invalid `--auth` file; the message is one line, and shows no secret."""


class Authentication:
    """Finds the caller of a request. Raises InvalidAuthentication for invalid settings.

    `roles` are the contract's: by role, the members that its tokens must have, such as a `reseller_id`.
    """

    def __init__(self, settings: Mapping[str, Any], roles: Mapping[str, Sequence[str]]) -> None:
        findings = Schema(_SCHEMA, NO_REFERENCES, "request").findings(settings, "body")
        if findings:
            raise InvalidAuthentication(f"{findings[0].pointer} {findings[0].detail}".strip())
        self._roles = roles
        self._callers: list[tuple[bytes, Caller]] = []
        for index, given in enumerate(settings.get("tokens", ())):
            try:
                self._callers.append((given["token"].encode(), self._caller(given)))
            except Unauthorized as error:
                raise InvalidAuthentication(f"/tokens/{index} {error}") from error
        self._jwt = _Jwt(settings["jwt"]) if "jwt" in settings else None

    @classmethod
    def from_file(cls, path: Path, contract: Contract) -> "Authentication":
        """Raises InvalidAuthentication, also for an unreadable file, and an operation without valid `x-roles`."""
        try:
            check_roles(contract)
            return cls(decode(read_file(path)), contract.roles)
        except OSError as error:
            raise InvalidAuthentication(f"{path}: {error.strerror}") from error
        except NotStrictJson as error:
            raise InvalidAuthentication(f"{path}: {error.findings[0].detail}") from error
        except InvalidAuthentication as error:
            raise InvalidAuthentication(f"{path}: {error}") from error

    def __call__(self, headers: Headers) -> Caller:
        """Raises Unauthorized."""
        token = bearer_token(headers)
        # Every token is compared, so that the time does not tell a near match.
        callers = [caller for known, caller in self._callers if compare_digest(known, token)]
        if callers:
            return callers[0]
        if self._jwt is not None:
            return self._caller(self._jwt.claims(token))
        raise Unauthorized("The token is unknown.")

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        """The caller with these claims; any claims will do where the contract has no roles. Raises Unauthorized."""
        if not self._roles:
            return Caller("")
        role = claims.get("role")
        if not isinstance(role, str) or role not in self._roles:
            raise Unauthorized(f"The role of the token must be one of {', '.join(self._roles)}.")
        own = {name: claims[name] for name in self._roles[role] if isinstance(claims.get(name), str) and claims[name]}
        if missing := [name for name in self._roles[role] if name not in own]:
            raise Unauthorized(f"A token with the role {role} must have {' and '.join(missing)}.")
        return Caller(role, own)


def check_roles(contract: Contract) -> None:
    """Raises InvalidAuthentication for an operation without `x-roles`, or with one that the contract does not declare.

    A contract without any roles needs none.
    """
    if not contract.roles and not any("x-roles" in each.declared for each in contract.operations.values()):
        return
    for operation in contract.operations.values():
        if "x-roles" not in operation.declared:
            raise InvalidAuthentication(f"{operation.id} has no x-roles, so no role may use it")
        if unknown := [role for role in operation.declared["x-roles"] if role not in contract.roles]:
            raise InvalidAuthentication(f"{operation.id}: the contract has no role {unknown[0]}")


class _Jwt:
    """Verifies signed tokens. Raises InvalidAuthentication where PyJWT is missing or the key does not fit."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        try:
            import jwt
        except ImportError as error:
            raise InvalidAuthentication("/jwt needs PyJWT; install callconfig[jwt]") from error
        self._jwt, self._settings = jwt, settings
        for algorithm in settings["algorithms"]:
            try:
                jwt.get_algorithm_by_name(algorithm).prepare_key(settings["key"])
            except NotImplementedError as error:
                raise InvalidAuthentication(f"/jwt/algorithms: {algorithm} is not known") from error
            except (jwt.InvalidKeyError, ValueError, TypeError) as error:
                raise InvalidAuthentication(f"/jwt/key is not a key for {algorithm}") from error

    def claims(self, token: bytes) -> Mapping[str, Any]:
        """The claims of a valid token. Raises Unauthorized."""
        settings = self._settings
        try:
            claims: Mapping[str, Any] = self._jwt.decode(
                token,
                settings["key"],
                algorithms=settings["algorithms"],
                issuer=settings.get("issuer"),
                audience=settings.get("audience"),
                options={"verify_aud": "audience" in settings},
            )
        except self._jwt.ExpiredSignatureError as error:
            raise Unauthorized("The token has expired.") from error
        except self._jwt.InvalidTokenError as error:
            raise Unauthorized("The token is unknown, and its signature is invalid.") from error
        return claims
