"""What an operation can find out beside what its store does: domain errors, which know nothing of HTTP."""

from typing import Any

from ..contract.finding import Finding


class ContradictingId(Exception):
    """The body says something else than the path, in this member."""

    def __init__(self, path: Any, body: Any, member: str = "id") -> None:
        super().__init__(f"{body!r} contradicts {path!r}")
        self.path, self.body, self.member = path, body, member


class NamesNothing(Exception):
    """The body lacks the member that says what is meant, which the contract lets it."""

    def __init__(self, member: str) -> None:
        super().__init__(f"no {member}")
        self.member = member


class InvalidResult(Exception):
    """What a change would make breaks the contract, or a cursor that nobody was given."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = findings


class PreconditionFailed(Exception):
    """What is stored is not what a condition of the request names."""

    def __init__(self, condition: str, current: str) -> None:
        super().__init__(f"{condition} does not name {current}")
        self.condition, self.current = condition, current
