"""Authorization by the role table of the contract, cell by cell, and authentication by tokens."""

import asyncio
import json
import logging
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from callconfig.app import create_app, sources
from callconfig.asgi.access_log import AccessLog
from callconfig.contract.document import Contract
from callconfig.controls.controls import Controls
from callconfig.identity.authentication import Authentication, InvalidAuthentication
from callconfig.storage.opening import open_store
from callconfig.tests.support.properties import hold_every_property
from callconfig.traffic.redaction import Redaction
from starlette.testclient import TestClient

Json = dict[str, Any]

KEY = "a key that is long enough for HMAC with SHA-256"
TOKENS = [
    {"token": "t-admin", "role": "admin"},
    {"token": "t-reseller", "role": "reseller", "reseller_id": "res_001"},
    {"token": "t-merchant", "role": "merchant", "merchant_id": "mer_abc"},
    {"token": "t-user", "role": "user"},
]
SETTINGS = {"tokens": TOKENS, "jwt": {"key": KEY, "algorithms": ["HS256"], "issuer": "us", "audience": "mock"}}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def logged() -> list[str]:
    return []


@pytest.fixture(scope="module")
def shared(contract: Contract, logged: list[str]) -> Iterator[TestClient]:
    values = sources()
    store = asyncio.run(open_store(":memory:", contract.resources, values.values))
    controls = Controls(contract, store, values)
    authenticate = Authentication(SETTINGS, contract.roles)
    log = AccessLog(logged.append, Redaction(contract))
    with TestClient(create_app(contract, store, controls=controls, authenticate=authenticate, log=log)) as client:
        yield client


@pytest.fixture
def guarded(shared: TestClient, sample: Json) -> TestClient:
    """A mock that requires tokens, with a configuration of each of two resellers and of no and another merchant."""
    shared.headers["X-Mock-Session"] = secrets.token_hex(8)
    documents = [
        {**sample, "id": "own", "template": "own"},
        {**sample, "id": "sibling", "template": "sibling", "merchant_id": "mer_xyz"},
        {**sample, "id": "foreign", "reseller_id": "res_002", "merchant_id": None},
    ]
    assert shared.put("/_mock/state", json=documents).status_code == 200
    return shared


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("admin", ["foreign", "own", "sibling"]),
        ("reseller", ["own", "sibling"]),
        ("merchant", ["own"]),
        ("user", 403),
    ],
)
def test_a_role_reads_what_is_its_own(guarded: TestClient, role: str, seen: Any) -> None:
    answer = guarded.get("/configurations", headers=bearer(f"t-{role}"))
    if seen == 403:
        assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")
    else:
        assert sorted(configuration["id"] for configuration in answer.json()) == seen


@pytest.mark.parametrize(
    ("role", "reseller", "status"),
    [
        ("admin", "res_001", 201),
        ("admin", "res_002", 201),
        ("reseller", "res_001", 201),
        ("reseller", "res_002", 403),
        ("merchant", "res_001", 403),
        ("merchant", "res_002", 403),
        ("user", "res_001", 403),
        ("user", "res_002", 403),
    ],
)
def test_a_role_creates_what_is_its_own(
    guarded: TestClient, sample: Json, role: str, reseller: str, status: int
) -> None:
    body = {**sample, "reseller_id": reseller, "template": "new"}
    assert guarded.post("/configurations", json=body, headers=bearer(f"t-{role}")).status_code == status


@pytest.mark.parametrize(
    ("role", "identity", "status"),
    [
        ("admin", "own", 200),
        ("admin", "foreign", 200),
        ("admin", "unknown", 404),
        ("reseller", "own", 200),
        ("reseller", "foreign", 404),
        ("reseller", "unknown", 404),
        ("merchant", "own", 403),
        ("merchant", "foreign", 403),
        ("user", "own", 403),
        ("user", "foreign", 403),
    ],
)
def test_a_role_updates_what_is_its_own(
    guarded: TestClient, sample: Json, role: str, identity: str, status: int
) -> None:
    owner = "res_002" if identity == "foreign" else "res_001"
    body = {**sample, "reseller_id": owner, "template": "changed"}
    assert guarded.put(f"/configurations/{identity}", json=body, headers=bearer(f"t-{role}")).status_code == status


def test_an_id_of_others_is_answered_like_one_that_nobody_has(guarded: TestClient, sample: Json) -> None:
    foreign, unknown = (
        guarded.put(f"/configurations/{identity}", json=sample, headers=bearer("t-reseller")).text
        for identity in ("foreign", "unknown")
    )
    assert foreign.replace("foreign", "unknown") == unknown


def test_nothing_is_moved_to_another_reseller_by_its_owner(guarded: TestClient, sample: Json) -> None:
    body = {**sample, "reseller_id": "res_002", "template": "moved"}
    assert guarded.put("/configurations/own", json=body, headers=bearer("t-reseller")).status_code == 403
    assert guarded.put("/configurations/own", json=body, headers=bearer("t-admin")).status_code == 200


@pytest.mark.parametrize(
    ("query", "seen"),
    [("reseller_id=res_001", 2), ("reseller_id=res_002", 0), ("template=own", 1), ("template=tpl_xyz789", 0)],
)
def test_lists_are_filtered_silently(guarded: TestClient, query: str, seen: int) -> None:
    answer = guarded.get(f"/configurations?{query}", headers=bearer("t-reseller"))
    assert (answer.status_code, len(answer.json())) == (200, seen)


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "no Authorization header"),
        ({"Authorization": "Basic dTpw"}, "must be `Bearer`"),
        ({"Authorization": "Bearer"}, "must be `Bearer`"),
        (bearer("t-admi"), "unknown"),
        (bearer("t-admin2"), "unknown"),
        (bearer("a.b.c"), "unknown"),
        (bearer("\u00e9".encode().decode("latin-1")), "unknown"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/configurations"), ("POST", "/configurations"), ("PUT", "/configurations/own")]
)
def test_who_has_no_good_token_is_turned_away(
    guarded: TestClient, method: str, path: str, headers: Any, detail: str
) -> None:
    refused = guarded.request(method, path, headers={name: value.encode("latin-1") for name, value in headers.items()})
    assert (refused.status_code, refused.json()["type"]) == (401, "/docs#unauthorized")
    assert detail in refused.json()["detail"]
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="callconfig"'


def test_the_order_is_token_then_role_then_body_then_owner(guarded: TestClient, sample: Json) -> None:
    foreign = {**sample, "reseller_id": "res_002"}
    assert guarded.post("/configurations", json={}).status_code == 401
    assert guarded.post("/configurations", json={}, headers=bearer("t-user")).status_code == 403
    assert guarded.post("/configurations", json={}, headers=bearer("t-reseller")).status_code == 400
    assert guarded.post("/configurations", json=foreign, headers=bearer("t-reseller")).status_code == 403


@pytest.mark.parametrize(
    ("claims", "key", "status"),
    [
        ({"role": "reseller", "reseller_id": "res_002"}, KEY, 200),
        ({"role": "user"}, KEY, 403),
        ({"role": "reseller"}, KEY, 401),
        ({"role": "root"}, KEY, 401),
        ({"role": ["admin"]}, KEY, 401),
        ({"role": "reseller", "reseller_id": 7}, KEY, 401),
        ({}, KEY, 401),
        ({"role": "admin"}, KEY + "!", 401),
        ({"role": "admin", "iss": "them"}, KEY, 401),
        ({"role": "admin", "aud": "others"}, KEY, 401),
        ({"role": "admin", "exp": datetime.now(UTC) - timedelta(hours=1)}, KEY, 401),
    ],
)
def test_a_signed_token_says_who_somebody_is(guarded: TestClient, claims: Json, key: str, status: int) -> None:
    token = jwt.encode({"iss": "us", "aud": "mock", **claims}, key, "HS256")
    answer = guarded.get("/configurations", headers=bearer(token))
    assert answer.status_code == status
    if status == 200:
        assert [configuration["id"] for configuration in answer.json()] == ["foreign"]


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_a_token_chooses_no_algorithm(guarded: TestClient, algorithm: str) -> None:
    token = jwt.encode({"role": "admin", "iss": "us", "aud": "mock"}, "" if algorithm == "none" else KEY * 2, algorithm)
    assert guarded.get("/configurations", headers=bearer(token)).status_code == 401


def test_a_token_is_neither_logged_nor_in_the_journal(
    guarded: TestClient, logged: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "callconfig"):
        for token in ("t-admin", "t-secret"):
            guarded.get("/configurations", headers=bearer(token))
    log = "".join(logged)
    assert "GET /configurations 401" in log
    for shown in (log, caplog.text, guarded.get("/_mock/requests").text, guarded.get("/_mock/requests.har").text):
        assert "t-admin" not in shown
        assert "t-secret" not in shown


def test_the_served_contract_asks_for_a_token_only_where_the_server_does(guarded: TestClient, api: TestClient) -> None:
    assert guarded.get("/openapi.json").json()["security"] == [{"bearerToken": []}]
    assert api.get("/openapi.json").json()["security"] == [{}, {"bearerToken": []}]


def test_without_authentication_a_token_is_ignored(api: TestClient) -> None:
    assert api.get("/configurations", headers=bearer("anything")).status_code == 200


def test_a_conflict_with_what_is_ones_own_is_told(guarded: TestClient, sample: Json) -> None:
    taken = guarded.post("/configurations", json={**sample, "template": "own"}, headers=bearer("t-reseller"))
    assert taken.status_code == 409


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ([], "must be object, not an array"),
        ({}, "fits none of 2 alternatives"),
        ({"tokens": [], "user": 1}, "/user is not a known member"),
        ({"tokens": [{"role": "admin"}]}, "/tokens/0/token is required and missing"),
        ({"tokens": [{"token": "", "role": "admin"}]}, "/tokens/0/token must have at least 1 character"),
        ({"tokens": [{"token": "s3cret", "role": "root"}]}, "/tokens/0 The role of the token must be one of admin"),
        ({"tokens": [{"token": "s3cret", "role": "reseller"}]}, "/tokens/0 A token with the role reseller must have"),
        ({"jwt": {"key": KEY, "algorithms": ["none"]}}, "/jwt/algorithms/0"),
        ({"jwt": {"key": KEY, "algorithms": ["XY1"]}}, "/jwt/algorithms: XY1 is not known"),
        ({"jwt": {"key": "s3cret", "algorithms": ["RS256"]}}, "/jwt/key is not a key for RS256"),
    ],
)
def test_settings_that_make_no_sense_are_told_in_a_line_without_their_secrets(
    contract: Contract, tmp_path: Path, settings: Any, reason: str
) -> None:
    file = tmp_path / "auth.json"
    file.write_text(json.dumps(settings))
    with pytest.raises(InvalidAuthentication) as error:
        Authentication.from_file(file, contract)
    assert str(file) in str(error.value)
    assert reason in str(error.value)
    assert "s3cret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_every_operation_says_which_roles_may_use_it(contract: Contract) -> None:
    assert {operation.id: operation.declared["x-roles"] for operation in contract.operations.values()} == {
        "createConfiguration": ["admin", "reseller"],
        "updateConfiguration": ["admin", "reseller"],
        "listConfigurations": ["admin", "reseller", "merchant"],
    }


@pytest.mark.xdist_group("draws")  # one worker draws the values of the contract, once
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_property_of_the_contract_holds_where_a_token_is_asked_for(guarded: TestClient) -> None:
    hold_every_property(guarded.app, "/openapi.json", max_examples=5, headers=bearer("t-admin"))


def test_an_operation_that_does_not_say_who_may_use_it_is_refused_at_start(contract: Contract, tmp_path: Path) -> None:
    altered = json.loads(json.dumps(contract.document))
    del altered["paths"]["/configurations"]["get"]["x-roles"]
    file = tmp_path / "auth.json"
    file.write_text('{"tokens": []}')
    with pytest.raises(InvalidAuthentication, match="listConfigurations has no x-roles"):
        Authentication.from_file(file, Contract(altered))
