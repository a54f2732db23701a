"""Safe reading of untrusted recordings: bounds for files, and a check of every value."""

import base64
import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import accumulate
from typing import IO, Any, TypeVar
from urllib.parse import quote, urlsplit

from ..contract.finding import without_surrogates
from ..contract.interaction import UNKNOWN_TIME, Fields

MAX_BYTES = 64 << 20
"""The largest entry, line or pact that is read."""
MAX_LEVELS = 1000
"""The deepest nesting of a recording; readers take quadratic time."""

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


class InvalidRecording(Exception):
    """A recording, or an entry of one, that cannot be read; the message says where and why."""


class BoundedFile:
    """A bounded JSON file for a reader that keeps one entry at a time, and calls `forget` after each.

    A byte order mark is left out, as HAR 1.2 requires.
    """

    def __init__(self, file: IO[bytes], name: object) -> None:
        self._file, self._name = file, name
        self._bytes = self._depth = self._in_string = 0
        self._rest, self._at_start = b"", True

    def read(self, size: int = -1) -> bytes:
        """Raises InvalidRecording, OSError."""
        chunk = self._file.read(size)
        if chunk and self._at_start:
            self._at_start, chunk = False, chunk.removeprefix(BOM_UTF8) or self._file.read(size)
        self._bytes += len(chunk)
        if self._bytes > MAX_BYTES:
            raise InvalidRecording(f"{self._name}: an entry is larger than {MAX_BYTES >> 20} MiB")
        self._follow(chunk)
        return chunk

    def forget(self) -> None:
        self._bytes = 0

    def _follow(self, chunk: bytes) -> None:
        """Track the nesting by the brackets outside of strings."""
        text = _ESCAPE.sub(b"", self._rest + chunk)
        self._rest = b"\\" if text.endswith(b"\\") else b""
        parts = text.removesuffix(b"\\").split(b'"')
        brackets = b"".join(parts[self._in_string :: 2]).translate(None, _NO_BRACKETS)
        self._in_string ^= (len(parts) - 1) & 1
        depths = list(accumulate((1 if each in b"[{" else -1 for each in brackets), initial=self._depth))
        self._depth = depths[-1]
        if max(depths) > MAX_LEVELS:
            raise InvalidRecording(f"{self._name}: is nested deeper than {MAX_LEVELS} levels")


def read_json(text: bytes, source: object) -> Any:
    """Raises InvalidRecording."""
    if len(text) > MAX_BYTES:
        raise InvalidRecording(f"{source}: is larger than {MAX_BYTES >> 20} MiB")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRecording(f"{source}: is not JSON: {error}") from error


def parse_error(error: Exception) -> str:
    """The reason of the parser, without its picture of the place, which is on the lines below."""
    return str(error).partition("\n")[0]


@contextmanager
def reading(source: str, kind: str) -> Iterator[None]:
    """Turn the errors of values with a wrong type into InvalidRecording."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError) as error:
        raise InvalidRecording(f"{source}: is {kind}: {type(error).__name__} {error}") from error


T = TypeVar("T")


def readable(read: Callable[[Any, str], T], value: Any, source: str) -> T | InvalidRecording:
    """A value that was read, or the error as a value, so that the next entry can be read."""
    try:
        return read(value, source)
    except InvalidRecording as error:
        return error


def method(value: Any) -> str:
    """Raises ValueError, TypeError."""
    if not _METHOD.fullmatch(value):
        raise ValueError("the method is no token")
    return str(value).upper()


def url(value: Any) -> str:
    """A URL in ASCII, percent-encoded. Raises ValueError, TypeError."""
    text = quote(value, safe="".join(map(chr, range(0x21, 0x7F))), errors="surrogatepass")
    urlsplit(text)
    return text


def status(value: Any) -> int:
    """Raises ValueError, TypeError, OverflowError."""
    number = int(value)
    if not 0 <= number <= 999:
        raise ValueError(f"{str(number)[:20]} is no status")
    return number


def fields(pairs: Any) -> Fields:
    """Header fields, without the pseudo-headers with which HTTP/2 writes the request line. Raises ValueError."""
    read = tuple((name, value) for name, value in pairs)
    if not all(isinstance(text, str) for pair in read for text in pair):
        raise ValueError("a header field is no text")
    return tuple(
        (without_surrogates(name), without_surrogates(value)) for name, value in read if not name.startswith(":")
    )


def content(text: str | None, encoding: Any = None) -> bytes:
    """Raises ValueError, AttributeError."""
    text = text or ""
    return base64.b64decode(text, validate=True) if encoding == "base64" else text.encode(errors="surrogatepass")


def seconds(milliseconds: Any) -> float:
    """Raises ValueError, TypeError."""
    read = float(milliseconds or 0) / 1000
    return read if 0 <= read < 1e9 else 0.0


def time(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return UNKNOWN_TIME


def text_of(body: bytes) -> tuple[str, str | None]:
    """A body as text, and its encoding: base64 where it is not UTF-8, else None."""
    try:
        return body.decode(), None
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"
