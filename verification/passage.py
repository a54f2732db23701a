"""One request on its way through the proxy, and its response on the way back, with bounded copies of both bodies."""

import time
import zlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.types import Message, Receive, Scope, Send

from ..contract.interaction import Fields, Interaction, by_name

MOST_HELD = 16 << 20
"""Bytes of a body that are kept to be judged. What is longer is passed on, and judged without its body."""
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
"""Fields that are between two neighbours (RFC 9110, section 7.6.1), beside those that `Connection` names."""
Raw = list[tuple[bytes, bytes]]


class ClientLeft(Exception):
    """The client went away before its request was complete."""


class Copy:
    """The beginning of a body, as much as is kept."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.overflowed = False

    def add(self, chunk: bytes) -> None:
        if not self.overflowed:
            self.kept += chunk
            self.overflowed = len(self.kept) > MOST_HELD

    @property
    def bytes(self) -> bytes:
        return b"" if self.overflowed else bytes(self.kept)


class Passage:
    """One request on its way to the upstream server, and its response on the way back."""

    def __init__(self, scope: Scope, receive: Receive, upstream: str) -> None:
        self._receive = receive
        self._method: str = scope["method"]
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        self.url = upstream + (scope["raw_path"].partition(b"?")[0] + query).decode("latin-1")
        self._request_headers: Raw = scope["headers"]
        self._response_headers: Raw = []
        self._status, self._error = 0, ""
        self._started, self._clock = datetime.now(UTC), time.perf_counter()
        self.request, self.response = Copy(), Copy()
        self._held: bytes | None = None
        self.begun = False
        """Whether the client has got the head of the response."""

    @property
    def forwarded_request_headers(self) -> Raw:
        """All that the client sent but what was between it and this proxy; `Host` names the upstream server."""
        host = urlsplit(self.url).netloc.rpartition("@")[2].encode()
        kept = [(name, value) for name, value in _end_to_end(self._request_headers) if name != b"host"]
        return [(b"host", host), *kept]

    @property
    def request_content(self) -> AsyncIterator[bytes] | bytes | None:
        names = {name for name, _ in self._request_headers}
        if self._held is not None:
            return self._held or None
        return self._body() if names & {b"content-length", b"transfer-encoding"} else None

    async def _body(self) -> AsyncIterator[bytes]:
        while True:
            message: Message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            chunk = message.get("body", b"")
            self.request.add(chunk)
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    async def hold_request(self) -> None:
        """Read the whole body before anything is forwarded."""
        async for _ in self._body():
            if self.request.overflowed:
                return
        self._held = bytes(self.request.kept)

    def answered(self, status: int, headers: Raw) -> None:
        self._status, self._response_headers = status, [(name.lower(), value) for name, value in headers]

    def broke(self, reason: str) -> None:
        self._status, self._error = 0, reason

    async def start(self, send: Send, more: Mapping[str, str]) -> None:
        """Send the response's head."""
        added = [(name.encode(), value.encode()) for name, value in more.items()]
        headers = [*_end_to_end(self._response_headers), *added]
        self.begun = True
        await send({"type": "http.response.start", "status": self._status, "headers": headers})

    async def pass_on(self, chunk: bytes, send: Send) -> None:
        self.response.add(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    @property
    def response_is_whole(self) -> bool:
        """Whether the kept copy is the body, readable, so that it can be judged."""
        coding = by_name(_text(self._response_headers)).get("content-encoding", "identity")
        return not self.response.overflowed and _decoded(self.response.bytes, coding) is not None

    def interaction(self) -> Interaction:
        """What is known by now."""
        response_headers = _text(self._response_headers)
        coding = by_name(response_headers).get("content-encoding", "identity")
        return Interaction(
            method=self._method,
            url=self.url,
            status=self._status,
            request_headers=_text(self._request_headers),
            request_body=self.request.bytes,
            response_headers=response_headers,
            response_body=_decoded(self.response.bytes, coding) or b"",
            started=self._started,
            seconds=time.perf_counter() - self._clock,
            error=self._error,
        )


def _end_to_end(headers: Raw) -> Raw:
    named = b",".join(value for name, value in headers if name == b"connection").decode("latin-1")
    dropped = HOP_BY_HOP | {name.strip().lower() for name in named.split(",")}
    return [(name, value) for name, value in headers if name.decode("latin-1") not in dropped]


def _text(headers: Raw) -> Fields:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _decoded(body: bytes, coding: str) -> bytes | None:
    """The body without its content coding; None where it is unknown, broken, or hides too much."""
    if coding.strip().lower() in ("identity", ""):
        return body
    if coding.strip().lower() not in ("gzip", "deflate"):
        return None
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either kind, told by its header
    try:
        plain = decoder.decompress(body, MOST_HELD)
    except zlib.error:
        return None
    return plain if decoder.eof else None
