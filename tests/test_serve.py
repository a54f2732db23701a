"""The command as a user types it: a real process, a real port, real signals."""

import json
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callconfig.cli import main
from callconfig.outcome import COULD_NOT_RUN, OK
from callconfig.tests.support.running import Server

Json = dict[str, Any]


def test_the_greeting_says_where_everything_is(serve: Callable[..., Server]) -> None:
    server = serve("--store", ":memory:")
    assert f"API    {server.url}/configurations" in server.greeting
    assert ":memory: (0 configurations)" in server.greeting
    docs = re.search(r"Docs +(\S+)", server.greeting)
    assert docs
    assert server.client.get(docs[1], follow_redirects=True).status_code == 200


def test_the_way_to_swagger_ui_leads_to_the_reference(serve: Callable[..., Server]) -> None:
    server = serve("--store", ":memory:")
    assert server.client.get("/ui/").headers["location"] == "/docs"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(serve: Callable[..., Server], ending: signal.Signals) -> None:
    code, errors = serve("--store", ":memory:").stop(ending)
    assert (code, errors) == (OK, "")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_also_a_parent_process_sends_is_one(serve: Callable[..., Server], ending: signal.Signals) -> None:
    server = serve("--store", ":memory:")
    ends = time.monotonic() + 0.5
    while server.process.poll() is None and time.monotonic() < ends:
        server.process.send_signal(ending)
        time.sleep(0.003)
    assert server.stop(ending) == (OK, "")


def test_what_was_stored_is_there_after_a_restart(serve: Callable[..., Server], tmp_path: Path, sample: Json) -> None:
    server = serve()
    created = server.client.post("/configurations", json=sample).json()
    server.stop()
    again = serve()
    assert again.client.get("/configurations").json() == [created]
    assert "(1 configuration)" in again.greeting
    assert (tmp_path / ".callconfig" / "configurations.jsonl").is_file()
    assert (tmp_path / ".callconfig" / ".gitignore").read_text() == "*\n"


def test_each_request_is_one_line_with_its_first_reason(serve: Callable[..., Server], sample: Json) -> None:
    server = serve("--store", ":memory:")
    server.client.post("/configurations", json=sample)
    server.client.post("/configurations", json=sample)
    server.client.post("/configurations", json={**sample, "max_retry": -1})
    server.client.get("/configurations?reseller=1")
    server.client.get("/nowhere")
    _, errors = server.stop()
    expected = [
        r"\d\d:\d\d:\d\d POST /configurations 201 \d+\.\d ms",
        r'\d\d:\d\d:\d\d POST /configurations 409 \d+\.\d ms  The configuration "cfg_\w+" already has reseller_id .*',
        r"\d\d:\d\d:\d\d POST /configurations 400 \d+\.\d ms  body /max_retry: must be at least 0, not -1",
        r"\d\d:\d\d:\d\d GET /configurations\?reseller=1 400 \d+\.\d ms  query reseller: is not a known parameter; .*",
        r"\d\d:\d\d:\d\d GET /nowhere 404 \d+\.\d ms  There is nothing at /nowhere\.",
    ]
    lines = errors.splitlines()
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line


def test_a_line_names_the_session_and_the_rule_and_may_be_json(serve: Callable[..., Server]) -> None:
    for form in ("text", "json"):
        server = serve("--store", ":memory:", "--log", form)
        mine = {"X-Mock-Session": "mine"}
        server.client.post("/_mock/rules", json={"answer": 503}, headers=mine)
        server.client.get("/_mock/rules", headers=mine)  # repeated reads are not logged
        server.client.get("/configurations?auth_token=hush", headers=mine)
        server.client.get("/configurations", headers=mine)
        _, errors = server.stop()
        steered, refused, forced = errors.splitlines()
        assert "hush" not in errors
        if form == "text":
            assert re.search(r" POST /_mock/rules 201 \d+\.\d ms  session mine$", steered)
            assert re.search(r" 400 \d+\.\d ms  session mine  rule1  query auth_token: is not a known", refused)
            assert re.search(r" 503 \d+\.\d ms  session mine  rule1$", forced)
        else:
            assert json.loads(steered)["session"] == "mine"
            line = json.loads(forced)
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
            assert isinstance(line.pop("milliseconds"), float)
            assert line == {
                "session": "mine", "method": "GET", "target": "/configurations", "operation": "listConfigurations",
                "status": 503, "rule": "rule1", "reason": None,
            }  # fmt: skip


def test_making_the_reference_is_one_request_in_the_log(serve: Callable[..., Server]) -> None:
    server = serve("--store", ":memory:")
    server.client.get("/docs", timeout=60)
    (line,) = server.stop()[1].splitlines()
    assert " GET /docs 200 " in line


def test_a_secret_is_never_logged(serve: Callable[..., Server], sample: Json) -> None:
    server = serve("--store", ":memory:")
    headers = {"Authorization": "Bearer s3cret-token"}
    for token in ("s3cret", "s3cret" * 99, 7):
        server.client.post(
            "/configurations", json={**sample, "telephony_config": {"auth_token": token}}, headers=headers
        )
    server.client.get("/configurations?auth_token=s3cret&api%5Fkey=s3cret&access_token=s3cret;token=s3cret")
    assert "s3cret" not in server.stop()[1]


def test_a_quiet_server_writes_no_line(serve: Callable[..., Server]) -> None:
    server = serve("--store", ":memory:", "--quiet")
    server.client.get("/configurations")
    assert server.stop() == (OK, "")


def test_every_option_can_come_from_the_environment(serve: Callable[..., Server], sample: Json) -> None:
    server = serve(CALLCONFIG_STORE=":memory:", CALLCONFIG_BASE_PATH="/agent/voice", CALLCONFIG_QUIET="1")
    created = server.client.post("/agent/voice/configurations", json=sample)
    assert created.headers["Location"].startswith("/agent/voice/configurations/cfg_")
    assert server.stop() == (OK, "")


def test_seeds_are_planted_once(serve: Callable[..., Server], tmp_path: Path, sample: Json) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps([{**sample, "id": "cfg_seed"}, {**sample, "template": "tpl_other"}]))
    server = serve("--seed", str(seed))
    first = server.client.get("/configurations").json()
    assert {each["id"] for each in first} > {"cfg_seed"}
    changed = server.client.put("/configurations/cfg_seed", json={**sample, "max_retry": 9}).json()
    server.stop()
    again = serve("--seed", str(seed)).client.get("/configurations").json()
    assert len(again) == 2
    assert changed in again


# Errors are one line, with a documented exit code.


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["serve", *arguments])
    return code, capsys.readouterr().err


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, error = refusal(capsys, "--store", ":memory:", "--port", port)
    assert code == COULD_NOT_RUN
    assert error == (
        f"callconfig: cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "choose another --port, or 0 for a free one\n"
    )


def test_a_host_that_does_not_exist_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, error = refusal(capsys, "--store", ":memory:", "--port", "0", "--host", "no such host")
    assert code == COULD_NOT_RUN
    assert error.startswith("callconfig: cannot listen on no such host port 0: ")
    assert error.count("\n") == 1


def test_an_api_in_the_place_of_the_controls_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("/_mock", "/_mock/v1"):
        code, error = refusal(capsys, "--store", ":memory:", "--port", "0", "--base-path", path)
        assert (code, error.count("\n")) == (COULD_NOT_RUN, 1)
        assert error.startswith(f"callconfig: --base-path {path} is in the place of the controls; ")


def test_a_file_of_something_else_is_refused_and_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Sir,\n")
    code, error = refusal(capsys, "--store", str(letter), "--port", "0")
    assert code == COULD_NOT_RUN
    assert str(letter) in error
    assert error.count("\n") == 1
    assert letter.read_text() == "Dear Sir,\n"


SEEDS = [
    ("[", "is not JSON"),
    ("{}", "must be a JSON array of configurations"),
    ('[{"reseller_id": 7}]', "/0/template is required and missing (and 7 more)"),
    (None, "No such file or directory"),
]


@pytest.mark.parametrize(("text", "reason"), SEEDS)
def test_a_seed_that_breaks_the_contract_is_located(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | None, reason: str
) -> None:
    seed = tmp_path / "seed.json"
    if text is not None:
        seed.write_text(text)
    code, error = refusal(capsys, "--store", ":memory:", "--port", "0", "--seed", str(seed))
    assert code == COULD_NOT_RUN
    assert error.startswith(f"callconfig: seed {seed}: ")
    assert reason in error
    assert error.count("\n") == 1


def test_two_seeds_of_one_scope_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, sample: Json) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps([sample, sample]))
    code, error = refusal(capsys, "--store", ":memory:", "--port", "0", "--seed", str(seed))
    assert code == COULD_NOT_RUN
    assert "res_001" in error


# Requests that no well-behaved client sends.


def raw(server: Server, *parts: bytes, close_early: bool = False) -> bytes:
    """The response to these bytes; with `close_early` the client leaves before it."""
    with socket.create_connection(server.address, timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        if close_early:
            return b""
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


HEAD = b"POST /configurations HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\n"


def test_odd_requests_are_answered_and_the_server_goes_on(serve: Callable[..., Server], sample: Json) -> None:
    server = serve("--store", ":memory:", "--quiet")
    body = json.dumps(sample).encode()
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])]
    chunked = raw(server, HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n", *chunks, b"0\r\n\r\n")
    assert chunked.startswith(b"HTTP/1.1 201")
    truncated = HEAD + b"Content-Length: 5000\r\n\r\n" + body
    raw(server, truncated, close_early=True)
    announced = raw(server, HEAD + b"Content-Length: 50000000\r\nConnection: close\r\n\r\n")
    assert announced.startswith(b"HTTP/1.1 413")
    unannounced = HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    flooded = raw(server, unannounced, *[b"40000\r\n" + b"x" * 0x40000 + b"\r\n"] * 8, b"0\r\n\r\n")
    assert flooded.startswith(b"HTTP/1.1 413")
    assert raw(server, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert server.client.get("/configurations").status_code == 200
    assert len(server.client.get("/configurations").json()) == 1
