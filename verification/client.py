"""The HTTP client of the runs: one request in, one `Interaction` out, bounded in time and size."""

import ssl
import time
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

import httpcore2
import httpx2

from ..contract.interaction import Fields, Interaction, by_name
from ..outcome import CouldNotRun
from .connection import BoundedBackend
from .footprint import Footprint
from .timing import Deadline, DeadlineExceeded, Pace

TIMEOUT = 30.0
"""Seconds for a complete response."""
MAX_BODY_BYTES = 16 << 20
"""The largest body, in bytes, that is read or kept; also after its content coding is undone."""
UNREAD = frozenset({"response"})
"""`Interaction.unrecorded` where the content coding of the response is unknown, so that its body is not judged."""
DEFAULT_FIELDS: Fields = (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"), ("User-Agent", "callconfig"))


class TooLarge(Exception):
    """A body is larger than MAX_BODY_BYTES, as it is sent or without its content coding."""

    def __init__(self) -> None:
        super().__init__(f"the body is larger than {MAX_BODY_BYTES >> 20} MiB")


class InvalidContentCoding(Exception):
    """A body is not in the content coding that its header names."""


class Unsendable(Exception):
    """A request that is no valid HTTP, which only a client without checks sends."""


@cache
def _trusted() -> ssl.SSLContext:
    """The certificate authorities of this machine; loaded once, because that is slow."""
    return httpx2.create_ssl_context(trust_env=False)


class Client:
    """Sends to one server, from any thread. It follows no redirects, keeps no cookies and trusts no proxy settings."""

    def __init__(
        self,
        url: str,
        headers: Iterable[tuple[str, str]] = (),
        pace: Pace | None = None,
        deadline: Deadline | None = None,
        footprint: Footprint | None = None,
    ) -> None:
        """`footprint` permits or refuses requests that may change resources."""
        self.url, self._headers = url, tuple(headers)
        self._pace, self._deadline = pace or Pace(), deadline or Deadline()
        self._footprint = footprint
        self._pool = httpcore2.ConnectionPool(
            _trusted(),
            max_connections=None,
            max_keepalive_connections=20,
            keepalive_expiry=5,
            network_backend=BoundedBackend(),
        )

    def probe(self) -> None:
        """Raises CouldNotRun when there is no server, DeadlineExceeded."""
        answer = self.send("GET", "")
        if not answer.status:
            raise CouldNotRun(f"no server responds at {self.url}: {answer.error}; is the server running?")

    def send(self, method: str, target: str, headers: Fields = (), body: bytes = b"") -> Interaction:
        """The interaction, with status 0 where the response is incomplete. `target` is appended to the server's URL.

        Raises DeadlineExceeded.
        """
        self._pace.wait(self._deadline)
        return self.exchange(method, self.url + target, (*self._headers, *headers), body)

    def exchange(self, method: str, url: str, fields: Fields, body: bytes) -> Interaction:
        """As `send`, with the whole URL and all fields. Raises DeadlineExceeded, Unsendable, ForeignResource."""
        if self._footprint is not None:
            self._footprint.check(method, url)
        seconds = min(TIMEOUT, self._deadline.remaining)
        names = {name.lower() for name, _ in fields}
        added = tuple(field for field in DEFAULT_FIELDS if field[0].lower() not in names)
        started, clock = datetime.now(UTC), time.perf_counter()
        status, error = 0, ""
        content: bytes | None = b""
        answered: Fields = ()
        try:
            encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*fields, *added)]
            request = httpx2.Request(method, url, headers=encoded, content=body or None)
            status, answered, content = self._read(request, seconds)
        except (TimeoutError, httpcore2.TimeoutException) as late:
            if not self._deadline.remaining:
                raise DeadlineExceeded from late
            error = f"nothing whole within {seconds:g} s"
        except (TooLarge, InvalidContentCoding) as unreadable:
            error = str(unreadable)
        except (httpcore2.LocalProtocolError, httpx2.InvalidURL, UnicodeError) as odd:
            raise Unsendable(str(odd)) from odd
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol) as failed:
            error = f"{type(failed).__name__} {failed}".strip()
        interaction = Interaction(
            method, url, status, fields, body, answered, content or b"", started, time.perf_counter() - clock, error,
            unrecorded=frozenset() if content is not None else UNREAD,
        )  # fmt: skip
        if self._footprint is not None:
            self._footprint.record(interaction)
        return interaction

    def _read(self, request: httpx2.Request, seconds: float) -> tuple[int, Fields, bytes | None]:
        url, ends = request.url, time.monotonic() + seconds
        carried = httpcore2.Request(
            request.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.content,
            extensions={"timeout": {"connect": ends, "read": ends, "write": ends}},
        )
        raw = bytearray()
        response = self._pool.handle_request(carried)
        try:
            for chunk in response.iter_stream():
                raw += chunk
                if len(raw) > MAX_BODY_BYTES:
                    raise TooLarge
        finally:
            response.close()
        fields = as_text(response.headers)
        return response.status, fields, decoded(bytes(raw), by_name(fields).get("content-encoding", ""))

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def decoded(body: bytes, coding: str) -> bytes | None:
    """A body without its content codings; None where one is unknown. Raises TooLarge, InvalidContentCoding."""
    for name in reversed([each.strip().lower() for each in coding.split(",")]):
        if name not in ("identity", "", "gzip", "x-gzip", "deflate"):
            return None
        if body and name not in ("identity", ""):
            body = _inflated(body, name)
    return body


def _inflated(body: bytes, name: str) -> bytes:
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)  # zlib or gzip, detected by its header
    try:
        plain = decoder.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise InvalidContentCoding(f"the body is not in the content coding {name}") from error
    if decoder.unconsumed_tail or len(plain) == MAX_BODY_BYTES:
        raise TooLarge
    if not decoder.eof:
        raise InvalidContentCoding(f"the body ends before its content coding {name} does")
    return plain


def as_text(headers: Iterable[tuple[bytes, bytes]]) -> Fields:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
