"""Findings: violations of the contract as data, with rule, place and words; independent of HTTP responses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

Place = Literal["body", "query", "path", "header", "cookie", "status"]
Severity = Literal["error", "warning"]
Level = Literal["off", "warning", "error"]
"""The severity of a rule."""

MAX_FINDINGS = 100
"""The number of violations of one value that are reported at most, which bounds the cost of untrusted input."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation. A place in a body has a JSON Pointer (RFC 6901), a parameter or header has a name."""

    rule: str
    place: Place
    detail: str
    pointer: str | None = None
    name: str | None = None
    severity: Severity = "error"

    def as_json(self) -> dict[str, Any]:
        """The violation as a member of `errors` in a problem document."""
        located = {"pointer": self.pointer, "name": self.name}
        return {
            "in": self.place,
            **{key: without_surrogates(value) for key, value in located.items() if value is not None},
            "rule": self.rule,
            "detail": without_surrogates(self.detail),
        }

    def __str__(self) -> str:
        where = self.name if self.name is not None else self.pointer
        return f"{self.place} {where}: {self.detail}" if where else f"{self.place}: {self.detail}"


def without_surrogates(text: str) -> str:
    """The text with `?` in the place of lone surrogates, which UTF-8 cannot encode."""
    return text.encode(errors="replace").decode()


def first_findings(findings: Iterable[Finding]) -> list[Finding]:
    """The first MAX_FINDINGS, and one more where there are more; the iterable is read no further."""
    return list(islice(findings, MAX_FINDINGS + 1))


def more_findings(findings: Sequence[Finding]) -> str:
    """The number of further findings in words, ` (and 3 more)`; empty for one alone."""
    count = len(findings) - 1
    return f" (and {'at least ' if count >= MAX_FINDINGS else ''}{count} more)" if count else ""


def first_names(names: Sequence[str], most: int = 10) -> str:
    """The first names in a line."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 place`, `2 places`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def one_line(words: object) -> str:
    """The text of an error on one line."""
    return " ".join(str(words).split())
