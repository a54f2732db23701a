"""Fixtures for all tests."""

import asyncio
import contextlib
import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from callconfig.app import create_app, sources
from callconfig.asgi.access_log import AccessLog
from callconfig.contract.document import Contract
from callconfig.controls.controls import Controls
from callconfig.storage.opening import open_store
from callconfig.storage.store import Store
from callconfig.tests.support.postgresql import PostgreSQLServer, postgresql_server
from callconfig.tests.support.running import Server, serving
from starlette.testclient import TestClient
from starlette.types import ASGIApp

ROOT = Path(__file__).parent.parent
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # processes of tests reuse compiled modules
sys.dont_write_bytecode = False
os.environ.pop("UV_PROJECT_ENVIRONMENT", None)  # names the environment of this project, not those of other projects
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell lets background processes ignore
gc.set_threshold(50_000, 20, 100)  # most objects live to the end, and collecting takes a tenth of the time


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One more than there are cores, because tests also wait: for servers, for Chromium, for a time to pass."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort slow tests first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Freeze the collected objects, which the garbage collections at pytest's end then skip."""
    if "hypothesis.core" in sys.modules:
        from hypothesis.internal.entropy import deterministic_PRNG

        with deterministic_PRNG():
            pass  # Hypothesis registers its generator before what refers to it is frozen, because then it would warn
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.load()


@pytest.fixture
def sample(contract: Contract) -> dict[str, Any]:
    """The published request to create a configuration."""
    value: dict[str, Any] = contract.document["components"]["examples"]["CreateRequest"]["value"]
    return dict(value)


@pytest.fixture
def store(contract: Contract) -> Store:
    """An empty store in memory."""
    return asyncio.run(open_store(":memory:", contract.resources, sources().values))


@pytest.fixture
def make_app(contract: Contract, store: Store) -> Callable[..., ASGIApp]:
    """The mock on the test's own store, with options."""
    return lambda **options: create_app(contract, store, **options)


@pytest.fixture
def api(make_app: Callable[..., ASGIApp]) -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


@pytest.fixture(scope="session")
def make_steered(contract: Contract) -> Callable[..., ASGIApp]:
    """A fresh mock in memory with controls, whose options are those of the controls."""

    def make(*, base_path: str = "", log: AccessLog | None = None, **options: Any) -> ASGIApp:
        values = sources()
        store = asyncio.run(open_store(":memory:", contract.resources, values.values))
        controls = Controls(contract, store, values, **options)
        return create_app(contract, store, base_path=base_path, controls=controls, log=log)

    return make


@pytest.fixture
def make_broken(contract: Contract) -> Callable[[Any], TestClient]:
    """A client of a mock on a store that fails."""
    return lambda store: TestClient(create_app(contract, store), raise_server_exceptions=False)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources, which leaves the working tree clean.

    A test that uses it belongs to the xdist group `wheel`: then one worker builds it, once.
    """
    sources = tmp_path_factory.mktemp("sources") / "callconfig"
    output = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, sources, ignore=shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "uv.lock"))
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", output, sources], check=True)
    return next(output.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel and its dependencies alone."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run(["uv", "venv", "--quiet", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, wheel], check=True)
    return environment


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers in a folder of the test's own; all are stopped afterwards."""
    with contextlib.ExitStack() as stack:
        yield lambda *options, **environment: stack.enter_context(serving(*options, folder=tmp_path, **environment))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server. Where none is installed its tests are skipped, but not in CI."""
    try:
        with postgresql_server() as server:
            yield server
    except FileNotFoundError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(str(error))


@pytest.fixture
def path_with_uv(tmp_path: Path) -> str:
    """A PATH on which `uv tool run` and `uv run` run the command of this environment without installing."""
    stand_in = tmp_path / "bin" / "uv"
    stand_in.parent.mkdir()
    stand_in.write_text(
        f'#!/bin/sh\nwhile [ "$1" != callconfig ]; do shift; done\nshift\nexec "{sys.executable}" -m callconfig "$@"\n'
    )
    stand_in.chmod(0o755)
    return f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"
