"""The mock of each of the tests' contracts holds, on every store; servers that are wrong on purpose do not."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from callconfig.app import create_app, sources
from callconfig.contract.document import Contract
from callconfig.contract.operation import Reply
from callconfig.storage import Store, open_store
from callconfig.tests.support.running import Server
from callconfig.verification.target import serving
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTRACTS = Path(__file__).parent.parent / "support" / "contracts"
SEEDS = {"books": 9, "shops": 3, "bookings": 2, "weather": 1}
"""For each contract one that leads few examples to every documented status, and to what is there after its deletion."""
Change = Callable[[str, str, int, Any], tuple[int, Any]]
"""From the method, the path, the status and the body of a right answer to those of a wrong one."""


def check(name: str, url: str, *options: str) -> tuple[int, str]:
    """The exit code and the output of a process of its own: what is drawn hangs on the modules that are loaded."""
    contract, seed = str(CONTRACTS / f"{name}.yaml"), str(SEEDS[name])
    command = ["check", url, "--contract", contract, "--seed", seed, "--write-anywhere", *options]
    ran = subprocess.run([sys.executable, "-m", "callconfig", *command], capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout


@pytest.fixture(params=["memory", "file", "postgresql"])
def place(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql").fresh_url()
        return url
    return ":memory:" if request.param == "memory" else "store.jsonl"


@pytest.mark.slow
@pytest.mark.timeout(300)  # some hundred requests, on each store
@pytest.mark.parametrize("name", SEEDS)
def test_the_mock_of_a_contract_holds(name: str, place: str, serve: Callable[..., Server]) -> None:
    server = serve("--contract", str(CONTRACTS / f"{name}.yaml"), "--store", place)
    code, out = check(name, server.url, "--max-examples", "12", "--require-coverage")
    assert code == 0, out


def forgets_a_member(_method: str, _path: str, status: int, body: Any) -> tuple[int, Any]:
    if isinstance(body, dict) and status < 300:
        return status, {name: each for name, each in body.items() if name != list(body)[-1]}
    return status, body


def answers_another_type(_method: str, _path: str, status: int, body: Any) -> tuple[int, Any]:
    if isinstance(body, dict) and status < 300:
        return status, {**body, next(iter(body)): [body[next(iter(body))]]}
    return status, body


def answers_an_undocumented_status(method: str, _path: str, status: int, body: Any) -> tuple[int, Any]:
    return (299 if status < 300 and method == "POST" else 206 if status == 200 else status), body


def takes_everything(method: str, _path: str, status: int, body: Any) -> tuple[int, Any]:
    return (500 if status in (400, 422) and method == "POST" else status), body


def refuses_what_is_right(method: str, _path: str, status: int, body: Any) -> tuple[int, Any]:
    return (503 if status < 300 and method in ("POST", "PUT") else status), body


WRONG: dict[str, list[Change]] = {
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


def tampered(app: ASGIApp, change: Change) -> ASGIApp:
    """The application with other answers."""

    async def wrong(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await app(scope, receive, keep)
        text = b"".join(message.get("body", b"") for message in messages)
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        status, body = change(scope["method"], scope["path"], messages[0]["status"], value)
        sent = text if body is value else json.dumps(body).encode()
        kept = [(name, each) for name, each in messages[0]["headers"] if name != b"content-length"]
        length = [] if status == 204 else [(b"content-length", str(len(sent)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": [*kept, *length]})
        await send({"type": "http.response.body", "body": sent})

    return wrong


def wrong_servers() -> Iterator[Any]:
    for name, changes in WRONG.items():
        for change in changes:
            yield pytest.param(name, change, id=f"{name}-{change.__name__}")


def mock_of(name: str, *handlers: Any) -> ASGIApp:
    contract = Contract.load(CONTRACTS / f"{name}.yaml")
    store = asyncio.run(open_store(":memory:", contract.resources, sources(contract).values))
    return create_app(contract, store, handlers=handlers)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "change"), list(wrong_servers()))
def test_a_server_that_is_wrong_is_caught(name: str, change: Change) -> None:
    with serving(tampered(mock_of(name), change)) as url:
        code, out = check(name, url, "--max-examples", "5", "--max-failures", "1")
    assert code == 1, out


async def remove_book(isbn: str, store: Store) -> Reply:
    """Answers as if it were gone."""
    await store.get(isbn)
    return None, 204


async def close_shop(shop: int, store: Store) -> Reply:
    """The same."""
    await store.table("shops").get(str(shop))
    return None, 204


async def cancel_booking(room: str, code: str, store: Store) -> Reply:
    """Says when it was cancelled, and forgets that."""
    booking = await store.get(json.dumps([room, code], separators=(",", ":")))
    return {**booking, "cancelled": "2025-01-01T00:00:00Z"}, 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "handler"), [("books", remove_book), ("shops", close_shop), ("bookings", cancel_booking)]
)
def test_what_is_there_after_it_was_deleted_is_seen(name: str, handler: Callable[..., Any]) -> None:
    with serving(mock_of(name, SimpleNamespace(**{handler.__name__: handler}))) as url:
        code, out = check(name, url, "--max-examples", "20")
    assert code == 1, out
    assert "use-after-free" in out
