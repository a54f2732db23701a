"""The reference of the controls: complete, with an explanation of every kind of problem."""

import re
from collections.abc import Callable
from typing import Any

from callconfig.harness import CLIENT_MODULE
from starlette.testclient import TestClient
from starlette.types import ASGIApp


def test_every_kind_of_problem_of_the_controls_has_its_place_in_their_reference(fresh: TestClient) -> None:
    page = fresh.get("/_mock/docs").text
    anchors = set(re.findall(r'id="([^"]+)"', page))
    kinds: dict[str, Any] = fresh.get("/_mock/openapi.json").json()["x-problems"]
    assert "unknown-session" in kinds
    assert kinds.keys() <= anchors


def test_the_requests_that_are_shown_go_where_the_controls_are(fresh: TestClient) -> None:
    shown = fresh.get("/_mock/reference.md").text
    assert re.search(r"All \d\d examples were run", shown)
    assert "curl -i -X GET http://127.0.0.1:8080/_mock/state" in shown
    assert (
        "Requests before it: [`POST /configurations`](#given-configuration), [`PUT /_mock/snapshots/before`](#" in shown
    )
    assert "curl -i -X PUT http://127.0.0.1:8080/_mock/snapshots/before" in shown
    assert set(re.findall(r"http://127\.0\.0\.1:8080(/\w*)", shown)) == {"/_mock", "/configurations"}


def test_a_problem_of_the_controls_names_that_place(fresh: TestClient) -> None:
    assert fresh.delete("/_mock/sessions/nobody").json()["type"] == "/_mock/docs#unknown-session"


def test_a_page_of_another_origin_may_not_steer_the_mock(fresh: TestClient) -> None:
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "PUT"}
    assert fresh.options("/_mock/state", headers=origin).status_code == 405
    assert "Access-Control-Allow-Origin" not in fresh.get("/_mock/state", headers=origin).headers
    assert fresh.options("/configurations", headers=origin).status_code == 200


def test_a_page_of_an_origin_that_is_named_may_steer_the_mock_and_no_other(
    make_steered: Callable[..., ASGIApp],
) -> None:
    ours, other = "http://localhost:5173", "https://elsewhere.example"
    with TestClient(make_steered(origins=(ours,))) as api:
        asking = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "X-Mock-Session"}
        allowed = api.options("/_mock/state", headers={"Origin": ours, **asking})
        assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, ours)
        refused = api.options("/_mock/state", headers={"Origin": other, **asking})
        assert "Access-Control-Allow-Origin" not in refused.headers
        for path in ("/_mock/state", "/_mock/client.mjs", "/_mock/in/mine/_mock/state"):
            assert api.get(path, headers={"Origin": ours}).headers["Access-Control-Allow-Origin"] == ours
            assert "Access-Control-Allow-Origin" not in api.get(path, headers={"Origin": other}).headers


def test_the_client_module_is_served_as_a_module(fresh: TestClient) -> None:
    served = fresh.get("/_mock/client.mjs")
    assert served.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert served.content == CLIENT_MODULE.read_bytes()
