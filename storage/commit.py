"""Group commit: what many writers wrote goes to the disk at the price of one."""

import asyncio
import threading
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
        self.written = 0
        """Writes so far, counted by the writers."""
        self.kept = 0
        """How many of them are on the disk."""
        self.failure: OSError | None = None

    async def settle(self) -> None:
        """Return when every write so far is on the disk. Raises OSError when one of them may be lost."""
        if self.kept < self.written or self.failure:
            # Shielded: whoever no longer waits must not take the flush away from the others.
            await asyncio.shield(asyncio.wrap_future(self._join()))

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
        written = self.written
        if self.failure:
            raise self.failure
        try:
            self._flush()
        except OSError as error:
            self.failure = error
            raise
        self.kept = written
