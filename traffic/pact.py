"""Pact files, version 2 to 4: what a consumer says it sends and expects, as interactions to judge."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from ..contract.interaction import Fields, Interaction, by_name
from . import recording
from .recording import MOST_BYTES, NotARecording, read_json, readable, reading


def read_pact(path: Path, name: str) -> Iterator[Interaction | NotARecording]:
    """The HTTP interactions of a pact, and what cannot be read as one; messages are passed over.

    Raises NotARecording, OSError.
    """
    with path.open("rb") as file:
        document = read_json(file.read(MOST_BYTES + 1), name)
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
    """Version 2 has the text of a query, later versions the values of each parameter."""
    if not query:
        return ""
    return query if isinstance(query, str) else urlencode(query, doseq=True)


def _message(message: Mapping[str, Any], content_type: str) -> tuple[Fields, bytes]:
    """`content_type` is what a body is that does not say it; empty where the contract knows."""
    headers = recording.fields(
        (name, ", ".join(value) if isinstance(value, list) else str(value))
        for name, value in (message.get("headers") or {}).items()
    )
    body = message.get("body")
    if isinstance(body, dict) and "content" in body and body.keys() <= {"content", "contentType", "encoded"}:
        content_type, encoded = body.get("contentType", content_type), body.get("encoded", False)
        body = body["content"]  # version 4 says how the body is written
        if encoded == "base64":
            raise ValueError("a body in base64 cannot be judged")
    if body is None:
        return headers, b""
    if content_type and "content-type" not in by_name(headers):
        headers += recording.fields([("Content-Type", content_type)])
    written_as_text = isinstance(body, str) and "json" not in by_name(headers).get("content-type", "json")
    return headers, recording.content(body) if written_as_text else json.dumps(body).encode()
