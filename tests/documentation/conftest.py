"""The reference of the built-in contract, rendered once, and browsers for it."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from callconfig.app import example_mock
from callconfig.contract.document import Contract
from callconfig.controls.bundle import load_controls
from callconfig.documentation.execution import execute
from callconfig.documentation.facts import Facts
from callconfig.documentation.page import render_markdown, render_page
from callconfig.documentation.served import Page
from callconfig.tests.support.reading import Reading
from playwright.sync_api import Browser, expect, sync_playwright
from playwright.sync_api import Page as Opened


@pytest.fixture(scope="session", params=["api", "controls"])
def documented(request: pytest.FixtureRequest, contract: Contract) -> Contract:
    """Each contract whose examples are run on the mock of the API."""
    return contract if request.param == "api" else load_controls(contract)


@pytest.fixture(scope="session")
def rendered(contract: Contract) -> tuple[Page, str]:
    answers = asyncio.run(execute(contract, example_mock(contract)))
    facts = Facts(contract, answers)
    return render_page(facts), render_markdown(facts)


@pytest.fixture(scope="session")
def html(rendered: tuple[Page, str]) -> str:
    return rendered[0].html


@pytest.fixture(scope="session")
def markdown(rendered: tuple[Page, str]) -> str:
    return rendered[1]


@pytest.fixture(scope="session")
def page(html: str) -> Reading:
    return Reading(html)


CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The names of Chromium's binaries; the first one has no window, and takes half the time."""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20_000
"""The timeout in milliseconds, for busy machines."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser(mock: str, rendered: tuple[Page, str]) -> Iterator[Browser]:  # noqa: ARG001 (see below)
    """One Chromium. Playwright's event loop runs in this thread, so fixtures that run another one come first."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have Chromium: apt-get install -y chromium-headless-shell")
        pytest.skip("Chromium is not here")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def complaints() -> list[str]:
    """The browser's errors about pages, and their requests to other servers than the mock."""
    return []


@pytest.fixture
def browse(browser: Browser, mock: str, complaints: list[str]) -> Iterator[Callable[..., Opened]]:
    """Open a URL in a fresh profile."""
    contexts = []

    def opened(url: str, **settings: Any) -> Opened:
        contexts.append(browser.new_context(reduced_motion="reduce", **settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        own = (mock.removesuffix("/agent"), "file://", "data:")
        page.on("console", lambda message: complaints.extend([message.text] * (message.type == "error")))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend([request.url] * (not request.url.startswith(own))))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def api(mock: str, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client in the test's session."""
    name = re.sub(r"\W", "-", request.node.name)[:100]
    with httpx.Client(base_url=mock, headers={"X-Mock-Session": name}) as client:
        yield client


@pytest.fixture
def enter(browse: Callable[..., Opened], mock: str, api: httpx.Client) -> Callable[..., Opened]:
    """The console in the test's session."""

    def entered(place: str = "", **settings: Any) -> Opened:
        root = mock.removesuffix("/agent")
        page = browse(f"{root}/_mock/ui?session={api.headers['X-Mock-Session']}{place}", **settings)
        expect(page.locator("#live")).to_have_text("live")
        return page

    return entered
