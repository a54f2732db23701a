"""The standard streams that a parent process gives: closed, full, unread, non-blocking, of a narrow encoding."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from callconfig.contract.interaction import Interaction
from callconfig.outcome import COULD_NOT_RUN, FINDINGS, OK
from callconfig.tests.support.running import Server
from callconfig.traffic.har import HarWriter

CALLCONFIG = (sys.executable, "-m", "callconfig")
LIBRARY = Path(__file__).parent.parent / "examples" / "library.yaml"


@pytest.fixture
def recording(tmp_path: Path) -> str:
    """Traffic with 150 findings, whose text is more than a pipe holds."""
    with HarWriter(tmp_path / "odd.har") as writer:
        for status in range(250, 400):
            fields = (("Content-Type", "text/plain"),)
            writer.write(Interaction("GET", "http://h/configurations", status, (), b"", fields, "é".encode() * 600))
    return str(tmp_path / "odd.har")


def run(redirected: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command with its streams as a shell redirects them."""
    shell = ["sh", "-c", f'"$@" {redirected}', "sh", *CALLCONFIG, *arguments]
    return subprocess.run(
        shell, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("redirected", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_command_does_its_work_without_a_stream(tmp_path: Path, recording: str, redirected: str) -> None:
    report = tmp_path / "report.json"
    done = run(redirected, "verify", recording, "--coverage", "--report", f"json:{report}")
    assert "Traceback" not in done.stderr
    assert done.returncode == FINDINGS
    assert len(json.loads(report.read_text())["findings"]) >= 150


@pytest.mark.parametrize("arguments", [["verify", "-"], ["mcp"]])
def test_a_closed_input_is_an_empty_one(arguments: list[str]) -> None:
    closed, empty = run("<&-", *arguments), run("</dev/null", *arguments)
    assert (closed.returncode, closed.stdout, closed.stderr) == (empty.returncode, empty.stdout, empty.stderr)


def test_a_full_output_is_told_after_all_else_is_done(tmp_path: Path, recording: str) -> None:
    report = tmp_path / "report.json"
    done = run(">/dev/full", "verify", recording, "--report", f"json:{report}")
    assert done.returncode == COULD_NOT_RUN
    assert done.stderr.splitlines()[-1] == "callconfig: standard output could not be written: No space left on device"
    assert len(json.loads(report.read_text())["findings"]) >= 150


def test_a_reader_who_has_seen_enough_changes_no_outcome(tmp_path: Path, recording: str) -> None:
    """The pipe is closed before the first byte is written."""
    ends, written = os.pipe()
    os.close(ends)
    report = tmp_path / "report.json"
    outcomes = {
        OK: ["serve", "--help"],
        FINDINGS: ["verify", recording, "--report", f"json:{report}"],
    }
    for code, arguments in outcomes.items():
        done = subprocess.run([*CALLCONFIG, *arguments], stdout=written, stderr=subprocess.PIPE, text=True, check=False)
        assert (done.returncode, done.stderr.replace(f"  {recording}\n", "")) == (code, "")
    os.close(written)
    assert len(json.loads(report.read_text())["findings"]) >= 150


def test_an_output_that_does_not_block_gets_everything(recording: str) -> None:
    """As Node.js makes the pipes of its child processes; a slow reader leaves them full."""
    ends, written = os.pipe()
    os.set_blocking(written, False)
    with subprocess.Popen([*CALLCONFIG, "verify", recording], stdout=written, stderr=subprocess.DEVNULL) as process:
        os.close(written)
        time.sleep(1)  # until the pipe is full
        with open(ends, encoding="utf-8") as output:  # noqa: PTH123 (a descriptor)
            text = output.read()
    assert process.returncode == FINDINGS
    assert text.count("ERROR") >= 150
    assert "verify: " in text.splitlines()[-1]


def test_a_narrow_encoding_ends_no_command_and_spoils_no_patch(recording: str) -> None:
    done = run("", "verify", recording, PYTHONIOENCODING="ascii")
    assert done.returncode == FINDINGS
    assert r"\xe9" in done.stdout
    usual, narrow = (run("", "init", str(LIBRARY), PYTHONIOENCODING=each) for each in ("utf-8", "ascii"))
    assert (narrow.returncode, narrow.stdout) == (OK, usual.stdout)


def test_a_server_whose_log_nobody_reads_goes_on(serve: Callable[..., Server]) -> None:
    server = serve("--store", ":memory:")
    assert server.process.stderr is not None
    server.process.stderr.close()
    for _ in range(3):
        assert server.client.get("/configurations").is_success
    server.client.close()
    server.process.terminate()
    assert server.process.wait(20) == OK


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_the_log_of_a_request_can_be_read_at_once(serve: Callable[..., Server], unbuffered: str) -> None:
    server = serve("--store", ":memory:", PYTHONUNBUFFERED=unbuffered)
    server.client.get("/configurations")
    assert server.process.stderr is not None
    assert select.select([server.process.stderr], [], [], 5)[0]


def test_warnings_between_libraries_end_no_command(serve: Callable[..., Server]) -> None:
    assert serve("--store", ":memory:", PYTHONWARNINGS="error").client.get("/configurations").is_success
