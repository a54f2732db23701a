"""The options of `callconfig serve` for access to the controls and to the API."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callconfig.cli import main
from callconfig.outcome import COULD_NOT_RUN, OK, USAGE

Json = dict[str, Any]
MEMORY = ("--store", ":memory:")


def test_the_greeting_says_where_the_mock_is_steered(serve: Callable[..., Any]) -> None:
    server = serve(*MEMORY)
    assert f"UI     {server.url}/_mock/ui" in server.greeting
    assert server.client.get("/_mock/openapi.json").json()["info"]["title"] == "Controls of the mock"
    assert server.client.get("/_mock/docs").status_code == 200


def test_controls_are_turned_off(serve: Callable[..., Any]) -> None:
    server = serve(*MEMORY, "--no-controls")
    assert "Steer" not in server.greeting
    assert server.client.get("/_mock/state").json()["title"] == "Unknown path"


def test_controls_are_never_open_to_more_than_this_machine_without_a_token(
    capsys: pytest.CaptureFixture[str], serve: Callable[..., Any]
) -> None:
    assert main(["serve", "--host", "0.0.0.0", "--port", "0", *MEMORY]) == COULD_NOT_RUN  # noqa: S104
    assert capsys.readouterr().err == (
        "callconfig: everyone who can connect to 0.0.0.0 could use the controls; "
        "give them a --control-token, or turn them off with --no-controls\n"
    )
    server = serve(*MEMORY, "--host", "0.0.0.0", "--control-token", "letmein")  # noqa: S104
    assert "letmein" not in server.greeting
    assert server.client.get("/_mock/state").status_code == 401
    assert server.client.get("/_mock/state", headers={"Authorization": "Bearer letmein"}).status_code == 200


def test_the_default_session_steers_the_configured_store(serve: Callable[..., Any], sample: Json) -> None:
    server = serve()
    server.client.put("/_mock/clock", json={"now": "2025-01-15T10:30:00Z"})
    server.client.put("/_mock/ids", json={"next": ["cfg_kept"]})
    server.client.post("/configurations", json=sample)
    server.client.post("/configurations", json=sample, headers={"X-Mock-Session": "passing"})
    assert server.stop()[0] == OK
    (kept,) = serve().client.get("/configurations").json()
    assert (kept["id"], kept["created_at"]) == ("cfg_kept", "2025-01-15T10:30:00.000000Z")


def test_a_page_of_a_named_origin_may_use_the_controls(serve: Callable[..., Any]) -> None:
    server = serve(*MEMORY, "--control-origin", "http://localhost:5173", "--control-origin", "http://127.0.0.1:3000/")
    for origin in ("http://localhost:5173", "http://127.0.0.1:3000"):
        answer = server.client.get("/_mock/client.mjs", headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_tokens_come_from_a_file(serve: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "auth.json"
    file.write_text(json.dumps({"tokens": [{"token": "t-admin", "role": "admin"}]}))
    server = serve(*MEMORY, "--auth", str(file))
    assert server.client.get("/configurations").status_code == 401
    assert server.client.get("/configurations", headers={"Authorization": "Bearer t-admin"}).json() == []
    assert server.client.get("/openapi.json").json()["security"] == [{"bearerToken": []}]
    assert "t-admin" not in server.stop()[1]


def test_a_file_of_tokens_that_is_none_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "0", *MEMORY, "--auth", str(tmp_path / "none")]) == COULD_NOT_RUN
    assert capsys.readouterr().err == f"callconfig: --auth {tmp_path / 'none'}: No such file or directory\n"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--control-token", ""),
        ("--control-token", "a b"),
        ("--journal", "-1"),
        ("--control-origin", "*"),
        ("--control-origin", "localhost:5173"),
        ("--control-origin", "http://localhost:5173/page"),
    ],
)
def test_an_option_that_makes_no_sense_is_wrong_usage(option: str, value: str) -> None:
    assert main(["serve", f"{option}={value}"]) == USAGE


def test_the_exported_journal_is_judged_by_verify(
    serve: Callable[..., Any], sample: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(*MEMORY)
    for path in ("/configurations", "/configurations", "/configurations?reseller_id=res_001"):
        server.client.post(path, json=sample)
    for export in ("requests.har", "requests.ndjson"):
        (tmp_path / export).write_bytes(server.client.get(f"/_mock/{export}").content)
        assert main(["verify", str(tmp_path / export)]) == OK
        assert "3 interactions" in capsys.readouterr().out
