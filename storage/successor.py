"""The file that takes the place of a log: complete and on the disk before it gets the name."""

import os
from collections.abc import Callable
from pathlib import Path

from .files import folder_to_disk, open_successor, write_all
from .recovery import HEADER, Extent

LINES_PER_WRITE = 1_000


class Successor:
    """A file beside `path`, locked, that becomes `path` by one rename or is discarded.

    Every method raises OSError, and the file at `path` is then as it was. May be made in another thread.
    """

    def __init__(self, path: Path, mode: int, texts: list[bytes], to_disk: Callable[[int], None]) -> None:
        self._path = path
        self._to_disk = to_disk
        self._temporary = path.with_name(f".{path.name}.new")
        self.descriptor = open_successor(self._temporary, mode)
        self.extent = Extent(0, 0)
        try:
            self.add(HEADER + b"\n", lines=0)
            for start in range(0, len(texts), LINES_PER_WRITE):
                some = texts[start : start + LINES_PER_WRITE]
                self.add(b"\n".join(some) + b"\n", lines=len(some))
            self._to_disk(self.descriptor)
        except OSError:
            self.discard()
            raise

    def add(self, content: bytes, lines: int) -> None:
        """Write `content`, which has so many lines."""
        write_all(self.descriptor, content)
        self.extent = Extent(self.extent.length + len(content), self.extent.lines + lines)

    def take_the_name(self) -> None:
        """Put all of the file on the disk, then replace `path` by it."""
        self._to_disk(self.descriptor)
        folder_to_disk(self._path.parent)  # if this has to fail, then here, while nothing has changed
        self._temporary.replace(self._path)

    def discard(self) -> None:
        """Leave nothing behind."""
        os.close(self.descriptor)
        self._temporary.unlink(missing_ok=True)
