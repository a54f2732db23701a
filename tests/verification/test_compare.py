"""Two servers compared: alike where they may differ, and different where they may not."""

import asyncio
from collections.abc import Callable

import pytest
from callconfig.app import create_app, server_values
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.storage import ServerValues, open_store
from callconfig.verification.target import serving
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Compare = Callable[..., tuple[int, str]]


@pytest.fixture
def compare(capsys: pytest.CaptureFixture[str]) -> Compare:
    """The exit code and the output of a comparison."""

    def run(one: ASGIApp, other: ASGIApp) -> tuple[int, str]:
        with serving(one) as url_a, serving(other) as url_b:
            code = main(["compare", url_a, url_b, "--seed", "1", "--max-examples", "5", "--max-failures", "4"])
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def other_app(contract: Contract) -> ASGIApp:
    """A second mock, with a store, identities and times of its own."""
    numbers = iter(range(100_000))
    values = ServerValues(server_values(contract).now, lambda: f"cfg_number{next(numbers):06}")
    return create_app(contract, asyncio.run(open_store(":memory:", contract.stored, values)))


def answering(app: ASGIApp, old: bytes, new: bytes, *, status: int | None = None) -> ASGIApp:
    """The application with another text of the same length in its bodies, or with another status for what succeeds."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def change(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": message["body"].replace(old, new)}
            elif status and message["status"] < 300:
                message = {**message, "status": status}
            await send(message)

        await app(scope, receive, change)

    return wrapped


def test_identities_times_and_the_words_of_errors_may_differ(
    make_app: Callable[..., ASGIApp], other_app: ASGIApp, compare: Compare
) -> None:
    code, out = compare(make_app(), answering(other_app, b"must be", b"should "))
    assert (code, out.startswith("compare: holds")) == (0, True), out


@pytest.mark.parametrize(
    ("old", "new", "status", "said"),
    [
        (b"", b"", 202, "ERROR createConfiguration: status: the first answers 201, the second 202"),
        (b"false", b"true ", None, "body /enable_calling: is false in the first, true in the second"),
        (b'"merchant_id"', b'"merchant-id"', None, "body /merchant_id: is null in the first, missing in the second"),
        (b'"max_retry":3', b'"max_retry":4', None, "body /max_retry: is 3 in the first, 4 in the second"),
        (b'"rule"', b'"role"', None, 'body /errors/0/rule: is "a string" in the first, missing in the second'),
    ],
)
def test_a_difference_is_told_with_what_both_said(
    make_app: Callable[..., ASGIApp],
    other_app: ASGIApp,
    compare: Compare,
    old: bytes,
    new: bytes,
    status: int | None,
    said: str,
) -> None:
    code, out = compare(make_app(), answering(other_app, old, new, status=status))
    assert code == 1
    assert said in out
    assert "curl -i" in out
