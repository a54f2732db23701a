"""The mock of each of the tests' contracts holds, on every store; servers that are wrong on purpose do not."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from callconfig.app import create_app, sources
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.storage import open_store
from callconfig.tests.support.running import Server
from callconfig.verification.target import serving
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTRACTS = Path(__file__).parent.parent / "support" / "contracts"
NAMES = ["books", "shops", "bookings", "weather"]
Change = Callable[[str, str, int, Any], tuple[int, Any]]
"""From the method, the path, the status and the body of a right answer to those of a wrong one."""


def check(name: str, url: str, *options: str) -> int:
    contract = str(CONTRACTS / f"{name}.yaml")
    code: int = main(["check", url, "--contract", contract, "--seed", "1", "--write-anywhere", *options])
    return code


@pytest.fixture(params=["memory", "file", "postgresql"])
def place(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql").fresh_url()
        return url
    return ":memory:" if request.param == "memory" else "store.jsonl"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_mock_of_a_contract_holds(
    name: str, place: str, serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve("--contract", str(CONTRACTS / f"{name}.yaml"), "--store", place)
    code = check(name, server.url, "--max-examples", "30", "--require-coverage")
    assert code == 0, capsys.readouterr().out


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


@pytest.mark.slow
@pytest.mark.parametrize(("name", "change"), list(wrong_servers()))
def test_a_server_that_is_wrong_is_caught(name: str, change: Change) -> None:
    contract = Contract.load(CONTRACTS / f"{name}.yaml")
    store = asyncio.run(open_store(":memory:", contract.resources, sources(contract).values))
    with serving(tampered(create_app(contract, store), change)) as url:
        assert check(name, url, "--max-examples", "5", "--max-failures", "1") == 1
