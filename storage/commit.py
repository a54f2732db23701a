"""Group commit: what many writers wrote goes to the disk at the price of one."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class GroupCommit:
    """Runs `flush` in a thread, one at a time. Once it has failed it is not trusted again.

    After a failed fsync the kernel may count the lost pages as written, and a second fsync succeeds without them.
    """

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="callconfig-fsync")
        self._waiting: Future[None] | None = None
        self._written = self._kept = 0  # writes so far, and how many of them are on the disk
        self._undo: deque[tuple[int, Callable[[], None]]] = deque()
        self.failure: OSError | None = None
        """Of the flush. What the disk may not have since then is for `take_back`."""

    def wrote(self, undo: Callable[[], None]) -> None:
        """A write was made, which `undo` would take back."""
        self._written += 1
        self._undo.append((self._written, undo))
        while self._undo[0][0] <= self._kept:
            self._undo.popleft()

    async def settle(self) -> None:
        """Return when every write so far is on the disk. Raises OSError when one of them may be lost."""
        if self._kept < self._written or self.failure:
            # Shielded: whoever no longer waits must not take the flush away from the others.
            await asyncio.shield(asyncio.wrap_future(self._join()))

    def take_back(self) -> None:
        """Undo every write that the disk does not have, or may not have, the latest first. Once, after a failure."""
        while self._undo and self._undo[-1][0] > self._kept:
            self._undo.pop()[1]()

    def close(self, *, wait: bool = True) -> None:
        """Take no more writes. Whoever waits for an earlier one gets an answer still."""
        self._thread.shutdown(wait=wait)

    def _join(self) -> Future[None]:
        with self._lock:
            if self._waiting is None:
                self._waiting = self._thread.submit(self._run)
            return self._waiting

    def _run(self) -> None:
        with self._lock:
            self._waiting = None  # who comes from here on may have written too late for this flush
        written = self._written
        if self.failure:
            raise self.failure
        try:
            self._flush()
        except OSError as error:
            self.failure = error
            raise
        self._kept = written
