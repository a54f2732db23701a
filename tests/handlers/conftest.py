"""Mocks of contracts that are not the built-in one, on each store."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from callconfig.app import create_app, sources
from callconfig.contract.document import Contract
from callconfig.controls.controls import Controls
from callconfig.storage.opening import open_store
from callconfig.storage.store import Store

CONTRACTS = Path(__file__).parent.parent / "support" / "contracts"


class MockClient:
    """A mock of one of the contracts of the tests with its controls, and a client of it, in one event loop."""

    def __init__(self, name: str, place: str = ":memory:", *handlers: Any) -> None:
        self._runner = asyncio.Runner()
        self._client, self._store = self._runner.run(self._open(name, place, handlers))

    async def _open(self, name: str, place: str, handlers: tuple[Any, ...]) -> tuple[httpx2.AsyncClient, Store]:
        contract = Contract.load(CONTRACTS / f"{name}.yaml")
        values = sources()
        store = await open_store(place, contract.resources, values.values, contract=contract.title)
        app = create_app(contract, store, controls=Controls(contract, store, values), handlers=handlers)
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost"), store

    def __call__(self, method: str, path: str, json: Any = None, **options: Any) -> httpx2.Response:
        return self._runner.run(self._client.request(method, path, json=json, **options))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.run(self._store.close())
        self._runner.close()


@pytest.fixture(params=["memory", "file", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The location of a new store."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql").fresh_url()
        return url
    return ":memory:" if request.param == "memory" else str(tmp_path / "store.jsonl")


@pytest.fixture
def mock_of() -> Iterator[Callable[..., MockClient]]:
    """A function that makes a mock by the name of a contract and the location of a store; all are closed at the end."""
    with ExitStack() as opened:

        def make(*given: Any) -> MockClient:
            mock = MockClient(*given)
            opened.callback(mock.close)
            return mock

        yield make
