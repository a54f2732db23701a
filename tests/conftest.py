"""The few things that every test may need."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from callconfig.app import create_app, resource, server_values
from callconfig.contract.document import Contract
from callconfig.storage import ConfigurationStore, open_store
from starlette.testclient import TestClient
from starlette.types import ASGIApp


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.load()


@pytest.fixture
def sample(contract: Contract) -> dict[str, Any]:
    """The published request to create a configuration."""
    value: dict[str, Any] = contract.document["components"]["examples"]["CreateRequest"]["value"]
    return dict(value)


@pytest.fixture
def store(contract: Contract) -> ConfigurationStore:
    """An empty store in memory."""
    return asyncio.run(open_store(":memory:", resource(contract), server_values(contract)))


@pytest.fixture
def make_app(contract: Contract, store: ConfigurationStore) -> Callable[..., ASGIApp]:
    """The mock on the test's own store, with options."""
    return lambda **options: create_app(contract, store, **options)


@pytest.fixture
def api(make_app: Callable[..., ASGIApp]) -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


@pytest.fixture
def make_broken(contract: Contract) -> Callable[[Any], TestClient]:
    """A client of a mock on a store that fails."""
    return lambda store: TestClient(create_app(contract, store), raise_server_exceptions=False)
