"""The operations of the embedded store on a POSIX file system. All raise OSError."""

import errno
import fcntl
import os
import stat
from pathlib import Path

OWN_FOLDER = ".callconfig"
"""The folder of the default store. It is created with a `.gitignore`, because documents may hold secrets."""


def make_folder(folder: Path) -> None:
    """Create `folder` and its missing parents, safe from a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    if folder.name == OWN_FOLDER:
        (folder / ".gitignore").write_text("*\n")
    folder_to_disk(folder.parent)


def open_locked(path: Path) -> int:
    """Open the regular file `path` for appending, or create it, readable by its owner only; lock it for this process.

    Raises BlockingIOError when another process holds the lock.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            lock(descriptor)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # between opening and locking, its holder replaced it by a successor


def open_successor(path: Path, mode: int) -> int:
    """Create a locked file `path` with the permissions `mode`; removes the file of a killed process."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
    os.fchmod(descriptor, mode)
    lock(descriptor)
    return descriptor


def lock(descriptor: int) -> None:
    """Lock the regular file until the descriptor is closed, at the latest by the end of the process."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def expect_unchanged(path: Path, file: os.stat_result, length: int, *, more: bool) -> None:
    """Raises OSError when `path` is not the name of `file`, or the file is not `length` bytes long.

    A write would then be lost, or refused at the next start. With `more`, the file may be longer.
    """
    found = os.stat(path)  # noqa: PTH116 - before each write, and a Path takes three times as long
    if not os.path.samestat(found, file):
        raise OSError(errno.ESTALE, "another file has taken its place")
    if found.st_size < length or (found.st_size > length and not more):
        changed = "truncated" if found.st_size < length else "appended to"
        raise OSError(errno.ESTALE, f"it was {changed} by somebody else, to {found.st_size} bytes instead of {length}")


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, in several calls if need be. When it raises, a part may be written."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def to_disk(descriptor: int) -> None:
    """Return when the file is on the disk. On macOS fsync alone stops at the disk's cache."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def folder_to_disk(folder: Path) -> None:
    """Return when the directory entries of `folder` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
