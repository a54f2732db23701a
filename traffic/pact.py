"""Pact files, version 2 to 4: the expectations of a consumer, as interactions to judge."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from ..contract.interaction import Fields, Interaction, by_name
from . import recording
from .recording import MAX_BYTES, InvalidRecording, read_json, readable, reading


def read_pact(path: Path, name: str) -> Iterator[Interaction | InvalidRecording]:
    """The HTTP interactions of a pact, and an error for each bad one; messages are skipped.

    Raises InvalidRecording, OSError.
    """
    with path.open("rb") as file:
        document = read_json(file.read(MAX_BYTES + 1), name)
    with reading(name, "no pact"):
        interactions = list(document["interactions"])
    for number, declared in enumerate(interactions, 1):
        if (interaction := readable(_declared, declared, f"{name} interaction {number}")) is not None:
            yield interaction


def _declared(declared: Any, source: str) -> Interaction | None:
    with reading(source, "not a pact interaction"):
        if declared.get("type", "Synchronous/HTTP") != "Synchronous/HTTP":
            return None
        source = f"{source} ({str(declared.get('description', 'without description'))[:100]})"
    with reading(source, "not a pact interaction"):
        return _interaction(declared["request"], declared.get("response") or {}, source)


def _interaction(request: Mapping[str, Any], response: Mapping[str, Any], source: str) -> Interaction:
    query = _query(request.get("query"))
    request_headers, request_body = _message(request, "application/json")
    response_headers, response_body = _message(response, "")
    path = quote(request.get("path", "/"), safe="/%:@!$&'()*+,;=~-._")
    return Interaction(
        method=recording.method(request["method"]),
        url=recording.url(path + (f"?{query}" if query else "")),
        status=recording.status(response.get("status", 200)),
        request_headers=request_headers,
        request_body=request_body,
        response_headers=response_headers,
        response_body=response_body,
        source=source,
    )


def _query(query: Any) -> str:
    """The query string. Version 2 has it as text, later versions the values of each parameter."""
    if not query:
        return ""
    return query if isinstance(query, str) else urlencode(query, doseq=True)


def _message(message: Mapping[str, Any], content_type: str) -> tuple[Fields, bytes]:
    """The header fields and the body. `content_type` is the default for a JSON body; empty to leave it out."""
    headers = recording.fields(
        (name, ", ".join(value) if isinstance(value, list) else str(value))
        for name, value in (message.get("headers") or {}).items()
    )
    body = message.get("body")
    if isinstance(body, dict) and "content" in body and body.keys() <= {"content", "contentType", "encoded"}:
        content_type, encoded = body.get("contentType", content_type), body.get("encoded", False)
        body = body["content"]  # version 4 names the encoding of the body
        if encoded == "base64":
            raise ValueError("a body in base64 cannot be judged")
    if body is None:
        return headers, b""
    if content_type and "content-type" not in by_name(headers):
        headers += recording.fields([("Content-Type", content_type)])
    written_as_text = isinstance(body, str) and "json" not in by_name(headers).get("content-type", "json")
    return headers, recording.content(body) if written_as_text else json.dumps(body).encode()
