"""Servers that would block, fill or break a client give a finding or one line, in bounded time and memory."""

import functools
import gzip
import itertools
import json
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from callconfig.cli import main
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.options import CheckOptions
from callconfig.outcome import COULD_NOT_RUN, OK
from callconfig.traffic.redaction import Redaction
from callconfig.verification import client as client_module
from callconfig.verification.client import Client
from callconfig.verification.footprint import Footprint
from callconfig.verification.generated import generate, judge_scenario
from callconfig.verification.judge import Judge
from callconfig.verification.result import MaxFailuresReached, Result
from callconfig.verification.target import serving
from callconfig.verification.timing import Deadline, DeadlineExceeded
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

RawServer = Callable[..., str]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENDLESS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + b" " * 65536 + b"\r\n"


@functools.cache
def bomb() -> bytes:
    body = gzip.compress(b"[" + b" " * (64 << 20) + b"]")
    return HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "chunks",
    [lambda: [bomb()], lambda: [ENDLESS, *itertools.repeat(CHUNK, 1000)]],
    ids=["a gzip bomb", "an endless answer"],
)
def test_an_answer_without_bounds_is_no_complete_one(raw_server: RawServer, chunks: Callable[[], list[bytes]]) -> None:
    url = raw_server(chunks())
    with Client(url) as client:
        tracemalloc.start()
        answer = client.send("GET", "/configurations")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (answer.status, answer.error) == (0, "the body is larger than 16 MiB")
    assert peak < 64 << 20


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [b"HTTP/1.1 200 OK\r\n", *[b"X-More: x\r\n"] * 50],
        [ENDLESS, *[b"1\r\n \r\n"] * 50],
    ],
    ids=["silence", "a dripping head", "a dripping body"],
)
def test_an_answer_has_one_time_limit_for_all_of_it(
    raw_server: RawServer, monkeypatch: pytest.MonkeyPatch, chunks: list[bytes]
) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", 0.3)
    with Client(raw_server(chunks or [b""], 0.1 if chunks else 3)) as client:
        began = time.monotonic()
        answer = client.send("GET", "/configurations")
    assert (answer.status, answer.error) == (0, "nothing whole within 0.3 s")
    assert time.monotonic() - began < 2


def test_a_body_that_nobody_reads_has_the_same_time_limit(
    raw_server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", 0.3)
    with Client(raw_server([b""], 3)) as client:
        began = time.monotonic()
        answer = client.send("POST", "/configurations", body=bytes(64 << 20))
    assert (answer.status, answer.error) == (0, "nothing whole within 0.3 s")
    assert time.monotonic() - began < 2


def test_a_name_that_is_not_found_in_time_is_an_answer_that_did_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_settings: time.sleep(5))
    started = time.monotonic()
    with Client("http://slow.invalid") as client:
        answer = client.send("GET", "/")
    assert (answer.status, answer.error) == (0, "nothing whole within 0.2 s")
    assert time.monotonic() - started < 4


def test_a_name_that_nobody_has_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown(*_arguments: object, **_settings: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert main(["check", "http://does-not-exist.invalid"]) == COULD_NOT_RUN
    assert capsys.readouterr().err == (
        "callconfig: no server responds at http://does-not-exist.invalid: ConnectError "
        "no address of does-not-exist.invalid is known: Name or service not known; is the server running?\n"
    )


def coded(name: str, body: bytes) -> list[bytes]:
    return [HEAD + f"Content-Encoding: {name}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gzip", gzip.compress(b"{}", mtime=0)),
        ("deflate", zlib.compress(b"{}")),
        ("deflate, GZIP", gzip.compress(zlib.compress(b"{}"), mtime=0)),
        ("identity", b"{}"),
    ],
)
def test_a_body_is_read_without_its_content_codings(raw_server: RawServer, name: str, body: bytes) -> None:
    with Client(raw_server(coded(name, body))) as client:
        answer = client.send("GET", "/")
    assert (answer.response_body, answer.unrecorded) == (b"{}", frozenset())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"none", "the body is not in the content coding gzip"),
        (gzip.compress(b"{}", mtime=0)[:-9], "the body ends before its content coding gzip does"),
    ],
)
def test_a_body_in_another_coding_than_it_says_is_no_answer(raw_server: RawServer, body: bytes, said: str) -> None:
    with Client(raw_server(coded("gzip", body))) as client:
        answer = client.send("GET", "/")
    assert (answer.status, answer.error) == (0, said)


def test_a_body_in_an_unknown_coding_is_not_judged_and_that_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {"application/json": {"schema": {"type": "object"}}}
    answers = {"200": {"description": "It.", "content": content}}
    contract = tmp_path / "things.json"
    paths = {"/things": {"get": {"responses": answers}}}
    contract.write_text(json.dumps({"openapi": "3.0.3", "info": {"title": "Things", "version": "1"}, "paths": paths}))
    headers = {"Content-Type": "application/json", "Content-Encoding": "x-unknown"}

    async def things(_request: Request) -> Response:
        return Response(b"\x00\x01", headers=headers)

    with serving(Starlette(routes=[Route("/things", things)])) as url:
        code = main(["check", url, "--contract", str(contract), "--max-examples", "2", "--seed", "1"])
    shown = capsys.readouterr().out
    assert code == OK, shown
    assert "response bodies were not recorded, or truncated, or in an unknown content coding" in shown


def test_the_time_of_the_run_ends_while_an_answer_drips(raw_server: RawServer) -> None:
    url = raw_server([ENDLESS, *[b"1\r\n \r\n"] * 100], 0.1)
    with Client(url, deadline=Deadline(0.4)) as client, pytest.raises(DeadlineExceeded):
        client.send("GET", "/configurations")


@pytest.mark.parametrize(
    "chunks",
    [
        [b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 2000 Odd\r\n\r\n"],
        [b"no HTTP at all\r\n\r\n"],
        [HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone"],
        [HEAD + b"Content-Length: 5002\r\n\r\n[" + b"9" * 5000 + b"]"],
        [HEAD + b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000],
        [HEAD + b"Location: http://[\r\nContent-Length: 2\r\n\r\n{}"],
        [b"HTTP/1.1 400 No\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n[]"],
    ],
    ids=range(8),
)
def test_an_odd_answer_is_a_finding(
    raw_server: RawServer, capsys: pytest.CaptureFixture[str], chunks: list[bytes]
) -> None:
    code = main(["check", raw_server(chunks), "--max-failures", "1", "--seed", "1", "--max-time", "20"])
    out, err = capsys.readouterr()
    assert (code, "Traceback" in out + err) in ((1, False), (3, False))
    assert "ERROR" in out or err.splitlines()[-1].startswith("callconfig: no server responds")


@pytest.mark.parametrize("head", [ENDLESS, b"HTTP/1.1 200 OK\r\nX-More: "], ids=["a dripping body", "a dripping head"])
def test_generated_requests_are_bounded_like_those_of_the_model(
    raw_server: RawServer, contract: Contract, head: bytes
) -> None:
    url = raw_server([head, *[b"1\r\n \r\n" if head is ENDLESS else b"x"] * 600], 0.1)
    result = Result("check", url, contract, BUILT_IN, Redaction(contract), seed=1)
    judging = partial(judge_scenario, result=result, judge=Judge(contract))
    footprint = Footprint(contract, url, "check-1")
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        generate(result, CheckOptions(), footprint, lambda _operation: True, Deadline(1), judging)
    assert time.monotonic() - began < 8
    assert result.failures == {}


def test_generated_requests_do_not_read_a_bomb(raw_server: RawServer, contract: Contract) -> None:
    result = Result("check", "bomb", contract, BUILT_IN, Redaction(contract), seed=1, most=2)
    options, footprint = CheckOptions(max_examples=1), Footprint(contract, raw_server([bomb()]), "check-1")
    judging = partial(judge_scenario, result=result, judge=Judge(contract))
    with pytest.raises(MaxFailuresReached):
        generate(result, options, footprint, lambda name: name.startswith("list"), Deadline(20), judging)
    assert {failure.finding.rule for failure in result.failures.values()} == {"no-response", "generation"}
