"""The reference at `/docs` and `/reference.md`: rendered once, and cached for the next server of the contract."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import yaml
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..contract.document import Contract
from ..contract.strict_json import encoded
from ..contract.threads import in_thread
from ..outcome import program

if TYPE_CHECKING:
    from .facts import Facts

GZIP = [Middleware(GZipMiddleware)]


@dataclass(frozen=True, slots=True)
class Page:
    """The HTML, and the `Content-Security-Policy` for it, which permits its own scripts only."""

    html: str
    content_security_policy: str


def page_response(page: Page) -> Response:
    """The response with the page and its policy."""
    headers = {
        "Content-Security-Policy": page.content_security_policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(page.html, media_type="text/html", headers=headers)


def fixed(place: str, response: Response) -> Route:
    """A route with a constant response."""
    return Route(place, response, methods=["GET"])


def console(place: str, contract: Contract, base_path: str) -> Route:
    """The console of the mock of `contract`, whose API is below `base_path`."""

    async def page(_request: Request) -> Response:
        from .console import render_console  # loaded on demand

        return page_response(await asyncio.to_thread(render_console, contract, base_path))

    return Route(place, page, middleware=GZIP)


@dataclass(frozen=True, slots=True)
class ServingMock:
    """The mock that serves a page: the API's base path, whether it has controls, and its other pages by name."""

    base_path: str
    controls: bool = False
    pages: Mapping[str, str] = field(default_factory=dict)


class ServedReference:
    """The pages at `/docs` and `/reference.md` of a contract, whose examples run on mocks of the contract `mocked`.

    With a `folder` they are cached in a file there, one for each title and ServingMock.
    """

    folder: Path | None = None

    def __init__(
        self,
        contract: Contract,
        mocked: Contract,
        example_mock: Callable[[Contract], Callable[[], Coroutine[Any, Any, ASGIApp]]],
        mock: ServingMock,
    ) -> None:
        self._contract, self._mocked, self._mock = contract, mocked, mock
        self._example_mock = example_mock
        self._facts = cache(self._facts_of_examples)
        self._html: Page | None = None
        self._markdown: str | None = None
        self._lock = asyncio.Lock()

    def routes(self, place: str, document: dict[str, Any], text: bytes | None = None) -> list[Route]:
        """The pages below `place`, and the contract as JSON and YAML; `text` is its YAML, where that is unchanged."""

        async def openapi_yaml(_request: Request) -> Response:
            nonlocal text
            text = text or await in_thread(_dump, document)  # rarely requested
            return Response(text, media_type="application/yaml")

        return [
            Route(f"{place}/docs", self._serve_page, middleware=GZIP),
            Route(f"{place}/reference.md", self._serve_markdown, middleware=GZIP),
            fixed(f"{place}/openapi.json", Response(encoded(document, indent=True), media_type="application/json")),
            Route(f"{place}/openapi.yaml", openapi_yaml),
        ]

    async def _serve_page(self, _request: Request) -> Response:
        return page_response(await self._page())

    async def _serve_markdown(self, _request: Request) -> Response:
        return Response((await self.rendered())[1], media_type="text/markdown")

    async def _page(self) -> Page:
        """The page, rendered in a thread or read from the cache, without waiting for the Markdown."""
        async with self._lock:
            if self._html is None:
                self._html = await asyncio.to_thread(self._read_or_render)
            return self._html

    async def rendered(self) -> tuple[Page, str]:
        """The page and the Markdown, each rendered once, and cached for the next server."""
        page = await self._page()
        async with self._lock:
            if self._markdown is None:
                self._markdown = await asyncio.to_thread(self._render_markdown, page)
            return page, self._markdown

    def _read_or_render(self) -> Page:
        if self._path is not None:
            with contextlib.suppress(OSError, ValueError):  # missing, or incomplete
                kept = orjson.loads(self._path.read_bytes())
                if kept["made_from"] == self._digest():
                    self._markdown = kept["markdown"]
                    return Page(**kept["page"])
        from .page import COMPILED, render_page  # not loaded before it is needed

        COMPILED.folder = self.folder
        return render_page(self._facts(), self._mock)

    def _render_markdown(self, page: Page) -> str:
        from .page import render_markdown  # not loaded before it is needed

        markdown = render_markdown(self._facts())
        self._facts.cache_clear()
        if self._path is not None:
            with contextlib.suppress(OSError):  # without a writable folder, pages are rendered each time
                write(self._path, orjson.dumps({"made_from": self._digest(), "page": page, "markdown": markdown}))
        return markdown

    def _facts_of_examples(self) -> "Facts":
        from .execution import execute  # not loaded before it is needed
        from .facts import Facts

        responses = asyncio.run(execute(self._contract, self._example_mock(self._mocked)))
        return Facts(self._contract, responses, mocked=self._mocked)

    @property
    def _path(self) -> Path | None:
        """The file of the cached pages, if any."""
        titles = orjson.dumps([self._contract.title, self._mocked.title, self._mock])
        name = f"reference-{hashlib.sha256(titles).hexdigest()[:16]}.json"
        return None if self.folder is None else self.folder / name

    def _digest(self) -> str:
        """A digest of the contracts and the program, on which the pages depend."""
        digest = hashlib.sha256(program()["version"].encode())
        for contract in (self._contract, self._mocked):
            digest.update(encoded(contract.document))
        root = Path(__file__).parent.parent
        packages = [each.parent.rglob("*") for each in root.glob("*/__init__.py")]
        files = {*root.glob("*.py"), *chain.from_iterable(packages)}
        for path in sorted(each for each in files if each.suffix != ".pyc" and each.is_file()):
            status = path.stat()
            digest.update(f"\n{path} {status.st_size} {status.st_mtime_ns}".encode())
        return digest.hexdigest()


def _dump(document: dict[str, Any]) -> bytes:
    dumped: bytes = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120, encoding="utf-8")
    return dumped


def write(path: Path, content: bytes) -> None:
    """Write a file atomically, for concurrent readers and writers. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink()
        raise
