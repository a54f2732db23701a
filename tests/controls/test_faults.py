"""Faults, as a client sees them that reads bytes from the socket."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from callconfig.tests.support.running import Address, serving

Json = dict[str, Any]

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    with serving("--store", ":memory:", "--quiet") as server:
        yield server.address


def exchange(address: Address, request: bytes) -> tuple[bytes, list[float], Exception | None]:
    """The response bytes, the time of each piece, and the error that ended the connection, if any."""
    received, times, error = b"", [], None
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        started = time.perf_counter()
        try:
            while piece := connection.recv(65536):
                received += piece
                times.append(time.perf_counter() - started)
        except OSError as reason:
            error = reason
    return received, times, error


def http(method: str, target: str, body: Any = None, session: str = "default") -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    return (
        f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Mock-Session: {session}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    ).encode() + content


def parsed(answer: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    return int(status.split()[1]), dict(field.lower().split(b": ", 1) for field in fields), body


@pytest.fixture
def stored(address: Address, sample: Json, request: pytest.FixtureRequest) -> str:
    """A new session with one configuration."""
    session: str = request.node.name.translate(str.maketrans("[]", "--"))[:100]
    assert parsed(exchange(address, http("PUT", "/_mock/state", [sample], session))[0])[0] == 200
    return session


def arrange(address: Address, session: str, rule: Json) -> None:
    assert parsed(exchange(address, http("POST", "/_mock/rules", rule, session))[0])[0] == 201


def count(address: Address, session: str) -> int:
    """The number of stored configurations."""
    return len(json.loads(parsed(exchange(address, http("GET", "/_mock/state", session=session))[0])[2]))


def test_empty_closes_the_connection_without_a_byte_and_nothing_is_done(
    address: Address, stored: str, sample: Json
) -> None:
    arrange(address, stored, {"fault": "empty"})
    request = http("POST", "/configurations", {**sample, "template": "b"}, stored)
    assert exchange(address, request)[::2] == (b"", None)
    assert count(address, stored) == 1
    search = {"match": {"body": {"template": "b"}}}
    assert b'"count":1' in exchange(address, http("POST", "/_mock/requests/find", search, stored))[0]


def test_reset_resets_the_connection_and_nothing_is_done(address: Address, stored: str, sample: Json) -> None:
    arrange(address, stored, {"fault": "reset"})
    received, _, error = exchange(address, http("POST", "/configurations", {**sample, "template": "b"}, stored))
    assert received == b""
    assert isinstance(error, ConnectionResetError)
    assert count(address, stored) == 1


def test_truncated_ends_in_the_middle_of_the_body_after_the_request_was_carried_out(
    address: Address, stored: str, sample: Json
) -> None:
    arrange(address, stored, {"fault": "truncated"})
    request = http("POST", "/configurations", {**sample, "template": "b"}, stored)
    status, fields, body = parsed(exchange(address, request)[0])
    assert status == 201
    assert len(body) == int(fields[b"content-length"]) // 2
    assert count(address, stored) == 2


def test_malformed_is_not_http_after_the_header(address: Address, stored: str) -> None:
    arrange(address, stored, {"fault": "malformed"})
    status, fields, body = parsed(exchange(address, http("GET", "/configurations", session=stored))[0])
    assert status == 200
    assert fields[b"transfer-encoding"] == b"chunked"
    assert not body.split(b"\r\n")[0].isalnum()


def test_dribble_sends_the_whole_body_little_by_little(address: Address, stored: str) -> None:
    arrange(address, stored, {"fault": "dribble", "delay": {"milliseconds": 200}})
    answer, times, _ = exchange(address, http("GET", "/configurations", session=stored))
    _, fields, body = parsed(answer)
    assert len(body) == int(fields[b"content-length"])
    assert len(json.loads(body)) == 1
    assert len(times) > 5
    assert 0.15 < times[-1] < 5


@pytest.mark.parametrize("fault", ["empty", "reset", "truncated", "malformed", "dribble"])
def test_a_fault_is_in_the_journal_and_the_server_goes_on(address: Address, stored: str, fault: str) -> None:
    arrange(address, stored, {"fault": fault, "times": 1, "delay": {"milliseconds": 10}})
    exchange(address, http("GET", "/configurations", session=stored))
    assert parsed(exchange(address, http("GET", "/configurations", session=stored))[0])[0] == 200
    journal = json.loads(parsed(exchange(address, http("GET", "/_mock/requests", session=stored))[0])[2])
    assert [(entry["operation"], entry["rule"]) for entry in journal] == [
        ("listConfigurations", "rule1"),
        ("listConfigurations", None),
    ]
    assert journal[0]["response"]["status"] == (None if fault in ("empty", "reset") else 200)


def test_the_server_ends_while_somebody_waits_or_is_held_back_and_complains_of_nothing() -> None:
    with serving("--store", ":memory:") as server:
        address = server.address
        arrange(address, "default", {"delay": {"milliseconds": 60000}})
        with socket.create_connection(address) as held, socket.create_connection(address) as waiting:
            held.sendall(http("GET", "/configurations"))
            waiting.sendall(http("POST", "/_mock/requests/find", {"timeout": 60, "at_least": 9}))
            time.sleep(0.2)
            code, errors = server.stop(within=5)
    assert code == 0
    assert "Traceback" not in errors


def test_faults_leave_no_complaint_behind() -> None:
    with serving("--store", ":memory:") as server:
        for fault in ("empty", "reset", "truncated", "malformed"):
            arrange(server.address, "default", {"fault": fault, "times": 1})
            exchange(server.address, http("GET", "/configurations"))
        _, errors = server.stop(within=5)
    assert "Traceback" not in errors
    assert "ASGI" not in errors


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 204, "body": {"a": 1}},
        {"status": 304, "body": "text"},
        {"status": 200, "body": "text", "headers": [{"name": "Content-Length", "value": "99"}]},
        {"status": 200, "body": "text", "headers": [{"name": "Transfer-Encoding", "value": "chunked"}]},
    ],
)
def test_an_answer_off_the_contract_is_http_all_the_same(address: Address, stored: str, answer: Json) -> None:
    arrange(address, stored, {"answer": answer, "off_contract": True})
    status, fields, body = parsed(exchange(address, http("GET", "/configurations", session=stored))[0])
    assert status == answer["status"]
    assert int(fields.get(b"content-length", 0)) == len(body) == (0 if status > 200 else 4)
