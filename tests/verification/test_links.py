"""Links between operations are followed, judged, and end."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callconfig.cli import main
from callconfig.outcome import FINDINGS, OK
from callconfig.verification.generated import MAX_ROUNDS
from callconfig.verification.target import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

THING = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
ONE = {"description": "It.", "content": {"application/json": {"schema": THING}}}
NONE: dict[str, Any] = {"description": "Nothing."}
LINKS = {name: {"operationId": name, "parameters": {"id": "$response.body#/id"}} for name in ("change", "remove")}
CONTRACT = {
    "openapi": "3.0.3",
    "info": {"title": "Things", "version": "1"},
    "paths": {
        "/things": {"post": {"operationId": "make", "responses": {"201": {**ONE, "links": LINKS}}}},
        "/things/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "patch": {"operationId": "change", "responses": {"200": ONE, "404": NONE}},
            "delete": {"operationId": "remove", "responses": {"204": NONE, "404": NONE}},
        },
    },
    "x-severity": {"unsupported-method": "off"},
}


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., int]:
    """The exit code of `check` against a server that may change its answers with `changed`."""

    def run(seed: int, examples: int, changed: Callable[[Response], Response] = lambda answer: answer) -> int:
        things: dict[str, bool] = {}

        async def make(_request: Request) -> Response:
            things[identity := f"thing-{len(things)}"] = True
            return JSONResponse({"id": identity}, 201)

        async def one(request: Request) -> Response:
            identity = request.path_params["id"]
            if not things.get(identity):
                return Response(status_code=404)
            if request.method == "DELETE":
                things[identity] = False
                return Response(status_code=204)
            return changed(JSONResponse({"id": identity}))

        (tmp_path / "things.json").write_text(json.dumps(CONTRACT))
        routes = [Route("/things", make, methods=["POST"]), Route("/things/{id}", one, methods=["PATCH", "DELETE"])]
        with serving(Starlette(routes=routes)) as url:
            few = ["--max-examples", str(examples), "--seed", str(seed)]
            return main(["check", url, "--contract", str(tmp_path / "things.json"), *few])

    return run


@pytest.mark.parametrize("seed", [1, 6])
def test_what_is_gone_is_not_missed_where_a_request_was_aimed_at_it(
    check: Callable[..., int], capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    assert check(seed, 15) == OK, capsys.readouterr().out


def test_a_server_that_fails_in_a_new_way_each_time_does_not_keep_the_run(
    check: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = itertools.count()

    def changed(answer: Response) -> Response:
        return Response(answer.body, media_type=f"multipart/mixed; boundary=b{next(numbers)}")

    assert check(1, 10, changed) == FINDINGS
    assert f"links were followed in {MAX_ROUNDS} rounds" in capsys.readouterr().out
