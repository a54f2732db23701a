"""The reference of the built-in contract, made once, and how a reader has it."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest
import uvicorn
from callconfig.app import example_mock
from callconfig.contract.document import Contract
from callconfig.controls.bundle import load_controls
from callconfig.documentation.execution import execute
from callconfig.documentation.page import Page, render
from callconfig.tests.support.reading import Reading
from starlette.types import ASGIApp


@contextlib.contextmanager
def _running(app: ASGIApp) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def running() -> Callable[[ASGIApp], AbstractContextManager[str]]:
    """Serves an application on a free port of this machine; the value is its root."""
    return _running


@pytest.fixture(scope="session", params=["api", "controls"])
def documented(request: pytest.FixtureRequest, contract: Contract) -> Contract:
    """Each contract whose examples are run on the mock of the API."""
    return contract if request.param == "api" else load_controls(contract)


@pytest.fixture(scope="session")
def rendered(contract: Contract) -> tuple[Page, str]:
    answers = asyncio.run(execute(contract, partial(example_mock, contract)))
    return render(contract, answers)


@pytest.fixture(scope="session")
def html(rendered: tuple[Page, str]) -> str:
    return rendered[0].html


@pytest.fixture(scope="session")
def markdown(rendered: tuple[Page, str]) -> str:
    return rendered[1]


@pytest.fixture(scope="session")
def read() -> type[Reading]:
    return Reading


@pytest.fixture(scope="session")
def page(html: str) -> Reading:
    return Reading(html)
