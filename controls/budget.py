"""Memory budgets in bytes: each session has a part of the budget of all sessions."""

from collections.abc import Callable
from typing import Any

import orjson

DOCUMENT_OVERHEAD = 1000
"""Approximate bytes of a document beside its text; this and the following are measured, and rounded up."""
RULE_OVERHEAD = 20_000
PART_OVERHEAD = 8_000
"""Approximate bytes of each member in a rule's pattern."""
SESSION_OVERHEAD = 10_000


class LimitReached(Exception):
    """A limit of one session is reached, or with `everywhere` one of all sessions."""

    def __init__(self, limit: int, noun: str, *, everywhere: bool = False) -> None:
        super().__init__(f"{limit} {noun}")
        self.limit, self.noun, self.everywhere = limit, noun, everywhere


class Budget:
    """The bytes of each holder, `most` in all. A budget with a `whole` counts there as well.

    `make_room` is called before a refusal.
    """

    def __init__(
        self, most: int, whole: "Budget | None" = None, make_room: Callable[[], object] = lambda: None
    ) -> None:
        self._most, self._whole, self._make_room = most, whole, make_room
        self._held: dict[object, int] = {}
        self.total = 0

    def hold(self, holder: object, size: int) -> None:
        """Set the bytes of `holder` to `size`. Raises LimitReached without any change."""
        if self._exceeds(holder, size):
            self._make_room()
            if self._exceeds(holder, size):
                raise LimitReached(self._most, "bytes", everywhere=self._whole is None)
        total = self.total + size - self._held.get(holder, 0)
        if self._whole is not None:
            self._whole.hold(self, total)
        self.total = total
        self._held[holder] = size
        if not size:
            del self._held[holder]

    def release_all(self) -> None:
        """Release all bytes in the whole, and stop counting there."""
        if self._whole is not None:
            self._whole.hold(self, 0)
            self._whole = None

    def _exceeds(self, holder: object, size: int) -> bool:
        more = size - self._held.get(holder, 0)
        return more > 0 and self.total + more > self._most


def json_size(value: Any) -> int:
    return len(orjson.dumps(value))


def parts(value: Any) -> int:
    """The number of members in a pattern, at any depth."""
    return len(value) + sum(map(parts, value.values())) if isinstance(value, dict) else 0
