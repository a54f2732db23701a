"""The reference at `/docs` and `/reference.md`: made once, when somebody first asks for it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..contract.document import Contract

if TYPE_CHECKING:
    from .execution import FreshMock
    from .page import Page


GZIP = [Middleware(GZipMiddleware)]


def answer(page: "Page") -> Response:
    """The page under its policy."""
    headers = {
        "Content-Security-Policy": page.content_security_policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(page.html, media_type="text/html", headers=headers)


def console(place: str, contract: Contract, base_path: str) -> Route:
    """The console of the mock of `contract`, whose API is below `base_path`."""

    async def page(_request: Request) -> Response:
        from .console import render_console  # not loaded before it is asked for

        return answer(await asyncio.to_thread(render_console, contract, base_path))

    return Route(place, page, middleware=GZIP)


@dataclass(frozen=True, slots=True)
class ServingMock:
    """The mock that serves a page: where it has the API, whether it can be steered, and its other pages by name."""

    base_path: str
    controls: bool = False
    pages: Mapping[str, str] = field(default_factory=dict)


class ServedReference:
    """The pages at `/docs` and `/reference.md`."""

    def __init__(self, contract: Contract, fresh_mock: "FreshMock", mock: ServingMock) -> None:
        self._contract, self._fresh_mock, self._mock = contract, fresh_mock, mock
        self._made: tuple[Page, str] | None = None
        self._lock = asyncio.Lock()

    def routes(self, place: str) -> list[Route]:
        pages = {"docs": self._page, "reference.md": self._markdown}
        return [Route(f"{place}/{name}", page, middleware=GZIP) for name, page in pages.items()]

    async def _page(self, _request: Request) -> Response:
        return answer((await self.make())[0])

    async def _markdown(self, _request: Request) -> Response:
        _, markdown = await self.make()
        return Response(markdown, media_type="text/markdown")

    async def make(self) -> "tuple[Page, str]":
        """The page and the Markdown; a server may ask for them before anybody else does."""
        async with self._lock:
            if self._made is None:
                self._made = await asyncio.to_thread(self._render)  # others are served meanwhile
            return self._made

    def _render(self) -> "tuple[Page, str]":
        from .execution import execute  # not loaded before it is asked for
        from .page import render

        return render(self._contract, asyncio.run(execute(self._contract, self._fresh_mock)), self._mock)
