"""Rules: the responses to matching requests in place of the usual ones."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest
from callconfig.contract.document import Contract
from callconfig.controls.rules import LONGEST_DELAY, Rule
from starlette.testclient import TestClient
from starlette.types import ASGIApp

Json = dict[str, Any]
DEFAULTS: Json = {"off_contract": False, "probability": 1, "seed": 0}


def statuses(api: TestClient, times: int) -> list[int]:
    return [api.get("/configurations").status_code for _ in range(times)]


def test_a_documented_answer_comes_as_often_as_the_rule_says_and_changes_nothing(
    steered: TestClient, sample: Json, contract: Contract
) -> None:
    rule = {"match": {"operation": "createConfiguration"}, "answer": {"status": 409}, "times": 2}
    created = steered.post("/_mock/rules", json=rule).json()
    answers = [steered.post("/configurations", json=sample) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [409, 409, 201]
    assert answers[0].json() == contract.document["components"]["examples"]["DuplicateScope"]["value"]
    assert steered.get("/_mock/rules").json() == [{**created, "matched": 2, "answered": 2}]
    assert [each["rule"] for each in steered.get("/_mock/requests").json()] == [created["id"], created["id"], None]


def test_a_named_example_is_answered_with_the_headers_of_the_contract(steered: TestClient, sample: Json) -> None:
    steered.post("/_mock/rules", json={"answer": {"status": 201, "example": "minimal"}})
    answer = steered.post("/configurations", json=sample)
    assert answer.json()["reseller_id"] == "res_002"
    assert answer.headers["Location"] == "/configurations/cfg_abc123"


def test_a_status_without_an_example_is_made_of_the_catalogue_of_problems(steered: TestClient) -> None:
    answer = {"status": 503, "headers": [{"name": "Retry-After", "value": "7"}]}
    steered.post("/_mock/rules", json={"answer": answer})
    refused = steered.get("/configurations")
    assert (refused.status_code, refused.json()["title"], refused.headers["retry-after"]) == (503, "Unavailable", "7")


def test_a_body_of_ones_own_is_judged_by_the_contract(steered: TestClient) -> None:
    match = {"operation": "listConfigurations"}
    refused = steered.post("/_mock/rules", json={"match": match, "answer": {"status": 200, "body": [{"id": 7}]}})
    assert refused.status_code == 409
    assert "/0/id" in refused.json()["detail"]
    assert steered.post("/_mock/rules", json={"match": match, "answer": {"status": 200, "body": []}}).status_code == 201


@pytest.mark.parametrize(
    ("match", "answer", "reason"),
    [
        ({}, {"status": 418}, "createConfiguration has no response 418; it has 201, 400"),
        ({"operation": "createConfiguration"}, {"status": 404}, "createConfiguration has no response 404"),
        ({"method": "GET"}, {"status": 409}, "listConfigurations has no response 409"),
        ({}, {"status": 409, "example": "nothing"}, 'has no example "nothing"; it has "duplicateScope"'),
        ({"operation": "nothing"}, {"status": 200}, "to no operation"),
    ],
)
def test_an_answer_that_the_contract_does_not_have_is_refused_with_what_it_has(
    steered: TestClient, match: Json, answer: Json, reason: str
) -> None:
    refused = steered.post("/_mock/rules", json={"match": match, "answer": answer})
    assert refused.json()["title"] == "Not in the contract"
    assert reason in refused.json()["detail"]


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ({}, "rule-without-effect"),
        ({"delay": {"milliseconds": 1}, "off_contract": True}, "off-contract-needs-answer"),
        ({"answer": {"status": 200, "example": "a"}, "off_contract": True}, "off-contract-needs-answer"),
        ({"answer": {"status": 200, "headers": [{"name": "a", "value": "b\r\nc: d"}]}}, "pattern"),
        ({"fault": "smoke"}, "enum"),
        ({"answer": 199}, "status-of-an-answer"),
        ({"answer": 600, "off_contract": True}, "status-of-an-answer"),
        ({"answers": [503, 700]}, "status-of-an-answer"),
        ({"answer": "503"}, "oneOf"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(steered: TestClient, rule: Json, broken: str) -> None:
    refused = steered.post("/_mock/rules", json=rule)
    assert refused.status_code == 400
    assert broken in [error["rule"] for error in refused.json()["errors"]]


@pytest.mark.parametrize(
    ("answer", "content_type", "text"),
    [
        ({"status": 418, "body": "I am a teapot"}, "text/plain; charset=utf-8", "I am a teapot"),
        ({"status": 200, "body": {"id": 7}}, "application/json", '{"id":7}'),
        ({"status": 200, "headers": [{"name": "Content-Type", "value": "a/b"}], "body": "x"}, "a/b", "x"),
        ({"status": 204}, None, ""),
    ],
)
def test_an_answer_off_the_contract_is_sent_as_it_is(
    steered: TestClient, answer: Json, content_type: str | None, text: str
) -> None:
    steered.post("/_mock/rules", json={"answer": answer, "off_contract": True})
    sent = steered.post("/configurations", json={"broken": True})
    assert (sent.status_code, sent.headers.get("content-type"), sent.text) == (answer["status"], content_type, text)


def test_the_journal_has_what_was_sent_to_an_answer_off_the_contract(steered: TestClient, sample: Json) -> None:
    steered.post("/_mock/rules", json={"answer": {"status": 500, "body": "no"}, "off_contract": True})
    steered.post("/configurations", json={**sample, "max_retry": -1})
    search = {"match": {"operation": "createConfiguration", "body": {"max_retry": -1}, "valid": False}}
    found = steered.post("/_mock/requests/find", json=search).json()["requests"]
    assert [finding["pointer"] for finding in found[0]["findings"]] == ["/max_retry"]


def test_a_forced_answer_is_for_requests_that_keep_the_contract(steered: TestClient) -> None:
    steered.post("/_mock/rules", json={"answer": {"status": 503}})
    assert steered.post("/configurations", json={}).status_code == 400


def test_the_newest_rule_that_matches_applies(steered: TestClient) -> None:
    steered.post("/_mock/rules", json={"answer": {"status": 503}})
    newest = steered.post("/_mock/rules", json={"answer": {"status": 401}}).json()["id"]
    assert statuses(steered, 1) == [401]
    assert steered.delete(f"/_mock/rules/{newest}").status_code == 204
    assert statuses(steered, 1) == [503]
    assert steered.delete("/_mock/rules").status_code == 204
    assert statuses(steered, 1) == [200]
    assert steered.delete(f"/_mock/rules/{newest}").json()["title"] == "Unknown rule"


def test_a_rule_ends_when_the_clock_of_the_session_says_so(steered: TestClient) -> None:
    steered.put("/_mock/clock", json={"now": "2025-01-15T10:30:00Z"})
    steered.post("/_mock/rules", json={"answer": {"status": 503}, "until": "2025-01-15T10:31:00Z"})
    assert statuses(steered, 1) == [503]
    steered.post("/_mock/clock/advance", json={"seconds": 60})
    assert statuses(steered, 1) == [200]


def test_chances_are_those_of_the_seed(steered: TestClient) -> None:
    courses = []
    for seed in (7, 7, 8):
        steered.delete("/_mock/rules")
        steered.post("/_mock/rules", json={"answer": {"status": 503}, "probability": 0.5, "seed": seed})
        courses.append(statuses(steered, 20))
    assert courses[0] == courses[1] != courses[2]
    assert set(courses[0]) == {200, 503}


def test_a_rule_for_a_body_lets_the_body_through(steered: TestClient, sample: Json) -> None:
    steered.post("/_mock/rules", json={"match": {"body": {"template": "slow"}}, "answer": {"status": 503}})
    assert steered.post("/configurations", json={**sample, "template": "slow"}).status_code == 503
    assert steered.post("/configurations", json=sample).json()["template"] == sample["template"]
    content = (part for part in [b" " * (1 << 20), b" "])
    headers = {"Content-Type": "application/json"}
    assert steered.post("/configurations", content=content, headers=headers).status_code == 413


def test_a_path_that_is_no_operation_is_matched_by_its_path_only(steered: TestClient) -> None:
    answer = {"status": 200, "body": "here"}
    steered.post("/_mock/rules", json={"answer": answer, "off_contract": True})
    assert steered.get("/elsewhere").status_code == 404
    assert steered.get("/openapi.json").json()["openapi"].startswith("3.0")
    steered.post("/_mock/rules", json={"match": {"path": "/elsewhere"}, "answer": answer, "off_contract": True})
    assert steered.get("/elsewhere").text == "here"


def test_a_head_request_is_one_to_the_operation_of_its_get(steered: TestClient) -> None:
    steered.post("/_mock/rules", json={"match": {"operation": "listConfigurations"}, "answer": {"status": 503}})
    assert steered.head("/configurations").status_code == 503


def test_controls_obey_no_rule(steered: TestClient) -> None:
    steered.post("/_mock/rules", json={"match": {"path": "/_mock/state"}, "delay": {"milliseconds": 60000}})
    assert steered.get("/_mock/state").status_code == 200


def test_a_delay_holds_the_answer_back(steered: TestClient) -> None:
    steered.post("/_mock/rules", json={"delay": {"milliseconds": 60}})
    started = time.perf_counter()
    assert statuses(steered, 1) == [200]
    assert time.perf_counter() - started >= 0.06


@pytest.mark.parametrize(
    ("delay", "least", "most"),
    [
        ({"milliseconds": 100, "distribution": "fixed", "jitter": 1}, 0.1, 0.1),
        ({"milliseconds": 100, "distribution": "uniform", "jitter": 0.5}, 0.05, 0.15),
        ({"milliseconds": 100, "distribution": "lognormal", "jitter": 0.5}, 0.01, 1),
        ({"milliseconds": 60000, "distribution": "uniform", "jitter": 1}, 0, LONGEST_DELAY),
    ],
)
def test_delays_spread_as_their_distribution_says(contract: Contract, delay: Json, least: float, most: float) -> None:
    rule = Rule({**DEFAULTS, "delay": delay}, contract)
    delays = [rule.seconds() for _ in range(200)]
    assert least <= min(delays) <= max(delays) <= most
    assert (len(set(delays)) > 1) == (delay["distribution"] != "fixed")


def test_answers_come_in_their_order_and_then_all_is_as_usual(steered: TestClient, sample: Json) -> None:
    answers = [503, {"status": 409}, {"status": 201, "example": "minimal"}]
    steered.post("/_mock/rules", json={"match": {"operation": "createConfiguration"}, "answers": answers})
    came = [steered.post("/configurations", json=sample) for _ in range(4)]
    assert [answer.status_code for answer in came] == [503, 409, 201, 201]
    assert came[2].json()["id"] == "cfg_abc123" != came[3].json()["id"]


def test_a_request_that_is_refused_does_not_use_a_rule_up(steered: TestClient, sample: Json) -> None:
    rule = steered.post("/_mock/rules", json={"match": {"method": "POST"}, "answers": [503, 409]}).json()
    came = [steered.post("/configurations", json=body).status_code for body in ({}, sample, {}, sample, sample)]
    assert came == [400, 503, 400, 409, 201]
    assert steered.get("/_mock/rules").json() == [{**rule, "matched": 4, "answered": 2}]


def test_a_rule_is_not_given_to_more_requests_than_it_is_for_while_some_are_on_their_way(
    make_steered: Callable[..., ASGIApp],
) -> None:
    transport = httpx.ASGITransport(make_steered())

    async def race() -> list[int]:
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as api:
            slow = {"answers": [503, 401], "delay": {"milliseconds": 50}}
            await api.post("/_mock/rules", json=slow)
            came = await asyncio.gather(*(api.get("/configurations") for _ in range(5)))
            return sorted(answer.status_code for answer in came)

    assert asyncio.run(race()) == [200, 200, 200, 401, 503]


def test_a_delay_or_a_fault_is_used_up_by_every_request_that_gets_it(steered: TestClient) -> None:
    rule = steered.post("/_mock/rules", json={"delay": {"milliseconds": 1}, "times": 1}).json()
    assert steered.post("/configurations", json={}).status_code == 400
    assert steered.get("/_mock/rules").json() == [{**rule, "matched": 1, "answered": 1}]


def test_an_answer_outside_the_contract_is_one_flag(steered: TestClient) -> None:
    refused = steered.post("/_mock/rules", json={"answers": [429, 429]}).json()["detail"]
    assert "createConfiguration has no response 429; it has 201, 400" in refused
    assert "with off_contract true, it is sent unjudged" in refused
    steered.post("/_mock/rules", json={"answers": [429, 429], "off_contract": True})
    assert statuses(steered, 3) == [429, 429, 200]


def test_a_rule_for_an_operation_that_there_is_not_is_refused_with_those_that_there_are(
    steered: TestClient, contract: Contract
) -> None:
    rule = {"match": {"operation": "createConfigurations"}, "fault": "reset"}
    detail = steered.post("/_mock/rules", json=rule).json()["detail"]
    assert '"createConfigurations"; did you mean "createConfiguration"; there are ' in detail
    assert all(operation in detail for operation in contract.operations)


@pytest.mark.parametrize(
    ("match", "applies"),
    [
        ({"headers": {"Authorization": {"$absent": True}}}, True),
        ({"headers": {"X-Trace": {"$absent": True}}}, False),
        ({"headers": {"x-trace": {"$pattern": "^[0-9]+$"}}}, True),
        ({"headers": {"x-trace": {"$any_of": ["6", "8"]}}}, False),
        ({"body": {"nickname": {"$absent": True}}}, True),
        ({"body": {"telephony_config": {"account_sid": {"$pattern": "^AC"}, "region": {"$absent": True}}}}, True),
        ({"body": {"telephony_config": {"$absent": True}}}, False),
        ({"body": {"max_retry": {"$any_of": [1, 3]}}}, True),
        ({"body": {"max_retry": {"$pattern": "3"}}}, False),
        ({"body": {"$absent": True}}, False),
        ({"query": {"x": {"$absent": True}}}, True),
    ],
)
def test_a_rule_matches_by_what_is_absent_any_of_several_or_of_a_pattern(
    steered: TestClient, sample: Json, match: Json, applies: bool
) -> None:
    body = {**sample, "telephony_config": {"account_sid": "AC1"}}
    steered.post("/_mock/rules", json={"match": match, "answer": 503})
    came = steered.post("/configurations", json=body, headers={"X-Trace": "7"}).status_code
    assert came == (503 if applies else 201)


@pytest.mark.parametrize(
    "matcher", [{"$pattern": "("}, {"$some": 1}, {"$absent": False}, {"$any_of": []}, {"$absent": True, "x": 1}]
)
def test_a_matcher_that_says_nothing_is_refused_with_its_place(steered: TestClient, matcher: Json) -> None:
    for path, body in (("rules", {"fault": "reset"}), ("requests/find", {})):
        refused = steered.post(f"/_mock/{path}", json={**body, "match": {"body": {"a": matcher}}})
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["pointer"] == "/match/body/a"


def test_a_name_that_no_header_field_has_is_refused(steered: TestClient) -> None:
    answer = {"status": 503, "headers": {"a\r\nb": "c"}}
    assert steered.post("/_mock/rules", json={"answer": answer}).status_code == 409
    assert steered.post("/_mock/rules", json={"answer": answer, "off_contract": True}).status_code == 409


@pytest.mark.parametrize("beside", [{"answer": 503}, {"times": 2}])
def test_a_sequence_stands_alone(steered: TestClient, beside: Json) -> None:
    refused = steered.post("/_mock/rules", json={"answers": [503], **beside})
    assert [error["rule"] for error in refused.json()["errors"]] == ["answers-alone"]
