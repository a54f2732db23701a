"""HTTP Archive 1.2: what other tools read an interaction from."""

import base64
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .interaction import Interaction, by_name


def entry(interaction: Interaction) -> dict[str, Any]:
    """The HAR entry of an interaction. What HAR has no place for stands in members that begin with `_`."""
    milliseconds = round(interaction.seconds * 1000, 3)
    headers = by_name(interaction.response_headers)
    request: dict[str, Any] = {
        "method": interaction.method,
        "url": interaction.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": records(interaction.request_headers),
        "queryString": records(parse_qsl(urlsplit(interaction.url).query, keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": len(interaction.request_body),
    }
    if interaction.request_body:
        text, encoding = text_of(interaction.request_body)
        content_type = by_name(interaction.request_headers).get("content-type", "")
        request["postData"] = {"mimeType": content_type, "params": [], "text": text}
        if encoding:
            request["postData"]["_encoding"] = encoding
    text, encoding = text_of(interaction.response_body)
    content: dict[str, Any] = {
        "size": len(interaction.response_body),
        "mimeType": headers.get("content-type", ""),
        "text": text,
    }
    if encoding:
        content["encoding"] = encoding
    response: dict[str, Any] = {
        "status": interaction.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": records(interaction.response_headers),
        "content": content,
        "redirectURL": headers.get("location", ""),
        "headersSize": -1,
        "bodySize": len(interaction.response_body),
    }
    if interaction.error:
        response["_error"] = interaction.error
    return {
        "startedDateTime": interaction.started.isoformat(),
        "time": milliseconds,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def records(fields: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in fields]


def text_of(body: bytes) -> tuple[str, str | None]:
    """A body as text, and its encoding where it is none."""
    try:
        return body.decode(), None
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"
