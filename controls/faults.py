"""Faults of the network in a response. They need the connection, which ASGI hides."""

import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Message, Receive, Send

DRIBBLED_PIECES = 10
DRIBBLE_SECONDS = 1.0
_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST and drops unsent data."""


class NoConnection(Exception):
    """The server, other than `callconfig serve`, gives no access to its connections."""


async def empty(send: Send, receive: Receive) -> None:
    """Close the connection without a byte of a response."""
    _transport(send).close()
    await _disconnected(receive)


async def reset(send: Send, receive: Receive) -> None:
    """Reset the connection (TCP RST)."""
    transport = _transport(send)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
    await _disconnected(receive)


INSTEAD: dict[str, Callable[[Send, Receive], Awaitable[None]]] = {"empty": empty, "reset": reset}
"""Faults in the place of the response, before the request is handled."""


Pause = Callable[[], Awaitable[None]]


def with_fault(fault: str, pause: Pause, connection: Send, receive: Receive, send: Send) -> Send:
    """A `send` that applies a fault to the response: dribble, malformed or truncated.

    `pause` comes between the pieces of a dribble; `connection` is the server's own `send`.
    """
    start: Message = {}
    body = bytearray()

    async def send_with_fault(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body", False):
            return
        if fault == "dribble":
            await _dribble(start, bytes(body), pause, send)
        elif fault == "truncated":
            await send(start)
            await send({"type": "http.response.body", "body": bytes(body[: len(body) // 2]), "more_body": True})
            _transport(connection).close()
            await _disconnected(receive)
        else:
            without_length = [field for field in start["headers"] if field[0].lower() != b"content-length"]
            await send({**start, "headers": without_length})
            transport = _transport(connection)
            transport.write(b"this is no chunk\r\n")
            transport.close()
            await _disconnected(receive)

    return send_with_fault


async def _dribble(start: Message, body: bytes, pause: Pause, send: Send) -> None:
    await send(start)
    size = max(1, -(-len(body) // DRIBBLED_PIECES))
    pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    for index, piece in enumerate(pieces):
        await pause()
        await send({"type": "http.response.body", "body": piece, "more_body": index < len(pieces) - 1})


def _transport(send: Send) -> Any:
    """The transport behind uvicorn's `send`, a method of the request cycle. Raises NoConnection."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise NoConnection("faults need the connection, which this server does not give; use `callconfig serve`")
    return transport


async def _disconnected(receive: Receive) -> None:
    """Wait until the server has noticed that the connection is closed, so that it does not respond."""
    while (await receive())["type"] != "http.disconnect":
        pass
