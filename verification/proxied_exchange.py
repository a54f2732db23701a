"""One request on its way through the proxy, and its response on the way back, with bounded copies of both bodies."""

import re
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx2
from starlette.types import Receive, Scope, Send

from ..contract.interaction import Interaction, by_name
from ..contract.media import is_json
from .client import MAX_BODY_BYTES, TIMEOUT, InvalidContentCoding, TooLarge, as_text, decoded

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
"""Hop-by-hop fields (RFC 9110, section 7.6.1), beside those that `Connection` names."""
BODILESS = {204, 304}
"""Statuses whose responses have no content (RFC 9110, section 6.4.1)."""
LARGE = 1 << 16
"""The size of both bodies, in bytes, above which an interaction is judged in a thread."""
RawHeaders = list[tuple[bytes, bytes]]

_UNSENDABLE_NAME = re.compile(rb"[^!#$%&'*+.^_`|~0-9A-Za-z-]")
_UNSENDABLE_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class ClientDisconnected(Exception):
    """The client went away before its request was complete."""


class BodyCopy(bytearray):
    """A bounded copy of a body."""

    def add(self, chunk: bytes) -> None:
        if not self.overflowed:
            self.extend(chunk)

    @property
    def overflowed(self) -> bool:
        return len(self) > MAX_BODY_BYTES

    @property
    def whole(self) -> bytes:
        """The body; empty where it is larger than MAX_BODY_BYTES."""
        return b"" if self.overflowed else bytes(self)


class ProxiedExchange:
    """One request on its way to the upstream server, and its response on the way back."""

    def __init__(self, scope: Scope, receive: Receive, upstream: str) -> None:
        self._receive = receive
        self._method: str = scope["method"]
        self._upstream = upstream
        path = scope["raw_path"].partition(b"?")[0]
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        self.is_for_server = path == b"*"
        """Whether the request is `OPTIONS *` (RFC 9110, section 9.3.7)."""
        self._target = (path if self.is_for_server else urlsplit(upstream).path.encode() + path) + query
        self.url = f"{upstream}{'/' if self.is_for_server else ''}{(path + query).decode('latin-1')}"
        self._request_headers: RawHeaders = scope["headers"]
        self._response_headers: RawHeaders = []
        self._status, self._error = 0, ""
        self._started, self._clock = datetime.now(UTC), time.perf_counter()
        self.request, self.response = BodyCopy(), BodyCopy()
        self._buffered: bytes | None = None
        self.has_begun = self.is_judged = False
        """Whether the head of the response was sent; whether the interaction was judged."""

    def upstream_request(self, timeout: Mapping[str, float | None]) -> httpx2.Request:
        """The client's request without its hop-by-hop fields; `Host` names the upstream server."""
        host = urlsplit(self._upstream).netloc.rpartition("@")[2].encode()
        kept = [(name, value) for name, value in _end_to_end(self._request_headers) if name != b"host"]
        names = {name for name, _ in self._request_headers}
        streamed = self._body() if names & {b"content-length", b"transfer-encoding"} else None
        return httpx2.Request(
            self._method,
            self._upstream,
            headers=[(b"host", host), *kept],
            content=streamed if self._buffered is None else self._buffered or None,
            extensions={"timeout": timeout, "target": self._target},
        )

    async def _body(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            chunk = message.get("body", b"")
            self.request.add(chunk)
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    async def buffer_request(self) -> None:
        """Read the whole body before anything is forwarded. Raises ClientDisconnected."""
        async for _ in self._body():
            if self.request.overflowed:
                return
        self._buffered = bytes(self.request)

    async def client_disconnected(self) -> None:
        """Return when the client goes away."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def set_response(self, status: int, headers: RawHeaders) -> None:
        self._status, self._response_headers = status, [(name.lower(), value) for name, value in headers]

    def set_error(self, reason: str) -> None:
        self._status, self._error = 0, reason

    @property
    def has_valid_status(self) -> bool:
        """Whether the status is a valid final one (RFC 9110, section 15)."""
        return 200 <= self._status <= 599

    @property
    def is_buffered(self) -> bool:
        """Whether the response is held until it is judged: JSON, or without a body."""
        content_type = by_name(as_text(self._response_headers)).get("content-type", "")
        is_bodiless = self._method == "HEAD" or self._status in BODILESS
        return is_bodiless or is_json(content_type)

    @property
    def exceeds_buffer(self) -> bool:
        return self.response.overflowed or time.perf_counter() - self._clock > TIMEOUT

    async def start(self, send: Send, more: Mapping[str, str]) -> None:
        """Send the head of the response, without hop-by-hop and malformed fields, and with the fields in `more`."""
        added = [(name.encode(), value.encode()) for name, value in more.items()]
        dropped = b"content-length" if self._status in BODILESS else b""
        headers = [
            (name, value)
            for name, value in _end_to_end(self._response_headers)
            if name != dropped and not _UNSENDABLE_NAME.search(name) and not _UNSENDABLE_VALUE.search(value)
        ]
        self.has_begun = True
        await send({"type": "http.response.start", "status": self._status, "headers": [*headers, *added]})

    @property
    def is_large(self) -> bool:
        """Whether the bodies are so large that judging them would block the event loop."""
        coded = any(name == b"content-encoding" for name, _ in self._response_headers)
        return len(self.request) + len(self.response) > (LARGE >> 6 if coded else LARGE)

    def interaction(self) -> Interaction:
        """The interaction so far; `unrecorded` names each body that was not kept whole, or cannot be decoded."""
        set_response = as_text(self._response_headers)
        try:
            plain = decoded(self.response.whole, by_name(set_response).get("content-encoding", "identity"))
            body = None if self.response.overflowed else plain
        except (TooLarge, InvalidContentCoding):
            body = None
        unrecorded = {"request"} if self.request.overflowed else set()
        return Interaction(
            method=self._method,
            url=self.url,
            status=self._status,
            request_headers=as_text(self._request_headers),
            request_body=self.request.whole,
            response_headers=set_response,
            response_body=body or b"",
            unrecorded=frozenset(unrecorded | ({"response"} if body is None else set())),
            started=self._started,
            seconds=time.perf_counter() - self._clock,
            error=self._error,
        )


def _end_to_end(headers: RawHeaders) -> RawHeaders:
    named = b",".join(value for name, value in headers if name == b"connection").decode("latin-1")
    dropped = HOP_BY_HOP | {name.strip().lower() for name in named.split(",")}
    return [(name, value) for name, value in headers if name.decode("latin-1") not in dropped]
