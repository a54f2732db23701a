"""The problems of controls and sessions."""

from ..contract.problem import Problem, Problems
from ..identity.caller import IDENTITY_PROBLEMS
from .budget import LimitReached


class Refused(Exception):
    """A control refuses a request."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class SessionUnavailable(Refused):
    """The session that a request names is invalid, or cannot be created."""


def _who(error: LimitReached) -> str:
    return "All sessions together hold" if error.everywhere else "A session holds"


SESSION_PROBLEMS: Problems = {
    SessionUnavailable: lambda error: error.problem,
    LimitReached: lambda error: Problem("unavailable", f"{_who(error)} the maximum: {error.limit} {error.noun}."),
}
"""The problems of sessions in the API's responses, in kinds that its contract has."""

CONTROL_PROBLEMS: Problems = {
    Refused: lambda error: error.problem,
    LimitReached: lambda error: Problem("limit-reached", f"{_who(error)} at most {error.limit} {error.noun}."),
    **IDENTITY_PROBLEMS,
}
