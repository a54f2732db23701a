"""A fresh mock as the target of a run, and a server for it."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Literal

from starlette.types import ASGIApp

from ..app import create_app, sources
from ..contract.document import Contract
from ..serving import Config, Server, listen, root_url
from ..storage.opening import open_store


def fresh_mock(contract: Contract) -> ASGIApp:
    """The mock of a contract with nothing stored."""
    store = asyncio.run(open_store(":memory:", contract.resources, sources().values))
    return create_app(contract, store)


@contextlib.contextmanager
def serving(app: ASGIApp, *, lifespan: Literal["on", "off"] = "off") -> Iterator[str]:
    """The URL of an application that listens on a free loopback port while the context lasts."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # a run sends invalid HTTP on purpose
    server = Server(Config(app, lifespan=lifespan))
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield root_url(listening)
        finally:
            server.handle_exit()
            thread.join(10)
