"""The file of the embedded store: a header, then one JSON document per line.

A later line with the same id takes the place of the earlier one, and there is no other kind of line: a person can read
the file, compare two of them and mend one with an editor. This module knows lines and disks, not documents.
"""

import errno
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from .files import expect_at, folder_to_disk, make_folder, open_locked, to_disk, write_all
from .recovery import Extent, recover
from .store import StoreUnavailable, UnreadableStore
from .successor import Successor

SPARE_LINES = 1_000
"""Lines that no longer count stay in the file until there are more of them than of the others, and than this."""

CLOSED = -1
"""In the place of a descriptor: the system gives the number of a closed one to the next file that is opened."""

logger = logging.getLogger("callconfig.storage")


class Log:
    """The open file, held by one process and used by one thread, `sync` excepted.

    `append` returns when the operating system has the line: killing the process loses nothing. `sync` returns when the
    disk has it: a power cut loses nothing. `rewrite` and compaction put a successor in the file's place, so under the
    name there is one good file at every moment.
    """

    extent: Extent
    """The good part of the file. What is behind it, if anything, is cut off before the next line."""
    _unfinished: bool
    _descriptor: int
    _file: os.stat_result

    def __init__(self, path: Path, accept: Callable[[bytes], None], to_disk: Callable[[int], None] = to_disk) -> None:
        """Open or create `path` and hand every line to `accept`, which raises ValueError or StoreError to refuse it.

        Raises UnreadableStore for a file that is in use, is something else, or is damaged, and leaves it as it was.
        """
        self._path = Path(os.path.realpath(path))  # a symbolic link is followed, not replaced, when files change names
        self._to_disk = to_disk
        self._handover = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="callconfig-compaction")
        self._compaction: Future[Successor] | None = None
        self._compaction_pays_from = SPARE_LINES
        try:
            make_folder(self._path.parent)
            descriptor = open_locked(self._path)
            try:
                self._hold(descriptor, recover(self._path, descriptor, accept))
            except BaseException:
                os.close(descriptor)
                raise
        except BlockingIOError as error:
            raise UnreadableStore(f"{self._path} is in use by another process") from error
        except OSError as error:
            raise UnreadableStore(f"{self._path} cannot be opened: {error.strerror}") from error

    def append(self, text: bytes) -> None:
        """Raises StoreUnavailable; then the line is not in the file, and a later call may succeed."""
        line = text + b"\n"
        try:
            self._expect_in_place()
            self._drop_unfinished()
            self._unfinished = True
            write_all(self._descriptor, line)
        except OSError as error:
            with suppress(OSError):  # a disk that cannot even do this is asked again before the next line
                self._drop_unfinished()
            raise self._unavailable(error) from error
        self._unfinished = False
        self.extent = Extent(self.extent.length + len(line), self.extent.lines + 1)

    def sync(self) -> None:
        """Return when all that was appended before is on the disk. For any thread. Raises OSError."""
        # Its own descriptor, since a successor may take over meanwhile and the log's be closed. That successor has all
        # lines of this file, and had them on the disk before it got the name.
        with self._handover:
            descriptor = os.dup(self._descriptor)
        try:
            self._to_disk(descriptor)
        finally:
            os.close(descriptor)

    def take_back(self, extent: Extent) -> None:
        """Cut off what was appended since `extent` was all: now if the disk can, else before the next line."""
        self._abandon_compaction()
        self.extent, self._unfinished = extent, True
        with suppress(OSError):
            self._drop_unfinished()

    def rewrite(self, texts: list[bytes]) -> None:
        """Replace all lines by `texts`, on the disk on return. Raises StoreUnavailable; then nothing has changed."""
        self._abandon_compaction()
        try:
            self._expect_in_place()
            self._hand_over(self._write_successor(texts))
        except OSError as error:
            raise self._unavailable(error) from error

    def wants_compaction(self, live: int) -> bool:
        """Whether so few of the lines, `live`, count that a file of only those is worth its writing."""
        return self._compaction is None and self.extent.lines - live > max(live, self._compaction_pays_from)

    def start_compaction(self, texts: list[bytes]) -> None:
        """Begin to write a file of only the lines that count, `texts`, in a thread; appending goes on meanwhile."""
        self._compaction_from = self.extent
        self._compaction = self._thread.submit(self._write_successor, texts)

    def finish_compaction(self, *, wait: bool = False) -> bool:
        """Let the successor take over if it is complete, or wait until it is. Says whether one has.

        A failure is a warning, not an error: the file as it is has everything.
        """
        if self._compaction is None or not (wait or self._compaction.done()):
            return False
        compaction, self._compaction = self._compaction, None
        start = self._compaction_from
        try:
            appended = os.pread(self._descriptor, self.extent.length - start.length, start.length)
            self._hand_over(compaction.result(), appended, self.extent.lines - start.lines)
        except OSError as error:
            self._compaction_pays_from = 2 * self.extent.lines
            logger.warning("%s was not compacted: %s", self._path, error.strerror)
            return False
        self._compaction_pays_from = SPARE_LINES
        return True

    def close(self) -> None:
        """Give the file back. What was appended is kept."""
        if self._descriptor == CLOSED:
            return
        self.finish_compaction(wait=True)
        self._thread.shutdown()
        os.close(self._descriptor)
        self._descriptor = CLOSED

    def _hold(self, descriptor: int, extent: Extent) -> None:
        self._descriptor, self._file = descriptor, os.fstat(descriptor)
        self.extent, self._unfinished = extent, False

    def _expect_in_place(self) -> None:
        """Raises OSError when what is written now would go nowhere, or over the file of somebody else."""
        if self._descriptor == CLOSED:
            raise OSError(errno.EBADF, "it was closed")
        expect_at(self._path, self._file)

    def _drop_unfinished(self) -> None:
        if self._unfinished:
            os.ftruncate(self._descriptor, self.extent.length)
            self._unfinished = False

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path} cannot be written: {error.strerror}")

    def _write_successor(self, texts: list[bytes]) -> Successor:
        return Successor(self._path, self._file.st_mode, texts, self._to_disk)

    def _hand_over(self, successor: Successor, appended: bytes = b"", lines: int = 0) -> None:
        try:
            successor.add(appended, lines)
            self._expect_in_place()
            successor.take_the_name()
        except OSError:
            successor.discard()
            raise
        with self._handover:
            os.close(self._descriptor)
            self._hold(successor.descriptor, successor.extent)
        try:
            folder_to_disk(self._path.parent)
        except OSError as error:
            logger.warning("%s: a power cut may bring back its former state: %s", self._path, error.strerror)

    def _abandon_compaction(self) -> None:
        compaction, self._compaction = self._compaction, None
        if compaction is not None and not compaction.cancel():
            with suppress(OSError):
                compaction.result().discard()
