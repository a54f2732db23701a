"""From the ways to be turned away to problems."""

from ..contract.middleware import Problems
from ..contract.problem import Problem
from .caller import Forbidden, Unauthorized

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="callconfig"'}

IDENTITY_PROBLEMS: Problems = {
    Unauthorized: lambda error: Problem("unauthorized", str(error), headers=CHALLENGE),
    Forbidden: lambda error: Problem("forbidden", str(error)),
}
