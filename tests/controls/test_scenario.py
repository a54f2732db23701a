"""Scenarios: loaded whole or not at all; and bodies for them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callconfig.cli import main
from callconfig.controls.sessions import Limits
from callconfig.outcome import COULD_NOT_RUN
from starlette.testclient import TestClient
from starlette.types import ASGIApp

Json = dict[str, Any]


@pytest.fixture
def scenario(sample: Json) -> Json:
    return {
        "state": [{**sample, "id": "cfg_seeded"}],
        "rules": [{"match": {"method": "GET"}, "answers": [503]}],
        "clock": {"now": "2025-01-15T10:30:00Z"},
        "ids": {"next": ["cfg_next"]},
    }


def test_a_session_begins_in_the_world_of_a_scenario(steered: TestClient, scenario: Json, sample: Json) -> None:
    steered.post("/_mock/rules", json={"fault": "reset"})
    assert steered.put("/_mock/scenario", json=scenario).status_code == 204
    assert [steered.get("/configurations").status_code for _ in range(2)] == [503, 200]
    created = steered.post("/configurations", json={**sample, "template": "other"}).json()
    assert (created["id"], created["created_at"]) == ("cfg_next", "2025-01-15T10:30:00.000000Z")
    assert steered.get("/_mock/state").json()[0]["created_at"] == "2025-01-15T10:30:00.000000Z"


def test_what_a_scenario_does_not_have_stays(steered: TestClient, scenario: Json) -> None:
    steered.put("/_mock/scenario", json=scenario)
    steered.put("/_mock/scenario", json={"rules": []})
    assert len(steered.get("/_mock/state").json()) == 1
    assert steered.get("/_mock/rules").json() == []
    assert steered.get("/_mock/clock").json() == {"now": "2025-01-15T10:30:00.000000Z", "frozen": True}


@pytest.mark.parametrize(
    ("part", "status"),
    [
        ({"rules": [{"answer": 418}]}, 409),
        ({"rules": [{"fault": "reset"}, {"answer": 503, "match": {"headers": {"a": {"$pattern": "("}}}}]}, 400),
        ({"rules": [{"fault": "reset"}] * 3}, 409),
        ({"state": ["sample", "sample"]}, 409),
        ({"state": ["sample", "other", "third"]}, 409),
        ({"clock": {"now": "tomorrow"}}, 400),
        ({"stat": []}, 400),
    ],
)
def test_a_scenario_that_is_refused_changes_nothing(
    make_steered: Callable[..., ASGIApp], scenario: Json, sample: Json, part: Json, status: int
) -> None:
    if "state" in part:
        part = {"state": [{**sample, "template": each} for each in part["state"]]}
    world = {"X-Mock-Session": "world"}
    with TestClient(make_steered(limits=Limits(rules=2, configurations=2))) as api:
        api.put("/_mock/scenario", json={**scenario, "clock": {"now": "2020-01-01T00:00:00Z"}}, headers=world)
        paths = ("/_mock/state", "/_mock/rules", "/_mock/clock")
        before = [api.get(path, headers=world).json() for path in paths]
        assert api.put("/_mock/scenario", json={**scenario, **part}, headers=world).status_code == status
        assert [api.get(path, headers=world).json() for path in paths] == before


def test_a_mock_begins_in_the_world_of_a_file(
    serve: Callable[..., Any], scenario: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "world.json").write_text(json.dumps(scenario))
    server = serve("--store", ":memory:", "--scenario", "world.json")
    assert "(1 configuration)" in server.greeting
    assert [server.client.get("/configurations").status_code for _ in range(2)] == [503, 200]
    kept = ["serve", "--port", "0", "--store", str(tmp_path / "kept.jsonl")]
    (tmp_path / "state.json").write_text(json.dumps(scenario["state"]))
    seeded = [*kept, "--seed", str(tmp_path / "state.json"), "--scenario", str(tmp_path / "world.json")]
    assert main(seeded) == COULD_NOT_RUN
    assert "its state would replace 1 configurations" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("[]", [], "scenario {file}: body must be object, not an array"),
        ("{", [], "scenario {file}: "),
        ('{"rules": [{"answer": 418}]}', [], "has no response 418"),
        ('{"rules": [{"answer": 99}]}', [], "/rules/0/answer"),
        (None, [], "scenario {file}: No such file or directory"),
        ("{}", ["--no-controls"], "--scenario needs the controls"),
    ],
)
def test_a_scenario_that_cannot_be_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, options: list[str], reason: str
) -> None:
    file = tmp_path / "world.json"
    if text is not None:
        file.write_text(text)
    assert main(["serve", "--port", "0", "--store", ":memory:", "--scenario", str(file), *options]) == COULD_NOT_RUN
    (line,) = capsys.readouterr().err.splitlines()
    assert reason.format(file=file) in line


def test_a_body_is_made_of_the_example_and_of_changes_that_keep_the_contract(steered: TestClient) -> None:
    made = steered.post("/_mock/configuration", json={"max_retry": 9, "template": "made"}).json()
    assert steered.post("/configurations", json=made).json()["max_retry"] == 9
    refused = steered.post("/_mock/configuration", json={"max_retry": -1, "templat": "x"})
    assert refused.status_code == 409
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/max_retry", "/templat"}
