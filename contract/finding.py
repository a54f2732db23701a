"""Findings: what breaks the contract, where, and in words. Findings are data; nothing here knows of HTTP answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Place = Literal["body", "query", "path", "header", "status"]
Severity = Literal["error", "warning"]

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
            **{key: value for key, value in located.items() if value is not None},
            "rule": self.rule,
            "detail": self.detail,
        }

    def __str__(self) -> str:
        where = self.name if self.name is not None else self.pointer
        return f"{self.place} {where}: {self.detail}" if where else f"{self.place}: {self.detail}"


def json_pointer(path: Iterable[str | int]) -> str:
    """`["a/b", 0]` is `/a~1b/0` (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
