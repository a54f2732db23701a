"""Memory that strangers fill is counted in bytes: each session has a part of what all sessions have together."""

from collections.abc import Callable
from typing import Any

import orjson

DOCUMENT_OVERHEAD = 1000
"""About what a document takes beside its text, in bytes; likewise below, as measured, rounded up."""
RULE_OVERHEAD = 20_000
PART_OVERHEAD = 8_000
"""Of each member that a rule's pattern names."""
SESSION_OVERHEAD = 10_000


class LimitReached(Exception):
    """There are as many of these as there may be, in one session or, with `everywhere`, in all of them."""

    def __init__(self, limit: int, noun: str, *, everywhere: bool = False) -> None:
        super().__init__(f"{limit} {noun}")
        self.limit, self.noun, self.everywhere = limit, noun, everywhere


class Budget:
    """Who holds how many bytes, and `most` for all of them. One that is part of a `whole` counts there as well.

    `make_room` is called before anything is refused.
    """

    def __init__(
        self, most: int, whole: "Budget | None" = None, make_room: Callable[[], object] = lambda: None
    ) -> None:
        self._most, self._whole, self._make_room = most, whole, make_room
        self._held: dict[object, int] = {}
        self.total = 0

    def hold(self, holder: object, size: int) -> None:
        """Let `holder` have `size` bytes from now on, whatever it had. Raises LimitReached, and it has what it had."""
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

    def leave(self) -> None:
        """Give everything back to the whole, and count there no more."""
        if self._whole is not None:
            self._whole.hold(self, 0)
            self._whole = None

    def _exceeds(self, holder: object, size: int) -> bool:
        more = size - self._held.get(holder, 0)
        return more > 0 and self.total + more > self._most


def json_size(value: Any) -> int:
    return len(orjson.dumps(value))


def parts(value: Any) -> int:
    """How many members a pattern names, at any depth."""
    return len(value) + sum(map(parts, value.values())) if isinstance(value, dict) else 0
