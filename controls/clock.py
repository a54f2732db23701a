"""The sources of a session's times and ids: real and random, until a test sets them."""

import math
import random
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from ..contract.normal import matches
from ..contract.pattern import UndecidablePattern, drawn
from ..contract.resource import Resource
from ..storage.store import LAST, ServerValues, later, timestamp

_ID_BYTES = 8
_IDS_AT_A_TIME = 512


class Clock:
    """The real time with an offset, or a frozen time. It has the years 1 to 9999, and stops at their ends."""

    setting: tuple[timedelta, datetime | None] = (timedelta(), None)
    """The offset, and the frozen time."""

    @property
    def frozen(self) -> bool:
        return self.setting[1] is not None

    def instant(self) -> datetime:
        """The current time, in UTC."""
        offset, frozen_at = self.setting
        if frozen_at is not None:
            return frozen_at
        return later(datetime.now(UTC), offset) if offset else datetime.now(UTC)

    def now(self) -> str:
        """The current time for stores: RFC 3339 with microseconds and `Z`."""
        return timestamp(self.instant())

    def set(self, instant: datetime, *, frozen: bool) -> None:
        self.setting = instant - datetime.now(UTC), instant if frozen else None

    def advance(self, seconds: float) -> None:
        self.set(later(self.instant(), timedelta(seconds=seconds)), frozen=self.frozen)

    def release(self) -> None:
        self.setting = (timedelta(), None)


class Ids:
    """New ids: first those given, then random or seeded ones, in the form of the resource."""

    def __init__(self) -> None:
        self._given: deque[str] = deque()
        self._made: Iterator[str] = _random(secrets.token_bytes)

    def new(self, id_form: "IdFormat") -> str:
        if self._given:
            return self._given.popleft()
        return id_form(self._made)

    def draw(self) -> int:
        """The next random number, of the same seed."""
        return int(next(self._made), 16)

    def set_sequence(self, given: Iterable[str], seed: int | None) -> None:
        self._given = deque(given)
        self._made = _random(secrets.token_bytes if seed is None else random.Random(seed).randbytes)  # noqa: S311


IdFormat = Callable[[Iterator[str]], str]
"""Returns an id, made of as many random texts of 16 hexadecimal digits as it needs."""


def id_format(resource: Resource) -> IdFormat:
    """The form of a resource's ids: its prefix and a random text, or a form that the schema of the identity accepts."""
    schema: Mapping[str, Any] = resource.properties.get(resource.identity, {})
    prefix = resource.prefix
    if resource.has_numeric_identity:
        least = math.ceil(max(1, schema.get("minimum", 1)))
        most = math.floor(min(schema.get("maximum", LARGEST_INTEGER), LARGEST_INTEGER))
        return lambda made: str(least + int(next(made), 16) % (most - least + 1))
    if schema.get("format") == "uuid":
        return lambda made: str(UUID(hex=next(made) + next(made), version=4))
    longest, pattern = schema.get("maxLength", 255), schema.get("pattern")
    if pattern is not None and not matches(pattern, f"{prefix}0123456789abcdef"):

        def of_pattern(made: Iterator[str]) -> str:
            try:
                return drawn(pattern, random.Random(int(next(made), 16)), longest)  # noqa: S311 (an id is no secret)
            except UndecidablePattern:
                return f"{prefix}{next(made)}"

        return of_pattern
    return lambda made: f"{prefix}{next(made)}"[:longest]


LARGEST_INTEGER = 2**31 - 1


def _random(source: Callable[[int], bytes]) -> Iterator[str]:
    """Random ids; the bytes are read in large batches, because a call of the system is slow."""
    while True:
        made = source(_ID_BYTES * _IDS_AT_A_TIME)
        yield from (made[at : at + _ID_BYTES].hex() for at in range(0, len(made), _ID_BYTES))


class Sources:
    """A clock and ids, from which the tables of a store get their values."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock, self.ids = clock or Clock(), Ids()

    def values(self, resource: Resource) -> ServerValues:
        """The source of values for one resource."""
        return ServerValues(self.clock.now, partial(self.ids.new, id_format(resource)))


FIRST = datetime.min.replace(tzinfo=UTC)
"""The earliest time of a clock; LAST is the latest."""


def parse_instant(text: str) -> datetime:
    """An RFC 3339 date-time, or the nearest that a clock can show.

    Python has neither leap seconds, which become the second before, nor the year 0.
    """
    if text.startswith("0000"):
        return FIRST
    moment = datetime.fromisoformat(re.sub(r":60(?=[.Zz+-])", ":59", text).upper())
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the offset leads beyond the calendar
        return FIRST if moment.year == FIRST.year else LAST
