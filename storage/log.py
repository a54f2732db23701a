"""The open file of the embedded store: lines and disks, independent of documents."""

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from .commit import GroupCommit
from .files import expect_unchanged, folder_to_disk, make_folder, open_locked, to_disk, write_all
from .format import Accept, Extent, FileFormat, Successor, recover
from .store import StoreUnavailable, UnreadableStore

SPARE_LINES = 1_000
"""Replaced lines stay in the file until they outnumber the live ones and this number."""

CLOSED = -1
"""The placeholder for a closed descriptor, whose number the system reuses."""

logger = logging.getLogger("callconfig.storage")


class Log:
    """The open file, held by one process and used by one thread; fsync and compaction have their own threads.

    `settle` returns when the operating system has every line, so that killing the process loses none; with `fsync`,
    when the disk has it, so that a power cut loses none. `rewrite` and compaction rename a successor to the file's
    path, which is a complete file at every moment.
    """

    _descriptor: int
    _file: os.stat_result
    _extent: Extent  # the size of the file
    _safe: Extent  # the acknowledged part; after a failure, the rest is cut off before the next line
    _unfinished: bool

    def __init__(
        self,
        path: Path,
        accept: Accept,
        form: FileFormat,
        *,
        fsync: bool = False,
        to_disk: Callable[[int], None] = to_disk,
    ) -> None:
        """Open or create `path` and pass every line to `accept`.

        Raises UnreadableStore for a file that is in use, of another kind, or damaged, and leaves it unchanged.
        """
        self._fsync, self._to_disk, self._form = fsync, to_disk, form
        self._waiting: list[bytes] = []  # lines that are not in the file yet
        self._commit = GroupCommit(self._begin_flush)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="callconfig-compaction")
        self._successor: Future[Successor] | None = None  # the pending compaction from here on, or a rewriting
        self._compaction_from: Extent | None = None
        self._rewriting = asyncio.Lock()
        self._compaction_pays_from = SPARE_LINES
        self._path = path
        try:
            self._path = Path(os.path.realpath(path))  # a symbolic link is followed, not replaced by a successor
            make_folder(self._path.parent)
            descriptor = open_locked(self._path)
            try:
                self._hold(descriptor, recover(self._path, descriptor, form, accept))
            except BaseException:
                os.close(descriptor)
                raise
        except BlockingIOError as error:
            raise UnreadableStore(f"{self._path} is in use by another process") from error
        except OSError as error:
            raise UnreadableStore(f"{self._path} cannot be opened: {error.strerror}") from error
        except ValueError as error:  # an invalid file name
            raise UnreadableStore(f"{str(path)!r} cannot be opened: {error}") from error

    def append(self, text: bytes, undo: Callable[[], None]) -> None:
        """Append a line, for which `settle` waits; `undo` is called when it was taken back.

        Where no event loop runs, it waits itself, and raises StoreUnavailable; a later call may succeed.
        """
        self._waiting.append(text)
        self._commit.record_write(undo)
        if (failure := self._commit.failure) is not None:
            self.roll_back()
            raise self._unavailable(failure) from failure

    def rewrite(self, texts: list[bytes]) -> None:
        """Replace all lines by `texts`, on the disk on return. Raises StoreUnavailable without any change."""
        self._abandon_successor()
        try:
            self._expect_in_place()
            self._replace_by(self._write_successor(texts))
        except OSError as error:
            raise self._unavailable(error) from error

    async def rewrite_in_thread(self, texts: list[bytes]) -> None:
        """As `rewrite` in a thread; lines that are appended meanwhile are replaced, too. Must not be cancelled."""
        async with self._rewriting:
            self._abandon_successor()
            writing = None
            try:
                self._expect_in_place()
                self._compaction_from = None
                self._successor = writing = self._thread.submit(self._write_successor, texts)
                successor = await asyncio.wrap_future(writing)
                if self._successor is writing:
                    self._successor = None
                    self._replace_by(successor)
                    return
            except OSError as error:
                if self._successor is writing:
                    self._successor = None
                raise self._unavailable(error) from error
            raise StoreUnavailable(f"{self._path} was not replaced: another write came first")

    async def settle(self) -> None:
        """Return when no appended line can be lost.

        Raises StoreUnavailable on a failure, after which the unsafe lines are taken back.
        """
        try:
            await self._commit.settle()
        except OSError as error:
            self.roll_back()
            raise self._unavailable(error) from error

    def roll_back(self) -> None:
        """Undo the lines that are not in the file, or may not be on the disk."""
        if self._commit.failure is not None:
            self._abandon_successor()
            self._commit.roll_back()
            self._commit = GroupCommit(self._begin_flush)
            self._waiting.clear()
            self._unfinished = self._unfinished or self._extent != self._safe
            self._extent = self._safe
            with suppress(OSError):  # retried before the next line
                self._drop_unfinished()

    def compact(self, live: int, texts: Callable[[], list[bytes]]) -> None:
        """Finish a complete compaction; begin one where too few lines are `live`.

        A file of the live lines, `texts`, is written in a thread, while appending goes on.
        """
        start, successor = self._compaction_from, self._successor
        if start is not None and successor is not None and successor.done() and start.length <= self._extent.length:
            self._finish_compaction(start, successor)
        lines = self._extent.lines + len(self._waiting)
        if self._successor is None and lines - live > max(live, self._compaction_pays_from):
            waiting = sum(len(text) + 1 for text in self._waiting)
            self._compaction_from = Extent(self._extent.length + waiting, lines)
            self._successor = self._thread.submit(self._write_successor, texts())

    def close(self) -> None:
        """Close the file, with every acknowledged line in it."""
        if self._descriptor == CLOSED:
            return
        if self._waiting:
            self._commit.flush()
        self.roll_back()
        if self._compaction_from is not None and self._successor is not None:
            self._finish_compaction(self._compaction_from, self._successor)
        self._abandon_successor()
        self._thread.shutdown()
        os.close(self._descriptor)
        self._descriptor = CLOSED

    def _hold(self, descriptor: int, extent: Extent) -> None:
        self._descriptor, self._file = descriptor, os.fstat(descriptor)
        self._extent = self._safe = extent
        self._unfinished = False

    def _expect_in_place(self) -> None:
        """Raises OSError when a write would be lost, or refused at the next start."""
        if self._descriptor == CLOSED:
            raise OSError(errno.EBADF, "it was closed")
        expect_unchanged(self._path, self._file, self._extent.length, more=self._unfinished)

    def _drop_unfinished(self) -> None:
        if self._unfinished:
            os.ftruncate(self._descriptor, self._extent.length)
            self._unfinished = False

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path} cannot be written: {error.strerror}")

    def _begin_flush(self) -> Callable[[], None] | None:
        """Write the pending lines; returns the fsync for another thread, if any."""
        if self._commit.unsafe == len(self._waiting):
            self._safe = self._extent
        self._expect_in_place()
        self._drop_unfinished()
        if self._waiting:
            content = b"\n".join((*self._waiting, b""))
            self._unfinished = True
            write_all(self._descriptor, content)
            self._unfinished = False
            self._extent = Extent(self._extent.length + len(content), self._extent.lines + len(self._waiting))
            self._waiting.clear()
        if not self._fsync:
            return None
        descriptor = os.dup(self._descriptor)  # a successor may replace this file meanwhile, with all of its lines

        def flush() -> None:
            try:
                self._to_disk(descriptor)
            finally:
                os.close(descriptor)

        return flush

    def _write_successor(self, texts: list[bytes]) -> Successor:
        return Successor(self._path, self._file.st_mode, self._form.header, texts, self._to_disk)

    def _finish_compaction(self, start: Extent, compaction: Future[Successor]) -> None:
        """Replace the file by the complete successor. A failure is a warning, because the file has every line."""
        self._successor, self._compaction_pays_from = None, SPARE_LINES
        try:
            successor = compaction.result()
            appended = os.pread(self._descriptor, self._extent.length - start.length, start.length)
            self._hand_over(successor, appended, self._extent.lines - start.lines)
        except OSError as error:
            self._compaction_pays_from = 2 * self._extent.lines
            logger.warning("%s was not compacted: %s", self._path, error.strerror)

    def _replace_by(self, successor: Successor) -> None:
        """Replace the file by a successor with every live line."""
        self._hand_over(successor)
        self._waiting.clear()
        self._commit.mark_safe()

    def _hand_over(self, successor: Successor, appended: bytes = b"", lines: int = 0) -> None:
        try:
            successor.add(appended, lines)
            self._expect_in_place()
            successor.rename_into_place()
        except OSError:
            successor.discard()
            raise
        os.close(self._descriptor)
        self._hold(successor.descriptor, successor.extent)
        self._commit.mark_safe(but=len(self._waiting))
        try:
            folder_to_disk(self._path.parent)
        except OSError as error:
            logger.warning("%s: a power cut may bring back its former state: %s", self._path, error.strerror)

    def _abandon_successor(self) -> None:
        """Wait for a pending successor, and discard it."""
        successor, self._successor = self._successor, None
        if successor is not None:
            with suppress(OSError):
                successor.result().discard()
