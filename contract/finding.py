"""Findings: what breaks the contract, where, and in words. Findings are data; nothing here knows of HTTP answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

Place = Literal["body", "query", "path", "header", "cookie", "status"]
Severity = Literal["error", "warning"]
Level = Literal["off", "warning", "error"]
"""What a rule can be told to count as."""

MOST_FINDINGS = 100
"""How many violations of one value are told at most: what a stranger sends decides no other cost."""


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
        """The violation as the contract's problem documents show it."""
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
    """The text with `?` in the place of lone surrogates, which UTF-8 does not have."""
    return text.encode(errors="replace").decode()


def told(findings: Iterable[Finding]) -> list[Finding]:
    """The first MOST_FINDINGS, and one more where there are more; the rest are not looked for."""
    return list(islice(findings, MOST_FINDINGS + 1))


def others(findings: Sequence[Finding]) -> str:
    """` (and 3 more)`, for who shows the first of what `told` keeps; empty for one alone."""
    count = len(findings) - 1
    return f" (and {'at least ' if count >= MOST_FINDINGS else ''}{count} more)" if count else ""


def few(names: Sequence[str], most: int = 10) -> str:
    """Names in a line, as many as a reader takes in."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, noun: str) -> str:
    """`1 place`, and `2 places`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def one_line(words: object) -> str:
    """The words of an error without the line breaks between them."""
    return " ".join(str(words).split())


LONGEST_STEP = 256
"""Characters of a member's name that a place shows: a stranger's name is not repeated a hundred times in full."""


def json_pointer(path: Iterable[str | int]) -> str:
    """`["a/b", 0]` is `/a~1b/0` (RFC 6901); a name of more than LONGEST_STEP is cut."""
    steps = (f"{step[:LONGEST_STEP]}…" if isinstance(step, str) and len(step) > LONGEST_STEP else step for step in path)
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
