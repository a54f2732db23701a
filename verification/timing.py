"""The deadline of a run, and its rate limit."""

import threading
import time


class DeadlineExceeded(Exception):
    """The time that a run may take is over."""


class Deadline:
    """The end of a run; without `seconds` there is none."""

    def __init__(self, seconds: float | None = None) -> None:
        self._ends = time.monotonic() + seconds if seconds else float("inf")

    @property
    def remaining(self) -> float:
        """Seconds until the end, at least 0."""
        return max(0.0, self._ends - time.monotonic())

    def check(self) -> None:
        """Raises DeadlineExceeded."""
        if not self.remaining:
            raise DeadlineExceeded


class Pace:
    """A rate limit, for callers in any thread."""

    def __init__(self, per_second: float | None = None) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._turn = threading.Lock()

    def wait(self, deadline: Deadline) -> None:
        """Wait until the next request may be sent. Raises DeadlineExceeded where the deadline comes first."""
        if self._interval:
            with self._turn:
                now = time.monotonic()
                time.sleep(min(max(0.0, self._next - now), deadline.remaining))
                self._next = max(now, self._next) + self._interval
        deadline.check()
