"""Comparison of two servers: permitted differences are ignored, others are found."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from callconfig.app import create_app, sources
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.outcome import COULD_NOT_RUN
from callconfig.storage.opening import open_store
from callconfig.storage.store import ServerValues
from callconfig.verification.target import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Compare = Callable[..., tuple[int, str]]


@pytest.fixture
def compare(capsys: pytest.CaptureFixture[str]) -> Compare:
    """The exit code and the output of a comparison."""

    def run(one: ASGIApp, other: ASGIApp) -> tuple[int, str]:
        with serving(one) as url_a, serving(other) as url_b:
            code = main(["compare", url_a, url_b, "--seed", "1", "--max-examples", "5", "--max-failures", "2"])
        return code, capsys.readouterr().out

    return run


def test_a_server_is_not_compared_with_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "http://127.0.0.1:1", "http://127.0.0.1:1/"]) == COULD_NOT_RUN
    assert capsys.readouterr().err.startswith("callconfig: both servers are http://127.0.0.1:1: ")


@pytest.fixture
def other_app(contract: Contract) -> ASGIApp:
    """A second mock, with another store, other identities and times."""
    numbers = iter(range(100_000))
    values = ServerValues(sources().values(contract.resources[0]).now, lambda: f"cfg_number{next(numbers):06}")
    return create_app(contract, asyncio.run(open_store(":memory:", contract.resources, lambda _resource: values)))


def answering(app: ASGIApp, old: bytes, new: bytes, *, status: int | None = None) -> ASGIApp:
    """The application with another text of the same length in its bodies, or with another status of successes."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def change(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": message["body"].replace(old, new)}
            elif status and message["status"] < 300:
                message = {**message, "status": status}
            await send(message)

        await app(scope, receive, change)

    return wrapped


@pytest.mark.slow
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


OF_SERVER = {
    "id": {"type": "integer", "readOnly": True},
    "made": {"type": "string", "format": "date-time", "readOnly": True},
}


class Shop:
    """A server of carts with its own numbers and times, with carts of other clients, and with a mistake."""

    def __init__(self, first: int, mistake: str = "") -> None:
        self.carts: dict[int, dict[str, Any]] = {number: {"id": number, "name": "theirs"} for number in range(first)}
        self.mistake = mistake
        self.app = Starlette(
            routes=[
                Route("/carts", self.collection, methods=["GET", "POST"]),
                Route("/carts/{cartId}", self.item, methods=["GET", "PUT", "DELETE"]),
            ]
        )

    async def collection(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({"carts": list(self.carts.values())})
        body = await self.read(request)
        if body is None:
            return JSONResponse({"why": f"no, says {id(self)}"}, 422)
        number = max(self.carts) + 1
        link = f"{request.url.scheme}://{request.url.netloc}/carts/{number}"
        self.carts[number] = {"size": 1, **body, "id": number, "made": datetime.now(UTC).isoformat(), "self": link}
        if self.mistake == "forgets":
            self.carts[number]["size"] = 1
        return JSONResponse(self.carts[number], 201, headers={"Location": f"/carts/{number}"})

    async def item(self, request: Request) -> Response:
        text = request.path_params["cartId"]
        number = int(text) if text.isdecimal() else -1
        if number not in self.carts:
            return JSONResponse({"why": text}, 410 if self.mistake == "gone" else 404)
        if request.method == "DELETE":
            if self.mistake != "keeps":
                del self.carts[number]
            return Response(status_code=204)
        if request.method == "PUT":
            body = await self.read(request)
            if body is None:
                return JSONResponse({"why": "no"}, 422)
            self.carts[number] |= body
        return JSONResponse(self.carts[number])

    async def read(self, request: Request) -> dict[str, Any] | None:
        try:
            body = await request.json()
        except ValueError:
            return None
        is_right = (
            isinstance(body, dict)
            and isinstance(body.get("name"), str)
            and type(body.get("size", 1)) is int
            and 1 <= body.get("size", 1) <= 9
        )
        return {name: body[name] for name in ("name", "size") if name in body} if is_right else None


@pytest.fixture
def shop_contract(tmp_path: Path) -> Path:
    members = {"name": {"type": "string"}, "size": {"type": "integer", "minimum": 1, "maximum": 9}}
    wanted = {"type": "object", "required": ["name"], "properties": members}
    cart = {**wanted, "properties": {**OF_SERVER, **members, "self": {"type": "string"}}}
    takes = {"required": True, "content": {"application/json": {"schema": wanted}}}

    def answer(schema: dict[str, Any]) -> dict[str, Any]:
        return {"description": "It is so.", "content": {"application/json": {"schema": schema}}}

    no = {"422": answer({"type": "object"}), "404": answer({"type": "object"})}
    carts = {"type": "object", "properties": {"carts": {"type": "array", "items": cart}}}
    identity = {"name": "cartId", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/carts": {
                "get": {"operationId": "carts", "responses": {"200": answer(carts)}},
                "post": {"operationId": "addCart", "requestBody": takes, "responses": {"201": answer(cart), **no}},
            },
            "/carts/{cartId}": {
                "parameters": [identity],
                "get": {"operationId": "cart", "responses": {"200": answer(cart), **no}},
                "put": {"operationId": "setCart", "requestBody": takes, "responses": {"200": answer(cart), **no}},
                "delete": {"operationId": "dropCart", "responses": {"204": {"description": "Gone."}, **no}},
            },
        },
    }
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.timeout(200)
@pytest.mark.parametrize("seed", [1, 2])
def test_without_a_resource_generated_requests_are_played_to_both(
    shop_contract: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    one, other = Shop(7), Shop(40)
    before = [dict(shop.carts) for shop in (one, other)]
    with serving(one.app) as url_a, serving(other.app) as url_b:
        options = ["--contract", str(shop_contract), "--seed", str(seed), "--max-examples", "10"]
        code = main(["compare", url_a, url_b, *options])
    out = capsys.readouterr().out
    assert (code, "compare: holds" in out) == (0, True), out
    for shop, known in zip((one, other), before, strict=True):
        assert {number: shop.carts.get(number) for number in known} == known, "others' carts stay"
        assert len(shop.carts) > len(known)


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("forgets", "body /size: is "),
        ("gone", "status: the first answers 404, the second 410"),
        ("keeps", "status: the first answers 404, the second 20"),
    ],
)
def test_a_difference_in_generated_requests_is_told(
    shop_contract: Path, capsys: pytest.CaptureFixture[str], mistake: str, said: str
) -> None:
    with serving(Shop(7).app) as url_a, serving(Shop(40, mistake).app) as url_b:
        options = ["--contract", str(shop_contract), "--seed", "1", "--max-examples", "10", "--max-failures", "3"]
        assert main(["compare", url_a, url_b, *options]) == 1
    assert said in capsys.readouterr().out
