"""The proxy: all traffic passes unchanged and is judged, and errors of the upstream server are handled."""

import contextlib
import gzip
import itertools
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from callconfig.cli import main
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.contract.finding import Finding
from callconfig.outcome import COULD_NOT_RUN
from callconfig.tests.support.recordings import interactions
from callconfig.traffic.har import HarWriter
from callconfig.traffic.redaction import Redaction
from callconfig.verification import proxied_exchange
from callconfig.verification.proxy import FINDINGS_HEADER, Proxy, findings_header
from callconfig.verification.result import Result
from callconfig.verification.target import serving
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

Proxied = Callable[..., contextlib.AbstractContextManager[tuple[httpx2.Client, Result]]]


@pytest.fixture
def proxied(contract: Contract) -> Proxied:
    """A function that returns a client of a proxy in front of an application or a URL, and the proxy's result."""

    @contextlib.contextmanager
    def run(
        upstream: ASGIApp | str, *, enforce: bool = False, **settings: Any
    ) -> Iterator[tuple[httpx2.Client, Result]]:
        result = Result("proxy", "upstream", contract, BUILT_IN, Redaction(contract), **settings)
        with contextlib.ExitStack() as stack:
            url = upstream if isinstance(upstream, str) else stack.enter_context(serving(upstream))
            proxy = stack.enter_context(serving(Proxy(result, url, enforce=enforce), lifespan="on"))
            yield stack.enter_context(httpx2.Client(base_url=proxy, trust_env=False)), result

    return run


def replying(status: int, headers: dict[str, str], *chunks: bytes) -> tuple[ASGIApp, list[Scope], list[bytes]]:
    """An application with one response, and the requests that it got."""
    asked: list[Scope] = []
    bodies: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)
        bodies.append(await Request(scope, receive).body())
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app, asked, bodies


def test_what_keeps_to_the_contract_passes_with_no_findings(
    proxied: Proxied, make_app: Callable[..., ASGIApp], sample: dict[str, Any]
) -> None:
    with proxied(make_app()) as (client, result):
        created = client.post("/configurations", json=sample)
        listed = client.get("/configurations", params={"reseller_id": "res_001"})
    assert (created.status_code, created.headers[FINDINGS_HEADER]) == (201, "0")
    assert (listed.json(), listed.headers[FINDINGS_HEADER]) == ([created.json()], "0")
    assert (result.judged.total(), result.failures) == (2, {})


def test_requests_are_forwarded_as_they_are(proxied: Proxied) -> None:
    app, asked, bodies = replying(200, {"content-type": "text/plain"}, b"fine")
    headers = {"X-Team": "calls", "Connection": "x-hop", "X-Hop": "not you", "Accept": "*/*", "User-Agent": "me"}
    with proxied(app) as (client, _):
        client.put("/a%2Fb/%C3%A9?x=%20&x=+", content=b"\x00body", headers=headers)
    (scope,) = asked
    sent = {name.decode(): value.decode() for name, value in scope["headers"]}
    assert (scope["method"], scope["raw_path"], scope["query_string"]) == ("PUT", b"/a%2Fb/%C3%A9", b"x=%20&x=+")
    assert bodies == [b"\x00body"]
    assert (sent["x-team"], sent["accept"], sent["user-agent"]) == ("calls", "*/*", "me")
    assert "x-hop" not in sent


def test_a_prefix_of_the_upstream_server_comes_before_the_path(proxied: Proxied) -> None:
    app, asked, _ = replying(200, {"content-type": "application/json"}, b"[]")
    with serving(app) as url, proxied(f"{url}/v1/") as (client, result):
        client.get("/configurations")
    assert asked[0]["raw_path"] == b"/v1/configurations"
    assert result.failures == {}


def test_a_body_that_is_no_json_is_passed_on_as_it_comes(proxied: Proxied) -> None:
    app, *_ = replying(200, {"content-type": "text/event-stream", "x-more": "1"}, b"data: 1\n\n", b"data: 2\n\n")
    with proxied(app) as (client, _):
        answer = client.get("/events")
    assert (answer.text, answer.headers["x-more"]) == ("data: 1\n\ndata: 2\n\n", "1")
    assert FINDINGS_HEADER not in answer.headers, "the header had gone before the body was known"


def test_findings_of_both_directions_are_counted_and_the_first_is_told(proxied: Proxied) -> None:
    app, *_ = replying(200, {"content-type": "application/json"}, b'[{"id": 7}]')
    with proxied(app) as (client, result):
        answer = client.get("/configurations?resellr=1")
    assert answer.json() == [{"id": 7}]
    number, rule, first = answer.headers[FINDINGS_HEADER].split(";", 2)
    assert int(number) == len(result.failures) == 29  # every member but the id is missing
    assert (rule, first) == (
        'rule="unknown-parameter"',
        'first="query resellr: is not a known parameter; did you mean \\"reseller_id\\"?"',
    )


@pytest.mark.parametrize(
    "detail", ["", 'a "quote" and \\', "é\n\r\x00", "x" * 100_000, '"' * 1000, "\\" * 299], ids=range(6)
)
def test_the_header_is_valid_whatever_a_finding_says(detail: str) -> None:
    header = findings_header([Finding("type", "body", detail, "/a")])
    assert header.isascii()
    assert header.isprintable()
    assert len(header) < 1000
    inside = header.removeprefix('1;rule="type";first="').removesuffix('"').replace("\\\\", "").replace('\\"', "")
    assert '"' not in inside
    assert "\\" not in inside


def test_a_compressed_answer_stays_compressed_and_is_judged(proxied: Proxied) -> None:
    body = gzip.compress(b'[{"id": 7}]')
    app, *_ = replying(200, {"content-type": "application/json", "content-encoding": "gzip"}, body)
    with proxied(app) as (client, result):
        answer = client.get("/configurations", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json() == [{"id": 7}]
    assert "/0/id" in {failure.finding.pointer for failure in result.failures.values()}


def test_an_answer_in_an_unknown_coding_is_judged_without_its_body(proxied: Proxied) -> None:
    app, *_ = replying(200, {"content-type": "application/json", "content-encoding": "br"}, b"\x00\x01")
    with proxied(app) as (client, result), client.stream("GET", "/configurations") as answer:
        assert b"".join(answer.iter_raw()) == b"\x00\x01"
    assert result.failures == {}


def test_a_body_beyond_what_is_kept_passes_whole_and_unjudged(
    proxied: Proxied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxied_exchange, "MAX_BODY_BYTES", 1000)
    body = b'[{"id": 7}' + b" " * 5000 + b"]"
    app, _, bodies = replying(200, {"content-type": "application/json"}, body[:500], body[500:2000], body[2000:])
    with proxied(app) as (client, result):
        answer = client.get("/configurations")
        client.post("/configurations", content=body, headers={"Content-Type": "application/json"})
    assert answer.content == body
    assert bodies[1] == body
    assert {failure.finding.place for failure in result.failures.values()} <= {"status", "header"}


def test_a_server_that_is_down_is_a_problem(proxied: Proxied) -> None:
    with proxied("http://127.0.0.1:1") as (client, _):
        answer = client.get("/configurations")
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Upstream unreachable"


def test_a_proxy_to_itself_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    assert main(["proxy", "--upstream", f"http://localhost:{port}", "--port", port]) == COULD_NOT_RUN
    assert f"--upstream http://localhost:{port} is where the proxy itself listens" in capsys.readouterr().err


def test_an_answer_that_breaks_off_while_it_is_held_is_a_problem(proxied: Proxied) -> None:
    app, *_ = replying(200, {"content-type": "application/json", "content-length": "100"}, b"[")
    with proxied(app) as (client, result):
        assert client.get("/configurations").status_code == 502
    assert {failure.finding.rule for failure in result.failures.values()} == {"no-response"}


def test_an_answer_that_breaks_off_while_it_streams_breaks_off_here_too(proxied: Proxied) -> None:
    app, *_ = replying(200, {"content-type": "text/plain", "content-length": "100"}, b"[")
    with proxied(app) as (client, result), pytest.raises(httpx2.HTTPError):
        client.get("/configurations")
    assert {failure.finding.rule for failure in result.failures.values()} == {"no-response"}


def test_enforcing_refuses_a_wrong_request_before_it_is_forwarded(proxied: Proxied, sample: dict[str, Any]) -> None:
    app, asked, _ = replying(200, {"content-type": "application/json"}, b"[]")
    with proxied(app, enforce=True) as (client, _):
        wrong = client.post("/configurations", json={**sample, "max_retry": -1})
        unknown = client.get("/nothing")
        other = client.delete("/configurations")
        right = client.get("/configurations")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/max_retry")
    assert (unknown.status_code, other.status_code, other.headers["allow"]) == (404, 405, "GET, POST")
    assert right.json() == []
    assert len(asked) == 1


def test_enforcing_passes_no_wrong_answer_on(proxied: Proxied) -> None:
    app, *_ = replying(200, {"content-type": "application/json"}, b'[{"id": 7}]')
    with proxied(app, enforce=True) as (client, _):
        answer = client.get("/configurations")
    assert (answer.status_code, answer.json()["title"]) == (502, "Upstream breaks the contract")
    assert "/0/id" in {error["pointer"] for error in answer.json()["errors"]}


def test_enforcing_lets_right_traffic_pass(
    proxied: Proxied, make_app: Callable[..., ASGIApp], sample: dict[str, Any]
) -> None:
    with proxied(make_app(), enforce=True) as (client, result):
        assert client.post("/configurations", json=sample).status_code == 201
        assert client.post("/configurations", json=sample).status_code == 409
    assert result.failures == {}


def test_the_traffic_is_recorded(
    proxied: Proxied, make_app: Callable[..., ASGIApp], sample: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "session.har"
    with HarWriter(path) as writer, proxied(make_app(), on_interaction=writer.write) as (client, _):
        client.post("/configurations", json=sample, headers={"Authorization": "Bearer secret"})
    (recorded,) = interactions(path)
    assert (recorded.method, recorded.status) == ("POST", 201)
    assert json.loads(recorded.request_body) == sample
    assert "Bearer" not in path.read_text()


JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def raw(url: str, request: bytes) -> bytes:
    """The beginning of the response to bytes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(65536)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", 502),
        (b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n", 502),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 502),
        (b"HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n", 599),
        (b"no HTTP\r\n\r\n", 502),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 502),
        (b"HTTP/1.1 200 OK\r\nX-\xff: 1\r\nContent-Length: 0\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\nX-Odd: \xff\xfe \t{}()\r\nContent-Length: 0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nContent-Type: \xff\xfe;;=,\r\nContent-Length: 0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nX(Odd: 1\r\nContent-Length: 0\r\n\r\n", 502),
        (
            JSON + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
            200,
        ),
        (JSON + b"Content-Length: 4\r\n\r\n\xff\xfe\x00[", 200),
        (
            JSON + b"Content-Length: 5002\r\n\r\n[" + b"9" * 5000 + b"]",
            200,
        ),
        (b"HTTP/1.1 400 No\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n[]", 400),
    ],
    ids=range(16),
)
@pytest.mark.parametrize("enforce", [False, True])
def test_no_answer_is_dropped_or_becomes_a_500(
    proxied: Proxied, raw_server: Callable[..., str], answer: bytes, status: int, enforce: bool
) -> None:
    with (
        proxied(raw_server([answer]), enforce=enforce) as (client, result),
        client.stream("GET", "/configurations") as got,
    ):
        assert got.status_code in ({status, 502} if enforce else {status})
        list(got.iter_raw())
    assert result.failures or status == 200


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_tells_its_findings(proxied: Proxied, status: int) -> None:
    app, *_ = replying(status, {})
    with proxied(app) as (client, result):
        answer = client.get("/configurations")
    assert (answer.status_code, answer.content) == (status, b"")
    assert answer.headers[FINDINGS_HEADER].startswith('1;rule="undocumented-status"')
    assert [failure.finding.rule for failure in result.failures.values()] == ["undocumented-status"]


def test_a_request_about_the_server_is_forwarded_as_it_is(proxied: Proxied) -> None:
    app, asked, _ = replying(200, {"allow": "GET"})
    with proxied(app) as (client, result):
        got = raw(str(client.base_url).rstrip("/"), b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 ")
    assert [scope["raw_path"] for scope in asked] == [b"*"]
    assert result.failures == {}


def test_an_upgrade_is_a_request_like_others(proxied: Proxied) -> None:
    app, asked, _ = replying(426, {"upgrade": "websocket"})
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AA==\r\n"
    with proxied(app) as (client, _):
        got = raw(str(client.base_url).rstrip("/"), b"GET /configurations HTTP/1.1\r\nHost: x\r\n" + upgrade + b"\r\n")
    assert got.startswith(b"HTTP/1.1 426 ")
    assert "upgrade" not in {name.decode() for name, _ in asked[0]["headers"]}


def test_a_bomb_passes_as_it_is_and_unjudged(proxied: Proxied) -> None:
    body = gzip.compress(b"[" + b" " * (20 << 20) + b"]")
    app, *_ = replying(200, {"content-type": "application/json", "content-encoding": "gzip"}, body)
    with proxied(app) as (client, result), client.stream("GET", "/configurations") as answer:
        assert b"".join(answer.iter_raw()) == body
    assert result.failures == {}


def test_an_endless_answer_ends_when_the_client_leaves(proxied: Proxied, raw_server: Callable[..., str]) -> None:
    sent = itertools.count()
    chunks = (b"1\r\n \r\n" for _ in sent)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    url = raw_server(itertools.chain([head], chunks), 0.01)
    with proxied(url) as (client, _):
        with client.stream("GET", "/configurations") as answer:
            next(answer.iter_raw())
        client.close()
        time.sleep(0.5)
        before = next(sent)
        time.sleep(0.5)
        assert next(sent) - before <= 2


def test_a_large_body_that_is_judged_holds_up_no_other(proxied: Proxied) -> None:
    sizes = {"large": 100_000, "small": 1}

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        row = {"id": 7, "name": "x" * 20}
        body = json.dumps([row] * sizes[scope["query_string"].decode()]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    with proxied(app) as (client, result):
        waited: list[float] = []
        with ThreadPoolExecutor(2) as pool:
            large = [pool.submit(client.get, "/configurations?large", timeout=60) for _ in range(2)]
            while not all(each.done() for each in large):
                began = time.monotonic()
                client.get("/configurations?small", timeout=60)
                waited.append(time.monotonic() - began)
        assert [each.result().status_code for each in large] == [200, 200]
        took = max(each.result().elapsed.total_seconds() for each in large)
        assert sorted(waited)[len(waited) // 2] < took / 4, "they went past meanwhile"
    assert result.judged.total() == len(waited) + 2


def test_the_proxy_says_what_it_did_not_judge(proxied: Proxied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied_exchange, "MAX_BODY_BYTES", 1000)
    app, *_ = replying(200, {"content-type": "application/json"}, b"[" + b" " * 2000 + b"]")
    with proxied(app) as (client, result):
        client.get("/configurations")
        client.post("/configurations", content=b"{" + b" " * 2000 + b"}", headers={"Content-Type": "application/json"})
    assert result.unrecorded == {"response": 2, "request": 1}
    assert [each.finding.place for each in result.failures.values() if each.finding.place == "body"] == []
