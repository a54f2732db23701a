"""The journal as files that other tools read: HAR 1.2, and one JSON text in each line."""

import base64
from collections.abc import Iterable
from http.client import responses as reasons
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

Json = dict[str, Any]


def ndjson(entries: Iterable[Json]) -> bytes:
    return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in entries)


def har(entries: Iterable[Json]) -> Json:
    """HAR 1.2. What the journal does not know is -1 there, as the format has it; findings are in `_findings`."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "callconfig", "version": version("callconfig")},
            "entries": [_entry(entry) for entry in entries],
        }
    }


def _entry(entry: Json) -> Json:
    request, response = entry["request"], entry["response"]
    status = response["status"] or 0
    return {
        "startedDateTime": entry["started"],
        "time": entry["milliseconds"],
        "request": {
            "method": request["method"],
            "url": request["url"],
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(request["headers"]),
            "queryString": _pairs(parse_qsl(urlsplit(request["url"]).query, keep_blank_values=True)),
            "headersSize": -1,
            "bodySize": _size(request),
            **({"postData": _content(request, "application/octet-stream")} if request["body"] else {}),
        },
        "response": {
            "status": status,
            "statusText": reasons.get(status, ""),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(response["headers"]),
            "content": {"size": _size(response), **_content(response, "x-unknown")},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": entry["milliseconds"], "receive": 0},
        "_findings": entry["findings"],
    }


def _pairs(pairs: Iterable[Iterable[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _size(message: Json) -> int:
    """The size of the body in bytes."""
    text = message["body"] or ""
    return len(base64.b64decode(text) if "encoding" in message else text.encode())


def _content(message: Json, otherwise: str) -> Json:
    media_type = next((value for name, value in message["headers"] if name == "content-type"), otherwise)
    text = {"text": message["body"]} if message["body"] is not None else {}
    encoding = {"encoding": message["encoding"]} if "encoding" in message else {}
    return {"mimeType": media_type, **text, **encoding}
