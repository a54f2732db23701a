"""A fresh mock as the target of a run, and a server for it."""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from ..app import create_app, sources
from ..contract.document import Contract
from ..storage.opening import open_store


def fresh_mock(contract: Contract) -> ASGIApp:
    """The mock of a contract with nothing stored."""
    store = asyncio.run(open_store(":memory:", contract.resources, sources().values))
    return create_app(contract, store)


class _Server(uvicorn.Server):
    """uvicorn, but it ends when it is told to: by itself it looks ten times a second, and then waits a tenth more."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._tell: Callable[[], object] = lambda: None

    def end(self) -> None:
        """From another thread."""
        self.should_exit = True
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._tell()

    async def main_loop(self) -> None:
        stopping = asyncio.Event()
        self._tell = partial(asyncio.get_running_loop().call_soon_threadsafe, stopping.set)
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 (nothing tells of the last)
            await asyncio.sleep(0.01)
        await self.lifespan.shutdown()


@contextlib.contextmanager
def serving(app: ASGIApp, *, lifespan: Literal["on", "off"] = "off") -> Iterator[str]:
    """The URL of an application that listens on a free loopback port while the context lasts."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # a run sends invalid HTTP on purpose
    config = uvicorn.Config(app, lifespan=lifespan, ws="none", log_config=None, access_log=False, server_header=False)
    server = _Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.end()
            thread.join(10)
