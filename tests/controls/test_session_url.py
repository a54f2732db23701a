"""A session by its URL: a client with it is in the session, and stays there."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

Json = dict[str, Any]
MINE = "/_mock/in/mine"


def test_a_request_below_the_prefix_is_in_the_session_whatever_its_header_says(fresh: TestClient, sample: Json) -> None:
    created = fresh.post(f"{MINE}/configurations?x=1", json=sample)
    assert created.status_code == 400
    fresh.post(f"{MINE}/configurations", json=sample, headers={"X-Mock-Session": "other"})
    assert len(fresh.get("/configurations", headers={"X-Mock-Session": "mine"}).json()) == 1
    assert fresh.get("/configurations").json() == []
    assert [session["name"] for session in fresh.get("/_mock/sessions").json()] == ["default", "mine"]
    urls = [
        entry["request"]["url"] for entry in fresh.get("/_mock/requests", headers={"X-Mock-Session": "mine"}).json()
    ]
    assert urls[:2] == ["http://testserver/configurations?x=1", "http://testserver/configurations"]


def test_a_location_stays_in_the_session_and_keeps_the_encoding_of_an_id(fresh: TestClient, sample: Json) -> None:
    fresh.put(f"{MINE}/_mock/ids", json={"next": ["a/b c"]})
    created = fresh.post(f"{MINE}/configurations", json=sample)
    assert created.headers["Location"] == f"{MINE}/configurations/a%2Fb%20c"
    assert fresh.put(created.headers["Location"], json={**sample, "max_retry": 7}).json()["id"] == "a/b c"
    assert fresh.put("/configurations/a%2Fb%20c", json=sample).status_code == 404


def test_a_forced_location_stays_in_the_session_and_another_servers_is_left_alone(
    fresh: TestClient, sample: Json
) -> None:
    example = {"status": 201, "example": "minimal"}
    elsewhere = [{"status": 302, "headers": {"Location": each}} for each in ("//elsewhere/a", "https://elsewhere/a")]
    fresh.post(f"{MINE}/_mock/rules", json={"answers": elsewhere, "off_contract": True})
    fresh.post(f"{MINE}/_mock/rules", json={"answers": [example]})
    answers = [fresh.post(f"{MINE}/configurations", json=sample, follow_redirects=False) for _ in range(3)]
    assert [answer.headers["Location"] for answer in answers] == [
        f"{MINE}/configurations/cfg_abc123",
        "//elsewhere/a",
        "https://elsewhere/a",
    ]


def test_the_prefix_comes_before_the_base_path(make_steered: Callable[..., ASGIApp], sample: Json) -> None:
    with TestClient(make_steered(base_path="/agent/voice")) as api:
        created = api.post(f"{MINE}/agent/voice/configurations", json=sample)
        assert created.headers["Location"].startswith(f"{MINE}/agent/voice/configurations/cfg_")
        assert api.put(created.headers["Location"], json=sample).status_code == 200
        assert api.get(f"{MINE}/configurations").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_mock/in/a%2Fb/configurations", 400),
        ("/_mock/in/-/configurations", 400),
        ("/_mock/in//configurations", 400),
        ("/_mock/in/a%7Eb/configurations", 200),
        ("/_mock/in/mine", 200),
        ("/_mock/in/mine/docs", 200),
        ("/_mock/in", 404),
        ("/_mock/in/mine/_mock/in/mine/configurations", 404),
    ],
)
def test_a_name_is_one_segment_of_the_path(fresh: TestClient, path: str, status: int) -> None:
    assert fresh.get(path).status_code == status


def test_rules_match_the_path_without_the_prefix(fresh: TestClient) -> None:
    fresh.post(f"{MINE}/_mock/rules", json={"match": {"path": "/configurations"}, "answers": [503]})
    assert [fresh.get(f"{MINE}/configurations").status_code for _ in range(2)] == [503, 200]


def test_browsers_use_the_api_below_the_prefix_from_any_origin(fresh: TestClient) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    assert fresh.get(f"{MINE}/configurations", headers=origin).headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in fresh.get(f"{MINE}/_mock/state", headers=origin).headers


def test_without_controls_the_prefix_is_an_unknown_path(api: TestClient) -> None:
    assert api.get(f"{MINE}/configurations").json()["title"] == "Unknown path"
