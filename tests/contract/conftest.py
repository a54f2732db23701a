"""The tools of other people, installed once into `.cache/` and kept until the file that pins their versions changes."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"


def _installed(pinned: Path, install: Callable[[Path], None]) -> Path:
    """The folder that `install` filled for the pinned versions; one process fills it, the others wait."""
    folder = ROOT / ".cache" / "clients" / f"{pinned.stem}-{hashlib.sha256(pinned.read_bytes()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            install(folder)
            (folder / "complete").touch()
    return folder


@pytest.fixture(scope="session")
def node() -> Path:
    """A folder whose `node_modules` has the tools from npm. Without npm its tests are skipped, but not in CI."""
    npm = shutil.which("npm")
    if npm is None:
        if "CI" in os.environ:
            pytest.fail("npm is missing")
        pytest.skip("npm is missing")

    def install(folder: Path) -> None:
        shutil.copy(CLIENTS / "package.json", folder)
        subprocess.run(
            [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True
        )

    return _installed(CLIENTS / "package.json", install)


@pytest.fixture(scope="session")
def python() -> Path:
    """The `bin` of an environment that has the tools from PyPI."""

    def install(folder: Path) -> None:
        subprocess.run(["uv", "venv", "--quiet", "--clear", folder / "venv"], check=True)
        into, packages = folder / "venv" / "bin" / "python", CLIENTS / "requirements.txt"
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", into, "--requirement", packages], check=True)

    return _installed(CLIENTS / "requirements.txt", install) / "venv" / "bin"


Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command in the test's own folder; the value is all that it wrote. It fails when the command does."""

    def command(*arguments: str | Path, path: Path | None = None) -> str:
        environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
        environment |= {"NO_COLOR": "1", "MYPY_CACHE_DIR": str(ROOT / ".cache" / "clients" / "mypy")}
        if path is not None:
            environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
        done = subprocess.run(arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        written = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(map(str, arguments))}:\n{written}"
        return written

    return command
