"""The reader of a recording, chosen by its contents: a HAR file, NDJSON, or a pact."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

import httpx2
import ijson

from ..contract.finding import one_line
from ..contract.interaction import Interaction
from ..outcome import CouldNotRun, printable
from .har import read_har
from .ndjson import read_ndjson
from .pact import read_pact
from .recording import BoundedFile, InvalidRecording, parse_error

TIMEOUT = 30.0
"""Seconds between two chunks of a recording from a URL."""
READERS: dict[str, Callable[[Path, str], Iterator[Interaction | InvalidRecording]]] = {
    "log": read_har,
    "interactions": read_pact,
    "request": read_ndjson,
}
"""Readers by a top-level member of their format."""


def read_recording(source: str, name: str = "") -> Iterator[tuple[Interaction | InvalidRecording, bool]]:
    """Each interaction, or the error of a bad one, and whether it is an expectation (of a pact).

    `source` is a file, a URL, or `-` for standard input; `name` is for messages. Raises InvalidRecording, OSError.
    """
    name = name or ("standard input" if source == "-" else source)
    with _file(source, name) as path:
        read = _reader(path, name)
        for interaction in read(path, name):
            yield interaction, read is read_pact


def complete_recording(source: str) -> Iterator[tuple[Interaction, bool]]:
    """As `read_recording`, but an unreadable interaction raises CouldNotRun."""
    try:
        for read, is_expectation in read_recording(source):
            if isinstance(read, InvalidRecording):
                raise read
            yield read, is_expectation
    except OSError as error:
        raise CouldNotRun(printable(f"{source}: {error.strerror}")) from error
    except InvalidRecording as error:
        raise CouldNotRun(printable(one_line(error))) from error


@contextmanager
def _file(source: str, name: str) -> Iterator[Path]:
    """The source as a file, which readers can open twice; it may be larger than memory."""
    is_url = source.startswith(("http://", "https://"))
    if source != "-" and not is_url and not Path(source).is_fifo():
        yield Path(source)
        return
    with NamedTemporaryFile(prefix="callconfig-") as copy:
        if is_url:
            _download(source, name, copy)
        else:
            with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as pipe:
                shutil.copyfileobj(pipe, copy)
        copy.flush()
        yield Path(copy.name)


def _download(url: str, name: str, copy: IO[bytes]) -> None:
    try:
        with httpx2.Client(trust_env=False, timeout=TIMEOUT) as client, client.stream("GET", url) as response:
            if not response.is_success:
                raise InvalidRecording(f"{name}: the response is {response.status_code}")
            for chunk in response.iter_bytes():
                copy.write(chunk)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise InvalidRecording(f"{name}: cannot be read: {type(error).__name__} {error}".strip()) from error


def _reader(path: Path, name: str) -> Callable[[Path, str], Iterator[Interaction | InvalidRecording]]:
    with path.open("rb") as file:
        try:
            for prefix, event, value in ijson.parse(BoundedFile(file, name), multiple_values=True, use_float=True):
                if (prefix, event) == ("", "map_key") and value in READERS:
                    return READERS[value]
        except (ijson.JSONError, ValueError, OverflowError) as error:
            raise InvalidRecording(f"{name}: is not JSON: {parse_error(error)}") from error
    raise InvalidRecording(f"{name}: is neither a HAR file, nor NDJSON of entries, nor a pact")
