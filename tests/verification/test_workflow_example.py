"""The workflow that client teams copy: every command in it is one that the parser takes."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from callconfig.cli import COMMANDS

WORKFLOW = Path(__file__).parents[2] / "examples" / "github-actions.yml"


def commands() -> list[list[str]]:
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]["steps"]
    scripts = [re.sub(r"\$\{\{.*?\}\}", "http://127.0.0.1:8080", step["run"]) for step in steps if "run" in step]
    return [shlex.split(script.removeprefix("uv run callconfig ")) for script in scripts]


@pytest.mark.parametrize("arguments", commands(), ids=lambda arguments: arguments[0])
def test_the_command_is_understood(arguments: list[str]) -> None:
    name, *options = arguments
    COMMANDS.commands[name].make_context(name, options)


def test_an_empty_token_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCONFIG_TOKEN", "")
    assert COMMANDS.commands["check"].make_context("check", []).params["token"] is None
