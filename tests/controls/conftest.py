"""Mocks with controls."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp


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
