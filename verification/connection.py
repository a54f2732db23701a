"""Connections with one deadline for all of their reads and writes, however slowly the peer sends."""

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from httpcore2 import ConnectError, NetworkBackend, NetworkStream, SyncBackend, WriteError


class BoundedBackend(NetworkBackend):
    """A network backend of httpcore. Each `timeout`, also of its streams, is a deadline in seconds of `time.monotonic`.

    Everything raises TimeoutError after the deadline.
    """

    def __init__(self) -> None:
        self._backend = SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        """Connect to the first address of the host that answers. Raises ConnectError."""
        failed: ConnectError | None = None
        for *_, address in _addresses(host, port, _left(timeout)):
            try:
                left = _left(timeout)
                return _BoundedStream(
                    self._backend.connect_tcp(str(address[0]), port, left, local_address, socket_options)
                )
            except ConnectError as error:
                failed = error
        raise failed or ConnectError(f"{host} has no address")


def _addresses(host: str, port: int, seconds: float | None) -> list[tuple[Any, ...]]:
    """The addresses of a host, resolved on a thread that may be left behind. Raises ConnectError."""
    found: Future[list[tuple[Any, ...]]] = Future()

    def ask() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as unknown:
            why = getattr(unknown, "strerror", None) or unknown
            found.set_exception(ConnectError(f"no address of {host} is known: {why}"))

    threading.Thread(target=ask, daemon=True).start()
    return found.result(seconds)


class _BoundedStream(NetworkStream):
    """Writes are sent at the next read, so that a head and its body are one packet."""

    def __init__(self, stream: NetworkStream) -> None:
        self._stream = stream
        self._socket: socket.socket = stream.get_extra_info("socket")
        self._unsent = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with suppress(WriteError):  # an answer may be there, of who read no further
            self._send(timeout)
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        _left(timeout)
        self._unsent += buffer

    def _send(self, timeout: float | None) -> None:
        view, self._unsent = memoryview(self._unsent), b""
        while view:
            self._socket.settimeout(_left(timeout))
            try:
                view = view[self._socket.send(view) :]
            except TimeoutError:
                raise
            except OSError as broken:
                raise WriteError(str(broken)) from broken

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(ends: float | None) -> float | None:
    """Seconds until a deadline; None is none. Raises TimeoutError after it."""
    if ends is None:
        return None
    if (left := ends - time.monotonic()) <= 0:
        raise TimeoutError
    return left
