"""Reading bodies: in pieces, too large, or incomplete."""

import asyncio
from collections.abc import Callable, Iterable

import pytest
from callconfig.asgi.messages import read_body
from callconfig.contract.finding import Finding
from starlette.types import Message, Receive

Body = bytes | Finding | None


def receive_of(*pieces: bytes, ends: bool = True) -> Receive:
    """An ASGI `receive` for a body in these pieces; without `ends` it is never complete."""
    messages: Iterable[Message] = (
        {"type": "http.request", "body": piece, "more_body": not ends or index < len(pieces)}
        for index, piece in enumerate(pieces, 1)
    )
    waiting = iter(messages)

    async def receive() -> Message:
        message = next(waiting, None)
        if message is None:
            await asyncio.sleep(3600)
        assert message is not None
        return message

    return receive


@pytest.fixture
def read() -> Callable[..., Body]:
    def read(receive: Receive, *, max_bytes: int = 10, length: str | None = "5") -> Body:
        headers = {} if length is None else {"content-length": length}
        return asyncio.run(read_body(receive, headers, max_bytes))

    return read


def test_a_body_comes_in_pieces(read: Callable[..., Body]) -> None:
    assert read(receive_of(b"ab", b"", b"cde")) == b"abcde"


def test_a_request_that_announces_no_body_is_not_waited_for(read: Callable[..., Body]) -> None:
    assert read(receive_of(ends=False), length=None) == b""


@pytest.mark.parametrize("length", ["11", "9" * 5000])
def test_a_length_that_is_too_large_is_refused_before_anything_is_read(read: Callable[..., Body], length: str) -> None:
    found = read(receive_of(ends=False), length=length)
    assert isinstance(found, Finding)
    assert found.rule == "content-length"


def test_a_body_that_turns_out_too_large_is_refused(read: Callable[..., Body]) -> None:
    found = read(receive_of(b"a" * 6, b"b" * 6))
    assert isinstance(found, Finding)
    assert found.rule == "content-length"
