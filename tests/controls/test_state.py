"""State, snapshots and sessions."""

from collections.abc import Callable
from typing import Any

import pytest
from callconfig.controls.sessions import Limits
from starlette.testclient import TestClient
from starlette.types import ASGIApp

Json = dict[str, Any]


def templates(api: TestClient, session: str = "default") -> list[str]:
    listed = api.get("/configurations", headers={"X-Mock-Session": session}).json()
    return [configuration["template"] for configuration in listed]


def test_the_state_is_replaced_by_what_is_put_and_keeps_its_ids_and_times(fresh: TestClient, sample: Json) -> None:
    put = [{**sample, "id": "cfg_one", "created_at": "2025-01-15T10:30:00Z"}, {**sample, "template": "tpl_two"}]
    stored = fresh.put("/_mock/state", json=put).json()
    assert stored[0]["id"] == "cfg_one"
    assert stored[0]["created_at"] == "2025-01-15T10:30:00Z"
    assert fresh.get("/configurations").json() == fresh.get("/_mock/state").json() == stored
    assert fresh.delete("/_mock/state").status_code == 204
    assert fresh.get("/configurations").json() == []


def test_an_invalid_item_is_refused_with_its_index_and_pointer_and_nothing_changes(
    fresh: TestClient, sample: Json
) -> None:
    fresh.post("/configurations", json=sample)
    refused = fresh.put("/_mock/state", json=[sample, {**sample, "template": "b", "max_retry": -1}])
    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/1/max_retry"]
    assert templates(fresh) == [sample["template"]]


def test_one_configuration_is_added_replaced_and_deleted_past_rules_and_the_journal(
    fresh: TestClient, sample: Json
) -> None:
    fresh.post("/_mock/rules", json={"answer": 503})
    added = fresh.post("/_mock/state", json=sample).json()
    place = f"/_mock/state/{added['id']}"
    assert fresh.put(place, json={**sample, "max_retry": 7}).json()["max_retry"] == 7
    assert fresh.post("/_mock/state", json=sample).json()["type"] == "/docs#duplicate-scope"
    assert fresh.put(place, json={**sample, "id": "cfg_other"}).status_code == 400
    assert (fresh.delete(place).status_code, fresh.delete(place).status_code) == (204, 404)
    assert fresh.get("/_mock/state").json() == fresh.get("/_mock/requests").json() == []


def test_two_items_of_one_scope_are_refused_by_their_indexes(fresh: TestClient, sample: Json) -> None:
    refused = fresh.put("/_mock/state", json=[{**sample, "template": "a"}, sample, sample])
    assert refused.status_code == 409
    assert "/1 and /2" in refused.json()["detail"]
    assert fresh.put("/_mock/state", json=[{**sample, "id": "x"}, {**sample, "id": "x"}]).status_code == 409


def test_the_state_shows_no_secret_and_a_snapshot_keeps_it(fresh: TestClient, sample: Json) -> None:
    fresh.post("/configurations", json={**sample, "telephony_config": {"auth_token": "hush"}})
    fresh.put("/_mock/snapshots/before")
    fresh.delete("/_mock/state")
    fresh.post("/_mock/snapshots/before/restore")
    assert "hush" not in fresh.get("/_mock/state").text
    assert fresh.get("/_mock/state").json()[0]["telephony_config"]["account_sid"] is None


def test_a_snapshot_is_saved_listed_restored_and_deleted(fresh: TestClient, sample: Json) -> None:
    fresh.post("/configurations", json=sample)
    assert fresh.put("/_mock/snapshots/one").json() == {"name": "one", "configurations": 1}
    fresh.post("/configurations", json={**sample, "template": "later"})
    assert fresh.post("/_mock/snapshots/one/restore").status_code == 204
    assert templates(fresh) == [sample["template"]]
    assert fresh.get("/_mock/snapshots").json() == [{"name": "one", "configurations": 1}]
    assert fresh.delete("/_mock/snapshots/one").status_code == 204
    assert fresh.post("/_mock/snapshots/one/restore").json()["title"] == "Unknown snapshot"


def test_sessions_do_not_see_one_another(fresh: TestClient, sample: Json) -> None:
    one, two = {"X-Mock-Session": "one"}, {"X-Mock-Session": "two"}
    assert fresh.post("/configurations", json=sample, headers=one).status_code == 201
    assert fresh.post("/configurations", json=sample, headers=two).status_code == 201
    fresh.post("/_mock/rules", json={"answer": {"status": 503}}, headers=one)
    fresh.put("/_mock/clock", json={"now": "2001-01-01T00:00:00Z"}, headers=one)
    assert fresh.get("/configurations", headers=one).status_code == 503
    assert fresh.get("/configurations", headers=two).status_code == 200
    assert len(fresh.get("/_mock/requests", headers=one).json()) == 2
    assert fresh.get("/_mock/clock", headers=two).json()["frozen"] is False
    assert templates(fresh) == []


def test_a_fork_has_the_state_and_the_clock_and_then_goes_its_own_way(fresh: TestClient, sample: Json) -> None:
    fresh.post("/configurations", json=sample)
    fresh.put("/_mock/snapshots/one")
    fresh.put("/_mock/clock", json={"now": "2025-01-15T10:30:00Z"})
    fresh.post("/configurations", json={**sample, "template": "two"})
    assert fresh.post("/_mock/sessions", json={"name": "fork"}).status_code == 201
    assert fresh.post("/_mock/sessions", json={"name": "old", "snapshot": "one"}).status_code == 201
    fresh.delete("/_mock/state")
    assert set(templates(fresh, "fork")) == {sample["template"], "two"}
    assert templates(fresh, "old") == [sample["template"]]
    fresh.post("/_mock/clock/advance", json={"seconds": 60})
    now = fresh.get("/_mock/clock", headers={"X-Mock-Session": "fork"}).json()["now"]
    assert now == "2025-01-15T10:30:00.000000Z"
    assert fresh.post("/_mock/sessions", json={"name": "fork"}).json()["title"] == "Session exists"
    assert fresh.post("/_mock/sessions", json={"name": "new", "snapshot": "none"}).status_code == 404


def test_a_deleted_session_is_gone_and_the_default_one_begins_anew(fresh: TestClient, sample: Json) -> None:
    fresh.post("/configurations", json=sample)
    fresh.post("/configurations", json=sample, headers={"X-Mock-Session": "one"})
    assert [session["name"] for session in fresh.get("/_mock/sessions").json()] == ["default", "one"]
    assert fresh.delete("/_mock/sessions/one").status_code == 204
    assert fresh.delete("/_mock/sessions/one").json()["title"] == "Unknown session"
    assert fresh.delete("/_mock/sessions/default").status_code == 204
    assert fresh.get("/_mock/sessions").json()[0]["requests"] == 0
    assert templates(fresh) == templates(fresh, "one") == []


def test_a_session_that_is_idle_for_too_long_is_forgotten(make_steered: Callable[..., ASGIApp], sample: Json) -> None:
    with TestClient(make_steered(limits=Limits(idle_seconds=0.0))) as api:
        api.post("/configurations", json=sample, headers={"X-Mock-Session": "one"})
        assert [session["name"] for session in api.get("/_mock/sessions").json()] == ["default"]


def test_what_a_server_of_many_sessions_holds_is_bounded(make_steered: Callable[..., ASGIApp], sample: Json) -> None:
    limits = Limits(sessions=1, configurations=1, snapshots=1, rules=1)
    one, other = {"X-Mock-Session": "one"}, {**sample, "template": "other"}
    with TestClient(make_steered(limits=limits)) as api:
        assert api.post("/configurations", json=sample, headers=one).status_code == 201
        assert api.post("/configurations", json=other, headers=one).status_code == 503
        assert api.get("/configurations", headers={"X-Mock-Session": "two"}).status_code == 503
        assert api.put("/_mock/state", json=[sample, other], headers=one).json()["title"] == "Limit reached"
        assert api.put("/_mock/snapshots/a", headers=one).status_code == 200
        assert api.put("/_mock/snapshots/b", headers=one).status_code == 409
        assert api.post("/_mock/rules", json={"fault": "reset"}, headers=one).status_code == 201
        assert api.post("/_mock/rules", json={"fault": "reset"}, headers=one).status_code == 409


def test_an_id_with_a_slash_is_found_again(fresh: TestClient, sample: Json) -> None:
    fresh.put("/_mock/state", json=[{**sample, "id": "a/b c"}])
    assert fresh.put("/configurations/a%2Fb%20c", json={**sample, "max_retry": 7}).json()["id"] == "a/b c"


@pytest.mark.parametrize("path", ["/configurations", "/_mock/state"])
def test_a_name_that_no_session_has_is_refused_by_its_header(fresh: TestClient, path: str) -> None:
    refused = fresh.get(path, headers={"X-Mock-Session": "a/b"})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["name"] == "X-Mock-Session"


def test_without_controls_there_are_none_and_the_session_header_is_ignored(api: TestClient, sample: Json) -> None:
    assert api.get("/_mock/state").json()["title"] == "Unknown path"
    api.post("/configurations", json=sample, headers={"X-Mock-Session": "one"})
    assert templates(api, "two") == [sample["template"]]


def test_controls_stay_at_the_root_when_the_api_is_below_a_base_path(
    make_steered: Callable[..., ASGIApp],
) -> None:
    with TestClient(make_steered(base_path="/agent/voice")) as api:
        api.post("/_mock/rules", json={"answer": {"status": 503}, "times": 1})
        assert api.get("/agent/voice/configurations").status_code == 503
        assert api.get("/agent/voice/configurations", headers={"Prefer": "code=401"}).status_code == 401
        assert len(api.get("/_mock/requests?operation=listConfigurations").json()) == 2


def test_every_control_asks_for_the_control_token_where_there_is_one(make_steered: Callable[..., ASGIApp]) -> None:
    with TestClient(make_steered(token="letmein")) as api:  # noqa: S106
        refused = api.get("/_mock/state")
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert api.delete("/_mock/state", headers={"Authorization": "Bearer other"}).status_code == 401
        assert api.get("/_mock/state", headers={"Authorization": "Bearer letmein"}).json() == []
        assert api.get("/configurations").status_code == 200
