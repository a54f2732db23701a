"""Group commit: all writes of one turn of the event loop go to the file together."""

import asyncio
from collections import deque
from collections.abc import Callable


class GroupCommit:
    """Flushes pending writes, one flush at a time, and never again after a failure.

    `begin_flush` writes, and returns the rest of the work for another thread, such as fsync. After a failed fsync the
    kernel may count the lost pages as written, so that a second fsync succeeds without them.
    """

    def __init__(self, begin_flush: Callable[[], Callable[[], None] | None]) -> None:
        self._begin_flush = begin_flush
        self._flushing: asyncio.Task[None] | None = None
        self._waiters: list[asyncio.Future[None]] = []  # for the end of the next flush
        self._written = self._kept = 0  # writes so far, and how many of them are safe
        self._undo: deque[Callable[[], None]] = deque()  # of the unsafe writes
        self.failure: OSError | None = None
        """The error of a flush, after which `roll_back` undoes the unsafe writes."""

    @property
    def unsafe(self) -> int:
        """The number of writes that may still be lost."""
        return len(self._undo)

    def record_write(self, undo: Callable[[], None]) -> None:
        """Record a write and its undo function. Without an event loop it is flushed on return, or has failed."""
        self._written += 1
        self._undo.append(undo)
        if self._flushing is None:
            try:
                self._start()
            except RuntimeError:
                self.flush()

    def flush(self) -> None:
        """Flush at once, in this thread."""
        try:
            if (rest := self._begin_flush()) is not None:
                rest()
        except OSError as error:
            self.failure = error
        else:
            self.mark_safe()

    async def settle(self) -> None:
        """Return when every write so far is safe. Raises OSError when one of them may be lost."""
        written = self._written
        while self._kept < written or self.failure:
            if self.failure:
                raise self.failure
            flushing = self._flushing or self._start()
            self._waiters.append(waiter := flushing.get_loop().create_future())
            await waiter

    def mark_safe(self, *, but: int = 0) -> None:
        """Mark every write so far as safe, without the latest `but`, whatever becomes of a pending flush."""
        self._mark_safe(self._written - but)

    def roll_back(self) -> None:
        """Undo every unsafe write, the latest first; to be called once, after a failure."""
        while self._undo:
            self._undo.pop()()

    def _mark_safe(self, written: int) -> None:
        while self._kept < written:
            self._undo.popleft()
            self._kept += 1

    def _start(self) -> asyncio.Task[None]:
        """Start a flush. Raises RuntimeError where no event loop runs."""
        self._flushing = asyncio.get_running_loop().create_task(self._flush())
        return self._flushing

    async def _flush(self) -> None:
        written = self._written
        try:
            if (rest := self._begin_flush()) is not None:
                await asyncio.to_thread(rest)
        except OSError as error:
            if self._kept < written:
                self.failure = error
        else:
            self._mark_safe(written)
        finally:
            waiters, self._waiters, self._flushing = self._waiters, [], None
            for waiter in waiters:
                if not waiter.done():  # cancelled
                    waiter.set_result(None)
        if self._kept < self._written and not self.failure:
            self._start()
