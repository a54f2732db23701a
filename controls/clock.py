"""Where a session's times and ids come from: real and random, until a test determines them."""

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
from ..contract.pattern import TooHard, drawn
from ..contract.resource import Resource
from ..storage.store import LAST, ServerValues, later, timestamp

_ID_BYTES = 8
_IDS_AT_A_TIME = 512


class Clock:
    """The real time, moved by an offset or standing still. It knows the years 1 to 9999, and stops at their ends."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._frozen: datetime | None = None

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    def instant(self) -> datetime:
        """The time of now, in UTC."""
        if self._frozen is not None:
            return self._frozen
        return later(datetime.now(UTC), self._offset) if self._offset else datetime.now(UTC)

    def now(self) -> str:
        """The time of now as storage wants it: RFC 3339 with microseconds and `Z`."""
        return timestamp(self.instant())

    @property
    def setting(self) -> tuple[timedelta, datetime | None]:
        """What `restore` returns to."""
        return self._offset, self._frozen

    def restore(self, setting: tuple[timedelta, datetime | None]) -> None:
        self._offset, self._frozen = setting

    def set(self, instant: datetime, *, frozen: bool) -> None:
        self._frozen = instant if frozen else None
        self._offset = instant - datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        self.set(later(self.instant(), timedelta(seconds=seconds)), frozen=self.frozen)

    def release(self) -> None:
        self.restore((timedelta(), None))


class Ids:
    """New ids: those given first, then random ones, or those of a seed, each in the form that its resource has."""

    def __init__(self) -> None:
        self._given: deque[str] = deque()
        self._made: Iterator[str] = _random(secrets.token_bytes)

    def new(self, form: "Form") -> str:
        if self._given:
            return self._given.popleft()
        return form(self._made)

    def draw(self) -> int:
        """A number by chance, of the same course."""
        return int(next(self._made), 16)

    def determine(self, given: Iterable[str], seed: int | None) -> None:
        self._given = deque(given)
        self._made = _random(secrets.token_bytes if seed is None else random.Random(seed).randbytes)  # noqa: S311


Form = Callable[[Iterator[str]], str]
"""From random texts of 16 hexadecimal digits, of which it takes as many as it needs, to an id."""


def form_of(resource: Resource) -> Form:
    """The form of the ids of a resource: its prefix and what is random, or whatever else the schema of them takes."""
    schema: Mapping[str, Any] = resource.properties.get(resource.identity, {})
    prefix = resource.prefix
    if resource.has_number:
        least = math.ceil(max(1, schema.get("minimum", 1)))
        most = math.floor(min(schema.get("maximum", MOST_NUMBER), MOST_NUMBER))
        return lambda made: str(least + int(next(made), 16) % (most - least + 1))
    if schema.get("format") == "uuid":
        return lambda made: str(UUID(hex=next(made) + next(made), version=4))
    longest, pattern = schema.get("maxLength", 255), schema.get("pattern")
    if pattern is not None and not matches(pattern, f"{prefix}0123456789abcdef"):

        def of_pattern(made: Iterator[str]) -> str:
            try:
                return drawn(pattern, random.Random(int(next(made), 16)), longest)  # noqa: S311 (an id is no secret)
            except TooHard:
                return f"{prefix}{next(made)}"

        return of_pattern
    return lambda made: f"{prefix}{next(made)}"[:longest]


MOST_NUMBER = 2**31 - 1


def _random(source: Callable[[int], bytes]) -> Iterator[str]:
    """Ids of random bytes, of which many are asked for at a time: the system's cost a good part of a request."""
    while True:
        made = source(_ID_BYTES * _IDS_AT_A_TIME)
        yield from (made[at : at + _ID_BYTES].hex() for at in range(0, len(made), _ID_BYTES))


class Sources:
    """A clock and ids, and what the tables of a store take of them."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock, self.ids = clock or Clock(), Ids()

    def values(self, resource: Resource) -> ServerValues:
        """Where the server's values of one resource come from."""
        return ServerValues(self.clock.now, partial(self.ids.new, form_of(resource)))


FIRST = datetime.min.replace(tzinfo=UTC)
"""The time at which a clock stops, as it does at LAST."""


def parse_instant(text: str) -> datetime:
    """An RFC 3339 date-time, or the nearest that a clock can show.

    Python knows neither a leap second, which is taken for the one before, nor the year 0.
    """
    if text.startswith("0000"):
        return FIRST
    moment = datetime.fromisoformat(re.sub(r":60(?=[.Zz+-])", ":59", text).upper())
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # an offset leads beyond the calendar
        return FIRST if moment.year == FIRST.year else LAST
