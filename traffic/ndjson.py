"""NDJSON: on each line a HAR entry, or an entry of the mock's journal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..contract.interaction import Interaction
from . import recording
from .har import recorded
from .recording import MOST_BYTES, read_json, reading


def read_ndjson(path: Path) -> Iterator[Interaction]:
    """The interactions of the lines, one at a time. Raises NotARecording, OSError."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MOST_BYTES + 1):
            number += 1
            source = f"{path} line {number}"
            if line.strip():
                entry = read_json(line, source)
                read = journaled if isinstance(entry, dict) and "started" in entry else recorded
                if (interaction := read(entry, source)) is not None:
                    yield interaction


def journaled(entry: Any, source: str) -> Interaction | None:
    """The interaction of a line of the mock's journal; None where it was left without an answer.

    Raises NotARecording.
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
