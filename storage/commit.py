"""Group commit: what many writers wrote goes to the disk at the price of one."""

import asyncio
from collections import deque
from collections.abc import Callable


class GroupCommit:
    """Flushes in a thread, one at a time. Once that has failed it is not trusted again.

    After a failed fsync the kernel may count the lost pages as written, and a second fsync succeeds without them.
    """

    def __init__(self, begin_flush: Callable[[], Callable[[], None]]) -> None:
        self._begin_flush = begin_flush
        self._flushing: asyncio.Task[None] | None = None
        self._written = self._kept = 0  # writes so far, and how many of them are on the disk
        self._undo: deque[Callable[[], None]] = deque()  # of the writes after those
        self.failure: OSError | None = None
        """Of a flush. What the disk may not have is for `take_back`."""

    def wrote(self, undo: Callable[[], None]) -> None:
        """A write was made, which `undo` would take back."""
        self._written += 1
        self._undo.append(undo)

    async def settle(self) -> None:
        """Return when every write so far is on the disk. Raises OSError when one of them may be lost."""
        written = self._written
        while self._kept < written or self.failure:
            if self.failure:
                raise self.failure
            if self._flushing is None:
                self._flushing = asyncio.create_task(self._flush())
            # Shielded: whoever no longer waits must not take the flush away from the others.
            await asyncio.shield(self._flushing)

    def kept_otherwise(self) -> None:
        """Every write so far is on the disk, whatever becomes of a flush that is under way."""
        self._kept = self._written
        self._undo.clear()

    def take_back(self) -> None:
        """Undo every write that the disk does not have, or may not have, the latest first. Once, after a failure."""
        while self._undo:
            self._undo.pop()()

    async def _flush(self) -> None:
        written = self._written
        try:
            await asyncio.to_thread(self._begin_flush())
        except OSError as error:
            if self._kept < written:
                self.failure = error
        else:
            while self._kept < written:
                self._undo.popleft()
                self._kept += 1
        finally:
            self._flushing = None
