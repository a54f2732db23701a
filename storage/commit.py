"""Group commit: what many wrote goes to the file together, at the end of the event loop's turn, at the price of one."""

import asyncio
from collections import deque
from collections.abc import Callable


class GroupCommit:
    """Flushes, one at a time. Once that has failed it is not trusted again.

    `begin_flush` writes what waits; what it returns is the rest, for another thread. After a failed fsync the kernel
    may count the lost pages as written, and a second fsync succeeds without them.
    """

    def __init__(self, begin_flush: Callable[[], Callable[[], None] | None]) -> None:
        self._begin_flush = begin_flush
        self._flushing: asyncio.Task[None] | None = None
        self._flushed = asyncio.Event()
        self._written = self._kept = 0  # writes so far, and how many of them are safe
        self._undo: deque[Callable[[], None]] = deque()  # of the writes after those
        self.failure: OSError | None = None
        """Of a flush. What the file may not have is for `take_back`."""

    @property
    def unsafe(self) -> int:
        """How many writes may still be lost."""
        return len(self._undo)

    def wrote(self, undo: Callable[[], None]) -> None:
        """A write was made, which `undo` would take back. Without an event loop it is flushed on return, or failed."""
        self._written += 1
        self._undo.append(undo)
        if self._flushing is None:
            try:
                self._start()
            except RuntimeError:
                self.flush()

    def flush(self) -> None:
        """Flush here and now."""
        try:
            if (rest := self._begin_flush()) is not None:
                rest()
        except OSError as error:
            self.failure = error
        else:
            self.kept()

    async def settle(self) -> None:
        """Return when every write so far is safe. Raises OSError when one of them may be lost."""
        written = self._written
        while self._kept < written or self.failure:
            if self.failure:
                raise self.failure
            if self._flushing is None:
                self._start()
            await self._flushed.wait()

    def kept(self, *, but: int = 0) -> None:
        """Every write so far but the latest few is safe, whatever becomes of a flush that is under way."""
        self._keep(self._written - but)

    def take_back(self) -> None:
        """Undo every write that is not safe, the latest first. Once, after a failure."""
        while self._undo:
            self._undo.pop()()

    def _keep(self, written: int) -> None:
        while self._kept < written:
            self._undo.popleft()
            self._kept += 1

    def _start(self) -> None:
        """Raises RuntimeError where no event loop runs."""
        self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        written, flushed = self._written, self._flushed
        try:
            if (rest := self._begin_flush()) is not None:
                await asyncio.to_thread(rest)
        except OSError as error:
            if self._kept < written:
                self.failure = error
        else:
            self._keep(written)
        finally:
            self._flushing, self._flushed = None, asyncio.Event()
            flushed.set()
        if self._kept < self._written and not self.failure:
            self._start()
