"""Every kind of store, each in a new place."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from callconfig.storage.opening import open_store
from callconfig.storage.store import Store
from callconfig.tests.support.stores import RESOURCE, counted_values

Answer = TypeVar("Answer")

PLACES = ["memory", "file", "file-with-fsync", "postgresql"]


class Run(Protocol):
    """Runs a coroutine to its end, in the test's one event loop."""

    def __call__(self, coroutine: Coroutine[Any, Any, Answer], /) -> Answer: ...


@pytest.fixture
def run() -> Iterator[Run]:
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(params=PLACES)
def open_new(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Coroutine[Any, Any, Store]]:
    """A function that opens the store at one new place, any number of times."""
    match request.param:
        case "memory":
            location = ":memory:"
        case "postgresql":
            location = request.getfixturevalue("postgresql").fresh_url()
        case _:
            location = str(tmp_path / "store.jsonl")
    return partial(open_store, location, [RESOURCE], counted_values(), fsync=request.param == "file-with-fsync")


@pytest.fixture
def store(open_new: Callable[[], Coroutine[Any, Any, Store]], run: Run) -> Iterator[Store]:
    """An empty store of every kind."""
    opened = run(open_new())
    yield opened
    run(opened.close())
