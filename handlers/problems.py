"""The one table from domain errors to problems."""

from ..contract.finding import Finding
from ..contract.problem import Problem, Problems
from ..contract.schema import show
from ..storage import DuplicateScope, StoreUnavailable, UnknownConfiguration
from .configurations import ContradictingId

RETRY_AFTER = {"Retry-After": "1"}


def _unknown(error: UnknownConfiguration) -> Problem:
    return Problem("unknown-configuration", f"No configuration has the id {show(error.identity)}.")


def _duplicate(error: DuplicateScope) -> Problem:
    scope = " and ".join(f"{name} {show(value)}" for name, value in error.scope.items())
    return Problem("duplicate-scope", f"The configuration {show(error.identity)} already has {scope}.")


def _contradiction(error: ContradictingId) -> Problem:
    detail = f"must be absent or equal the path's {show(error.path)}, not {show(error.body)}"
    return Problem.of_findings([Finding("contradicts-path", "body", detail, pointer="/id")])


def _unavailable(error: StoreUnavailable) -> Problem:
    return Problem("unavailable", f"The store cannot be reached: {error}. Nothing was changed.", headers=RETRY_AFTER)


PROBLEMS: Problems = {
    UnknownConfiguration: _unknown,
    DuplicateScope: _duplicate,
    ContradictingId: _contradiction,
    StoreUnavailable: _unavailable,
}
