"""The README is true line by line: its conversations are held with a real server, and the answers are compared."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from callconfig.cli import _parser

README = (Path(__file__).parent.parent / "README.md").read_text()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server as the README's first command starts it, but on a free port."""
    command = [sys.executable, "-m", "callconfig", "serve", "--port", "0", "--quiet"]
    with subprocess.Popen(command, cwd=tmp_path_factory.mktemp("new"), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        found = re.search(r":(\d+)/", server.stdout.readline())
        assert found
        yield found[1]
        server.terminate()


def conversations() -> list[tuple[str, str]]:
    """Each command of a console block that talks to the mock, with the answer below it."""
    blocks = re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if "localhost" in part]
    split = [re.fullmatch(r"(.*?(?:'|json\.tool))\n([\[{].*)\n", part, re.DOTALL) for part in parts]
    assert all(split)
    return [(found[1], found[2]) for found in split if found]


def test_every_conversation_goes_as_it_is_written(port: str) -> None:
    assert len(conversations()) >= 5
    for command, written in conversations():
        spoken = command.replace("localhost:8080", f"localhost:{port}").replace("python3", sys.executable)
        answer = subprocess.run(["bash", "-c", spoken], capture_output=True, text=True, check=True).stdout
        pattern = re.escape(written).replace("…", ".*")
        assert re.fullmatch(pattern, answer.rstrip("\n")), f"{command}\n{answer}"


def test_the_two_first_commands_lead() -> None:
    first, second = re.findall(r"^(?:python3|uv) .*$", README, re.MULTILINE)[:2]
    assert first.startswith("python3 -m pip install uv && uv run callconfig serve")
    assert second.startswith("uv run pytest")


def test_every_command_that_is_named_exists() -> None:
    commands = set(
        re.findall(
            r"callconfig ([a-z]+)\b(?! mocks)",
            "\n".join(re.findall(r"`[^`]+`|^ *\$? *(?:uv run )?callconfig .*$", README, re.MULTILINE)),
        )
    )
    known = _parser().format_help()
    assert commands
    assert all(re.search(rf"^    {command}\b", known, re.MULTILINE) for command in commands), commands
