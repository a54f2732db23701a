"""Changes of one part of an operation, each with its verdict, the affected clients, and the evidence."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from ..contract.finding import Finding
from ..contract.interaction import Interaction

MAX_NAMED = 5
"""The number of operations that a sentence names."""
Verdict = Literal["breaking", "undecided", "safe"]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a revision."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Change:
    """One change with its verdict. A breaking one has the request and the response that show it."""

    verdict: Verdict
    rule: str
    operation: str
    part: str
    """The part of the operation, such as `request body application/json`."""
    detail: str
    """The words for the change, which follow those for the part."""
    old: SourceLine
    new: SourceLine
    findings: tuple[Finding, ...] = ()
    old_answer: str = ""
    """The response that OLD documents for the request, or the findings of its client in the response."""
    new_answer: str = ""
    interactions: tuple[Interaction, ...] = field(default=(), repr=False)
    in_schema: bool = False
    """Whether the places are in schemas, which operations may share."""
    alike: tuple["Change", ...] = ()
    """Further changes with the same cause, in other operations or parts."""

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
        rest = len(self.operations) - MAX_NAMED
        return ", ".join(self.operations[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")

    @property
    def concerned(self) -> str:
        """The affected clients, in words."""
        does = "read the responses of" if self.direction == "response" else "call"
        return f"clients that {does} {self.named}"

    @property
    def fingerprint(self) -> str:
        """A hash that is the same for the same change in another run: of the rule and the place, not of the values."""
        named, where = (self.findings[0].rule, generalized(self.findings[0])) if self.findings else ("", "")
        key = f"{self.operation}\n{self.rule}\n{self.part}\n{named}\n{where}"
        return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:16]


def grouped(changes: Iterable[Change], accepted: Collection[str]) -> list[Change]:
    """One change for each cause, with those that are alike; accepted ones stay apart.

    A cause is a line of a schema that operations share, or the same words about the same member.
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
    """The change that is least deep inside a body, with the others in `alike`."""
    first, *others = sorted(
        same, key=lambda each: len((each.findings[0].pointer or "").split("/")) if each.findings else 0
    )
    return replace(first, alike=(*first.alike, *(each for other in others for each in other.all)))


def _by_line(change: Change) -> tuple[object, ...]:
    return (change.old, change.new, change.findings[0].rule) if change.in_schema else (change.fingerprint,)


def _by_words(change: Change) -> tuple[object, ...]:
    return change.part, change.detail, str(change.findings[0]) if change.in_schema else ""


def generalized(finding: Finding) -> str:
    """The place of a finding, without the indices of items."""
    steps = str(finding.name or finding.pointer or "").split("/")  # a name may be a number, as nothing is validated
    return "/".join("*" if step.isdecimal() else step for step in steps)
