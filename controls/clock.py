"""Where a session's times and ids come from: real and random, until a test determines them."""

import random
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from ..storage import ServerValues

_ID_BYTES = 8
_IDS_AT_A_TIME = 512


class Clock:
    """The real time, moved by an offset or standing still. It stops at the end of the year 9999."""

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
        return _later(datetime.now(UTC), self._offset) if self._offset else datetime.now(UTC)

    def now(self) -> str:
        """The time of now as storage wants it: RFC 3339 with microseconds and `Z`."""
        return f"{self.instant().isoformat(timespec='microseconds')[: -len('+00:00')]}Z"

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
        self.set(_later(self.instant(), timedelta(seconds=seconds)), frozen=self.frozen)

    def release(self) -> None:
        self.restore((timedelta(), None))


class Ids:
    """New ids with the contract's prefix: those given first, then random ones, or those of a seed."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._given: deque[str] = deque()
        self._made: Iterator[str] = _random(secrets.token_bytes)

    def new(self) -> str:
        if self._given:
            return self._given.popleft()
        return self._prefix + next(self._made)

    def determine(self, given: Iterable[str], seed: int | None) -> None:
        self._given = deque(given)
        self._made = _random(secrets.token_bytes if seed is None else random.Random(seed).randbytes)  # noqa: S311

    def release(self) -> None:
        self.determine((), None)


def _random(source: Callable[[int], bytes]) -> Iterator[str]:
    """Ids of random bytes, of which many are asked for at a time: the system's cost a good part of a request."""
    while True:
        made = source(_ID_BYTES * _IDS_AT_A_TIME)
        yield from (made[at : at + _ID_BYTES].hex() for at in range(0, len(made), _ID_BYTES))


class Sources:
    """A clock and ids, and what a store takes of them."""

    def __init__(self, prefix: str, clock: Clock | None = None) -> None:
        self.clock, self.ids = clock or Clock(), Ids(prefix)
        self.values = ServerValues(self.clock.now, self.ids.new)


def parse_instant(text: str) -> datetime:
    """An RFC 3339 date-time of the years 1000 to 2999. Python knows no leap second; it is taken for the one before."""
    return datetime.fromisoformat(re.sub(r":60(?=[.Zz+-])", ":59", text).upper()).astimezone(UTC)


def _later(instant: datetime, by: timedelta) -> datetime:
    try:
        return instant + by
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
