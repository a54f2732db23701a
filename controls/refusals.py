"""The one table from what a control, or a session, can answer instead, to problems."""

from ..contract.finding import Finding
from ..contract.problem import Problem, Problems
from ..contract.schema import show
from ..identity.caller import IDENTITY_PROBLEMS
from .budget import LimitReached
from .gate import ForeignRequest
from .handlers import DuplicateItems, InvalidBody
from .journal import UnknownRequest
from .match import InvalidMatch
from .rules import NotInContract, UnknownRule
from .sessions import InvalidSessionName, SessionExists, TooManySessions, UnknownSession, UnknownSnapshot


def _duplicate(error: DuplicateItems) -> Problem:
    members = " and ".join(f"{name} {show(value)}" for name, value in error.members.items())
    return Problem("duplicate-scope", f"The items /{error.first} and /{error.second} both have {members}.")


def _who(error: LimitReached) -> str:
    return "All sessions together hold" if error.everywhere else "A session holds"


SESSION_PROBLEMS: Problems = {
    InvalidSessionName: lambda error: Problem.of_findings(
        [Finding("pattern", "header", f"must match {error.pattern}, not {show(error.name)}", name="X-Mock-Session")]
    ),
    TooManySessions: lambda _: Problem(
        "unavailable", "The mock has as many sessions as it may. Delete some, or use one that is there."
    ),
    LimitReached: lambda error: Problem("unavailable", f"{_who(error)} as much as may be: {error.limit} {error.noun}."),
}
"""What the API answers: only what its own contract has."""

CONTROL_PROBLEMS: Problems = {
    **SESSION_PROBLEMS,
    LimitReached: lambda error: Problem("limit-reached", f"{_who(error)} at most {error.limit} {error.noun}."),
    ForeignRequest: lambda error: Problem("foreign-request", str(error)),
    DuplicateItems: _duplicate,
    **IDENTITY_PROBLEMS,
    UnknownSession: lambda error: Problem("unknown-session", f"There is no session {show(error.name)}."),
    UnknownSnapshot: lambda error: Problem(
        "unknown-snapshot", f"The session {show(error.session)} has no snapshot {show(error.name)}."
    ),
    SessionExists: lambda error: Problem("session-exists", f"There is a session {show(error.name)} already."),
    UnknownRequest: lambda error: Problem("unknown-request", f"The journal holds no request {error.number}."),
    UnknownRule: lambda error: Problem("unknown-rule", f"The session has no rule {show(error.identity)}."),
    InvalidMatch: lambda error: Problem.of_findings(
        [Finding("pattern", "body", error.detail, pointer=f"/match{error.pointer}")]
    ),
    InvalidBody: lambda error: Problem("not-in-contract", f"{error}.", error.findings),
    NotInContract: lambda error: Problem("not-in-contract", f"{error}."),
}
