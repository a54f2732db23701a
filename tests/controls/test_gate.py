"""Access to the controls by host name and origin: a page of a foreign origin has none."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.controls.bundle import load_controls
from starlette.testclient import TestClient
from starlette.types import ASGIApp

MOCK = "127.0.0.1:8080"


@pytest.fixture(scope="module")
def gated(make_steered: Callable[..., ASGIApp]) -> Iterator[TestClient]:
    app = make_steered(hosts=["mock"], origins=["http://localhost:5173"])
    with TestClient(app, base_url=f"http://{MOCK}") as client:
        yield client


OBEYED: list[dict[str, str]] = [
    {},
    {"Host": "localhost"},
    {"Host": "LOCALHOST:8080"},
    {"Host": "mine.localhost:8080"},
    {"Host": "[::1]:8080"},
    {"Host": "127.9.9.9"},
    {"Host": "mock:80"},
    {"Origin": f"http://{MOCK}"},
    {"Origin": "http://localhost:5173"},
    {"Origin": "http://localhost:5173", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-origin"},
]
REFUSED: list[dict[str, str]] = [
    {"Host": "attacker.example:8080"},
    {"Host": "attacker.example:8080", "Origin": "http://attacker.example:8080"},
    {"Host": "localhost.attacker.example"},
    {"Host": "notlocalhost"},
    {"Host": "localhost@attacker.example"},
    {"Host": "attacker.example#.localhost"},
    {"Host": "attacker.example, localhost"},
    {"Host": "192.0.2.1"},
    {"Host": "[::2]"},
    {"Host": "[localhost"},
    {"Host": ""},
    {"Origin": "http://attacker.example"},
    {"Origin": "http://127.0.0.1:8081"},
    {"Origin": f"https://{MOCK}"},
    {"Origin": "null"},
    {"Origin": "", "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
]
STEERING: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/_mock/state", {}),
    ("PUT", "/_mock/state", {"json": []}),
    ("DELETE", "/_mock/requests", {}),
    ("POST", "/_mock/snapshots/a/restore", {"content": b"", "headers": {"Content-Type": "text/plain"}}),
]


@pytest.mark.parametrize("headers", OBEYED, ids=str)
def test_the_mock_and_its_own_pages_are_obeyed(gated: TestClient, headers: dict[str, str]) -> None:
    assert gated.put("/_mock/snapshots/a", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", REFUSED, ids=str)
@pytest.mark.parametrize(("method", "path", "request_"), STEERING, ids=lambda value: str(value)[:30])
def test_a_page_elsewhere_is_not_obeyed(
    gated: TestClient, headers: dict[str, str], method: str, path: str, request_: dict[str, Any]
) -> None:
    session = {"X-Mock-Session": "unheard-of"}
    refused = gated.request(
        method, path, **{**request_, "headers": {**request_.get("headers", {}), **headers, **session}}
    )
    assert (refused.status_code, refused.json()["type"]) == (403, "/_mock/docs#foreign-request")
    assert "unheard-of" not in [each["name"] for each in gated.get("/_mock/sessions").json()]


def test_the_api_stays_open_to_every_origin(gated: TestClient) -> None:
    assert gated.get("/configurations", headers={"Host": "attacker.example", "Origin": "null"}).status_code == 200


def test_who_is_turned_away_leaves_no_session_and_is_not_read(make_steered: Callable[..., ASGIApp]) -> None:
    read: list[bytes] = []

    def body() -> Iterator[bytes]:
        read.append(b"[]")
        yield read[-1]

    with TestClient(make_steered(token="letmein")) as api:  # noqa: S106
        refused = api.put("/_mock/state", content=body(), headers={"X-Mock-Session": "unheard-of"})
        assert (refused.status_code, read) == (401, [])
        (session,) = api.get("/_mock/sessions", headers={"Authorization": "Bearer letmein"}).json()
        assert session["name"] == "default"


def test_every_control_refuses_whom_it_does_not_obey(gated: TestClient, contract: Contract) -> None:
    for operation in load_controls(contract).operations.values():
        path = re.sub(r"\{\w+\}", "1", operation.path)
        refused = gated.request(operation.method, f"/_mock{path}", headers={"Host": "attacker.example"})
        assert refused.status_code == 403, operation.id
