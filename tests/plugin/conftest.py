"""A client team's project, and an environment with its packages."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from callconfig.tests.support.running import serving

collect_ignore = ["client"]

CLIENT = Path(__file__).parent / "client"


@pytest.fixture(scope="session")
def client_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the wheel, pytest and plugins for coroutines."""
    environment = tmp_path_factory.mktemp("client") / "venv"
    subprocess.run(["uv", "venv", "--quiet", environment], check=True)
    python = environment / "bin" / "python"
    packages: list[str | Path] = [wheel, "pytest", "pytest-asyncio", "pytest-xdist", "trio"]
    subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, *packages], check=True)
    return python


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the client team's project."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(CLIENT, tmp_path / "project", ignore=ignored)


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The URL of a running mock, which many suites share."""
    with serving("--store", ":memory:", "--quiet") as server:
        yield server.url
