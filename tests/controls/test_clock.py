"""The clock and the ids, which a test fixes for reproducible runs."""

from typing import Any

import pytest
from starlette.testclient import TestClient

Json = dict[str, Any]


def test_a_frozen_clock_and_a_seed_make_the_same_bytes_again(steered: TestClient, sample: Json) -> None:
    answers = []
    for session in ("one", "two"):
        headers = {"X-Mock-Session": session}
        steered.put("/_mock/clock", json={"now": "2025-01-15T10:30:00Z"}, headers=headers)
        steered.put("/_mock/ids", json={"next": ["cfg_first"], "seed": 7}, headers=headers)
        for template in ("a", "b"):
            steered.post("/configurations", json={**sample, "template": template}, headers=headers)
        answers.append(steered.get("/configurations", headers=headers).content)
    assert answers[0] == answers[1]
    assert b'"id":"cfg_first"' in answers[0]
    assert b'"created_at":"2025-01-15T10:30:00.000000Z"' in answers[0]


def test_the_clock_is_frozen_set_advanced_and_released(steered: TestClient) -> None:
    assert steered.get("/_mock/clock").json()["frozen"] is False
    assert steered.put("/_mock/clock", json={"now": "2025-01-15T16:00:00+05:30"}).json() == {
        "now": "2025-01-15T10:30:00.000000Z",
        "frozen": True,
    }
    assert steered.post("/_mock/clock/advance", json={"seconds": 1.5}).json()["now"] == "2025-01-15T10:30:01.500000Z"
    running = steered.put("/_mock/clock", json={"frozen": False}).json()
    assert running["now"].startswith("2025-01-15T10:30:01")
    assert steered.get("/_mock/clock").json()["now"] > running["now"]
    assert steered.delete("/_mock/clock").status_code == 204
    assert steered.get("/_mock/clock").json()["now"] > "2026"


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000000Z"),
        ("2025-01-15t10:30:00.123456789z", "2025-01-15T10:30:00.123456Z"),
        ("2999-12-31T23:59:59-12:00", "3000-01-01T11:59:59.000000Z"),
        ("0000-12-31T23:59:59-23:59", "0001-01-01T00:00:00.000000Z"),
        ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_every_time_of_the_contract_can_be_set(steered: TestClient, now: str, shown: str) -> None:
    assert steered.put("/_mock/clock", json={"now": now}).json() == {"now": shown, "frozen": True}


def test_the_clock_stops_where_its_times_end(steered: TestClient) -> None:
    steered.put("/_mock/clock", json={"now": "9999-01-01T00:00:00Z", "frozen": False})
    steered.post("/_mock/clock/advance", json={"seconds": 3155760000})
    assert steered.get("/_mock/clock").json()["now"].startswith("9999-12-31")


def test_ids_that_are_taken_are_passed_over_and_released_ids_are_random(steered: TestClient, sample: Json) -> None:
    steered.put("/_mock/ids", json={"next": ["cfg_a", "cfg_a", "cfg_b"]})
    ids = [steered.post("/configurations", json={**sample, "template": name}).json()["id"] for name in ("1", "2")]
    assert ids == ["cfg_a", "cfg_b"]
    steered.put("/_mock/ids", json={"next": ["cfg_c"]})
    assert steered.delete("/_mock/ids").status_code == 204
    assert steered.post("/configurations", json={**sample, "template": "3"}).json()["id"] != "cfg_c"


def test_an_id_of_any_characters_has_a_location_of_ascii(steered: TestClient, sample: Json) -> None:
    steered.put("/_mock/ids", json={"next": ["cfg é/\r\nx: y"]})
    created = steered.post("/configurations", json=sample)
    assert created.headers["Location"] == "/configurations/cfg%20%C3%A9%2F%0D%0Ax%3A%20y"
