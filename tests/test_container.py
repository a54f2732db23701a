"""The container image, tested without building it."""

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from callconfig.cli import COMMANDS

from .support.running import Server

ROOT = Path(__file__).parent.parent
LINES = re.sub(r"\\\n\s*", " ", (ROOT / "Containerfile").read_text()).splitlines()
LAST_STAGE = LINES[max(index for index, line in enumerate(LINES) if line.startswith("FROM ")) :]


def instruction(name: str) -> str:
    """The arguments of the only instruction of a name in the final stage."""
    (found,) = [line.partition(" ")[2] for line in LAST_STAGE if line.startswith(f"{name} ")]
    return found


def environment() -> dict[str, str]:
    return dict(each.split("=", 1) for each in instruction("ENV").split())


def check_health(port: str, **more: str) -> int:
    (command,) = re.findall(r"CMD (\[.*\])$", instruction("HEALTHCHECK"))
    return subprocess.run(
        json.loads(command), env={**os.environ, "CALLCONFIG_PORT": port, **more}, capture_output=True, check=False
    ).returncode


def test_the_image_starts_a_mock_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(instruction("ENTRYPOINT")) == ["callconfig"]
    (name,) = json.loads(instruction("CMD"))
    for variable, value in environment().items():
        monkeypatch.setenv(variable, value)
    params = COMMANDS.commands[name].make_context(name, []).params
    assert (params["host"], params["store"]) == ("0.0.0.0", ":memory:")  # noqa: S104 (of a container)
    assert str(params["port"]) == instruction("EXPOSE")


def test_the_image_does_not_run_as_root() -> None:
    user = instruction("USER")
    assert int(user) > 0
    assert any(f"--uid {user} " in line for line in LAST_STAGE if line.startswith("RUN "))


def test_the_health_check_sees_a_mock_that_answers(serve: Callable[..., Server]) -> None:
    server = serve("--store", ":memory:", "--base-path", "/agent/voice")
    port = str(server.address[1])
    assert check_health(port, http_proxy="http://127.0.0.1:9") == 0
    server.stop()
    assert check_health(port) != 0


@pytest.mark.xdist_group("wheel")
def test_what_is_left_out_of_the_build_is_not_missed(wheel: Path, tmp_path: Path) -> None:
    """The wheel made from the build context has the same files."""
    patterns = (ROOT / ".containerignore").read_text().split()
    anywhere = [pattern.removeprefix("**/") for pattern in patterns if pattern.startswith("**/")]
    at_root = shutil.ignore_patterns(*patterns, *anywhere)
    below = shutil.ignore_patterns(*anywhere)

    def left_out(folder: str, names: list[str]) -> Iterable[str]:
        return (at_root if Path(folder) == ROOT else below)(folder, names)

    sources = shutil.copytree(ROOT, tmp_path / "sources", ignore=left_out)
    assert not {".git", ".venv", "tests", "uv.lock"} & {path.name for path in sources.iterdir()}
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", tmp_path, sources], check=True)
    (made,) = tmp_path.glob("*.whl")
    assert sorted(zipfile.ZipFile(made).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())
