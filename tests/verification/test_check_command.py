"""`callconfig check` on the command line: output, reports and exit codes."""

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.contract.formats import JUDGED_FORMATS, UNCHECKED_FORMATS
from callconfig.contract.references import NO_REFERENCES
from callconfig.contract.rulebook import ENGINE_RULES, GENERATED_RULES, MODEL_RULES
from callconfig.contract.schema import Schema
from callconfig.verification.generated import drop_incomplete
from callconfig.verification.strategies import STRATEGIES
from callconfig.verification.target import fresh_mock, serving
from callconfig.verification.terminal import styled
from callconfig.verification.timing import Deadline
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS
from schemathesis.engine.run.unit._pool import WorkerPool
from schemathesis.specs.openapi.formats import get_default_format_strategies
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def teapot(app: ASGIApp) -> ASGIApp:
    """The application, but a list gets 418."""

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
    assert "  response: 418 application/json [{" in out
    assert f"curl -i -H 'Authorization: [redacted]' '{url}/configurations?reseller_id=check-4-" in out
    assert "note: ended after 1 error; there may be more" in out
    assert out.splitlines()[-1].startswith("check: 1 error (")
    assert "sesame" not in out + err
    assert err == "  model\n", "plain lines where there is no terminal"


CONTRACTS = Path(__file__).parent.parent / "support" / "contracts"
BOOKS, SONGS = CONTRACTS / "books.yaml", CONTRACTS / "songs.yaml"
"""Contracts whose whole check is short; there is one book of a title."""


@pytest.fixture
def books() -> ASGIApp:
    return fresh_mock(Contract.load(BOOKS))


@pytest.fixture
def songs() -> ASGIApp:
    return fresh_mock(Contract.load(SONGS))


def test_the_run_leaves_nothing_in_the_working_directory(tmp_path: Path) -> None:
    """In a new process: in this one Hypothesis has its tables already."""
    command = [sys.executable, "-m", "callconfig", "check", "--contract", str(SONGS), "--include", "addSong"]
    subprocess.run([*command, "--max-examples", "1", "--report", "har:traffic.har"], cwd=tmp_path, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["traffic.har"]
    assert len(json.loads((tmp_path / "traffic.har").read_text())["log"]["entries"]) > 10


def test_a_run_needs_no_cache(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    assert main(["check", "--include", "listConfigurations", "--max-examples", "1"]) == 0
    assert "Warning" not in capsys.readouterr().err


def test_a_run_that_is_out_of_time_says_so(
    make_app: Callable[..., ASGIApp], capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(make_app()) as url:
        assert main(["check", url, "--max-time", "1"]) == 0
    assert "note: --max-time of 1 s expired before everything was tried" in capsys.readouterr().out


def test_a_server_that_never_responds_in_the_time_of_the_run_does_not_hold(
    raw_server: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", raw_server([b""], 30), "--max-time", "0.3"]) == 3
    said = "callconfig: --max-time of 0.3 s expired before there was a response to judge"
    assert capsys.readouterr().err.splitlines()[-1] == said


@pytest.mark.parametrize(("seconds", "kept"), [(60, ["cut off", "answered"]), (1e-9, ["answered"])])
def test_what_the_end_of_the_run_cuts_off_is_no_finding(seconds: float, kept: list[str]) -> None:
    recorder: Any = SimpleNamespace(
        interactions={"cut off": SimpleNamespace(response=None), "answered": SimpleNamespace(response=object())}
    )
    drop_incomplete(recorder, Deadline(seconds))
    assert list(recorder.interactions) == kept


def test_the_credentials_of_the_user_are_sent_to_no_server(
    songs: ASGIApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password sesame")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(value for name, value in scope.get("headers", ()) if name == b"authorization")
        await songs(scope, receive, send)

    with serving(app) as url:
        assert main(["check", url, "--contract", str(SONGS), "--max-examples", "1", "--seed", "1"]) == 0
    assert seen == []


def test_required_coverage_fails_on_a_status_that_was_never_seen(
    make_app: Callable[..., ASGIApp], capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(make_app()) as url:
        options = ["--include", "list*", "--max-examples", "1", "--require-coverage"]
        assert main(["check", url, *options]) == 1
    out = capsys.readouterr().out
    assert "ERROR listConfigurations: status 406: 406 is documented and was never seen" in out
    assert "createConfiguration" not in out


def test_two_runs_on_one_server_do_not_meet(books: ASGIApp) -> None:
    few = [
        "--contract",
        str(BOOKS),
        "--include",
        "addBook",
        "--include",
        "listBooks",
        "--seed",
        "1",
        "--max-examples",
        "2",
    ]
    with serving(books) as url:
        for _ in range(2):
            assert main(["check", url, *few]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["http://127.0.0.1:1"], 3, "callconfig: no server responds at http://127.0.0.1:1: "),
        (
            ["http://127.0.0.1:1", "--contract", "missing.yaml"],
            3,
            "callconfig: contract missing.yaml: cannot be read: No such file",
        ),
        (["--include", "nothing"], 3, "callconfig: no operation is named 'nothing'; there are "),
        (["--exclude", "*"], 3, "callconfig: --include and --exclude leave no operation"),
        (["--baseline", "missing.json"], 3, "callconfig: baseline missing.json: No such file or directory"),
    ],
)
def test_what_stops_a_run_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
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
    schema = Schema({"format": name}, NO_REFERENCES, "request")

    @settings(max_examples=20, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(STRATEGIES[name])
    def holds(value: str) -> None:
        assert schema.accepts(value)

    holds()


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


class Counting:
    """An application that counts its requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self.asked = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await self._app(scope, receive, send)

    def wait_for(self, more: int) -> None:
        """Wait for some more requests."""
        enough, ends = self.asked + more, time.monotonic() + 60
        while self.asked < enough:
            assert time.monotonic() < ends, self.asked
            time.sleep(0.01)


@pytest.fixture
def counting(songs: ASGIApp) -> Counting:
    return Counting(songs)


@pytest.fixture
def started_check(tmp_path: Path, counting: Counting) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """A function that starts `callconfig check` of a right server, with a terminal if given."""
    with contextlib.ExitStack() as stack:

        def start(*options: str, **terminal: Any) -> subprocess.Popen[bytes]:
            url = stack.enter_context(serving(counting))
            contract = ["--contract", str(SONGS)]
            command = [sys.executable, "-m", "callconfig", "check", url, *contract, "--max-examples", "20", *options]
            process = stack.enter_context(subprocess.Popen(command, cwd=tmp_path, **terminal))
            stack.callback(process.kill)
            return process

        yield start


@pytest.mark.parametrize(
    ("number", "when"),
    [
        (signal.SIGINT, "model"),
        (signal.SIGTERM, "model"),
        (signal.SIGHUP, "model"),
        (signal.SIGINT, "coverage"),
        (signal.SIGTERM, "coverage"),
    ],
)
def test_interrupted_it_says_what_was_judged_and_that_it_could_not_run(
    started_check: Callable[..., subprocess.Popen[bytes]], counting: Counting, number: signal.Signals, when: str
) -> None:
    process = started_check(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    while process.stderr.readline().strip() != when.encode():
        assert process.poll() is None
    counting.wait_for(10)
    process.send_signal(number)
    out = process.stdout.read().decode()
    assert process.wait(20) == 3
    assert process.stderr.read().decode().splitlines()[-1] == "callconfig: interrupted"
    assert "note: interrupted; not everything was judged" in out
    last = out.splitlines()[-1]
    assert last.startswith("check: interrupted, no error so far (")
    assert not last.startswith("check: interrupted, no error so far (0 interactions")
    assert "holds" not in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_also_a_parent_process_sends_is_one(
    started_check: Callable[..., subprocess.Popen[bytes]], counting: Counting, number: signal.Signals, tmp_path: Path
) -> None:
    """`uv run`, npm and `timeout` pass on what the terminal or the system sends to all processes."""
    process = started_check("--report", "json:report.json", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    counting.wait_for(10)
    ends = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < ends:
        process.send_signal(number)
        time.sleep(0.0003)  # also between any two steps of its end
    assert process.wait(20) == 3
    assert json.loads((tmp_path / "report.json").read_text())["ended"] == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_that_a_library_swallows_is_none_that_holds(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Schemathesis goes on with its next phase after an interruption while the threads of a phase start."""

    def start(_pool: WorkerPool) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(WorkerPool, "start", start)
    before = signal.getsignal(number)
    assert main(["check", "--include", "listConfigurations", "--max-examples", "1"]) == 3
    assert "holds" not in capsys.readouterr().out
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("length", [100, 300, 3000])
def test_schemas_that_schemathesis_cannot_follow_are_one_line(
    length: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"#/components/schemas/S{number}" for number in range(length)]
    schemas = {
        name.rpartition("/")[2]: {"type": "object", "required": ["a"], "properties": {"a": {"$ref": following}}}
        for name, following in itertools.pairwise([*names, names[0]])
    }
    content = {"application/json": {"schema": {"$ref": names[0]}}}
    paths = {"/a": {"post": {"requestBody": {"content": content}, "responses": {"204": {"description": "Done."}}}}}
    document = {"openapi": "3.0.3", "info": {"title": "Chain", "version": "1"}, "paths": paths}
    path = tmp_path / "chain.json"
    path.write_text(json.dumps({**document, "components": {"schemas": schemas}}))
    assert main(["check", "--contract", str(path), "--max-examples", "1"]) == 3
    said = "callconfig: requests cannot be generated: the contract's schemas are nested too deep"
    assert capsys.readouterr().err.splitlines()[-1] == said


@pytest.fixture
def check_sending(tmp_path: Path, raw_server: Callable[..., str]) -> Callable[[str, bytes], int]:
    """A function that checks a server with this media type and body in all its responses; returns the exit code."""

    def check(media_type: str, body: bytes) -> int:
        responses = {"200": {"description": "All.", "content": {media_type: {"schema": {"type": "object"}}}}}
        document = {"openapi": "3.0.3", "info": {"title": "Things", "version": "1"}}
        paths = {"/things": {"get": {"operationId": "listThings", "responses": responses}}}
        path = tmp_path / "things.json"
        path.write_text(json.dumps({**document, "paths": paths}))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        url = raw_server([head.encode() + b"\r\n" + body])
        return main(["check", url, "--contract", str(path), "--max-examples", "1"])

    return check


@pytest.mark.parametrize(
    ("media_type", "body", "found"),
    [
        ("application/json", b"[" * 200_000 + b"]" * 200_000, "listThings: body: is nested deeper than 100 levels"),
        ("application/yaml", b"{[}", "listThings: status: Failed to deserialize response content"),
    ],
)
def test_a_response_that_cannot_be_read_is_a_finding(
    check_sending: Callable[[str, bytes], int],
    capsys: pytest.CaptureFixture[str],
    media_type: str,
    body: bytes,
    found: str,
) -> None:
    check_sending(media_type, body)
    out, err = capsys.readouterr()
    assert found in out
    assert "found by coverage" in out
    assert "Traceback" not in err


def test_a_thread_of_schemathesis_that_fails_is_no_run_that_holds(
    check_sending: Callable[[str, bytes], int], capsys: pytest.CaptureFixture[str]
) -> None:
    @schemathesis.deserializer("application/x-unreadable")
    def _(_context: object, _response: object) -> None:
        raise RuntimeError("is unreadable")

    assert check_sending("application/x-unreadable", b"a") == 3
    out, err = capsys.readouterr()
    assert "holds" not in out
    assert err.splitlines()[-1] == "callconfig: requests cannot be generated: is unreadable"


def seen_on_a_terminal(terminal: int, wanted: bytes, seconds: float = 60) -> bytes:
    """The output on a terminal up to the wanted text."""
    seen, ends = b"", time.monotonic() + seconds
    while wanted not in seen:
        assert time.monotonic() < ends, seen
        seen += os.read(terminal, 65_536)
    return seen


def test_a_terminal_shows_how_the_run_stands(started_check: Callable[..., subprocess.Popen[bytes]]) -> None:
    terminal, other_side = os.openpty()
    process = started_check("--max-time", "50", "--max-examples", "100", stdout=other_side, stderr=other_side)
    seen = seen_on_a_terminal(terminal, b"  model: ")
    seen += seen_on_a_terminal(terminal, b" requests")
    assert b"0 errors" in seen
    assert b"s left" in seen_on_a_terminal(terminal, b"s left")
    process.send_signal(signal.SIGINT)
    seen_on_a_terminal(terminal, b"\x1b[33m\x1b[1minterrupted, no error so far\x1b[0m")
    assert process.wait(20) == 3
    os.close(terminal)
    os.close(other_side)


def test_colours_are_for_who_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert styled("holds", "green") == "holds", "no terminal"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert styled("holds", "green") == "\x1b[32m\x1b[1mholds\x1b[0m"
    for name, value in (("TERM", "dumb"), ("NO_COLOR", "1")):
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert styled("holds", "green") == "holds"


def test_equal_causes_are_told_once_and_counted(
    make_app: Callable[..., ASGIApp], capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(teapot(make_app())) as url:
        assert main(["check", url, "--max-examples", "1", "--seed", "1", "--include", "list*"]) == 1
    out = capsys.readouterr().out
    assert out.count("ERROR ") == 1, "418 is one finding, whoever stumbles over it"
    assert re.search(r"^\d+ times listConfigurations: undocumented-status \(status, status 418\)$", out, re.MULTILINE)
    assert out.splitlines()[-1].startswith("check: 1 error (")
