"""Serving HTTP, for the mock and for the proxy: the socket, uvicorn, workers, signals, and bounds on a peer.

A head (request line and header fields) is bounded by MAX_HEAD bytes and HEAD_SECONDS, a body by MIN_BODY bytes in
each BODY_SECONDS, connections by MAX_CONNECTIONS; BACKLOG more wait in the kernel.
"""

import contextlib
import errno
import logging
import signal
import socket
from asyncio import (
    AbstractEventLoop,
    CancelledError,
    Event,
    TimerHandle,
    Transport,
    get_running_loop,
    sleep,
    wait_for,
)
from collections.abc import Callable, Iterator
from http import HTTPStatus
from multiprocessing.queues import SimpleQueue
from threading import current_thread, main_thread
from types import FrameType
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from .outcome import CouldNotRun, printable

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ModuleNotFoundError:  # no CPython: uvicorn then has h11, which bounds the size of a head, but no time
    HttpToolsProtocol = None  # type: ignore[assignment,misc]

BACKLOG = 2048
GRACE_SECONDS = 3
"""Seconds for pending requests after the server is told to stop."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, opened first, so that a port in use fails early.

    Raises CouldNotRun.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as undo:
            listening = undo.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
            undo.pop_all()
    except (OSError, UnicodeError) as error:  # UnicodeError: an invalid host name
        in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        advice = "; choose another --port, or 0 for a free one" if in_use else ""
        reason = getattr(error, "strerror", None) or error
        raise CouldNotRun(f"cannot listen on {host} port {port}: {reason}{advice}") from error
    return listening


def root_url(listening: socket.socket) -> str:
    """The URL of a listening socket, without a path."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def log_to_terminal() -> None:
    """Log a line on standard error for each message."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(message)s"))
    handler.addFilter(_is_no_cancellation)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # the answers tell that the database is down


class _Printable(logging.Formatter):
    """Escapes control characters and line breaks that a client sent."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        return printable(super().formatMessage(record).rstrip("\n"))

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's own name)
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Whether a record is an error, not the cancellation of a request at the end."""
    return not (record.exc_info and isinstance(record.exc_info[1], CancelledError))


class Config(uvicorn.Config):
    """uvicorn's settings for both servers: without its log, WebSocket and proxy headers."""

    def __init__(self, app: ASGIApp | str, **settings: Any) -> None:
        settings.setdefault("http", Protocol if HttpToolsProtocol is not None else "h11")
        super().__init__(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_SECONDS + 1,
            **settings,
        )


class Server(uvicorn.Server):
    """uvicorn's server, which stops within GRACE_SECONDS, and does not raise the signal that stopped it again.

    It calls `greet` once a signal would stop it, and stops at once, while uvicorn's looks ten times a second.
    """

    _loop: AbstractEventLoop | None = None

    def __init__(
        self,
        config: uvicorn.Config,
        on_shutdown: Callable[[], None] = lambda: None,
        greet: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._on_shutdown, self._greet, self._stop_requested = on_shutdown, greet, Event()

    def handle_exit(self, sig: int = signal.SIGTERM, frame: FrameType | None = None) -> None:
        """For a signal, or from another thread."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop_requested.set)

    async def main_loop(self) -> None:
        self._loop = get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await wait_for(self._stop_requested.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_shutdown()
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        state, loop = self.server_state, get_running_loop()
        for connection in list(state.connections):
            connection.shutdown()
        end = loop.time() + GRACE_SECONDS
        while (state.connections or state.tasks) and not self.force_exit and loop.time() < end + 1:
            if loop.time() > end:  # the applications end as if their clients had left
                for connection in list(state.connections):
                    connection.transport.abort()
            await sleep(0.01)
        for task in state.tasks:
            task.cancel()
        await self.lifespan.shutdown()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            self._greet()
            yield
            captured, self._captured_signals = self._captured_signals, []
        if current_thread() is main_thread():
            for number in captured:  # a terminal and a parent process may both send it
                signal.signal(number, signal.SIG_IGN)


class CorkedTransport:
    """A transport that joins the writes of one turn of the event loop.

    The head and the body of a response then cost one system call.
    """

    MAX_WAITING = 65_536
    """Bytes that wait for the end of the turn; more are written at once, and are subject to flow control."""

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > self.MAX_WAITING:
            self._flush()

    def write_eof(self) -> None:
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._waiting.clear()
        self._transport.abort()

    def _flush(self) -> None:
        if self._waiting:
            self._transport.write(b"".join(self._waiting))
            self._waiting.clear()
            self._size = 0


if HttpToolsProtocol is not None:

    class Protocol(HttpToolsProtocol):
        """uvicorn's HTTP/1.1, with bounds on the size and the time of a peer's requests."""

        MAX_HEAD = 65_536
        HEAD_SECONDS = 10.0
        BODY_SECONDS = 20.0
        MIN_BODY = 65_536
        MAX_CONNECTIONS = 1000
        LINGER_SECONDS = 1.0
        """Seconds that a refused peer may go on sending, so that it can read the response."""

        _timer: TimerHandle | None = None
        _in_head = False
        _received = 0  # bytes since the read in which the head began, or since the timer was set
        _refused = False

        def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
            super().connection_made(cast("Transport", CorkedTransport(transport, self.loop)))
            if len(self.connections) > self.MAX_CONNECTIONS:
                self._refuse(503)
            else:
                self._set_timer(self.HEAD_SECONDS)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._refused:
                return
            if self._timer is None and not self._in_head:
                self._received = 0
            self._received += len(data)
            super().data_received(data)
            if not self.transport.is_closing():
                self._check_head()

        def _check_head(self) -> None:
            """Refuse a head that is too long, and set the timer for the rest of the request."""
            if self._refused:
                return
            if self._in_head and self._received > self.MAX_HEAD:
                self._refuse(431)
            elif self._is_responding() and not self.cycle.more_body:
                self._stop_timer()
            elif self._timer is None:
                self._set_timer(self.BODY_SECONDS if self._is_responding() else self.HEAD_SECONDS)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._in_head = True

        def on_headers_complete(self) -> None:
            self._in_head = False
            self._stop_timer()
            if self._received > self.MAX_HEAD:
                size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
                if size > self.MAX_HEAD:
                    self._refuse(431)
                    return
            if self.url == b"*":  # `OPTIONS *` asks about the whole server (RFC 9110, section 9.3.7)
                self.url = b"/"
                super().on_headers_complete()
                self.scope["path"], self.scope["raw_path"] = "*", b"*"
            else:
                super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            if not self._refused:
                super().on_body(body)

        def on_message_complete(self) -> None:
            if not self._refused:
                super().on_message_complete()

        def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (the answer says the same to all)
            if not self._refused:
                self._refuse(400)

        def _unsupported_upgrade_warning(self) -> None:
            """No warning: a server may ignore an upgrade (RFC 9110, section 7.8)."""

        def _is_responding(self) -> bool:
            cycle: Any = self.cycle
            return cycle is not None and not cycle.response_complete

        def _set_timer(self, seconds: float) -> None:
            self._timer = self.loop.call_later(seconds, self._on_timeout)

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _on_timeout(self) -> None:
            if self._refused or not (self._in_head or self._is_responding()):
                self.transport.abort()  # it was refused already, or sent nothing
            elif not self._in_head and (self._received >= self.MIN_BODY or self.flow.read_paused):
                self._received = 0
                self._set_timer(self.BODY_SECONDS)
            else:
                self._refuse(408)

        def _refuse(self, status: int) -> None:
            """Send the last response on this connection; a pending request gets none."""
            self._refused = True
            self._stop_timer()
            self._unset_keepalive_if_required()
            if self._is_responding():
                started, self.cycle.disconnected = self.cycle.response_started, True
                self.cycle.message_event.set()
            else:
                started = False
            if not started:
                phrase = HTTPStatus(status).phrase
                self.transport.write(
                    f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                    f"content-length: {len(phrase)}\r\nconnection: close\r\n\r\n{phrase}".encode("ascii")
                )
                if self.transport.can_write_eof():
                    self.transport.write_eof()
            self._set_timer(0 if started else self.LINGER_SECONDS)


class Workers(Multiprocess):
    """Several processes that serve one socket. `on_ready` is called once, when all of them are ready.

    A dead one is replaced; when one cannot start, all end, and `run` raises CouldNotRun with the first of the workers'
    `reasons`.
    """

    def __init__(
        self, config: uvicorn.Config, listening: socket.socket, on_ready: Callable[[], None], reasons: SimpleQueue[str]
    ) -> None:
        super().__init__(config, [listening])
        self._on_ready, self._reasons, self._failed = on_ready, reasons, False
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # `run` raises the same

    def run(self) -> None:
        super().run()
        if not self._reasons.empty():
            raise CouldNotRun(self._reasons.get())
        if self._failed:
            raise CouldNotRun("a worker ended before it was ready")

    def init_processes(self) -> None:
        with _without_interruption():
            super().init_processes()
        if all(map(self._wait_until_ready, self.processes)):
            self._on_ready()

    def keep_subprocess_alive(self) -> None:
        before = list(self.processes)
        with _without_interruption():
            super().keep_subprocess_alive()
        all(self._wait_until_ready(process) for process in self.processes if process not in before)

    def _wait_until_ready(self, process: Process) -> bool:
        """Wait until a process is ready; where it ends before, tell all to end."""
        while not self.should_exit.is_set() and process.process.is_alive():
            if process.wait_until_ready(0.5, self.should_exit):
                return True
            self.handle_signals()
        self._failed = self._failed or not self.should_exit.is_set()
        self.should_exit.set()
        return False


@contextlib.contextmanager
def _without_interruption() -> Iterator[None]:
    """Processes that are started meanwhile get no SIGINT: a terminal sends it to all, but this one ends the others."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
