"""Bounds on a peer's requests in size and time, and the end of a server."""

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from callconfig import serving
from callconfig.outcome import OK, CouldNotRun
from callconfig.serving import Config, Protocol, Server, listen, log_to_terminal
from starlette.types import ASGIApp, Receive, Scope, Send

Json = dict[str, Any]


class Hasty(Protocol):
    """The bounds of a server, so close that tests need not wait."""

    HEAD_SECONDS = 0.3
    BODY_SECONDS = 0.3
    LINGER_SECONDS = 0.3
    MAX_CONNECTIONS = 5


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Responds with the path and the size of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    body = f"{scope['method']} {scope['path']} {size}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@contextlib.contextmanager
def running(app: ASGIApp = echo, protocol: type[Protocol] = Hasty) -> Iterator[tuple[Server, int]]:
    """The server of an application, in a thread, with its port."""
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    server = Server(Config(app, http=protocol, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield server, port
    finally:
        server.handle_exit()
        thread.join(15)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running() as (_, port):
        yield port


def said(port: int, *parts: bytes, pause: float = 0.0, wait: float = 5.0) -> bytes:
    """The bytes up to the end of the connection. Raises TimeoutError when the server does not close it in time."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(65536):
                answer += chunk
        return answer


def status(answer: bytes) -> int:
    return int(answer.split()[1])


GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
DRIP = [b"x"] * 12


def test_a_peer_that_says_nothing_is_left(port: int) -> None:
    assert said(port) == b""


@pytest.mark.parametrize("start", [b"GET /", GET, GET + b"X-Long: "])
def test_a_head_takes_no_longer_than_it_may(port: int, start: bytes) -> None:
    began = time.monotonic()
    answer = said(port, start, *DRIP, pause=0.05)
    assert status(answer) == 408
    assert time.monotonic() - began < 3


def test_a_second_head_takes_no_longer_than_the_first(port: int) -> None:
    answer = said(port, GET + b"\r\n", b"GET /", *DRIP, pause=0.05)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


def test_empty_lines_are_no_head(port: int) -> None:
    answer = said(port, GET + b"\r\n", *[b"\r\n"] * 12, pause=0.05)
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("framing", [b"Content-Length: 500", b"Transfer-Encoding: chunked"])
def test_a_body_does_not_drip(port: int, framing: bytes) -> None:
    answer = said(port, POST + framing + b"\r\n\r\n", *[b"1\r\nX\r\n"] * 12, pause=0.05)
    assert status(answer) == 408


def test_a_body_that_comes_fast_enough_may_take_its_time(port: int) -> None:
    parts = [b"x" * 65_536] * 12
    size = sum(map(len, parts))
    head = POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size
    assert said(port, head, *parts, pause=0.06).endswith(f"POST / {size}".encode())


def test_an_answer_may_take_longer_than_a_request() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.8)
        await echo(scope, receive, send)

    with running(slow) as (_, port):
        assert status(said(port, GET + b"Connection: close\r\n\r\n")) == 200


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (GET + b"X-Long: " + b"x" * 10_000_000 + b"\r\n\r\n", 431),
        (GET + b"X-Long: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (GET + b"".join(b"X-%d: x\r\n" % each for each in range(20_000)) + b"\r\n", 431),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (b"GET /" + b"x" * 10_000_000, 431),
        (POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n", 400),
        (POST + b"Content-Length: " + b"9" * 10_000_000, 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 5_000 + b"\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"\x00" * 4096, 400),
        (b"hello\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ],
    ids=range(15),
)
def test_what_is_no_request_is_refused_and_the_server_goes_on(port: int, head: bytes, expected: int) -> None:
    assert status(said(port, head)) == expected
    assert status(said(port, GET + b"Connection: close\r\n\r\n")) == 200


def test_a_head_of_almost_the_bound_is_read(port: int) -> None:
    assert status(said(port, GET + b"Connection: close\r\nX-Long: " + b"x" * 60_000 + b"\r\n\r\n")) == 200


def test_the_server_as_a_whole_can_be_asked(port: int) -> None:
    answer = said(port, b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"OPTIONS * 0")


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
def test_an_upgrade_is_passed_over(port: int, upgrade: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    fields = b"Connection: Upgrade, close\r\nUpgrade: " + upgrade + b"\r\nSec-WebSocket-Version: 13\r\n"
    answer = said(port, GET + fields + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", wait=8)
    assert answer.endswith(b"GET / 0")
    assert capfd.readouterr() == ("", "")


def test_connections_beyond_the_bound_are_told() -> None:
    with running() as (_, port), contextlib.ExitStack() as held:
        for _ in range(Hasty.MAX_CONNECTIONS):
            each = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            each.sendall(GET + b"\r\n")
            assert each.recv(9) == b"HTTP/1.1 "
        assert status(said(port, GET + b"\r\n")) == 503
    assert Protocol.MAX_CONNECTIONS + 20 <= 1024


def never_reads(port: int) -> socket.socket:
    """A client that requests large responses, and never reads them."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(GET + b"\r\n")
    return connection


async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(10_000):
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
    await send({"type": "http.response.body"})


async def unending(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.sleep(3600)


HELD: list[tuple[ASGIApp, bytes]] = [
    (echo, b""),
    (echo, b"GET / HT"),
    (echo, POST + b"Content-Length: 9\r\n\r\nx"),
    (unending, GET + b"\r\n"),
]


def log_as_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove pytest's logging handlers, as in a command."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    log_to_terminal()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "GRACE_SECONDS", 0.2)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("app", "sent"), HELD, ids=range(len(HELD)))
def test_it_ends_in_time_whatever_a_client_holds_open(
    app: ASGIApp, sent: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_as_a_command(monkeypatch)
    with running(app, Protocol) as (_, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(sent)
        time.sleep(0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 2.5
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.usefixtures("hurried")
def test_it_ends_in_time_when_a_client_does_not_read() -> None:
    with running(endless, Protocol) as (_, port), never_reads(port):
        time.sleep(0.3)
        began = time.monotonic()
    assert time.monotonic() - began < 2.5


def test_the_command_ends_with_0_and_in_5_seconds(serve: Callable[..., Any]) -> None:
    server = serve("--store", ":memory:", "--quiet")
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client, socket.create_connection((host, int(port))) as other:
        client.sendall(b"POST /configurations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n")
        other.sendall(
            b"POST /configurations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        )
        time.sleep(0.2)
        began = time.monotonic()
        code, errors = server.stop()
    assert time.monotonic() - began < 5
    assert code == OK
    assert "Traceback" not in errors


def test_a_line_of_the_log_never_steers_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_as_a_command(monkeypatch)
    logging.getLogger("callconfig").warning("GET %s", "/\x1b[31m\r\n\x9b\udcff")
    try:
        raise ValueError("\x1b[31m")  # noqa: TRY301
    except ValueError:
        logging.getLogger("callconfig").exception("wrong \x07")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == r"GET /\x1b[31m\r\n\x9b\udcff"
    assert lines[1] == r"wrong \x07"
    assert all(map(str.isprintable, lines))


def test_a_host_that_is_no_name_is_told() -> None:
    with pytest.raises(CouldNotRun, match="cannot listen on"):
        listen("a" * 70 + "..b", 0)
