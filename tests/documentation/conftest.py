"""The reference of the built-in contract, rendered once, and browsers for it."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

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
from playwright.sync_api import Browser, BrowserContext, ViewportSize, expect, sync_playwright
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
    "--renderer-process-limit=1",  # pages of one profile share a process, whose start takes longer than a page
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


@pytest.fixture(scope="module")
def profile(browser: Browser, mock: str) -> Iterator[BrowserContext]:
    """A profile for many tests, with a page that keeps Chromium's process of the mock from ending."""
    context = browser.new_context(reduced_motion="reduce")
    context.new_page().goto(f"{mock.removesuffix('/agent')}/openapi.json")
    yield context
    context.close()


@pytest.fixture
def browse(
    browser: Browser, profile: BrowserContext, mock: str, complaints: list[str]
) -> Iterator[Callable[..., Opened]]:
    """Open a URL in an empty profile, with settings of the page, or with those of a profile of its own."""
    contexts, pages = [], []
    root = mock.removesuffix("/agent")

    def opened(
        url: str,
        *,
        viewport: ViewportSize | None = None,
        color_scheme: Literal["dark", "light"] | None = None,
        permissions: Sequence[str] = (),
        **settings: Any,
    ) -> Opened:
        if settings:
            contexts.append(browser.new_context(reduced_motion="reduce", **settings))
        page = (contexts[-1] if settings else profile).new_page()
        pages.append(page)
        if viewport is not None:
            page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        page.context.grant_permissions(permissions)
        page.set_default_timeout(PATIENCE)
        own = (root, "file://", "data:")
        page.on("console", lambda message: complaints.extend([message.text] * (message.type == "error")))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend([request.url] * (not request.url.startswith(own))))
        page.goto(url)
        return page

    yield opened
    for opened_one in (*pages, *contexts):
        opened_one.close()
    profile.clear_permissions()
    profile.clear_cookies()
    kept = profile.new_cdp_session(profile.pages[0])
    kept.send("Storage.clearDataForOrigin", {"origin": root, "storageTypes": "all"})
    kept.send("Network.clearBrowserCache")
    kept.detach()


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
