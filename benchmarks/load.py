"""A load for a server: connections that each have one pending request at a time."""

import asyncio
import time
from collections.abc import Iterator
from math import inf
from typing import cast

import uvloop

SAFE_TIME = 300.0
"""Seconds after which a load fails."""


def load(port: int, requests: Iterator[bytes], *, seconds: float = inf, connections: int = 16) -> list[float]:
    """Send requests until they or the time are over; return the latencies, in seconds.

    Raises ValueError at a response that is no success, and TimeoutError.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(port, requests, time.perf_counter() + seconds, connections))


async def _load(port: int, requests: Iterator[bytes], until: float, connections: int) -> list[float]:
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(SAFE_TIME):
        opening = (
            loop.create_connection(lambda: _Connection(requests, until, latencies), "127.0.0.1", port)
            for _ in range(connections)
        )
        await asyncio.gather(*(connection.done for _, connection in await asyncio.gather(*opening)))
    return latencies


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], until: float, latencies: list[float]) -> None:
        self._requests, self._until, self._latencies = requests, until, latencies
        self._received = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        request = next(self._requests, None) if self._sent < self._until else None
        if request is not None:
            self._transport.write(request)
        else:
            self.done.set_result(None)
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not _complete(self._received):
            return
        self._latencies.append(time.perf_counter() - self._sent)
        answer, self._received = self._received, b""
        if answer.startswith(b"HTTP/1.1 2"):
            self._send()
        else:
            self.done.set_exception(ValueError(answer.decode(errors="replace")))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the server closed the connection"))


def _complete(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    _, found, length = head.lower().partition(b"\r\ncontent-length:")
    return len(body) >= int(length.partition(b"\r\n")[0]) if found else body.endswith(b"0\r\n\r\n")
