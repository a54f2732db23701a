"""Security requirements: whether a request has credentials of the kinds that an operation requires.

Only their presence is judged; whether they are valid is for the server to know.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from .finding import Finding, Place


class _Scheme:
    """One security scheme: the place of its credential."""

    def __init__(self, name: str, declared: Mapping[str, Any]) -> None:
        kind = str(declared.get("type"))
        self.name = name
        self.place: Place = declared.get("in", "header") if kind == "apiKey" else "header"
        self.field: str = declared.get("name", "Authorization") if kind == "apiKey" else "Authorization"
        self.is_seen = kind != "mutualTLS"
        """Whether the credential is in the request, which a client certificate is not."""
        self._begins = f"{declared.get('scheme', '')} ".lower() if kind == "http" else ""
        self.challenge = {"apiKey": "ApiKey", "http": str(declared.get("scheme", "")).capitalize()}.get(kind, "Bearer")
        # RFC 6750, section 2: a token may be in the query or in a form, too.
        self.may_be_token = kind in ("oauth2", "openIdConnect")

    def is_in(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        if not self.is_seen:
            return True
        if self.place == "query":
            return self.field in query
        if self.place == "cookie":
            names = (pair.partition("=")[0].strip() for pair in headers.get("cookie", "").split(";"))
            return self.field in names
        sent = headers.get(self.field.lower())
        if sent is None:
            return self.may_be_token and "access_token" in query
        return sent.lower().startswith(self._begins)

    @property
    def made(self) -> tuple[str, str] | None:
        """A header field with a made-up credential of this scheme; None where the credential is no header field."""
        return (self.field, f"{self._begins}any") if self.is_seen and self.place == "header" else None

    def __str__(self) -> str:
        shown = self.field if not self._begins else f"{self.field}: {self._begins.strip().capitalize()}"
        return f"{self.name} ({self.place} {shown})"


class Security:
    """The security requirements of one operation: alternatives, each of one or more schemes."""

    def __init__(self, alternatives: Sequence[Mapping[str, Any]], schemes: Mapping[str, Mapping[str, Any]]) -> None:
        self._alternatives = [
            [_Scheme(name, schemes[name]) for name in each if name in schemes] for each in alternatives
        ]
        self.schemes = every = [scheme for each in self._alternatives for scheme in each]
        self.query_names = frozenset(
            name
            for each in every
            for name in ([each.field] if each.place == "query" else ["access_token"] if each.may_be_token else [])
        )
        """The query parameters that are credentials."""
        self.is_needed = bool(alternatives) and all(self._alternatives)
        """Whether a request without credentials is wrong."""
        self.first = self._alternatives[0] if self.is_needed else []
        """The schemes of the first alternative; none where none are needed."""
        self.challenge = ", ".join(dict.fromkeys(each.challenge for each in every if each.is_seen))
        """The value of `WWW-Authenticate` in a 401 (RFC 9110, section 11.6.1)."""

    def findings(self, headers: Mapping[str, str], query: bytes) -> Iterator[Finding]:
        """The finding where no alternative is satisfied, about the nearest one."""
        sent = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
        missing = [[scheme for scheme in each if not scheme.is_in(headers, sent)] for each in self._alternatives]
        if all(missing):
            nearest = min(missing, key=len)[0]
            asked = " or ".join(" and ".join(map(str, each)) for each in self._alternatives)
            yield Finding("credentials", nearest.place, f"needs credentials: {asked}", name=nearest.field)


NO_SECURITY = Security((), {})
