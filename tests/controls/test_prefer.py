"""`Prefer`: the response that a request prefers, with Prism's preferences."""

from typing import Any

import pytest
from starlette.testclient import TestClient

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("prefer", "status", "member", "value", "applied"),
    [
        ("code=404", 404, "title", "Unknown configuration", "code=404"),
        ("code=400, example=contradictingId", 400, "title", "Invalid request", "code=400, example=contradictingId"),
        ("example=published", 200, "id", "cfg_abc123", "example=published"),
        ('Code="503"; foo', 503, "title", "Unavailable", "code=503"),
        ("code=409, code=404", 409, "title", "Duplicate scope", "code=409"),
        ("respond-async, code=401", 401, "title", "Unauthorized", "code=401"),
        (
            "code=404, dynamic=true",
            404,
            "detail",
            "No configuration has the id in the path, or the caller has no access to it.",
            "code=404, dynamic=true",
        ),
    ],
)
def test_the_preferred_answer_comes_and_says_so(
    steered: TestClient, sample: Json, prefer: str, status: int, member: str, value: str, applied: str
) -> None:
    answer = steered.put("/configurations/any", json=sample, headers={"Prefer": prefer})
    assert (answer.status_code, answer.json()[member]) == (status, value)
    assert answer.headers["Preference-Applied"] == applied


@pytest.mark.parametrize("prefer", ["respond-async", "dynamic=true", "code=200, dynamic=true", "dynamic=false", ""])
def test_without_a_preference_that_we_know_the_mock_answers_itself(steered: TestClient, prefer: str) -> None:
    answer = steered.get("/configurations", headers={"Prefer": prefer})
    assert (answer.status_code, answer.json()) == (200, [])
    assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize(
    ("prefer", "detail"),
    [
        ("code=418", "listConfigurations has no response 418; it has 200, 400, 401, 403, 406, 500, 503"),
        ("code=4", "must be three digits, not '4'"),
        ("example=none", 'listConfigurations 200 has no example "none"; it has "published", "nothing"'),
        ("code=503, example=none", 'listConfigurations 503 has no example "none"; it has none'),
        ("dynamic=maybe", "must be true or false, not 'maybe'"),
    ],
)
def test_what_the_contract_does_not_have_is_a_problem_that_lists_what_it_has(
    steered: TestClient, prefer: str, detail: str
) -> None:
    refused = steered.get("/configurations", headers={"Prefer": prefer})
    assert refused.status_code == 400
    assert refused.json()["errors"] == [{"in": "header", "name": "Prefer", "rule": "preference", "detail": detail}]


def test_the_twins_in_the_query_say_the_same_when_the_header_is_absent(steered: TestClient) -> None:
    answer = steered.get("/configurations?template=a&__code=200&__example=published")
    assert answer.json()[0]["id"] == "cfg_abc123"
    assert answer.headers["Preference-Applied"] == "code=200, example=published"
    assert steered.get("/configurations?__code=418").json()["errors"][0]["name"] == "__code"
    assert steered.get("/configurations?__dynamic=true").json() == []


def test_the_header_makes_its_twins_ignored(steered: TestClient) -> None:
    answer = steered.get("/configurations?__code=503", headers={"Prefer": "code=401"})
    assert answer.status_code == 401


def test_the_journal_has_the_request_as_it_came(steered: TestClient) -> None:
    steered.get("/configurations?__code=503")
    assert steered.get("/_mock/requests").json()[0]["request"]["url"].endswith("/configurations?__code=503")


def test_a_request_that_breaks_the_contract_is_told_so_first(steered: TestClient) -> None:
    refused = steered.post("/configurations", json={}, headers={"Prefer": "code=201"})
    assert refused.status_code == 400


def test_without_controls_preferences_are_ignored(api: TestClient) -> None:
    assert api.get("/configurations", headers={"Prefer": "code=503"}).status_code == 200
    assert api.get("/configurations?__code=503").json()["errors"][0]["rule"] == "unknown-parameter"
