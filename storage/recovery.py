"""Opening the file of the embedded store: what of it counts, what is refused, what a killed process left unfinished."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson

from .files import folder_to_disk, to_disk, write_all
from .store import StoreError, UnreadableStore

HEADER = b'{"format":"callconfig store","version":1}'
SHOWN = 40
"""Bytes of a dropped line that the warning shows: its id is among them, and what may be secret comes later."""

logger = logging.getLogger("callconfig.storage")


class Extent(NamedTuple):
    """How far a file reaches: bytes, and lines after the header."""

    length: int
    lines: int


def recover(path: Path, descriptor: int, accept: Callable[[bytes], None]) -> Extent:
    """Hand every line of `path`, open as `descriptor`, to `accept`, then see to it that another one can be appended.

    Raises UnreadableStore, before anything is changed, for the first line that is damaged or that `accept` refuses by
    a ValueError or a StoreError. A last line that is not whole is what a kill in the middle of a write leaves: it is
    dropped with a warning, since nobody was told that it is kept. Raises OSError.
    """
    with open(descriptor, "rb", closefd=False) as file:
        content = file.read()
    *lines, rest = content.split(b"\n")
    if is_json(rest):  # only the line end is missing, which an editor may have taken away
        lines, rest = [*lines, rest], b""
    if lines or not HEADER.startswith(rest):
        expect_header(path, lines[0] if lines else rest)
    for number, line in enumerate(lines[1:], start=2):
        try:
            accept(line)
        except (ValueError, StoreError) as error:
            raise UnreadableStore(f"{path}, line {number}: {error}; the file was left as it is") from error

    length = len(content) - len(rest)
    if rest:
        warning = "%s, line %d is not whole and was dropped: %d bytes that begin with %r"
        logger.warning(warning, path, len(lines) + 1, len(rest), rest[:SHOWN].decode(errors="replace"))
        os.ftruncate(descriptor, length)
    missing = HEADER + b"\n" if not lines else b"" if content[:length].endswith(b"\n") else b"\n"
    write_all(descriptor, missing)
    to_disk(descriptor)
    folder_to_disk(path.parent)
    return Extent(length + len(missing), len(lines[1:]))


def expect_header(path: Path, line: bytes) -> None:
    """Raises UnreadableStore unless `line` says that the file is a store, in the one format there is so far."""
    if line != HEADER:
        header = orjson.loads(line) if is_json(line) else None
        known = isinstance(header, dict) and header.get("format") == "callconfig store"
        reason = "a format of another version of callconfig" if known else "not a callconfig store"
        raise UnreadableStore(f"{path}, line 1: {reason}; the file was left as it is")


def is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True
