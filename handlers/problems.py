"""The one table from domain errors to problems, in words for any contract."""

from ..contract.finding import Finding
from ..contract.problem import Problem, Problems
from ..contract.schema import show
from ..storage.store import DeletedDocument, DuplicateScope, StoreUnavailable, UnknownDocument
from .errors import ContradictingId, InvalidResult, MissingIdentity, PreconditionFailed

RETRY_AFTER = {"Retry-After": "1"}


def _contradiction(error: ContradictingId) -> Problem:
    detail = f"must be absent or equal the path's {show(error.path)}, not {show(error.body)}"
    return Problem.of_findings([Finding("contradicts-path", "body", detail, pointer=f"/{error.member}")])


PROBLEMS: Problems = {
    UnknownDocument: lambda error: Problem("not-found", f"There is no {show(error.identity)} here."),
    DeletedDocument: lambda error: Problem("gone", f"{show(error.identity)} was deleted."),
    MissingIdentity: lambda error: Problem(
        "not-found", f"The body has no {error.member}, which identifies the resource."
    ),
    DuplicateScope: lambda error: Problem("conflict", f"{show(error.identity)} already has {error.claim}."),
    ContradictingId: _contradiction,
    InvalidResult: lambda error: Problem.of_findings(error.findings),
    PreconditionFailed: lambda error: Problem(
        "precondition-failed", f"The version is {error.current}, and {show(error.condition)} does not match it."
    ),
    StoreUnavailable: lambda error: Problem(
        "unavailable", f"The store cannot be reached: {error}. Nothing was changed.", headers=RETRY_AFTER
    ),
}
