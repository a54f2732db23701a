"""The domain errors of operations, beside those of stores; independent of HTTP."""

from typing import Any

from ..contract.finding import Finding


class ContradictingId(Exception):
    """A member of the body contradicts the path."""

    def __init__(self, path: Any, body: Any, member: str = "id") -> None:
        super().__init__(f"{body!r} contradicts {path!r}")
        self.path, self.body, self.member = path, body, member


class MissingIdentity(Exception):
    """The body lacks the identity of the target, an optional member in the contract."""

    def __init__(self, member: str) -> None:
        super().__init__(f"no {member}")
        self.member = member


class InvalidResult(Exception):
    """The result of a change would break the contract, or a cursor is not one of the mock's."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = findings


class PreconditionFailed(Exception):
    """A conditional header field of the request does not match the current entity tag."""

    def __init__(self, condition: str, current: str) -> None:
        super().__init__(f"{condition} does not match {current}")
        self.condition, self.current = condition, current
