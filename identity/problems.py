"""From the ways to be turned away to problems."""

from ..contract.problem import Problem, Problems
from .caller import Forbidden, Unauthorized

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="callconfig"'}

IDENTITY_PROBLEMS: Problems = {
    Unauthorized: lambda error: Problem("unauthorized", str(error), headers=CHALLENGE),
    Forbidden: lambda error: Problem("forbidden", str(error)),
}
