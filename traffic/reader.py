"""The reader of a recording, told by its contents: a HAR file, NDJSON, or a pact."""

from collections.abc import Callable, Iterator
from pathlib import Path

import ijson

from ..contract.interaction import Interaction
from .har import read_har
from .ndjson import read_ndjson
from .pact import read_pact
from .recording import BoundedFile, NotARecording

READERS: dict[str, Callable[[Path], Iterator[Interaction]]] = {
    "log": read_har,
    "interactions": read_pact,
    "request": read_ndjson,
}
"""Readers by a member that the top of a file of their kind has."""


def read_recording(path: Path) -> Iterator[tuple[Interaction, bool]]:
    """Each interaction, and whether it is an expectation (a pact) or a fact. Raises NotARecording, OSError."""
    read = _reader(path)
    for interaction in read(path):
        yield interaction, read is read_pact


def _reader(path: Path) -> Callable[[Path], Iterator[Interaction]]:
    with path.open("rb") as file:
        try:
            for prefix, event, value in ijson.parse(BoundedFile(file, path), multiple_values=True, use_float=True):
                if (prefix, event) == ("", "map_key") and value in READERS:
                    return READERS[value]
        except (ijson.JSONError, ValueError, OverflowError) as error:
            raise NotARecording(f"{path}: is not JSON: {' '.join(str(error).split())}") from error
    raise NotARecording(f"{path}: is neither a HAR file, nor NDJSON of entries, nor a pact")
