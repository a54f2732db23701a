"""Recordings: HTTP Archive 1.2, and NDJSON with a HAR entry, or a line of the mock's journal, on each line."""

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import ijson

from ..contract.har import entry
from ..contract.interaction import UNKNOWN_TIME, Fields, Interaction, by_name


class NotARecording(Exception):
    """A file, or a part of one, that cannot be read as what it seems to be; the message says where and why."""


def read_har(path: Path) -> Iterator[Interaction]:
    """The entries of a HAR file, one at a time, so that its size does not matter. Raises NotARecording, OSError."""
    number = 0
    with path.open("rb") as file:
        try:
            for number, entry in enumerate(ijson.items(file, "log.entries.item", use_float=True), 1):
                yield from _recorded(entry, f"{path} entry {number}")
        except ijson.JSONError as error:
            reason = " ".join(str(error).split())
            raise NotARecording(f"{path}: is not JSON after entry {number}: {reason}") from error


def read_ndjson(path: Path) -> Iterator[Interaction]:
    """The entries of an NDJSON file. Raises NotARecording, OSError."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise NotARecording(f"{path} line {number}: is not JSON: {error}") from error
            is_journal = isinstance(entry, dict) and "started" in entry
            yield from (_journaled if is_journal else _recorded)(entry, f"{path} line {number}")


def _journaled(entry: Any, source: str) -> Iterator[Interaction]:
    """The interaction of a line of the mock's journal; nothing where a fault left it without an answer."""
    try:
        request, response = entry["request"], entry["response"]
        if not response["status"]:
            return
        yield Interaction(
            method=request["method"],
            url=request["url"],
            status=int(response["status"]),
            request_headers=tuple((name, value) for name, value in request["headers"]),
            request_body=_bytes(request["body"] or "", request.get("encoding")),
            response_headers=tuple((name, value) for name, value in response["headers"]),
            response_body=_bytes(response["body"] or "", response.get("encoding")),
            started=_time(entry["started"]),
            seconds=float(entry["milliseconds"]) / 1000,
            source=source,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotARecording(f"{source}: is no line of a journal: {type(error).__name__} {error}") from error


def _recorded(entry: Any, source: str) -> Iterator[Interaction]:
    """The interaction of an entry; nothing where the response, or its body, was not recorded."""
    try:
        request, response = entry["request"], entry["response"]
        content = response.get("content", {})
        without_body = "text" not in content and content.get("size", 0) > 0
        if not response["status"] or without_body:
            return
        posted = request.get("postData", {})
        request_headers = _fields(request["headers"])
        if posted.get("mimeType") and "content-type" not in by_name(request_headers):
            request_headers += (("Content-Type", posted["mimeType"]),)
        yield Interaction(
            method=request["method"].upper(),
            url=request["url"],
            status=int(response["status"]),
            request_headers=request_headers,
            request_body=_bytes(posted.get("text", ""), posted.get("_encoding") or posted.get("encoding")),
            response_headers=_fields(response["headers"]),
            response_body=_bytes(content.get("text", ""), content.get("encoding")),
            started=_time(entry.get("startedDateTime", "")),
            seconds=float(entry.get("time") or 0) / 1000,
            source=source,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotARecording(f"{source}: is not a HAR entry: {type(error).__name__} {error}") from error


def _fields(records: list[dict[str, str]]) -> Fields:
    """Header fields, without the pseudo-headers with which HTTP/2 writes the request line."""
    return tuple((record["name"], record["value"]) for record in records if not record["name"].startswith(":"))


def _bytes(text: str, encoding: str | None) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if encoding == "base64" else text.encode(errors="surrogatepass")
    except binascii.Error as error:
        raise ValueError(f"content is not base64: {error}") from error


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return UNKNOWN_TIME


class HarWriter:
    """Writes a HAR file entry by entry. It is complete when it is closed, and readable up to its last entry before."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._file: IO[str] = path.open("w", encoding="utf-8")
        creator = json.dumps({"name": "callconfig", "version": version("callconfig")})
        self._file.write(f'{{"log": {{"version": "1.2", "creator": {creator}, "entries": [')
        self._separator = "\n"

    def write(self, interaction: Interaction) -> None:
        self._file.write(self._separator + json.dumps(entry(interaction)))
        self._separator = ",\n"

    def close(self) -> None:
        if not self._file.closed:
            self._file.write("\n]}}\n")
            self._file.close()

    def __enter__(self) -> "HarWriter":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()
