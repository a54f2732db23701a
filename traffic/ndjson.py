"""NDJSON: on each line a HAR entry, or an entry of the mock's journal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..contract.interaction import Interaction
from . import recording
from .har import recorded
from .recording import MAX_BYTES, InvalidRecording, read_json, readable, reading


def read_ndjson(path: Path, name: str) -> Iterator[Interaction | InvalidRecording]:
    """The interactions of the lines, one at a time, or an error. Raises InvalidRecording, OSError."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_BYTES + 1):
            number += 1
            if len(line) > MAX_BYTES:
                raise InvalidRecording(f"{name} line {number}: is larger than {MAX_BYTES >> 20} MiB")
            if line.strip() and (interaction := readable(_line, line, f"{name} line {number}")) is not None:
                yield interaction


def _line(line: bytes, source: str) -> Interaction | None:
    entry = read_json(line, source)
    read = journaled if isinstance(entry, dict) and "started" in entry else recorded
    return read(entry, source)


def journaled(entry: Any, source: str) -> Interaction | None:
    """The interaction of a line of the mock's journal; None where it has no response.

    Raises InvalidRecording.
    """
    with reading(source, "no line of a journal"):
        request, response = entry["request"], entry["response"]
        if not response["status"]:
            return None
        return Interaction(
            method=recording.method(request["method"]),
            url=recording.url(request["url"]),
            status=recording.status(response["status"]),
            request_headers=recording.fields(request["headers"]),
            request_body=recording.content(request["body"], request.get("encoding")),
            response_headers=recording.fields(response["headers"]),
            response_body=recording.content(response["body"], response.get("encoding")),
            started=recording.time(entry["started"]),
            seconds=recording.seconds(entry["milliseconds"]),
            source=source,
        )
