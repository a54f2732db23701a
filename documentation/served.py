"""The reference at `/docs` and `/reference.md`: made once, and kept for the next server of the same contract."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..contract.document import Contract

if TYPE_CHECKING:
    from .facts import Facts

T = TypeVar("T")
GZIP = [Middleware(GZipMiddleware)]


@dataclass(frozen=True, slots=True)
class Page:
    """The HTML, and the Content-Security-Policy that a server sends with it: only what is in the page may run."""

    html: str
    content_security_policy: str


def answer(page: Page) -> Response:
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
    """The pages at `/docs` and `/reference.md` of a contract, whose examples run on mocks of another, or the same, one.

    With a `folder` they are kept in a file there, one for each title and each way of serving it.
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
        self._facts: Facts | None = None
        self._page: Page | None = None
        self._markdown: str | None = None
        self._lock = asyncio.Lock()

    def routes(self, place: str) -> list[Route]:
        pages = {"docs": self._answer_page, "reference.md": self._answer_markdown}
        return [Route(f"{place}/{name}", page, middleware=GZIP) for name, page in pages.items()]

    async def _answer_page(self, _request: Request) -> Response:
        if self._page is not None:
            return answer(self._page)
        return answer(await self._aside(self._made_page))

    async def _answer_markdown(self, _request: Request) -> Response:
        markdown = self._markdown or await self._aside(self._made_markdown)
        return Response(markdown, media_type="text/markdown")

    async def make(self) -> None:
        """Make the page and the Markdown before anybody asks, or read what an earlier server left."""
        await self._aside(self._made_page)
        await self._aside(self._keep)

    async def _aside(self, make: Callable[[], T]) -> T:
        """What is made by one at a time, while others are served."""
        async with self._lock:
            return await asyncio.to_thread(make)

    def _made_page(self) -> Page:
        """Whoever asks for the page does not wait for the Markdown."""
        self._read()
        if self._page is None:
            from .page import render_page  # not loaded before it is needed

            self._page = render_page(self._made_facts(), self._mock)
        return self._page

    def _made_markdown(self) -> str:
        self._read()
        if self._markdown is None:
            from .page import render_markdown  # not loaded before it is needed

            self._markdown = render_markdown(self._made_facts())
        return self._markdown

    def _made_facts(self) -> "Facts":
        from .execution import execute  # not loaded before it is needed
        from .facts import Facts
        from .page import COMPILED

        COMPILED.folder = self.folder
        if self._facts is None:
            answers = asyncio.run(execute(self._contract, self._example_mock(self._mocked)))
            self._facts = Facts(self._contract, answers, mocked=self._mocked)
        return self._facts

    def _keep(self) -> None:
        page, markdown = self._made_page(), self._made_markdown()
        if self._facts is not None and self._path is not None:
            kept = {"made_from": self._made_from(), "page": page, "markdown": markdown}
            with contextlib.suppress(OSError):  # a user without a folder for it has the pages made each time
                write(self._path, orjson.dumps(kept))
        self._facts = None

    @property
    def _path(self) -> Path | None:
        """Where the pages are kept."""
        titles = orjson.dumps([self._contract.title, self._mocked.title, self._mock])
        name = f"reference-{hashlib.sha256(titles).hexdigest()[:16]}.json"
        return None if self.folder is None else self.folder / name

    def _read(self) -> None:
        """Take what is kept, if it is of this contract and this program, unless something is made already."""
        if self._path is None or self._page is not None or self._facts is not None:
            return
        with contextlib.suppress(OSError, ValueError):  # not there yet, or not whole
            kept = orjson.loads(self._path.read_bytes())
            if kept["made_from"] == self._made_from():
                self._page, self._markdown = Page(**kept["page"]), kept["markdown"]

    def _made_from(self) -> str:
        """A digest of all that the pages depend on: the contracts, and the program."""
        digest = hashlib.sha256(version("callconfig").encode())
        for contract in (self._contract, self._mocked):
            digest.update(orjson.dumps(contract.document))
        for path in _sources():
            status = path.stat()
            digest.update(f"\n{path} {status.st_size} {status.st_mtime_ns}".encode())
        return digest.hexdigest()


def _sources() -> Iterator[Path]:
    """The files of the program."""
    root = Path(__file__).parent.parent
    yield from sorted(root.glob("*.py"))
    for package in sorted(root.glob("*/__init__.py")):
        yield from sorted(path for path in package.parent.rglob("*") if path.suffix != ".pyc" and path.is_file())


def write(path: Path, content: bytes) -> None:
    """Write a file that others may read meanwhile, and may be writing, too. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink()
        raise
