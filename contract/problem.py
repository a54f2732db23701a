"""Problems: errors on the wire (RFC 9457)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .finding import MAX_FINDINGS, Finding, counted

PROBLEM_JSON = "application/problem+json"
DOCUMENTED_AT = "/docs#"

# The kinds of problem by rule, the first of which decides; any other rule gives an invalid request.
_KINDS = {
    "content-length": "content-too-large",
    "credentials": "unauthorized",
    **dict.fromkeys(("media-type", "content-coding", "json-charset"), "unsupported-media-type"),
    "accept": "not-acceptable",
}


def type_of(kind: str, declared: Mapping[str, Any]) -> str:
    """The `type` of a kind of problem, a link to its explanation; a catalogue may declare another one."""
    return str(declared.get("type", f"{DOCUMENTED_AT}{kind}"))


STATUSES: Mapping[str, tuple[int, ...]] = {
    "invalid-request": (400, 422),
    "unauthorized": (401,),
    "forbidden": (403,),
    "not-found": (404,),
    "unknown-path": (404,),
    "method-not-allowed": (405,),
    "not-acceptable": (406,),
    "conflict": (409,),
    "gone": (410, 404),
    "precondition-failed": (412,),
    "content-too-large": (413, 400, 422),
    "unsupported-media-type": (415, 400, 422),
    "internal-error": (500,),
    "unavailable": (503, 500),
}
"""The statuses for a kind of problem that a contract does not declare; the first documented one is used."""
GENERAL: Mapping[str, Mapping[str, Any]] = {
    kind: {"type": "about:blank", "status": status, "title": HTTPStatus(status).phrase}
    for kind, (status, *_) in STATUSES.items()
}
"""The catalogue for contracts that declare none, of type `about:blank` (RFC 9457, section 4.2.1)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem by its kind, for which the catalogue (`x-problems`) has status and title."""

    kind: str
    detail: str
    errors: Sequence[Finding] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_findings(cls, findings: Sequence[Finding], challenge: str = "Bearer") -> "Problem":
        """The one problem for all findings in a request, which `first_findings` has bounded.

        `challenge` is the value of `WWW-Authenticate` for missing credentials.
        """
        for rule, kind in _KINDS.items():
            for finding in findings:
                if finding.rule == rule:
                    headers = {"WWW-Authenticate": challenge} if kind == "unauthorized" else {}
                    return cls(kind, finding.detail, headers=headers)
        places = counted(len(findings), "place")
        if len(findings) > MAX_FINDINGS:
            places, findings = f"more than {MAX_FINDINGS} places; {MAX_FINDINGS} are told", findings[:MAX_FINDINGS]
        return cls("invalid-request", f"The request breaks the contract in {places}.", findings)

    def document(self, catalogue: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        declared = catalogue.get(self.kind) or GENERAL[self.kind]
        shown: dict[str, Any] = {
            "type": type_of(self.kind, declared),
            "title": declared["title"],
            "status": declared["status"],
            "detail": self.detail,
        }
        if self.errors:
            shown["errors"] = [finding.as_json() for finding in self.errors]
        return shown


INTERNAL_ERROR = Problem("internal-error", "The server failed; its log has the reason.")

Problems = Mapping[type[Exception], Callable[[Any], Problem]]
"""The problems for exceptions of handlers."""
