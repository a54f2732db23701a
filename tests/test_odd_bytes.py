"""Arbitrary bytes from a client or a file give a 4xx problem, or a clear line of error, never a traceback."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callconfig.app import create_app, sources
from callconfig.contract.document import Contract, InvalidContract
from callconfig.controls import scenario
from callconfig.controls.controls import Controls
from callconfig.controls.scenario import InvalidScenario
from callconfig.difference.accepted import read_accepted
from callconfig.difference.revision import Revision
from callconfig.identity.authentication import Authentication, InvalidAuthentication
from callconfig.outcome import CouldNotRun, printable
from callconfig.seeds import read_seed
from callconfig.storage.opening import MEMORY, open_store
from callconfig.storage.store import UnreadableStore
from callconfig.tests.support.stores import SAMPLE
from callconfig.tests.support.tampering import TamperedRequest, call
from callconfig.traffic.curl import curl
from callconfig.traffic.har import entry
from callconfig.traffic.reader import complete_recording
from callconfig.traffic.redaction import Redaction
from callconfig.verification.judge import Judge
from callconfig.verification.running import baseline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Json = dict[str, Any]

REQUEST = {"method": "POST", "url": "http://h/configurations?a=b", "headers": [["a", "b"]], "body": "{}"}
RESPONSE = {"status": 201, "headers": [["content-type", "application/json"]], "body": "{}"}
LINE = {"started": "2025-01-01T00:00:00Z", "milliseconds": 1, "request": REQUEST, "response": RESPONSE}
HAR_HEADERS = [{"name": "a", "value": "b"}]
HAR_ENTRY = {
    "startedDateTime": "2025-01-01T00:00:00Z",
    "time": 1.5,
    "request": {**REQUEST, "headers": HAR_HEADERS, "postData": {"mimeType": "application/json", "text": "{}"}},
    "response": {"status": 201, "headers": HAR_HEADERS, "content": {"text": "e30=", "encoding": "base64"}},
}
PACT = {
    "description": "it",
    "request": {"method": "POST", "path": "/configurations", "query": {"a": ["b"]}, "body": SAMPLE},
    "response": {"status": 201, "headers": {"A": "b"}, "body": {"id": 1}},
}
RULE = {"match": {"body": {"template": {"$pattern": "^a"}}}, "answers": [503], "delay": {"milliseconds": 1}}
WORLD = {
    "state": [SAMPLE],
    "rules": [RULE],
    "clock": {"now": "2025-01-15T10:30:00Z"},
    "ids": {"next": ["a"], "seed": 7},
}
CONTRACT = b"""openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /x/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: &id {type: string, pattern: '^a$', maxLength: 9}}]
      responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}
components: {schemas: {A: {type: object, properties: {b: *id, c: {type: integer, minimum: 1}}}}}
"""
ACCEPTED = b"- {operation: createConfiguration, fingerprint: 0123456789ab, reason: r, until: 2099-01-01}\n"
STORE = b'{"format":"callconfig store","version":1}\n'
TOKENS = b'{"tokens": [{"token": "secret-token-1", "role": "admin"}]}'

PIECES = [
    *(
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc2\x9b",
        b"\x1b[31m",
        b"\r\n",
        b"\t",
        b"\\",
        b"\\ud800",
        b"\\u0000",
        b"%",
        b"%ff",
    ),
    *(
        b'"',
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"&",
        b"*",
        b"=",
        b"- ",
        b"#",
        b"null",
        b"NaN",
        b"-1",
        b"1e999",
        b"{}",
    ),
    *(
        b"[" * 5000,
        b'{"a":' * 5000,
        b"9" * 5000,
        b'"$ref":"file:///etc/passwd",',
        b"&a [*a,*a]",
        b"<<: *id",
        b"!!python/name:a",
    ),
]


def spliced(text: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """The text with some of its bytes replaced by pieces."""
    for where, gone, piece in changes:
        place = int(where * len(text))
        text = text[:place] + piece + text[place + gone :]
    return text


def odd(*good: bytes) -> st.SearchStrategy[bytes]:
    """A strategy for almost valid and random bytes."""
    piece = st.sampled_from(PIECES) | st.binary(max_size=4)
    change = st.tuples(st.floats(0, 1), st.integers(0, 20), piece)
    return st.binary(max_size=60) | st.builds(spliced, st.sampled_from(good), st.lists(change, min_size=1, max_size=3))


def as_json(*values: Any) -> bytes:
    return b"\n".join(json.dumps(value).encode() for value in values)


@pytest.fixture(scope="module")
def loaded() -> Contract:
    return Contract.load(validate=False)


# Files.


def read_recording(path: Path, contract: Contract) -> None:
    """Read a recording, and judge, redact and write its interactions."""
    for interaction, _ in complete_recording(str(path)):
        shown = Redaction(contract, ["b"]).interaction(interaction)
        json.dumps(entry(shown), allow_nan=False)
        assert f"{Judge(contract).judge(interaction)} {curl(shown)}"


def read_store(path: Path, contract: Contract) -> None:
    async def opened() -> None:
        await (await open_store(str(path), contract.resources, sources().values)).close()

    asyncio.run(opened())


def begin(path: Path, contract: Contract) -> None:
    async def begun(text: bytes) -> None:
        values = sources()
        store = await open_store(MEMORY, contract.resources, values.values)
        await scenario.load(text, Controls(contract, store, values))

    asyncio.run(begun(path.read_bytes()))


FILES: dict[str, tuple[bytes, Callable[[Path, Contract], object]]] = {
    "HAR": (as_json({"log": {"version": "1.2", "entries": [HAR_ENTRY, HAR_ENTRY]}}), read_recording),
    "NDJSON": (as_json(*[LINE] * 2), read_recording),
    "pact": (as_json({"interactions": [PACT]}), read_recording),
    "contract": (CONTRACT, lambda path, _: Contract.load(path)),
    "revision": (CONTRACT, lambda path, _: Revision.load(str(path))),
    "accepted breaks": (ACCEPTED, lambda path, _: read_accepted(path)),
    "baseline": (as_json({"findings": [{"fingerprint": "abc"}]}), lambda path, _: baseline(path)),
    "seed": (
        as_json([SAMPLE, {**SAMPLE, "id": "cfg_1", "template": "other"}]),
        read_seed,
    ),
    "store": (STORE + as_json({**SAMPLE, "id": "cfg_1", "created_at": "2025-01-01T00:00:00.000000Z"}), read_store),
    "tokens": (TOKENS, Authentication.from_file),
    "scenario": (as_json(WORLD), begin),
}
CLEAR = (CouldNotRun, InvalidContract, InvalidAuthentication, InvalidScenario, UnreadableStore)


def refusal(action: Callable[[], object]) -> str:
    """The line of the error; empty without one."""
    try:
        action()
    except CLEAR as error:
        return str(error) or "nothing is said"
    return ""


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_read_or_refused_in_one_line(tmp_path: Path, loaded: Contract, kind: str) -> None:
    good, read = FILES[kind]

    @settings(max_examples=80, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(content=odd(good))
    def hold(content: bytes) -> None:
        path = tmp_path / "file"
        path.write_bytes(content)
        line = refusal(lambda: read(path, loaded))
        assert line == printable(line)
        path.unlink()

    hold()


@pytest.mark.parametrize("kind", FILES)
def test_what_is_made_odd_was_good(tmp_path: Path, loaded: Contract, kind: str) -> None:
    good, read = FILES[kind]
    path = tmp_path / "file"
    path.write_bytes(good)
    assert refusal(lambda: read(path, loaded)) == ""


# Requests.

FIELDS = {
    b"prefer": b'code=404; a=b, example="x", dynamic=true',
    b"accept": b"application/json;q=0.5, */*",
    b"content-type": b"application/json; charset=utf-8",
    b"content-encoding": b"identity",
    b"x-mock-session": b"mine",
    b"authorization": b"Bearer secret-token-1",
    b"host": b"localhost:8080",
    b"origin": b"http://localhost:8080",
    b"cookie": b"a=b; token=c",
}
TARGETS = [
    b"/configurations?reseller_id=res_001&template=tpl_1&__code=404&__example=x",
    b"/configurations/cfg_1?__dynamic=true",
    b"/_mock/in/mine/configurations",
    b"/_mock/requests?after=1&status=200&valid=true&path=/x",
    b"/_mock/requests/find",
    b"/_mock/snapshots/one/restore",
    *(
        b"/_mock/state",
        b"/_mock/scenario",
        b"/_mock/configuration",
        b"/_mock/rules",
        b"/_mock/sessions",
        b"/_mock/clock",
    ),
    *(b"/_mock/clock/advance", b"/_mock/ids", b"/_mock/requests.har", b"/_mock/requests.ndjson", b"/docs", b"*"),
]
BODIES = [
    *map(as_json, (SAMPLE, [SAMPLE], WORLD, RULE, {"match": RULE["match"], "at_least": 1}, {"name": "b"})),
    *map(as_json, (WORLD["clock"], {"seconds": 5}, WORLD["ids"])),
]
NO_TEXT = bytes([*range(0x21), 0x7F, *range(0x80, 0x100)])  # bytes that servers refuse in a target


def test_a_request_is_answered_or_refused_with_a_problem(loaded: Contract) -> None:
    values = sources()
    store = asyncio.run(open_store(MEMORY, loaded.resources, values.values))
    app = create_app(loaded, store, controls=Controls(loaded, store, values))
    targets = odd(*TARGETS).map(lambda target: b"/" + target.translate(None, NO_TEXT).lstrip(b"/"))
    fields = st.fixed_dictionaries(
        {},
        optional={
            name: st.just(good) | odd(good).map(lambda value: value.translate(None, b"\0\r\n"))
            for name, good in FIELDS.items()
        },
    )

    @settings(max_examples=400, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW"]),
        target=st.sampled_from(TARGETS) | targets,
        fields=st.just({}) | fields,
        body=st.just(b"") | st.sampled_from(BODIES) | odd(*BODIES),
    )
    def hold(method: str, target: bytes, fields: dict[bytes, bytes], body: bytes) -> None:
        path, _, query = target.decode().partition("?")
        given_fields = {b"host": b"localhost", b"content-type": b"application/json", **fields}
        headers = {name.decode(): value.decode("latin-1") for name, value in given_fields.items()}
        response = asyncio.run(call(app, TamperedRequest(method, path, query, headers, body)))
        assert response.status < 500 or b"limit-reached" in response.raw
        if response.status >= 400 and method != "HEAD":
            assert response.body["status"] == response.status

    hold()
