"""Servers that would keep, fill or break a client: each is a finding or one line, in bounded time and memory."""

import gzip
import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterable
from functools import partial

import pytest
from callconfig.cli import main
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.options import CheckOptions
from callconfig.traffic.redaction import Redaction
from callconfig.verification import client as client_module
from callconfig.verification.client import Client
from callconfig.verification.footprint import Footprint
from callconfig.verification.generated import generate, judge_scenario
from callconfig.verification.judge import Judge
from callconfig.verification.result import EnoughFailures, Result
from callconfig.verification.timing import Deadline, OutOfTime

RawServer = Callable[..., str]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENDLESS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + b" " * 65536 + b"\r\n"


def bomb() -> bytes:
    body = gzip.compress(b"[" + b" " * (64 << 20) + b"]")
    return HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "chunks",
    [[bomb()], itertools.chain([ENDLESS], itertools.repeat(CHUNK, 1000))],
    ids=["a gzip bomb", "an endless answer"],
)
def test_an_answer_without_bounds_is_no_complete_one(raw_server: RawServer, chunks: Iterable[bytes]) -> None:
    url = raw_server(chunks)
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


def test_the_time_of_the_run_ends_while_an_answer_drips(raw_server: RawServer) -> None:
    url = raw_server([ENDLESS, *[b"1\r\n \r\n"] * 100], 0.1)
    with Client(url, deadline=Deadline(0.4)) as client, pytest.raises(OutOfTime):
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
    assert "ERROR" in out or err.splitlines()[-1].startswith("callconfig: nothing answers")


@pytest.mark.parametrize("head", [ENDLESS, b"HTTP/1.1 200 OK\r\nX-More: "], ids=["a dripping body", "a dripping head"])
def test_generated_requests_are_bounded_like_those_of_the_model(
    raw_server: RawServer, contract: Contract, head: bytes
) -> None:
    url = raw_server([head, *[b"1\r\n \r\n" if head is ENDLESS else b"x"] * 600], 0.1)
    result = Result("check", url, contract, BUILT_IN, Redaction(contract), seed=1)
    judging = partial(judge_scenario, result=result, judge=Judge(contract))
    footprint = Footprint(contract, url, "check-1")
    began = time.monotonic()
    with pytest.raises(OutOfTime):
        generate(result, CheckOptions(), footprint, lambda _operation: True, Deadline(1), judging)
    assert time.monotonic() - began < 8
    assert result.failures == {}


def test_generated_requests_do_not_read_a_bomb(raw_server: RawServer, contract: Contract) -> None:
    result = Result("check", "bomb", contract, BUILT_IN, Redaction(contract), seed=1, most=2)
    options, footprint = CheckOptions(max_examples=1), Footprint(contract, raw_server([bomb()]), "check-1")
    judging = partial(judge_scenario, result=result, judge=Judge(contract))
    with pytest.raises(EnoughFailures):
        generate(result, options, footprint, lambda name: name.startswith("list"), Deadline(20), judging)
    assert {failure.finding.rule for failure in result.failures.values()} == {"no-response", "generation"}
