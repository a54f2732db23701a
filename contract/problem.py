"""Problems: what an error is on the wire (RFC 9457)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .finding import MOST_FINDINGS, Finding, counted

PROBLEM_JSON = "application/problem+json"
DOCUMENTED_AT = "/docs#"

# The kinds of problem that findings make; every other finding makes an invalid request. The first one decides.
_KINDS = {
    "content-length": "content-too-large",
    "credentials": "unauthorized",
    **dict.fromkeys(("media-type", "content-coding", "json-charset"), "unsupported-media-type"),
    "accept": "not-acceptable",
}


def type_of(kind: str, declared: Mapping[str, Any]) -> str:
    """The URI of a kind of problem, which leads to its explanation; a catalogue may say another than the usual one."""
    uri: str = declared.get("type", f"{DOCUMENTED_AT}{kind}")
    return uri


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
"""What a kind of problem may be answered with where a contract declares no such kind, the first that it documents."""
GENERAL: Mapping[str, Mapping[str, Any]] = {
    kind: {"type": "about:blank", "status": status, "title": HTTPStatus(status).phrase}
    for kind, (status, *_) in STATUSES.items()
}
"""A catalogue for contracts that declare none: the kinds say no more than their statuses (RFC 9457, section 4.2.1)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem before it meets the catalogue (`x-problems`) that knows its status and title by its kind."""

    kind: str
    detail: str
    errors: Sequence[Finding] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_findings(cls, findings: Sequence[Finding], challenge: str = "Bearer") -> "Problem":
        """The one problem for all that is wrong with a request, `told` as it is.

        `challenge` is what the operation tells who has no credentials.
        """
        for rule, kind in _KINDS.items():
            for finding in findings:
                if finding.rule == rule:
                    headers = {"WWW-Authenticate": challenge} if kind == "unauthorized" else {}
                    return cls(kind, finding.detail, headers=headers)
        places = counted(len(findings), "place")
        if len(findings) > MOST_FINDINGS:
            places, findings = f"more than {MOST_FINDINGS} places; {MOST_FINDINGS} are told", findings[:MOST_FINDINGS]
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


INTERNAL_ERROR = Problem("internal-error", "The server failed to answer; its log says why.")

Problems = Mapping[type[Exception], Callable[[Any], Problem]]
"""The problem that an exception of a handler becomes."""
