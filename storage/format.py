"""The format of the embedded store's file: a header, then one JSON document per line.

A later line replaces an earlier one with the same id, so a person can read, compare and edit such files. A document of
another table than `configurations` is in an array after the table's name, and so is the id of a deleted document. The
header names the contract of the file.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ..contract.resource import TABLE
from .files import folder_to_disk, open_successor, to_disk, write_all
from .store import StoreError, UnreadableStore, expect_contract

FORMAT = b'{"format":"callconfig store",'
HEADER = FORMAT + b'"version":1}'
SHOWN = 40
"""Bytes of a dropped line that the warning shows: the id, but no later members, which may be secret."""
LINES_PER_WRITE = 1_000

logger = logging.getLogger("callconfig.storage")

Accept = Callable[[str, bytes, dict[str, Any] | str], None]
"""Accepts a table, a JSON text and its document, or the id of a deleted one.

Raises ValueError or StoreError to refuse it.
"""


class FileFormat(NamedTuple):
    """The form of a store's lines: the title of its contract, which may be empty, and its tables."""

    contract: str = ""
    tables: tuple[str, ...] = (TABLE,)

    @property
    def header(self) -> bytes:
        if not self.contract:
            return HEADER
        return HEADER[:-1] + b',"contract":' + orjson.dumps(self.contract) + b"}"

    def expect_header(self, line: bytes) -> None:
        """Raises ValueError unless `line` is the header of this format, contract and tables."""
        if not line.startswith(FORMAT):
            raise ValueError("not a callconfig store")
        if not line.startswith(HEADER[:-1]):
            raise ValueError("a format of another version of callconfig")
        expect_contract(json_object(line).get("contract", ""), self.contract, self.tables)


def line_of(table: str, text: bytes) -> bytes:
    """The line of a document, or of the id of a deleted one, as JSON."""
    return text if table == TABLE and text.startswith(b"{") else b"[%s,%s]" % (orjson.dumps(table), text)


def read_entry(line: bytes) -> tuple[str, bytes, dict[str, Any] | str]:
    """The table, the text and the document or the id in a line. Raises ValueError."""
    if not line.startswith(b"["):
        return TABLE, line, json_object(line)
    match decoded(line):
        case [str(table), dict() | str() as entry]:
            head = b"[%s," % orjson.dumps(table)
            is_ours = line.startswith(head) and line.endswith(b"]")  # else an editor has added spaces
            return table, line[len(head) : -1] if is_ours else orjson.dumps(entry), entry
    raise ValueError("not a JSON object")


class Extent(NamedTuple):
    """The size of a file: bytes, and lines after the header."""

    length: int
    lines: int


def recover(path: Path, descriptor: int, form: FileFormat, accept: Accept) -> Extent:
    """Pass every line of `path`, open as `descriptor`, to `accept`, then make the file ready for appending.

    Raises UnreadableStore, before any change, for the first line that is damaged or refused. An incomplete last line,
    which a killed process leaves, is dropped with a warning, since it was never acknowledged. Raises OSError.
    """
    number = length = 0
    rest, ended = b"", True
    with open(descriptor, "rb", buffering=1 << 20, closefd=False) as file:
        for number, line in enumerate(file, start=1):
            ended = line.endswith(b"\n")
            if not ended and not is_json(line):  # else only the newline is missing, which an editor may have removed
                rest = line
                break
            read_line(path, number, line.removesuffix(b"\n"), form, accept)
            length += len(line)
    lines = number - bool(rest)
    if lines == 0 and not form.header.startswith(rest):
        read_line(path, 1, rest, form, accept)
    if rest:
        warning = "%s, line %d is not whole and was dropped: %d bytes that begin with %r"
        logger.warning(warning, path, number, len(rest), rest[:SHOWN].decode(errors="replace"))
        os.ftruncate(descriptor, length)
    missing = form.header + b"\n" if lines == 0 else b"" if ended or rest else b"\n"
    write_all(descriptor, missing)
    to_disk(descriptor)
    folder_to_disk(path.parent)
    return Extent(length + len(missing), max(0, lines - 1))


def read_line(path: Path, number: int, line: bytes, form: FileFormat, accept: Accept) -> None:
    """Pass one line to `accept`. Raises UnreadableStore with the place and the reason, in one line."""
    try:
        if number > 1:
            accept(*read_entry(line))
        else:
            form.expect_header(line)
    except (ValueError, StoreError) as error:
        reason = "".join(character if character.isprintable() else "\ufffd" for character in str(error))
        raise UnreadableStore(f"{path}, line {number}: {reason}; the file was left as it is") from error


def json_object(line: bytes) -> dict[str, Any]:
    """Raises ValueError."""
    document = decoded(line)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of the data, not of a caller
    return document


def decoded(line: bytes) -> Any:
    """Raises ValueError."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON at column {error.colno}: {error.msg}") from error


def is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


class Successor:
    """A complete file beside `path`, locked, that becomes `path` by one rename or is discarded.

    Every method raises OSError without a change of the file at `path`. May be made in another thread.
    """

    def __init__(
        self, path: Path, mode: int, header: bytes, texts: list[bytes], to_disk: Callable[[int], None]
    ) -> None:
        self._path = path
        self._to_disk = to_disk
        self._temporary = path.with_name(f".{path.name}.new")
        self.descriptor = open_successor(self._temporary, mode)
        self.extent = Extent(0, 0)
        try:
            self.add(header + b"\n", lines=0)
            for start in range(0, len(texts), LINES_PER_WRITE):
                some = texts[start : start + LINES_PER_WRITE]
                self.add(b"\n".join(some) + b"\n", lines=len(some))
            self._to_disk(self.descriptor)
        except OSError:
            self.discard()
            raise

    def add(self, content: bytes, lines: int) -> None:
        """Write `content`, which has this number of lines."""
        write_all(self.descriptor, content)
        self.extent = Extent(self.extent.length + len(content), self.extent.lines + lines)

    def rename_into_place(self) -> None:
        """Write the file through to the disk, then rename it to `path`."""
        self._to_disk(self.descriptor)
        folder_to_disk(self._path.parent)  # a failure here leaves all unchanged
        self._temporary.replace(self._path)

    def discard(self) -> None:
        """Remove the file."""
        os.close(self.descriptor)
        self._temporary.unlink(missing_ok=True)
