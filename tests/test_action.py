"""The action, and the example workflow for other repositories, run step by step."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from callconfig.cli import COMMANDS
from jsonschema_rs import Draft7Validator

from .support.git import commit
from .support.running import Server

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOW = ROOT / "examples" / "github-actions.yml"
SCRIPT = next(step["run"] for step in ACTION["runs"]["steps"] if "run" in step)


@pytest.mark.parametrize(("path", "schema"), [(ROOT / "action.yml", "github-actions"), (WORKFLOW, "github-workflows")])
def test_it_is_what_the_published_schema_says(path: Path, schema: str) -> None:
    text = (files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{schema}.json").read_text()
    # YAML 1.1 reads `on` as a boolean.
    document = {"on" if name is True else name: value for name, value in yaml.safe_load(path.read_text()).items()}
    assert [error.message for error in Draft7Validator(json.loads(text)).iter_errors(document)] == []


def steps() -> Iterator[dict[str, str]]:
    """The inputs of each step of the workflow that uses the action."""
    for job in yaml.safe_load(WORKFLOW.read_text())["jobs"].values():
        yield from (step["with"] for step in job["steps"] if "/callconfig@" in step.get("uses", ""))


BASE = "github.event.pull_request.base.sha"
"""The expression for the commit that a pull request is to be merged into."""


def replaced(text: str, expressions: Mapping[str, str]) -> str:
    """The text with the values of its expressions, all of which must be known."""
    for name, value in expressions.items():
        text = text.replace(f"${{{{ {name} }}}}", value)
    assert "${{" not in text
    return text


@pytest.mark.parametrize("given", list(steps()), ids=lambda given: given["command"])
def test_each_step_of_the_workflow_says_what_the_action_and_the_command_take(given: dict[str, str]) -> None:
    declared = ACTION["inputs"]
    assert {name for name, each in declared.items() if each.get("required")} <= given.keys() <= declared.keys()
    arguments = replaced(given["arguments"], {"vars.STAGING_URL": "http://a", BASE: "main"})
    name, *options = [*given["command"].split(), *arguments.split()]
    COMMANDS.commands[name].make_context(name, options)


def test_an_empty_token_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCONFIG_TOKEN", "")
    assert COMMANDS.commands["check"].make_context("check", []).params["token"] is None


def test_the_action_names_commands_that_there_are() -> None:
    listed = ACTION["inputs"]["command"]["description"].partition("such as ")[2].rstrip(".")
    for name in listed.replace(" or ", ", ").split(", "):
        assert name.split()[0] in COMMANDS.commands, name


def test_nothing_that_is_given_becomes_a_part_of_the_script() -> None:
    assert "${{" not in SCRIPT


def run(folder: Path, given: dict[str, str], **environment: str) -> tuple[int, str]:
    """The exit code and the output of the action's step, run as GitHub's runner does."""
    script, outputs = folder / "script.sh", folder / "outputs"
    script.write_text(SCRIPT)
    outputs.touch()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
        cwd=folder,
        env={
            **os.environ,
            "SOURCES": "/sources",
            "COMMAND": given["command"],
            "ARGUMENTS": given.get("arguments", ""),
            "CALLCONFIG_TOKEN": given.get("token", ""),
            "PYTHON_VERSION": f"{sys.version_info.major}.{sys.version_info.minor}",
            "GITHUB_OUTPUT": str(outputs),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert outputs.read_text() == f"exit-code={done.returncode}\n"
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_every_step_of_the_workflow_runs(serve: Callable[..., Server], tmp_path: Path, path_with_uv: str) -> None:
    contract = shutil.copy(ROOT / "tests" / "support" / "contracts" / "songs.yaml", tmp_path / "openapi.yaml")
    commit(tmp_path)
    server = serve("--contract", str(contract), "--store", ":memory:", "--quiet")
    server.client.post("/songs", json={"title": "A"})
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "end-to-end.har").write_bytes(server.client.get("/_mock/requests.har").content)
    quick = {"PATH": path_with_uv, "CALLCONFIG_MAX_EXAMPLES": "1", "CALLCONFIG_CONTRACT": str(contract)}
    for given in steps():
        values = {"vars.STAGING_URL": server.url, "secrets.STAGING_TOKEN": "", BASE: "HEAD"}
        inputs = {name: replaced(text, values).replace("--rate-limit 50", "") for name, text in given.items()}
        (tmp_path / "outputs").unlink(missing_ok=True)
        code, output = run(tmp_path, inputs, **quick)
        assert code == 0, output
    assert {report.name for report in tmp_path.glob("*.*ml")} >= {"check.xml", "check.html", "verify.xml"}


def test_a_pull_request_says_in_its_summary_what_it_breaks(tmp_path: Path, path_with_uv: str) -> None:
    text = (ROOT / "openapi.yaml").read_text()
    (tmp_path / "openapi.yaml").write_text(text)
    commit(tmp_path)
    (tmp_path / "openapi.yaml").write_text(text.replace("maxLength: 2000", "maxLength: 1000"))
    job = yaml.safe_load(WORKFLOW.read_text())["jobs"]["diff"]
    given = next(step["with"] for step in job["steps"] if "with" in step and "command" in step["with"])
    inputs = {name: replaced(text, {BASE: "HEAD"}) for name, text in given.items()}
    assert run(tmp_path, inputs, PATH=path_with_uv)[0] == 1
    summary = tmp_path / "summary"
    tell = next(step["run"] for step in job["steps"] if "run" in step)
    subprocess.run(
        ["bash", "-ec", tell], cwd=tmp_path, env={**os.environ, "GITHUB_STEP_SUMMARY": str(summary)}, check=True
    )
    assert "clients that call createConfiguration, updateConfiguration" in summary.read_text()


def test_the_action_tells_findings_by_its_exit_code(tmp_path: Path, path_with_uv: str) -> None:
    (tmp_path / "openapi.yaml").write_text("openapi: 3.0.3\n")
    code, output = run(tmp_path, {"command": "lint", "arguments": "open*.yaml"}, PATH=path_with_uv)
    assert code == 1
    assert "openapi.yaml: " in output


def test_arguments_are_never_run(tmp_path: Path, path_with_uv: str) -> None:
    given = {"command": "lint", "arguments": "$(touch run) `touch run` ; touch run"}
    assert run(tmp_path, given, PATH=path_with_uv)[0] == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.xdist_group("wheel")
def test_the_action_installs_what_it_runs(tmp_path: Path, wheel: Path) -> None:
    given = {"command": "lint", "arguments": str(ROOT / "openapi.yaml")}
    assert run(tmp_path, given, SOURCES=str(wheel)) == (0, "")
