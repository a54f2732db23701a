"""A mock that can be steered."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from callconfig.app import create_app, sources
from callconfig.contract.document import Contract
from callconfig.controls.controls import Controls
from callconfig.storage.opening import open_store
from starlette.testclient import TestClient
from starlette.types import ASGIApp


@pytest.fixture(scope="session")
def make_steered(contract: Contract) -> Callable[..., ASGIApp]:
    """A fresh mock in memory with controls, whose options are those of the controls."""

    def make(*, base_path: str = "", **options: Any) -> ASGIApp:
        values = sources()
        store = asyncio.run(open_store(":memory:", contract.resources, values.values))
        controls = Controls(contract, store, values, **options)
        return create_app(contract, store, base_path=base_path, controls=controls)

    return make


@pytest.fixture(scope="session")
def shared(make_steered: Callable[..., ASGIApp]) -> Iterator[TestClient]:
    with TestClient(make_steered()) as client:
        yield client


@pytest.fixture
def steered(shared: TestClient) -> TestClient:
    """A session of the test's own on one mock for all tests."""
    shared.headers["X-Mock-Session"] = secrets.token_hex(8)
    return shared


@pytest.fixture
def fresh(make_steered: Callable[..., ASGIApp]) -> Iterator[TestClient]:
    """A mock of the test's own."""
    with TestClient(make_steered()) as client:
        yield client
