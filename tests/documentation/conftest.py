"""The reference of the built-in contract, made once, and how a reader has it."""

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from html.parser import HTMLParser

import pytest
import uvicorn
from callconfig.app import example_mock
from callconfig.contract.document import Contract
from callconfig.controls.bundle import load_controls
from callconfig.documentation.execution import execute
from callconfig.documentation.page import Page, render
from starlette.types import ASGIApp

_VOID = {"meta", "link", "input", "br", "wbr", "img", "hr"}


class Reading(HTMLParser):
    """`text` is everything readable; `places` has what stands inside the element of each id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.places: dict[str, str] = {}
        self.code: list[str] = []
        self._open: list[tuple[str, str | None]] = []
        self._parts: list[str] = []
        self._starts: dict[str, int] = {}
        self.feed(html)
        self.text = squeezed("".join(self._parts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        identity = dict(attrs).get("id")
        if identity is not None:
            assert identity not in self._starts, f"{identity} is there twice"
            self._starts[identity] = len(self._parts)
        if tag not in _VOID:
            self._open.append((tag, identity))
            if tag == "pre":
                self._starts["pre"] = len(self._parts)
        if tag not in ("span", "wbr", "code", "a", "b", "strong"):
            self._parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            closed, identity = self._open.pop()
            if closed == "pre":
                self.code.append("".join(self._parts[self._starts["pre"] :]).strip())
            if identity is not None:
                self.places[identity] = squeezed("".join(self._parts[self._starts[identity] :]))
            if closed == tag:
                break
        self._parts.append("" if tag in ("span", "code", "a", "b", "strong") else " ")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] not in ("script", "style"):
            self._parts.append(data)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


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
