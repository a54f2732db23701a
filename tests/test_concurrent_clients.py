"""Large and slow requests of one client do not delay another: a server in a process, and two clients.

One sends the worst requests of each kind, the other lists its configurations, and its longest wait counts. The
machine may be shared: of a wait, at most the time that the server computes in it counts, and the best of ATTEMPTS
counts, for a server that is held up is held up in each of them.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .support.running import Server, serving
from .support.stores import SAMPLE

pytestmark = pytest.mark.xdist_group("concurrent")  # on one server, one after the other

Json = dict[str, Any]

LONGEST_WAIT = 0.1
ATTEMPTS = 8
MEBIBYTE = 1 << 20
PATIENCE = 60.0
NEIGHBOUR = "/_mock/in/neighbour"


class Client:
    """A minimal HTTP connection, whose own cost does not matter."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(server.address, timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = "{}:{}".format(*server.address)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, method: str, target: str, body: bytes = b"", headers: str = "") -> int:
        """The status of a response, once it is complete."""
        head = f"{method} {target} HTTP/1.1\r\nHost: {self._host}\r\n{headers}"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self._socket.sendall(f"{head}\r\n".encode("latin-1") + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._received()
        fields_text, _, rest = answer.partition(b"\r\n\r\n")
        fields = dict(line.lower().partition(b": ")[::2] for line in fields_text.split(b"\r\n")[1:])
        left = int(fields.get(b"content-length", 0)) - len(rest)
        while left > 0:
            left -= len(self._received())
        return int(fields_text.split()[1])

    def _received(self) -> bytes:
        chunk = self._socket.recv(MEBIBYTE)
        assert chunk, "the server closed the connection"
        return chunk


class Neighbour:
    """Lists its configurations in a loop during the context; `longest` is its longest wait in seconds."""

    def __init__(self, server: Server) -> None:
        self._server, self._clock = server, ~server.process.pid << 3 | 2  # as clock_getcpuclockid(3) has it on Linux
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.longest, self.answered = 0.0, 0

    def __enter__(self) -> "Neighbour":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()
        assert self.answered > 0

    def _ask(self) -> None:
        with Client(self._server) as client:
            while not self._leaving.is_set():
                began, computed = time.perf_counter(), time.clock_gettime(self._clock)
                assert client.send("GET", f"{NEIGHBOUR}/configurations") == 200
                wait = min(time.perf_counter() - began, time.clock_gettime(self._clock) - computed)
                self.longest = max(self.longest, wait)
                self.answered += 1
                time.sleep(0.002)


Attack = Callable[[Client], object]


def longest_wait(server: Server, attack: Attack) -> float:
    with Neighbour(server) as neighbour, Client(server) as client:
        time.sleep(0.02)
        attack(client)
        time.sleep(0.02)
    return neighbour.longest


def hold(server: Server, attack: Attack) -> None:
    """Fail when the other client waits too long in each of the attempts."""
    waits: list[float] = []
    for _ in range(ATTEMPTS):
        waits.append(longest_wait(server, attack))
        if waits[-1] <= LONGEST_WAIT:
            return
    pytest.fail(f"another client waited {', '.join(f'{wait * 1000:.0f}' for wait in waits)} ms")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--store", ":memory:", "--quiet") as server:
        server.client.post(f"{NEIGHBOUR}/configurations", json=SAMPLE)
        yield server


def filled(piece: bytes, size: int = MEBIBYTE) -> bytes:
    """The piece, repeated up to `size` bytes."""
    return piece * (size // len(piece))


def between(start: bytes, piece: bytes, end: bytes) -> bytes:
    """A text of nearly the largest size of a body."""
    return start + filled(piece, MEBIBYTE - len(start) - len(end)) + end


def array(piece: bytes) -> bytes:
    return between(b"[", piece + b",", b"0]")


def members(piece: Callable[[int], str]) -> bytes:
    """An object of members with distinct names."""
    texts, size = [], 2
    for number in range(MEBIBYTE):
        texts.append(piece(number))
        size += len(texts[-1]) + 1
        if size > MEBIBYTE:
            break
    return f"{{{','.join(texts[:-1])}}}".encode()


BODIES = {
    "escapes": array(rb'"\u0041"'),
    "one string of escapes": between(b'"', rb"\u0041", b'"'),
    "line breaks": array(rb'"\n"'),
    "one string of line breaks": between(b'{"template":"', rb"\n", b'"}'),
    "backslashes": between(b'"', rb"\\", b'"'),
    "pairs of surrogates": between(b'"', rb"\ud83d\ude00", b'"'),
    "lone surrogates": array(rb'"\ud800"'),
    "a lone surrogate at the end": between(b"[", rb'"\n",', rb'"\ud800"]'),
    "duplicates": between(b"{", b'"a":1,', b'"a":1}'),
    "a duplicate at the end": members(lambda number: f'"m{number}":1')[:-1] + b',"m0":1}',
    "NaN": array(b"NaN"),
    "a NaN at the end": between(b"[", b'"x",', b"NaN]"),
    "numbers of 20 digits": array(b"12345678901234567890"),
    "one number": b"9" * MEBIBYTE,
    "small numbers": array(b"1.5e3"),
    "arrays": array(b"[]"),
    "objects": array(b"{}"),
    "objects in objects": array(b'{"a":{"b":{}}}'),
    "strings": array(b'""'),
    "depth": b"[" * MEBIBYTE,
    "depth in pieces": array(b"[" * 99 + b"]" * 99),
    "quotes": b'"' * MEBIBYTE,
    "unknown members": members(lambda number: f'"max_retry{number}":1'),
    "unknown members with long names": members(lambda number: f'"{"call_start_tim" * 4}{number:07}":1'),
    "no UTF-8": b'{"template":"' + b"\xff" * 1000 + b'"}',
    "not UTF-8 at the end": between(b'"', b"x", b'\xff"'),
    "no JSON at the end": between(b"[", b'"x",', b"]"),
    "spaces": b" " * MEBIBYTE,
}


Request = tuple[str, str, bytes, str]
"""Method, target, body and header fields."""


def post(body: bytes, to: str = "/configurations") -> Request:
    return "POST", to, body, ""


def get(target: str, headers: str = "") -> Request:
    return "GET", target, b"", headers


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def find(*, timeout: float = 0, limit: int = 100, **match: Any) -> Request:
    return post(as_json({"match": match, "timeout": timeout, "limit": limit}), "/_mock/requests/find")


def rule(**declared: Any) -> Request:
    return post(as_json(declared), "/_mock/rules")


def many(piece: str, separator: str, size: int = 60_000) -> str:
    """The piece, with its number in the place of `#`, repeated up to `size` bytes, which a head can have."""
    return separator.join(piece.replace("#", str(number)) for number in range(size // (len(piece) + 4)))


def steps(*given: Request) -> Attack:
    """An attack that sends the requests one after the other; none may get a 5xx."""

    def send(client: Client) -> None:
        for request in given:
            assert client.send(*request) < 500

    return send


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_does_not_hold_up_others(server: Server, body: bytes) -> None:
    hold(server, steps(post(body), ("PUT", "/configurations/cfg_1", body, ""), post(body, "/_mock/configuration")))


NEAR = "call_start_tim" * 4
LARGEST = 2 * MEBIBYTE
STATES = {
    "objects": b"{},",
    "arrays": b"[],",
    "escapes": rb'"\n",',
    "strings": b'"",',
    "quotes": b'"',
    "numbers": b"1.5e3,",
    "NaN": b"NaN,",
    "depth": b"[",
    "configurations that lack a member": b'{"reseller_id":"res_001","template":"tpl_1","calling_provider":"TWILIO"},',
}
REQUESTS = {
    "empty pre-checks": post(as_json({**SAMPLE, "pre_checks": [{}] * 200_000})),
    "unknown members of pre-checks": post(as_json({**SAMPLE, "pre_checks": [{"a": 1}] * 100_000})),
    "a long text": post(as_json({**SAMPLE, "template": "x" * 1_000_000})),
    "a long word": post(as_json({**SAMPLE, "calling_provider": "x" * 1_000_000})),
    "a long time": post(as_json({**SAMPLE, "call_start_time": "09:00" * 200_000})),
    "near words": post(as_json({**SAMPLE, **{f"{NEAR}{number:03}": 1 for number in range(110)}})),
    "near parameters": get(f"/configurations?{many(f'{NEAR}#=1', '&', 6_000)}"),
    "unknown parameters": get(f"/configurations?{many('#=1', '&')}"),
    "parameters that are not UTF-8": get(f"/configurations?{many('%ff#', '&')}"),
    "one parameter": get(f"/configurations?{many('template=#', '&')}"),
    "separators": get(f"/configurations?{'&' * 60_000}"),
    "secrets in a query": get(f"/configurations?{many('token=#', '&')}"),
    "twins": get(f"/configurations?{many('__code=#', '&')}"),
    "a long path": get(f"/{'x' * 60_000}"),
    "a long id": ("PUT", f"/configurations/{'x' * 60_000}", as_json(SAMPLE), ""),
    "percents in a path": ("PUT", f"/configurations/{'%2F' * 20_000}", as_json(SAMPLE), ""),
    "many steps": get("/x" * 30_000),
    "digits in a path": get(f"/_mock/requests/{'9' * 60_000}"),
    "header fields": get("/configurations", many("x#: y\r\n", "")),
    "credentials": get("/configurations", many("token#: y\r\n", "")),
    "cookies": get("/configurations", f"Cookie: {many('a#=b', '; ', 50_000)}\r\n"),
    "accept": get("/configurations", f"Accept: {many('a/b;q=0.#', ',')}\r\n"),
    "accept without end": get("/configurations", f"Accept: {'a;' * 30_000}\r\n"),
    "content type": ("POST", "/configurations", b"", f"Content-Type: a/b{';a=b' * 15_000}\r\nContent-Length: 0\r\n"),
    "prefer": get("/configurations", f"Prefer: {many('code=#', ',')}\r\n"),
    "prefer without end": get("/configurations", f"Prefer: code={'9' * 60_000}\r\n"),
    "a session's name": get("/configurations", f"X-Mock-Session: {'x' * 60_000}\r\n"),
    "a session in the URL": get(f"/_mock/in/{'x' * 60_000}/configurations"),
    "an origin": get("/configurations", f"Origin: http://{'x.' * 30_000}\r\n"),
    "a token": get("/configurations", f"Authorization: Bearer {'x' * 60_000}\r\n"),
    "the reference": get("/docs"),
    "the reference as Markdown": get("/reference.md"),
    "the reference of the controls": get("/_mock/docs"),
    "the contract": get("/openapi.json"),
    "the contract of the controls": get("/_mock/openapi.yaml"),
    "a pattern of many parts": find(body={str(number): number for number in range(990)}),
    "a pattern of too many parts": find(body={str(number): number for number in range(90_000)}),
    "alternatives": find(body={"a": {"$any_of": [["x" * 900]] * 1000}}),
    "an expression that multiplies": find(body={"a": {"$pattern": "((a{1,100}){1,100}){1,100}"}}),
    "a rule of alternatives": rule(match={"body": {"a": {"$any_of": [["x" * 900]] * 1000}}}, fault="reset"),
    "a large answer": rule(answer={"status": 200, "body": [[]] * 250_000}, off_contract=True),
    "answers": rule(answers=[503] * 1000),
    "ids": ("PUT", "/_mock/ids", as_json({"next": [f"cfg_{number}" for number in range(70_000)]}), ""),
    **{
        f"a {part} of {name}": ("PUT", f"/_mock/{part}", start + filled(piece, LARGEST - 50) + end, "")
        for part, start, end in (("state", b"[", b"0]"), ("scenario", b'{"state":[', b"0]}"))
        for name, piece in STATES.items()
    },
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_request_does_not_hold_up_others(server: Server, request_: Request) -> None:
    hold(server, steps(request_))
    server.client.delete("/_mock/sessions/default")


def configurations(number: int) -> list[Json]:
    return [{**SAMPLE, "template": f"tpl_{each}"} for each in range(number)]


@pytest.fixture(scope="module")
def full(server: Server) -> str:
    """The URL of a session that holds many configurations and a snapshot of them, and a full journal."""
    url = "/_mock/in/full"
    assert server.client.put(f"{url}/_mock/state", json=configurations(9_000)).status_code == 200
    assert server.client.put(f"{url}/_mock/snapshots/one").status_code == 200
    body = as_json({**SAMPLE, "extra": {"auth_token": rb"\u0041\n".decode() * 700}})
    with Client(server) as client:
        for _ in range(1000):
            assert client.send("POST", f"{url}/configurations", body) == 400
    return url


LOOKS = {
    "its list": [get("/configurations")],
    "its state": [get("/_mock/state")],
    "one scope": [get("/configurations?template=tpl_7")],
    "its journal": [get("/_mock/requests")],
    "a part of its journal": [get("/_mock/requests?valid=true")],
    "its journal as HAR": [get("/_mock/requests.har")],
    "its journal as NDJSON": [get("/_mock/requests.ndjson")],
    "what is found": [find(limit=1000)],
    "what is not found": [find(body={"a": {"$pattern": "x"}})],
    "what comes later": [find(method="PATCH", timeout=0.3)],
    "a new state": [("PUT", "/_mock/state", as_json(configurations(9_000)), "")],
    "a scenario": [("PUT", "/_mock/scenario", as_json({"state": configurations(9_000)}), "")],
    "a snapshot": [("PUT", "/_mock/snapshots/two", b"", "")],
    "a snapshot that comes back": [post(b"", "/_mock/snapshots/one/restore")],
    "a fork": [post(as_json({"name": "fork"}), "/_mock/sessions"), ("DELETE", "/_mock/sessions/fork", b"", "")],
    "a fork of a snapshot": [
        post(as_json({"name": "fork", "snapshot": "one"}), "/_mock/sessions"),
        ("DELETE", "/_mock/sessions/fork", b"", ""),
    ],
}


@pytest.mark.parametrize("looks", LOOKS.values(), ids=LOOKS)
def test_a_full_session_does_not_hold_up_others(server: Server, full: str, looks: list[Request]) -> None:
    hold(server, steps(*((method, f"{full}{path}", body, fields) for method, path, body, fields in looks)))


def test_many_rules_do_not_hold_up_others(server: Server) -> None:
    url = "/_mock/in/ruled"
    match = {"body": {"template": {"$pattern": "(a|aa)+b$"}}, "headers": {"x-long": {"$pattern": "(a|aa)+b$"}}}
    rules = [{"match": {part: wanted}, "fault": "reset"} for part, wanted in match.items()] * 100
    assert server.client.put(f"{url}/_mock/scenario", json={"rules": rules}).status_code == 204
    long_text = as_json({**SAMPLE, "template": "a" * 1_000_000})
    hold(server, steps(post(long_text, f"{url}/configurations")))
    hold(server, steps(get(f"{url}/configurations", f"X-Long: {'a' * 60_000}\r\n")))
