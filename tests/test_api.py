"""The API over HTTP: the published samples, stored state, and every documented response."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.storage.store import StoreUnavailable
from starlette.testclient import TestClient
from starlette.types import ASGIApp

Json = dict[str, Any]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def minimal(contract: Contract) -> Json:
    """Only the required members, for another scope than the sample's."""
    return dict(contract.document["components"]["examples"]["MinimalRequest"]["value"])


def test_creating_the_published_sample_answers_what_was_published(
    api: TestClient, contract: Contract, sample: Json
) -> None:
    answer = api.post("/configurations", json=sample)
    published = contract.document["components"]["examples"]["CreateResponse"]["x-published"]
    made_by_the_server = {"id", "created_at"}
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in published.keys() - made_by_the_server} == {
        name: value for name, value in published.items() if name not in made_by_the_server
    }
    assert (
        answer.json().keys() == contract.document["components"]["schemas"]["CallExecutionConfig"]["properties"].keys()
    )
    assert answer.headers["Location"] == f"/configurations/{answer.json()['id']}"


def test_an_id_is_made_by_the_server_and_looks_like_the_published_one(api: TestClient, sample: Json) -> None:
    made = api.post("/configurations", json=sample).json()["id"]
    prefix, _, rest = made.partition("_")
    assert prefix == "cfg"
    assert len(rest) >= 12
    assert rest.isalnum()
    assert rest == rest.lower()


@pytest.mark.parametrize(
    "time",
    [
        *("2024-12-31T23:30:00Z", "2024-12-31T23:30:00.5Z", "2024-12-31T23:30:00.123456789Z", "2024-12-31t23:30:00z"),
        *("2024-12-31T23:30:00+00:00", "2025-01-01T05:00:00.123456+05:30", "2024-12-31T23:30:00-00:00"),
        "2016-12-31T23:59:60Z",
    ],
)
def test_the_times_of_an_update_are_ignored_in_whatever_form_they_are_written(
    api: TestClient, sample: Json, time: str
) -> None:
    created = api.post("/configurations", json=sample).json()
    answer = api.put(f"/configurations/{created['id']}", json={**created, "created_at": time, "updated_at": time})
    assert answer.status_code == 200
    assert answer.json()["created_at"] == created["created_at"] < answer.json()["updated_at"]


def test_the_published_update_replaces_the_whole_configuration(
    api: TestClient, contract: Contract, sample: Json
) -> None:
    created = api.post("/configurations", json=sample).json()
    update = {**contract.document["components"]["examples"]["UpdateRequest"]["value"], "id": created["id"]}
    answer = api.put(f"/configurations/{created['id']}", json=update)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in update if name != "pre_checks"} == {
        name: value for name, value in update.items() if name != "pre_checks"
    }
    assert answer.json()["pre_checks"][0].items() >= update["pre_checks"][0].items()
    assert answer.json()["created_at"] == created["created_at"] < answer.json()["updated_at"]


def test_an_absent_optional_member_returns_to_its_default(api: TestClient, sample: Json, minimal: Json) -> None:
    created = api.post("/configurations", json=sample).json()
    replaced = api.put(f"/configurations/{created['id']}", json=minimal).json()
    assert replaced["rate_limit_enabled"] is False
    assert replaced["rate_limit_max_calls"] is None
    assert replaced["enable_inbound"] is True
    assert replaced["merchant_id"] is None


def test_what_was_read_can_be_sent_back(api: TestClient, sample: Json) -> None:
    created = api.post("/configurations", json=sample).json()
    answer = api.put(f"/configurations/{created['id']}", json=created)
    assert answer.status_code == 200
    assert {**answer.json(), "updated_at": None} == {**created, "updated_at": None}


def test_a_list_is_filtered_by_reseller_and_template_together(api: TestClient, sample: Json) -> None:
    for reseller, template in [("a", "x"), ("a", "y"), ("b", "x")]:
        api.post("/configurations", json={**sample, "reseller_id": reseller, "template": template})

    def listed(**filters: str) -> list[tuple[str, str]]:
        return [(each["reseller_id"], each["template"]) for each in api.get("/configurations", params=filters).json()]

    assert listed() == [("a", "x"), ("a", "y"), ("b", "x")]
    assert listed(reseller_id="a") == [("a", "x"), ("a", "y")]
    assert listed(template="x") == [("a", "x"), ("b", "x")]
    assert listed(reseller_id="b", template="x") == [("b", "x")]
    assert listed(reseller_id="b", template="y") == []


def test_a_scope_is_free_again_when_its_configuration_moves_away(api: TestClient, sample: Json) -> None:
    created = api.post("/configurations", json=sample).json()
    moved = api.put(f"/configurations/{created['id']}", json={**sample, "template": "tpl_new"})
    assert moved.status_code == 200
    assert api.post("/configurations", json=sample).status_code == 201


def test_a_second_configuration_for_the_same_scope_is_a_conflict(api: TestClient, sample: Json) -> None:
    api.post("/configurations", json=sample)
    answer = api.post("/configurations", json={**sample, "merchant_id": "another"})
    assert answer.status_code == 409
    assert answer.json()["title"] == "Duplicate scope"


def test_a_secret_is_stored_and_never_returned(api: TestClient, sample: Json) -> None:
    secret = {**sample, "telephony_config": {"auth_token": "s3cret", "account_sid": "AC1"}}
    created = api.post("/configurations", json=secret)
    replaced = api.put(f"/configurations/{created.json()['id']}", json=secret)
    for answer in (created, replaced, api.get("/configurations")):
        assert "s3cret" not in answer.text
        assert "AC1" in answer.text


def test_a_refused_secret_is_not_repeated(api: TestClient, sample: Json) -> None:
    answer = api.post("/configurations", json={**sample, "telephony_config": {"auth_token": "s3cret" * 99}})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/telephony_config/auth_token"
    assert "s3cret" not in answer.text


RULES = [
    ({"inbound_call_start_time": "09:00"}, "inbound-hours-in-pairs", "/inbound_call_end_time"),
    (
        {"inbound_call_end_time": "09:00", "inbound_call_start_time": None},
        "inbound-hours-in-pairs",
        "/inbound_call_start_time",
    ),
    ({"inbound_block_action": "REDIRECT"}, "redirect-needs-number", "/inbound_redirect_number"),
    (
        {"inbound_block_action": "REDIRECT", "inbound_redirect_number": None},
        "redirect-needs-number",
        "/inbound_redirect_number",
    ),
    ({"rate_limit_enabled": True}, "rate-limit-needs-max-calls", "/rate_limit_max_calls"),
]


@pytest.mark.parametrize(("members", "rule", "pointer"), RULES)
def test_a_broken_rule_is_named_on_create_and_on_update(
    api: TestClient, minimal: Json, members: Json, rule: str, pointer: str
) -> None:
    created = api.post("/configurations", json=minimal).json()
    for answer in (
        api.post("/configurations", json={**minimal, **members}),
        api.put(f"/configurations/{created['id']}", json={**minimal, **members}),
    ):
        assert answer.status_code == 400
        assert [(error["rule"], error["pointer"]) for error in answer.json()["errors"]] == [(rule, pointer)]


def test_null_means_the_same_as_absent(api: TestClient, contract: Contract, minimal: Json) -> None:
    schema = contract.document["components"]["schemas"]["CallExecutionConfigCreate"]["properties"]
    resolved = {
        name: contract.resolve(nested["$ref"]) if "$ref" in nested else nested for name, nested in schema.items()
    }
    nullable = [name for name, nested in resolved.items() if nested.get("nullable")]
    assert len(nullable) >= 9
    with_nulls = api.post("/configurations", json={**minimal, **dict.fromkeys(nullable)})
    assert with_nulls.status_code == 201
    assert all(with_nulls.json()[name] is None for name in nullable)


# The order of the checks on an update: body, id, contradicting id, scope.


def test_a_broken_body_outranks_an_unknown_id(api: TestClient) -> None:
    assert api.put("/configurations/cfg_unknown", json={}).status_code == 400


def test_an_unknown_id_outranks_a_contradicting_one(api: TestClient, sample: Json) -> None:
    assert api.put("/configurations/cfg_unknown", json={**sample, "id": "cfg_other"}).status_code == 404


def test_a_contradicting_id_outranks_a_taken_scope(api: TestClient, sample: Json, minimal: Json) -> None:
    api.post("/configurations", json=sample)
    other = api.post("/configurations", json=minimal).json()["id"]
    answer = api.put(f"/configurations/{other}", json={**sample, "id": "cfg_other"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/id"


# Hostile bodies. Each gets a response, and the server goes on.

TOO_LARGE = b'{"template": "' + b"x" * 50_000_000 + b'"}'

HOSTILE: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("empty", b"", JSON, 400, "required"),
    ("not JSON", b"template=x", JSON, 400, "json-syntax"),
    ("not UTF-8", '{"template": "é"}'.encode("latin-1"), JSON, 400, "json-encoding"),
    ("of 100,001 arrays", b"[" + b"[]," * 100_000 + b"0]", JSON, 400, "json-size"),
    ("nested a thousand levels deep", b'{"a":' * 1000 + b"1" + b"}" * 1000, JSON, 400, "json-depth"),
    ("a duplicate key", b'{"template": "a", "template": "b"}', JSON, 400, "json-duplicate"),
    ("NaN", b'{"max_retry": NaN}', JSON, 400, "json-syntax"),
    ("a lone surrogate", rb'{"template": "\ud83d"}', JSON, 400, "json-string"),
    ("an integer of 400 digits", b'{"max_retry": ' + b"9" * 400 + b"}", JSON, 400, "json-number"),
    ("an array", b"[]", JSON, 400, "type"),
    ("null", b"null", JSON, 400, "type"),
    ("50 MB", TOO_LARGE, JSON, 413, ""),
    ("a missing content type", b"{}", {}, 415, ""),
    ("a wrong content type", b"{}", {"Content-Type": "text/plain"}, 415, ""),
    ("a content type that is none", b"{}", {"Content-Type": ";;;"}, 415, ""),
    ("another charset", b"{}", {"Content-Type": "application/json; charset=utf-16"}, 415, ""),
    ("a compressed body", b"\x1f\x8b", {**JSON, "Content-Encoding": "gzip"}, 415, ""),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "rule"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_a_hostile_body_gets_a_clear_answer(
    api: TestClient, sample: Json, body: bytes, headers: dict[str, str], status: int, rule: str
) -> None:
    answer = api.post("/configurations", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert not rule or rule in {error["rule"] for error in answer.json()["errors"]}
    assert api.post("/configurations", json=sample).status_code == 201


def test_a_charset_of_utf_8_is_json(api: TestClient, sample: Json) -> None:
    headers = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
    assert api.post("/configurations", content=json.dumps(sample), headers=headers).status_code == 201


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json", "text/html, application/json;q=0.1"])
def test_a_client_that_admits_json_gets_json(api: TestClient, accept: str) -> None:
    assert api.get("/configurations", headers={"Accept": accept}).status_code == 200


def test_a_header_in_two_fields_is_one_list(api: TestClient) -> None:
    """Repeated fields are joined (RFC 9110, section 5.3)."""
    for fields in ([("Accept", "text/html"), ("Accept", "*/*")], [("Accept", "*/*"), ("Accept", "text/html")]):
        assert api.get("/configurations", headers=fields).status_code == 200


# Requests without an operation.


@pytest.mark.parametrize(
    ("method", "path", "status", "kind", "allow"),
    [
        ("GET", "/nowhere", 404, "unknown-path", None),
        ("GET", "/configurations/", 404, "unknown-path", None),
        ("PUT", "/configurations/a/b", 404, "unknown-path", None),
        ("DELETE", "/configurations", 405, "method-not-allowed", "GET, HEAD, POST"),
        ("PUT", "/configurations", 405, "method-not-allowed", "GET, HEAD, POST"),
        ("GET", "/configurations/cfg_abc123", 405, "method-not-allowed", "PUT"),
        ("DELETE", "/configurations/cfg_abc123", 405, "method-not-allowed", "PUT"),
        ("POST", "/openapi.json", 405, "method-not-allowed", "GET, HEAD"),
        ("BREW", "/configurations", 405, "method-not-allowed", "GET, HEAD, POST"),
    ],
)
def test_an_unknown_path_or_method_is_a_problem(
    api: TestClient, method: str, path: str, status: int, kind: str, allow: str | None
) -> None:
    answer = api.request(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == f"/docs#{kind}"
    assert answer.headers.get("Allow") == allow


@pytest.mark.parametrize("path", ["/configurations/", "/configuration", "/v1/configurations"])
def test_an_unknown_path_like_a_known_one_gets_its_name(api: TestClient, path: str) -> None:
    assert api.get(path).json()["detail"] == f'There is nothing at {path}; did you mean "/configurations"?'


def test_a_head_is_a_get_without_a_body(api: TestClient) -> None:
    assert api.head("/configurations").status_code == 200


def test_a_browser_of_another_origin_may_use_the_mock(api: TestClient, sample: Json) -> None:
    origin = {"Origin": "http://localhost:3000"}
    preflight = api.options("/configurations", headers={**origin, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    created = api.post("/configurations", json=sample, headers=origin)
    assert created.headers["Access-Control-Allow-Origin"] == "*"
    assert api.get("/nowhere", headers=origin).headers["Access-Control-Allow-Origin"] == "*"


def test_the_contract_is_served_as_yaml_and_as_json(api: TestClient, contract: Contract) -> None:
    assert api.get("/openapi.json").json() == contract.document
    assert "x-resource:" in api.get("/openapi.yaml").text


def test_below_a_base_path_everything_is_there_and_nothing_beside_it(
    make_app: Callable[..., ASGIApp], sample: Json
) -> None:
    with TestClient(make_app(base_path="/agent/voice")) as api:
        created = api.post("/agent/voice/configurations", json=sample)
        assert created.status_code == 201
        assert api.put(created.headers["Location"], json=sample).status_code == 200
        assert api.post("/configurations", json=sample).status_code == 404
        assert api.get("/agent/voice/openapi.json").json()["servers"] == [{"url": "/agent/voice"}]
        assert api.delete("/agent/voice/configurations").headers["Allow"] == "GET, HEAD, POST"


# Every documented status of every operation is provoked; the last test fails when one is not.

Ask = Callable[[TestClient, Json, Json], Any]

PROVOCATIONS: dict[tuple[str, int], Ask] = {
    ("createConfiguration", 201): lambda api, sample, _: api.post("/configurations", json=sample),
    ("createConfiguration", 400): lambda api, *_: api.post("/configurations", json={}),
    ("createConfiguration", 406): lambda api, sample, _: api.post(
        "/configurations", json=sample, headers={"Accept": "text/html"}
    ),
    ("createConfiguration", 409): lambda api, _, other: api.post("/configurations", json=other),
    ("createConfiguration", 413): lambda api, *_: api.post("/configurations", content=TOO_LARGE, headers=JSON),
    ("createConfiguration", 415): lambda api, *_: api.post("/configurations", content=b"{}"),
    ("listConfigurations", 200): lambda api, *_: api.get("/configurations"),
    ("listConfigurations", 400): lambda api, *_: api.get("/configurations?reseller_id="),
    ("listConfigurations", 406): lambda api, *_: api.get("/configurations", headers={"Accept": "text/html"}),
    ("updateConfiguration", 200): lambda api, sample, _: api.put("/configurations/cfg_other", json=sample),
    ("updateConfiguration", 400): lambda api, *_: api.put("/configurations/cfg_other", json={}),
    ("updateConfiguration", 404): lambda api, sample, _: api.put("/configurations/cfg_unknown", json=sample),
    ("updateConfiguration", 406): lambda api, sample, _: api.put(
        "/configurations/cfg_other", json=sample, headers={"Accept": "text/html"}
    ),
    ("updateConfiguration", 409): lambda api, _, other: api.put("/configurations/cfg_third", json=other),
    ("updateConfiguration", 413): lambda api, *_: api.put("/configurations/cfg_other", content=TOO_LARGE, headers=JSON),
    ("updateConfiguration", 415): lambda api, *_: api.put("/configurations/cfg_other", content=b"{}"),
}
BROKEN: dict[str, Ask] = {
    "createConfiguration": PROVOCATIONS["createConfiguration", 201],
    "listConfigurations": PROVOCATIONS["listConfigurations", 200],
    "updateConfiguration": PROVOCATIONS["updateConfiguration", 200],
}


@pytest.mark.parametrize(("operation", "status"), PROVOCATIONS)
def test_a_documented_status_is_provoked(
    api: TestClient, store: Any, sample: Json, minimal: Json, operation: str, status: int
) -> None:
    stored = api.post("/configurations", json=minimal).json()
    third = {**stored, "template": "tpl_third", "id": "cfg_third"}
    asyncio.run(store.load({"configurations": [{**stored, "id": "cfg_other"}, third]}))
    answer = PROVOCATIONS[operation, status](api, sample, minimal)
    assert answer.status_code == status


class BrokenStore:
    """A store whose every method fails in the same way."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    async def _fail(self, *_: Any, **__: Any) -> Any:
        raise self._failure

    create = replace = delete = get = find = load = _fail


@pytest.mark.parametrize("operation", BROKEN)
@pytest.mark.parametrize(
    ("failure", "status"), [(StoreUnavailable("the disk is full"), 503), (RuntimeError("a mistake of ours"), 500)]
)
def test_a_store_that_fails_is_a_problem_of_the_server(
    make_broken: Callable[[Any], TestClient],
    sample: Json,
    minimal: Json,
    operation: str,
    failure: Exception,
    status: int,
) -> None:
    answer = BROKEN[operation](make_broken(BrokenStore(failure)), sample, minimal)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert "a mistake of ours" not in answer.text


class LyingStore(BrokenStore):
    """A store whose documents break the contract."""

    def __init__(self, reply: Any) -> None:
        self._reply = reply

    async def _fail(self, *_: Any, **__: Any) -> Any:
        return self._reply

    create = replace = delete = get = find = load = _fail


@pytest.mark.parametrize("reply", [{"id": 7}, {"id": "x", "created_at": object()}, {"id": "x"}])
def test_an_answer_that_breaks_the_contract_is_never_sent(
    make_broken: Callable[[Any], TestClient], sample: Json, reply: Any, caplog: pytest.LogCaptureFixture
) -> None:
    answer = make_broken(LyingStore(reply)).post("/configurations", json=sample)
    assert answer.status_code == 500
    assert answer.json()["type"] == "/docs#internal-error"
    assert "createConfiguration" in caplog.text


def test_a_list_that_breaks_the_contract_is_never_sent(make_broken: Callable[[Any], TestClient], caplog: Any) -> None:
    api = make_broken(LyingStore([b'{"id": 7}']))
    assert api.get("/configurations").status_code == 500
    assert api.get("/configurations").status_code == 500, "the verdict is remembered, not forgotten"
    assert "/0/id" in caplog.text


def test_every_documented_status_is_provoked(contract: Contract) -> None:
    documented = {
        (operation.id, int(status)) for operation in contract.operations.values() for status in operation.responses
    }
    broken = {(operation, status) for operation in BROKEN for status in (500, 503)}
    turned_away = {(operation, status) for operation in BROKEN for status in (401, 403)}  # in tests/identity
    assert documented == PROVOCATIONS.keys() | broken | turned_away
