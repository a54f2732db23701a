"""Changes: what became of one part of an operation, whom it concerns, and what shows it."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from ..contract.finding import Finding
from ..contract.interaction import Interaction

Verdict = Literal["breaking", "undecided", "safe"]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a revision."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Change:
    """One change with its verdict. What breaks has the request and the answer that show it."""

    verdict: Verdict
    rule: str
    operation: str
    part: str
    """The part of the operation, such as `request body application/json`."""
    detail: str
    """What changed, in words that go after the part."""
    old: Place
    new: Place
    old_answer: str = ""
    """What OLD documents for the request, or what its client makes of the answer."""
    new_answer: str = ""
    findings: tuple[Finding, ...] = ()
    interactions: tuple[Interaction, ...] = field(default=(), repr=False)

    @property
    def direction(self) -> str:
        asked = any(finding.rule == "accept" for finding in self.findings)
        return "response" if self.rule.startswith("response") and not asked else "request"

    @property
    def concerned(self) -> str:
        """Who must be told."""
        if self.direction == "response":
            return f"clients that read the answers of {self.operation}"
        return f"clients that call {self.operation}"

    @property
    def fingerprint(self) -> str:
        """The same for the same change in another run: it knows the rule and the place, not the values."""
        named, where = (self.findings[0].rule, generalized(self.findings[0])) if self.findings else ("", "")
        key = f"{self.operation}\n{self.rule}\n{self.part}\n{named}\n{where}"
        return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:16]


def generalized(finding: Finding) -> str:
    """The place of a finding, without the numbers of items."""
    steps = (finding.name or finding.pointer or "").split("/")
    return "/".join("*" if step.isdecimal() else step for step in steps)
