"""A fresh mock as the target of a run, and a server for it."""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
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


@contextlib.contextmanager
def serving(app: ASGIApp, *, lifespan: Literal["on", "off"] = "off") -> Iterator[str]:
    """The URL of an application that listens on a free loopback port while the context lasts."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # a run sends invalid HTTP on purpose
    config = uvicorn.Config(app, lifespan=lifespan, ws="none", log_config=None, access_log=False, server_header=False)
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
