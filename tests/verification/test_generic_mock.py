"""`check` of mocks of the tests' contracts, on each persistent store: right ones pass, wrong ones do not."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from callconfig.app import create_app, sources
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.contract.operation import Reply
from callconfig.storage.opening import open_store
from callconfig.storage.store import Store
from callconfig.tests.support.running import Server
from callconfig.tests.support.tampering import TamperedRequest, TamperedResponse, changing_responses, tampered
from callconfig.verification.target import serving
from starlette.types import ASGIApp

CONTRACTS = Path(__file__).parent.parent / "support" / "contracts"
STORING = ("books", "shops", "bookings", "songs", "pets")


def check(name: str, url: str, *options: str) -> int:
    contract = str(CONTRACTS / f"{name}.yaml")
    mocked = ("--write-anywhere", "--severity", "ignored-auth=off")  # a mock accepts any credentials
    return main(["check", url, "--contract", contract, "--seed", "1", *mocked, *options])


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest) -> str:
    """The location of a persistent store; a store in memory is the one with a file, without the file."""
    if request.param == "file":
        return "store.jsonl"
    url: str = request.getfixturevalue("postgresql").fresh_url()
    return url


@pytest.mark.slow
@pytest.mark.timeout(300)  # some hundred requests, on each store
@pytest.mark.parametrize("name", STORING)
def test_the_mock_of_a_contract_holds(
    name: str, place: str, serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve("--contract", str(CONTRACTS / f"{name}.yaml"), "--store", place, "--quiet")
    code = check(name, server.url, "--max-examples", "3", "--require-coverage")
    assert code == 0, capsys.readouterr().out


@pytest.mark.slow
def test_the_mock_of_a_contract_that_stores_nothing_holds(
    serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve("--contract", str(CONTRACTS / "weather.yaml"), "--store", "store.jsonl", "--quiet")
    code = check("weather", server.url, "--max-examples", "3", "--require-coverage")
    assert code == 0, capsys.readouterr().out


def forgets_a_member(_request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
    if isinstance(body := response.body, dict) and response.status < 300:
        return response.with_body({name: each for name, each in body.items() if name != list(body)[-1]})
    return response


def answers_another_type(_request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
    if isinstance(body := response.body, dict) and response.status < 300:
        return response.with_body({**body, next(iter(body)): [body[next(iter(body))]]})
    return response


def answers_an_undocumented_status(request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
    other = (
        299
        if response.status < 300 and request.method == "POST"
        else 206
        if response.status == 200
        else response.status
    )
    return replace(response, status=other)


def takes_everything(request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
    return replace(response, status=500) if response.status in (400, 422) and request.method == "POST" else response


def refuses_what_is_right(request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
    return replace(response, status=503) if response.status < 300 and request.method in ("POST", "PUT") else response


WRONG: dict[str, list[Callable[[TamperedRequest, TamperedResponse], TamperedResponse]]] = {
    "books": [
        forgets_a_member,
        answers_another_type,
        answers_an_undocumented_status,
        takes_everything,
        refuses_what_is_right,
    ],
    "shops": [forgets_a_member, answers_another_type, answers_an_undocumented_status, takes_everything],
    "bookings": [answers_another_type, answers_an_undocumented_status, takes_everything],
    "weather": [forgets_a_member, answers_another_type],
}


def mock_of(name: str, *handlers: Any) -> tuple[ASGIApp, Store]:
    contract = Contract.load(CONTRACTS / f"{name}.yaml")
    store = asyncio.run(open_store(":memory:", contract.resources, sources().values))
    return create_app(contract, store, handlers=handlers), store


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "change"),
    [pytest.param(name, each, id=f"{name}-{each.__name__}") for name, changes in WRONG.items() for each in changes],
)
def test_a_server_that_is_wrong_is_caught(
    name: str,
    change: Callable[[TamperedRequest, TamperedResponse], TamperedResponse],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(tampered(*mock_of(name), changing_responses(change))) as url:
        code = check(name, url, "--max-examples", "5", "--max-failures", "1")
    assert code == 1, capsys.readouterr().out


async def remove_book(isbn: str, store: Store) -> Reply:
    """Responds with success without deleting."""
    await store.get(isbn)
    return None, 204


async def close_shop(shop: int, store: Store) -> Reply:
    """Responds with success without deleting."""
    await store.table("shops").get(str(shop))
    return None, 204


async def cancel_booking(room: str, code: str, store: Store) -> Reply:
    """Responds with the time of cancellation, without storing it."""
    booking = await store.get(json.dumps([room, code], separators=(",", ":")))
    return {**booking, "cancelled": "2025-01-01T00:00:00Z"}, 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "handler"), [("books", remove_book), ("shops", close_shop), ("bookings", cancel_booking)]
)
def test_what_is_there_after_it_was_deleted_is_seen(
    name: str, handler: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    app, _store = mock_of(name, SimpleNamespace(**{handler.__name__: handler}))
    with serving(app) as url:
        code = check(name, url, "--max-examples", "1", "--max-failures", "1")
    out = capsys.readouterr().out
    assert code == 1, out
    assert "is in the list, but was deleted" in out
