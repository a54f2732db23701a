"""The controls are documented as the API is, and every kind of problem leads to its explanation."""

import re
from typing import Any

from starlette.testclient import TestClient


def test_every_kind_of_problem_of_the_controls_has_its_place_in_their_reference(fresh: TestClient) -> None:
    page = fresh.get("/_mock/docs").text
    anchors = set(re.findall(r'id="([^"]+)"', page))
    kinds: dict[str, Any] = fresh.get("/_mock/openapi.json").json()["x-problems"]
    assert "unknown-session" in kinds
    assert kinds.keys() <= anchors


def test_a_problem_of_the_controls_names_that_place(fresh: TestClient) -> None:
    assert fresh.delete("/_mock/sessions/nobody").json()["type"] == "/_mock/docs#unknown-session"


def test_a_page_of_another_origin_may_not_steer_the_mock(fresh: TestClient) -> None:
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "PUT"}
    assert fresh.options("/_mock/state", headers=origin).status_code == 405
    assert "Access-Control-Allow-Origin" not in fresh.get("/_mock/state", headers=origin).headers
    assert fresh.options("/configurations", headers=origin).status_code == 200
