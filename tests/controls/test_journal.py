"""The journal: requests and responses, searched, awaited, explained and exported, without secrets."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx2 as httpx
import orjson
import pytest
from callconfig.contract.document import Contract
from callconfig.contract.finding import Finding
from callconfig.controls.budget import Budget
from callconfig.controls.journal import LARGEST_BODY, Entry, Journal, har, ndjson
from callconfig.controls.sessions import Limits
from callconfig.traffic.redaction import Redaction
from starlette.testclient import TestClient
from starlette.types import ASGIApp

Json = dict[str, Any]


def entry(body: bytes = b"") -> Entry:
    return Entry(0.0, "GET", "http", "/configurations", b"/configurations", [], response_body=body)


def test_an_entry_has_the_request_the_answer_and_the_findings(steered: TestClient, sample: Json) -> None:
    steered.post("/configurations?x=1", json={**sample, "max_retry": -1}, headers={"X-Trace": "7"})
    (found,) = steered.get("/_mock/requests").json()
    assert found["operation"] == "createConfiguration"
    assert found["request"]["url"] == "http://testserver/configurations?x=1"
    assert ["x-trace", "7"] in found["request"]["headers"]
    assert json.loads(found["request"]["body"])["max_retry"] == -1
    assert json.loads(found["response"]["body"])["status"] == found["response"]["status"] == 400
    assert [finding["rule"] for finding in found["findings"]] == ["unknown-parameter", "minimum"]
    assert datetime.fromisoformat(found["started"]).year > 2024
    assert steered.get(f"/_mock/requests/{found['number']}").json() == found
    assert steered.get("/_mock/requests/77").json()["title"] == "Unknown request"


def test_what_no_operation_sees_is_there_and_what_is_not_the_api_is_not(steered: TestClient) -> None:
    steered.get("/configuration")
    steered.delete("/configurations")
    for other in ("/openapi.json", "/ui/", "/_mock/state"):
        steered.get(other)
    steered.options("/configurations", headers={"Origin": "http://a", "Access-Control-Request-Method": "PUT"})
    found = steered.get("/_mock/requests").json()
    assert [(each["operation"], each["response"]["status"]) for each in found] == [(None, 404), (None, 405)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 4),
        ("operation=createConfiguration", 2),
        ("method=GET", 2),
        ("path=/nope", 1),
        ("status=201", 1),
        ("valid=false", 2),
        ("after=2", 2),
        ("after=4", 0),
        ("valid=true&method=POST", 1),
    ],
)
def test_the_journal_is_filtered(steered: TestClient, sample: Json, query: str, expected: int) -> None:
    steered.post("/configurations", json=sample)
    steered.post("/configurations", json={})
    steered.get("/configurations")
    steered.get("/nope")
    assert len(steered.get(f"/_mock/requests?{query}").json()) == expected


@pytest.mark.parametrize(
    ("match", "count"),
    [
        ({}, 2),
        ({"body": {"max_retry": 3}}, 1),
        ({"body": {"telephony_config": {"account_sid": "AC1"}, "rate_limit_whitelist": ["+911234567890"]}}, 1),
        ({"body": {"rate_limit_whitelist": ["+91"]}}, 0),
        ({"headers": {"X-Trace": "7"}}, 1),
        ({"query": {"reseller_id": "res 1"}}, 1),
        ({"query": {"reseller_id": "res 1"}, "method": "POST"}, 0),
        ({"body": {"telephony_config": {"auth_token": "hush"}}}, 0),
        ({"headers": {"authorization": "Bearer hush"}}, 0),
    ],
)
def test_requests_are_found_by_any_part_but_never_by_a_secret(
    steered: TestClient, sample: Json, match: Json, count: int
) -> None:
    telephony = {"account_sid": "AC1", "auth_token": "hush"}
    body = {**sample, "telephony_config": telephony, "rate_limit_whitelist": ["+911234567890"]}
    steered.post("/configurations", json=body, headers={"x-trace": "7"})
    steered.get("/configurations?reseller_id=res+1", headers={"Authorization": "Bearer hush"})
    found = steered.post("/_mock/requests/find", json={"match": match}).json()
    assert (found["count"], found["met"]) == (count, count > 0)


def test_a_near_miss_says_which_part_was_not_met_and_how_the_contract_was_broken(
    steered: TestClient, sample: Json
) -> None:
    steered.get("/configurations")
    steered.post("/configurations", json={**sample, "max_retry": 2, "calling_provider": "VONAGE"})
    search = {"match": {"operation": "createConfiguration", "body": {"max_retry": 3, "merchant_id": "mer_abc"}}}
    found = steered.post("/_mock/requests/find", json=search).json()
    nearest = found["near_misses"][0]
    assert nearest["mismatches"] == [
        {"in": "body", "pointer": "/max_retry", "rule": "enum", "detail": "must be one of 3, not 2"}
    ]
    assert [(each["pointer"], each["rule"]) for each in nearest["request"]["findings"]] == [
        ("/calling_provider", "enum")
    ]
    assert {each["in"] for each in found["near_misses"][1]["mismatches"]} == {"operation", "body"}


def test_who_waits_is_told_as_soon_as_enough_requests_have_come(steered: TestClient, sample: Json) -> None:
    def act() -> None:
        for template in ("a", "b", "c"):
            steered.post("/configurations", json={**sample, "template": template})

    acting = threading.Timer(0.05, act)
    acting.start()
    search = {"match": {"operation": "createConfiguration"}, "at_least": 2, "timeout": 20, "limit": 1}
    found = steered.post("/_mock/requests/find", json=search).json()
    acting.join()
    assert (found["met"], found["count"], len(found["requests"])) == (True, 2, 1)


def test_who_waits_in_vain_is_told_when_the_time_is_over(steered: TestClient) -> None:
    found = steered.post("/_mock/requests/find", json={"timeout": 0.05}).json()
    assert (found["met"], found["count"], found["near_misses"]) == (False, 0, [])


def test_the_end_of_the_server_ends_the_wait() -> None:
    async def wait() -> None:
        journal = Journal(10, 1000, Budget(1 << 30))
        waiting = asyncio.create_task(journal.ended_after(0))
        await asyncio.sleep(0)
        journal.stop()
        with pytest.raises(TimeoutError):
            await waiting

    asyncio.run(wait())


def test_the_journal_is_bounded_in_number_and_in_bytes_and_numbers_go_on() -> None:
    journal = Journal(3, 1 << 20, Budget(1 << 30))

    def keep(kept: Entry) -> None:
        journal.begin(kept)
        journal.end(kept)

    for _ in range(5):
        keep(entry())
    assert [each.number for each in journal] == [3, 4, 5]
    keep(entry(b"x" * (900 << 10)))
    keep(entry(b"x" * (900 << 10)))
    assert [each.number for each in journal] == [7]
    keep(entry(b"x" * (LARGEST_BODY + 1)))
    assert [each.response_body == b"" for each in journal] == [False, True]
    journal.clear()
    assert len(journal) == 0


def test_a_journal_of_no_entries_keeps_none(make_steered: Callable[..., ASGIApp]) -> None:
    with TestClient(make_steered(limits=Limits(journal_entries=0))) as api:
        api.get("/configurations")
        assert api.get("/_mock/requests").json() == []


def test_one_request_is_compared_with_a_pattern(steered: TestClient) -> None:
    for path in ("/configurations", "/nowhere", "/configurations"):
        steered.get(path)
    numbers = [each["number"] for each in steered.get("/_mock/requests").json()]
    only = {"after": numbers[0], "before": numbers[2], "match": {"path": "/configurations"}}
    found = steered.post("/_mock/requests/find", json=only).json()
    assert (found["count"], [each["request"]["number"] for each in found["near_misses"]]) == (0, numbers[1:2])


def test_the_journal_is_emptied(steered: TestClient) -> None:
    steered.get("/configurations")
    assert steered.delete("/_mock/requests").status_code == 204
    assert steered.get("/_mock/requests").json() == []


def test_a_body_that_is_no_text_is_shown_in_base64(steered: TestClient) -> None:
    steered.post("/configurations", content=b"\xff\xfe", headers={"Content-Type": "application/json"})
    request = steered.get("/_mock/requests").json()[0]["request"]
    assert (request["body"], request["encoding"]) == ("//4=", "base64")


@pytest.mark.parametrize(
    "body",
    [
        b'{"telephony_config":{"auth_token":"hush"}}',
        b'{"telephony_config":{"auth\\u005ftoken":"hush"}}',
        b'{"auth_token":["hush"]}',
        b'[{"auth_token": "hush"}]',
        b'{"telephony_config":{"auth_token":"hush"',
        b'{"telephony_config":{"auth_token":"hu\\"hush',
        b'{"auth_token":hush}',
        b'{"auth_token":"hush","auth_token":"hush"}',
    ],
)
def test_a_secret_is_redacted_wherever_and_however_it_came(contract: Contract, body: bytes) -> None:
    shown = Redaction(contract).body(body)
    assert b"hush" not in shown
    assert b"[redacted]" in shown


@pytest.mark.parametrize("body", [b"", b'{"a": "\\u00e9"}', b"no json", b'{"telephony_config":null}'])
def test_a_body_without_secrets_is_shown_to_the_byte(contract: Contract, body: bytes) -> None:
    assert Redaction(contract).body(body) == body


def test_no_export_shows_a_token(steered: TestClient, sample: Json) -> None:
    body = {**sample, "telephony_config": {"auth_token": "hush"}}
    headers = {
        "Authorization": "Bearer hush",
        "Cookie": "hush",
        "Host": "me:hush@testserver",
        "Referer": "/?token=hush",
    }
    steered.post("/configurations?auth_token=hush&api%5Fkey=hush", json=body, headers=headers)
    for path in ("/_mock/requests", "/_mock/requests.har", "/_mock/requests.ndjson"):
        assert "hush" not in steered.get(path).text
        assert "[redacted]" in steered.get(path).text


def test_a_secret_in_a_query_is_not_found_by_guessing(steered: TestClient) -> None:
    steered.get("/configurations?auth_token=hush")
    search = {"match": {"query": {"auth_token": "hush"}}}
    found = steered.post("/_mock/requests/find", json=search)
    assert found.json()["met"] is False
    assert '"hush"' not in found.json()["near_misses"][0]["request"]["request"]["url"]


ODD: list[dict[str, Any]] = [
    {"headers": [(b"host", b"[")]},
    {"headers": [(b"host", b"\xff"), (b"\xff", b"\x00\xff")]},
    {"target": b"//[x?token=hush"},
    {"target": b"*"},
    {"target": b"/\xff%ff?\xff%00=\xed\xa0\x80&token=hush"},
    {"path": "/\udcff\ufffd"},
    {"request_body": b'{"a": "\\ud800", "auth_token": "hush"'},
    {"request_body": b'["auth_token", "\\udc80\xff"]'},
    {"request_body": b'{"auth_token":' + b"9" * 5000 + b"}"},
    {"request_body": b'{"auth_token":' + b"[" * 100_000},
    {"request_body": b"\xff\xfe\x00auth_token=hush"},
    {"response_body": b'"\xed\xa0\x80 auth_token"', "response_headers": [(b"location", b"//[?token=hush")]},
    {"findings": [Finding("json-string", "body", "is odd", "/\ud800")]},
    {"status": 0, "method": "\x7f"},
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:50])
def test_one_odd_request_does_not_make_the_journal_unreadable_for_the_rest(contract: Contract, odd: Json) -> None:
    kept, redaction = replace(entry(), **odd), Redaction(contract)
    for shown in (ndjson([kept], redaction), orjson.dumps(har([kept], redaction))):
        assert b"hush" not in shown
        json.loads(shown)


def test_the_journal_is_exported_as_one_json_text_in_each_line(steered: TestClient, sample: Json) -> None:
    steered.post("/configurations", json=sample)
    steered.get("/configurations")
    exported = steered.get("/_mock/requests.ndjson", headers={"Accept": "application/x-ndjson"})
    assert exported.headers["content-type"] == "text/plain; charset=utf-8"
    assert [json.loads(line) for line in exported.text.splitlines()] == steered.get("/_mock/requests").json()


def test_the_journal_is_exported_as_har(steered: TestClient, sample: Json) -> None:
    steered.post("/configurations", json=sample)
    steered.get("/configurations?template=tpl%20a")
    log = steered.get("/_mock/requests.har").json()["log"]
    created, listed = log["entries"]
    assert log["version"] == "1.2"
    assert json.loads(created["request"]["postData"]["text"]) == sample
    assert created["response"]["status"], created["response"]["statusText"] == (201, "Created")
    assert listed["request"]["queryString"] == [{"name": "template", "value": "tpl a"}]
    assert listed["response"]["content"] == {"size": 2, "mimeType": "application/json", "text": "[]"}


def test_a_request_is_there_from_its_arrival_in_its_order_and_its_answer_when_that_is_sent(
    make_steered: Callable[..., ASGIApp], sample: Json
) -> None:
    transport = httpx.ASGITransport(make_steered())

    async def follow() -> tuple[list[Json], list[Json]]:
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as api:
            rule = {"match": {"method": "POST"}, "delay": {"milliseconds": 200}}
            await api.post("/_mock/rules", json=rule)
            slow = asyncio.create_task(api.post("/configurations", json=sample))
            await asyncio.sleep(0.05)
            await api.get("/configurations")
            meanwhile = (await api.get("/_mock/requests")).json()
            await slow
            return meanwhile, (await api.get("/_mock/requests")).json()

    meanwhile, afterwards = asyncio.run(follow())
    seen = [
        [(each["operation"], each["response"]["status"]) for each in journal] for journal in (meanwhile, afterwards)
    ]
    assert seen == [
        [("createConfiguration", None), ("listConfigurations", 200)],
        [("createConfiguration", 201), ("listConfigurations", 200)],
    ]


def test_a_follower_is_told_only_what_came_after_what_it_has_seen(steered: TestClient) -> None:
    for path in ("/a", "/b", "/c"):
        steered.get(path)
    found = steered.post("/_mock/requests/find", json={"after": 1, "at_least": 2}).json()
    assert [entry["number"] for entry in found["requests"]] == [2, 3]
    assert (found["met"], found["last"]) == (True, 3)
    nothing = steered.post("/_mock/requests/find", json={"after": 3}).json()
    assert (nothing["count"], nothing["last"], nothing["near_misses"]) == (0, 3, [])


@pytest.mark.parametrize(
    ("method", "path", "rule", "detail"),
    [
        ("GET", "/configuration", "undocumented-path", 'is no path of the contract; did you mean "/configurations"?'),
        ("GET", "/mock/state", "undocumented-path", "is no path of the contract"),
        ("GET", "/" + "a" * 300, "undocumented-path", "is no path of the contract"),
        ("DELETE", "/configurations", "undocumented-method", "has no DELETE, only GET, HEAD, POST"),
    ],
)
def test_a_path_or_method_that_the_api_does_not_have_is_not_valid(
    steered: TestClient, method: str, path: str, rule: str, detail: str
) -> None:
    steered.request(method, path)
    (entry,) = steered.get("/_mock/requests?valid=false").json()
    assert entry["findings"] == [{"in": "path", "name": path, "rule": rule, "detail": detail}]


def test_a_look_at_a_session_does_not_make_it_and_a_wait_in_it_sees_what_makes_it(fresh: TestClient) -> None:
    unknown = {"X-Mock-Session": "unknown"}
    for path in ("state", "rules", "clock", "snapshots", "requests", "requests.har", "requests.ndjson"):
        assert fresh.get(f"/_mock/{path}", headers=unknown).status_code == 200
    acting = threading.Timer(0.05, lambda: fresh.get("/configurations", headers=unknown))
    acting.start()
    found = fresh.post("/_mock/requests/find", json={"timeout": 20}, headers=unknown).json()
    acting.join()
    assert found["count"] == 1
    assert [session["name"] for session in fresh.get("/_mock/sessions").json()] == ["default", "unknown"]
    assert len(fresh.get("/_mock/requests", headers=unknown).json()) == 1


def test_only_looking_leaves_no_session_behind(fresh: TestClient) -> None:
    for number in range(3):
        fresh.get("/_mock/state", headers={"X-Mock-Session": f"unknown{number}"})
        fresh.post("/_mock/requests/find", json={}, headers={"X-Mock-Session": f"unknown{number}"})
    assert [session["name"] for session in fresh.get("/_mock/sessions").json()] == ["default"]
