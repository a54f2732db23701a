"""`callconfig check` as a user runs it: what it says, what it leaves, and its exit codes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callconfig.cli import main
from callconfig.contract.formats import JUDGED_FORMATS, UNCHECKED_FORMATS
from callconfig.contract.rulebook import ENGINE_RULES, GENERATED_RULES, MODEL_RULES
from callconfig.contract.schema import Schema
from callconfig.verification.formats import STRATEGIES
from callconfig.verification.target import serving
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.formats import get_default_format_strategies
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def teapot(app: ASGIApp) -> ASGIApp:
    """The application, but a list is a teapot."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def change(message: Message) -> None:
            if scope["method"] == "GET" and message["type"] == "http.response.start" and message["status"] == 200:
                message = {**message, "status": 418}
            await send(message)

        await app(scope, receive, change)

    return wrapped


def test_a_failure_says_what_was_expected_what_came_and_how_to_see_it_again(
    make_app: Callable[..., ASGIApp], capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(teapot(make_app())) as url:
        assert main(["check", url, "--max-failures", "1", "--token", "sesame", "--seed", "4"]) == 1
    out, err = capsys.readouterr()
    assert "ERROR listConfigurations: status: 418 is not documented for listConfigurations, only 200, 400" in out
    assert "  came: 418 application/json [{" in out
    assert f"curl -i -H 'Authorization: [redacted]' '{url}/configurations?reseller_id=check-4-" in out
    assert "note: ended after 1 errors; there may be more" in out
    assert out.splitlines()[-1].startswith("check: 1 error (")
    assert "sesame" not in out + err
    assert err == "  model\n", "plain lines where there is no terminal"


def test_the_run_leaves_nothing_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_app: Callable[..., ASGIApp]
) -> None:
    monkeypatch.chdir(tmp_path)
    with serving(make_app()) as url:
        main(["check", url, "--max-time", "4", "--max-examples", "1", "--report", "har:traffic.har"])
    assert [path.name for path in tmp_path.iterdir()] == ["traffic.har"]
    assert len(json.loads((tmp_path / "traffic.har").read_text())["log"]["entries"]) > 10


def test_a_run_that_is_out_of_time_says_so(
    make_app: Callable[..., ASGIApp], capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(make_app()) as url:
        assert main(["check", url, "--max-time", "0.3"]) == 0
    assert "note: --max-time of 0.3 s was over before everything was tried" in capsys.readouterr().out


def test_required_coverage_fails_on_a_status_that_was_never_seen(
    make_app: Callable[..., ASGIApp], capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(make_app()) as url:
        options = ["--include", "list*", "--max-examples", "1", "--require-coverage"]
        assert main(["check", url, *options]) == 1
    out = capsys.readouterr().out
    assert "ERROR listConfigurations: status 406: 406 is documented and was never seen" in out
    assert "createConfiguration" not in out


def test_two_runs_on_one_server_do_not_meet(make_app: Callable[..., ASGIApp]) -> None:
    with serving(make_app()) as url:
        for _ in range(2):
            assert main(["check", url, "--seed", "1", "--max-examples", "2", "--max-time", "4"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["http://127.0.0.1:1"], 3, "callconfig: nothing answers at http://127.0.0.1:1: "),
        (
            ["http://127.0.0.1:1", "--contract", "/nonexistent"],
            3,
            "callconfig: contract /nonexistent: cannot be read: No such file",
        ),
        (["--include", "nothing"], 3, "callconfig: no operation is named 'nothing'; there are "),
        (["--exclude", "*"], 3, "callconfig: --include and --exclude leave no operation"),
        (["--baseline", "/nonexistent"], 3, "callconfig: baseline /nonexistent: No such file or directory"),
    ],
)
def test_what_stops_a_run_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert main(["check", *arguments]) == code
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("callconfig: ")]
    assert line.startswith(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ftp://x"], "is not the URL of a server"),
        (["--header", "nothing"], "is not a header field"),
        (["--header", "A: b\nC: d"], "is not a header field"),
        (["--max-time", "-1"], "is not a number greater than 0"),
        (["--max-examples", "0"], "0 is not in the range 1<=x<=1000000"),
        (["--seed", "x"], "'x' is not a valid integer"),
    ],
)
def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main(["check", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_options_come_from_the_environment(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCONFIG_INCLUDE", "nothing,listConfigurations")
    assert main(["check"]) == 3
    assert "no operation is named 'nothing'" in capsys.readouterr().err


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "hypothesis.py").write_text("raise ModuleNotFoundError(name='hypothesis')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", "from callconfig.cli import main; raise SystemExit(main(['check']))"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (
        3,
        "callconfig: hypothesis is not installed; install callconfig[check]\n",
    )


def test_every_format_of_the_engine_can_be_generated() -> None:
    assert {*STRATEGIES, *get_default_format_strategies(), *UNCHECKED_FORMATS} >= JUDGED_FORMATS


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_what_is_generated_for_a_format_has_it(name: str) -> None:
    schema = Schema({"format": name}, no_references, "request")

    @settings(max_examples=20, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(STRATEGIES[name])
    def holds(value: str) -> None:
        assert schema.accepts(value)

    holds()


def no_references(reference: str) -> dict[str, Any]:
    raise KeyError(reference)


def test_every_check_of_schemathesis_has_a_rule_and_no_rule_is_there_twice() -> None:
    named = {name.replace("_", "-") for name in CHECKS.get_all_names()}
    assert named <= GENERATED_RULES.keys(), named - GENERATED_RULES.keys()
    assert not ENGINE_RULES.keys() & MODEL_RULES.keys()
    assert not MODEL_RULES.keys() & GENERATED_RULES.keys()


def test_links_to_operations_that_are_left_out_are_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "--include", "listConfigurations", "--max-examples", "1", "--seed", "1"])
    output = capsys.readouterr().out
    assert code == 0
    assert "note: no links were followed" in output
