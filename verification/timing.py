"""The time of a run: when it must end, and how far apart its requests are."""

import time


class OutOfTime(Exception):
    """The time that a run may take is over."""


class Deadline:
    """When a run must end; never, without a time."""

    def __init__(self, seconds: float | None = None) -> None:
        self._ends = time.monotonic() + seconds if seconds else float("inf")

    @property
    def left(self) -> float:
        """Seconds, 0 when there are none."""
        return max(0.0, self._ends - time.monotonic())

    def check(self) -> None:
        """Raises OutOfTime."""
        if not self.left:
            raise OutOfTime


class Pace:
    """Keeps requests a certain time apart, over all that ask one at a time."""

    def __init__(self, per_second: float | None = None) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next = 0.0

    def wait(self, deadline: Deadline) -> None:
        """Raises OutOfTime where the time ends before the next request may go."""
        if self._interval:
            now = time.monotonic()
            time.sleep(min(max(0.0, self._next - now), deadline.left))
            self._next = max(now, self._next) + self._interval
        deadline.check()
