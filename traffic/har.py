"""HTTP Archive 1.2, written and read entry by entry, so that a file of any size fits into memory."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

import ijson

from ..contract.interaction import Fields, Interaction, by_name
from ..outcome import program
from . import recording
from .recording import BoundedFile, InvalidRecording, parse_error, readable, reading, text_of


def entry(interaction: Interaction) -> dict[str, Any]:
    """The HAR entry of an interaction, with further members that begin with `_`."""
    milliseconds = round(interaction.seconds * 1000, 3)
    asked, answered = by_name(interaction.request_headers), by_name(interaction.response_headers)
    request = _message(interaction.request_headers, interaction.request_body) | {
        "method": interaction.method,
        "url": interaction.url,
        "queryString": _records(parse_qsl(urlsplit(interaction.url).query, keep_blank_values=True)),
    }
    if interaction.request_body:
        text, encoding = text_of(interaction.request_body)
        posted = {"mimeType": asked.get("content-type", ""), "params": [], "text": text}
        request["postData"] = posted | ({"_encoding": encoding} if encoding else {})
    text, encoding = text_of(interaction.response_body)
    content = {"size": len(interaction.response_body), "mimeType": answered.get("content-type", ""), "text": text}
    response = _message(interaction.response_headers, interaction.response_body) | {
        "status": interaction.status,
        "statusText": "",
        "content": content | ({"encoding": encoding} if encoding else {}),
        "redirectURL": answered.get("location", ""),
    }
    return {
        "startedDateTime": interaction.started.isoformat(),
        "time": milliseconds,
        "request": request,
        "response": response | ({"_error": interaction.error} if interaction.error else {}),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def _message(headers: Fields, body: bytes) -> dict[str, Any]:
    shown = {"headers": _records(headers), "headersSize": -1, "bodySize": len(body)}
    return {"httpVersion": "HTTP/1.1", "cookies": [], **shown}


def _records(fields: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in fields]


def har(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The entries as HAR 1.2."""
    return {"log": {"version": "1.2", "creator": program(), "entries": entries}}


class HarWriter:
    """Writes a HAR file entry by entry. It is complete when it is closed, and readable up to its last entry before."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._file.write(json.dumps(har([])).removesuffix("]}}"))
        self._separator = "\n"

    def write(self, interaction: Interaction) -> None:
        """Raises OSError."""
        self._file.write(self._separator + json.dumps(entry(interaction)))
        self._separator = ",\n"

    def close(self) -> None:
        """Raises OSError."""
        if not self._file.closed:
            with self._file:
                self._file.write("\n]}}\n")

    def __enter__(self) -> "HarWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_har(path: Path, name: str) -> Iterator[Interaction | InvalidRecording]:
    """The interactions of a HAR file, one at a time, or an error. Raises InvalidRecording, OSError."""
    number = 0
    with path.open("rb") as file:
        bounded = BoundedFile(file, name)
        try:
            for number, read in enumerate(ijson.items(bounded, "log.entries.item", use_float=True), 1):
                bounded.forget()
                if (interaction := readable(recorded, read, f"{name} entry {number}")) is not None:
                    yield interaction
        except (ijson.JSONError, ValueError, OverflowError) as error:
            raise InvalidRecording(f"{name}: is not JSON after entry {number}: {parse_error(error)}") from error


def recorded(read: Any, source: str) -> Interaction | None:
    """The interaction of an entry; None where the response was not recorded. Raises InvalidRecording."""
    with reading(source, "not a HAR entry"):
        request, response = read["request"], read["response"]
        content = response.get("content") or {}
        if not response["status"]:
            return None
        posted = request.get("postData") or {}
        request_headers = _fields(request["headers"])
        if posted.get("mimeType") and "content-type" not in by_name(request_headers):
            request_headers += recording.fields([("Content-Type", posted["mimeType"])])
        response_headers = _fields(response["headers"])
        unrecorded = set()
        if posted.get("text") is None and (request.get("bodySize", 0) > 0 or _announces_body(request_headers)):
            unrecorded.add("request")
        if content.get("text") is None and (content.get("size", -1) != 0 or _announces_body(response_headers)):
            unrecorded.add("response")
        return Interaction(
            method=recording.method(request["method"]),
            url=recording.url(request["url"]),
            status=recording.status(response["status"]),
            request_headers=request_headers,
            request_body=recording.content(posted.get("text"), posted.get("_encoding") or posted.get("encoding")),
            response_headers=response_headers,
            response_body=recording.content(content.get("text"), content.get("encoding")),
            started=recording.time(read.get("startedDateTime")),
            seconds=recording.seconds(read.get("time")),
            unrecorded=frozenset(unrecorded),
            source=source,
        )


def _fields(records: list[dict[str, str]]) -> Fields:
    return recording.fields((record["name"], record["value"]) for record in records)


def _announces_body(headers: Fields) -> bool:
    named = by_name(headers)
    return named.get("content-length", "0").strip() != "0" or "transfer-encoding" in named
