"""ASGI messages: reading a body, sending a response."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.types import Message, Receive, Send

from ..contract.body import Headers
from ..contract.finding import Finding
from ..contract.operation import WITHOUT_BODY, Operation, Request
from ..contract.problem import PROBLEM_JSON, Problem
from ..contract.threads import LARGE, in_thread

LINGER = 64 << 20
"""The number of bytes beyond the limit that are read and dropped before a client is told to stop."""


async def read_body(receive: Receive, headers: Headers, max_bytes: int) -> bytes | Finding | None:
    """The whole body, a finding when it is too large, or None when the client left before its end.

    A `Content-Length` that is too large is answered at once. Of any other body that is too large, LINGER bytes more are
    read, for a client that is still sending when the connection closes loses its response (RFC 9112, section 9.6).
    """
    length = headers.get("content-length")
    if length is None and "transfer-encoding" not in headers:
        return b""
    if length is not None and (len(length) > 18 or int(length) > max_bytes):
        return _too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= max_bytes:
            chunks.append(chunk)
        elif size > max_bytes + LINGER:
            return _too_large(max_bytes)
        if not message.get("more_body", False):
            return b"".join(chunks) if size <= max_bytes else _too_large(max_bytes)


def _too_large(max_bytes: int) -> Finding:
    return Finding("content-length", "body", f"The body must not be larger than {max_bytes} bytes.")


async def checked(operation: Operation, request: Request) -> tuple[dict[str, Any], list[Finding]]:
    """The arguments and findings of `check_request`, called in a thread for a large request."""
    fields = len(request.headers.get("accept", "")) + len(request.headers.get("content-type", ""))
    if len(request.body) + len(request.query) + fields > LARGE:
        return await in_thread(operation.check_request, request)
    return operation.check_request(request)


def replay_body(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read already, and then the further messages."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def respond(send: Send, status: int, headers: Mapping[str, str], pieces: Sequence[bytes]) -> None:
    """Send a whole response; `pieces` are its body in order."""
    fields = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
    if status not in WITHOUT_BODY:  # RFC 9110, section 8.6
        fields.append((b"content-length", str(sum(map(len, pieces))).encode()))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    for piece in pieces[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": pieces[-1] if pieces else b""})


async def respond_problem(send: Send, problem: Problem, catalogue: Mapping[str, Mapping[str, object]]) -> None:
    document = problem.document(catalogue)
    headers = {**problem.headers, "content-type": PROBLEM_JSON}
    await respond(send, document["status"], headers, [orjson.dumps(document)])
