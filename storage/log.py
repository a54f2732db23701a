"""The file of the embedded store while it is open. This module knows lines and disks, not documents."""

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from .commit import GroupCommit
from .files import expect_unchanged, folder_to_disk, make_folder, open_locked, to_disk, write_all
from .format import Accept, Extent, Form, Successor, recover
from .store import StoreUnavailable, UnreadableStore

SPARE_LINES = 1_000
"""Lines that no longer count stay in the file until there are more of them than of the others, and than this."""

CLOSED = -1
"""In the place of a descriptor: the system gives the number of a closed one to the next file that is opened."""

logger = logging.getLogger("callconfig.storage")


class Log:
    """The open file, held by one process and used by one thread; fsync and compaction have threads of their own.

    `append` returns when the operating system has the line: killing the process loses nothing. With `fsync`, `settle`
    returns when the disk has it: a power cut loses nothing. `rewrite` and compaction put a successor in the file's
    place, so under the name there is one good file at every moment.
    """

    _descriptor: int
    _file: os.stat_result
    _extent: Extent  # the good part of the file; what is behind it is cut off before the next line
    _unfinished: bool

    def __init__(
        self,
        path: Path,
        accept: Accept,
        form: Form = Form(),  # noqa: B008 (it cannot be changed)
        *,
        fsync: bool = False,
        to_disk: Callable[[int], None] = to_disk,
    ) -> None:
        """Open or create `path` and hand every line to `accept`.

        Raises UnreadableStore for a file that is in use, is something else, or is damaged, and leaves it as it was.
        """
        self._to_disk, self._form = to_disk, form
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="callconfig-compaction")
        self._successor: Future[Successor] | None = None  # under way: a compaction from here on, or a rewriting
        self._compaction_from: Extent | None = None
        self._rewriting = asyncio.Lock()
        self._compaction_pays_from = SPARE_LINES
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
        except ValueError as error:  # a name that no file can have
            raise UnreadableStore(f"{str(path)!r} cannot be opened: {error}") from error
        self._commit = GroupCommit(self._begin_flush) if fsync else None

    def append(self, text: bytes, undo: Callable[[], None]) -> None:
        """Raises StoreUnavailable; then the line is not in the file, and a later call may succeed.

        `undo` is called once the line was taken back, because an fsync failed.
        """
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
        if self._commit is not None:
            self._commit.wrote(partial(self._cut_off, self._extent, undo))
        self._extent = Extent(self._extent.length + len(line), self._extent.lines + 1)

    def rewrite(self, texts: list[bytes]) -> None:
        """Replace all lines by `texts`, on the disk on return. Raises StoreUnavailable; then nothing has changed."""
        self._abandon_successor()
        try:
            self._expect_in_place()
            self._hand_over(self._write_successor(texts))
        except OSError as error:
            raise self._unavailable(error) from error

    async def rewrite_aside(self, texts: list[bytes]) -> None:
        """As `rewrite`, but others append meanwhile; what they append is replaced, too. Not to be cancelled."""
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
                    self._hand_over(successor)
                    return
            except OSError as error:
                if self._successor is writing:
                    self._successor = None
                raise self._unavailable(error) from error
            raise StoreUnavailable(f"{self._path} was not replaced: something else was done to it meanwhile")

    async def settle(self) -> None:
        """Return when nothing that was appended can be lost anymore.

        Raises StoreUnavailable when an fsync failed; then what the disk may not have was taken back.
        """
        if self._commit is not None:
            try:
                await self._commit.settle()
            except OSError as error:
                self.take_back()
                raise StoreUnavailable(f"the disk did not take it: {error.strerror}") from error

    def take_back(self) -> None:
        """Undo what an fsync that failed did not put on the disk, or may not have."""
        if self._commit is not None and self._commit.failure is not None:
            self._abandon_successor()
            self._commit.take_back()
            self._commit = GroupCommit(self._begin_flush)
            with suppress(OSError):  # else before the next line
                self._drop_unfinished()

    def compact(self, live: int, texts: Callable[[], list[bytes]]) -> None:
        """Let a compaction take over that is complete; begin one where too few of the lines, `live`, count.

        A file of only those, which are `texts`, is written in a thread, and appending goes on meanwhile.
        """
        if self._compaction_from is not None and self._successor is not None and self._successor.done():
            self._finish_compaction(self._compaction_from, self._successor)
        if self._successor is None and self._extent.lines - live > max(live, self._compaction_pays_from):
            self._compaction_from = self._extent
            self._successor = self._thread.submit(self._write_successor, texts())

    def close(self) -> None:
        """Give the file back, with everything in it that was acknowledged."""
        if self._descriptor == CLOSED:
            return
        self.take_back()
        if self._compaction_from is not None and self._successor is not None:
            self._finish_compaction(self._compaction_from, self._successor)
        self._abandon_successor()
        self._thread.shutdown()
        os.close(self._descriptor)
        self._descriptor = CLOSED

    def _hold(self, descriptor: int, extent: Extent) -> None:
        self._descriptor, self._file = descriptor, os.fstat(descriptor)
        self._extent, self._unfinished = extent, False

    def _expect_in_place(self) -> None:
        """Raises OSError when what is written now would be lost, or refused at the next start."""
        if self._descriptor == CLOSED:
            raise OSError(errno.EBADF, "it was closed")
        expect_unchanged(self._path, self._file, self._extent.length, more=self._unfinished)

    def _drop_unfinished(self) -> None:
        if self._unfinished:
            os.ftruncate(self._descriptor, self._extent.length)
            self._unfinished = False

    def _cut_off(self, extent: Extent, undo: Callable[[], None]) -> None:
        self._extent, self._unfinished = extent, True
        undo()

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path} cannot be written: {error.strerror}")

    def _begin_flush(self) -> Callable[[], None]:
        """The fsync of what is in the file now, for another thread."""
        descriptor = os.dup(self._descriptor)  # a successor may take over meanwhile: it has all that this file has

        def flush() -> None:
            try:
                self._to_disk(descriptor)
            finally:
                os.close(descriptor)

        return flush

    def _write_successor(self, texts: list[bytes]) -> Successor:
        return Successor(self._path, self._file.st_mode, self._form.header, texts, self._to_disk)

    def _finish_compaction(self, start: Extent, compaction: Future[Successor]) -> None:
        """Let the successor take over, when it is complete. A failure is a warning: the file as it is has all."""
        self._successor = None
        try:
            successor = compaction.result()
            appended = os.pread(self._descriptor, self._extent.length - start.length, start.length)
            self._hand_over(successor, appended, self._extent.lines - start.lines)
        except OSError as error:
            self._compaction_pays_from = 2 * self._extent.lines
            logger.warning("%s was not compacted: %s", self._path, error.strerror)
        else:
            self._compaction_pays_from = SPARE_LINES

    def _hand_over(self, successor: Successor, appended: bytes = b"", lines: int = 0) -> None:
        try:
            successor.add(appended, lines)
            self._expect_in_place()
            successor.take_the_name()
        except OSError:
            successor.discard()
            raise
        os.close(self._descriptor)
        self._hold(successor.descriptor, successor.extent)
        if self._commit is not None:
            self._commit.kept_otherwise()
            self._commit = GroupCommit(self._begin_flush)
        try:
            folder_to_disk(self._path.parent)
        except OSError as error:
            logger.warning("%s: a power cut may bring back its former state: %s", self._path, error.strerror)

    def _abandon_successor(self) -> None:
        """Wait for a successor that is under way, and leave nothing of it behind."""
        successor, self._successor = self._successor, None
        if successor is not None:
            with suppress(OSError):
                successor.result().discard()
