"""Changes: what became of one part of an operation, whom it concerns, and what shows it."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from ..contract.finding import Finding
from ..contract.interaction import Interaction

MOST_NAMED = 5
"""How many operations a sentence names."""
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
    findings: tuple[Finding, ...] = ()
    old_answer: str = ""
    """What OLD documents for the request, or what its client makes of the answer."""
    new_answer: str = ""
    interactions: tuple[Interaction, ...] = field(default=(), repr=False)
    in_schema: bool = False
    """Whether the places are lines of schemas, which operations may share."""
    alike: tuple["Change", ...] = ()
    """Further changes of the same cause, in other operations or other parts."""

    @property
    def direction(self) -> str:
        asked = any(finding.rule == "accept" for finding in self.findings)
        return "response" if self.rule.startswith("response") and not asked else "request"

    @property
    def all(self) -> tuple["Change", ...]:
        """The change alone, and those of the same cause."""
        return (replace(self, alike=()), *self.alike)

    @property
    def operations(self) -> list[str]:
        return list(dict.fromkeys(each.operation or "the resource" for each in self.all))

    @property
    def sentence(self) -> str:
        return f"{self.named}: {self.part} {self.detail}"

    @property
    def named(self) -> str:
        """The operations, the first few of them where they are many."""
        rest = len(self.operations) - MOST_NAMED
        return ", ".join(self.operations[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")

    @property
    def concerned(self) -> str:
        """Who must be told."""
        does = "read the answers of" if self.direction == "response" else "call"
        return f"clients that {does} {self.named}"

    @property
    def fingerprint(self) -> str:
        """The same for the same change in another run: it knows the rule and the place, not the values."""
        named, where = (self.findings[0].rule, generalized(self.findings[0])) if self.findings else ("", "")
        key = f"{self.operation}\n{self.rule}\n{self.part}\n{named}\n{where}"
        return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:16]


def grouped(changes: Iterable[Change], accepted: Collection[str]) -> list[Change]:
    """One change for each cause, with those that are alike; what somebody accepted stays apart.

    A cause is the same line of a schema that operations share, or the same words about the same member.
    """
    found = list({each.fingerprint: each for each in changes}.values())
    for cause in (_by_line, _by_words):
        causes: dict[tuple[object, ...], list[Change]] = {}
        for change in found:
            weight = change.verdict, change.rule, change.direction, change.fingerprint in accepted
            causes.setdefault((*weight, *cause(change)), []).append(change)
        found = [_as_one(same) for same in causes.values()]
    return found


def _as_one(same: list[Change]) -> Change:
    """What is found least deep inside a body stands for the others: it is read most easily."""
    first, *others = sorted(
        same, key=lambda each: len((each.findings[0].pointer or "").split("/")) if each.findings else 0
    )
    return replace(first, alike=(*first.alike, *(each for other in others for each in other.all)))


def _by_line(change: Change) -> tuple[object, ...]:
    return (change.old, change.new, change.findings[0].rule) if change.in_schema else (change.fingerprint,)


def _by_words(change: Change) -> tuple[object, ...]:
    return change.part, change.detail, str(change.findings[0]) if change.in_schema else ""


def generalized(finding: Finding) -> str:
    """The place of a finding, without the numbers of items."""
    steps = (finding.name or finding.pointer or "").split("/")
    return "/".join("*" if step.isdecimal() else step for step in steps)
