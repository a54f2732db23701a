"""All commands work with any OpenAPI 3.0 file: here one with other names, another identity, and no times."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from callconfig.cli import main
from callconfig.verification.target import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PLANT = {
    "type": "object",
    "required": ["key", "name", "height"],
    "properties": {
        "key": {"type": "string", "readOnly": True, "minLength": 1, "maxLength": 200},
        "name": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[a-z0-9_-]+$"},
        "height": {"type": "integer", "minimum": 0, "maximum": 500},
        "kind": {"type": "string", "enum": ["tree", "herb"], "default": "herb"},
    },
    "additionalProperties": False,
    "x-resource": {"identity": "key", "unique": ["name"]},
}


def answer(schema: dict[str, Any] | None = None) -> dict[str, Any]:
    content = {"content": {"application/json": {"schema": schema}}} if schema else {}
    return {"description": "It is so.", **content}


ONE = {"$ref": "#/components/schemas/Plant"}
TAKES = {"required": True, "content": {"application/json": {"schema": ONE}}}
CONTRACT = {
    "openapi": "3.0.3",
    "info": {"title": "Plants", "version": "2"},
    "paths": {
        "/plants": {
            "post": {
                "operationId": "addPlant",
                "requestBody": TAKES,
                "responses": {"201": answer(ONE), "409": answer(), "422": answer()},
            },
            "get": {
                "operationId": "plants",
                "parameters": [{"name": "name", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": answer({"type": "array", "items": ONE}), "422": answer()},
            },
        },
        "/plants/{key}": {
            "parameters": [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}],
            "put": {
                "operationId": "changePlant",
                "requestBody": TAKES,
                "responses": {"200": answer(ONE), "404": answer(), "409": answer(), "422": answer()},
            },
        },
    },
    "components": {"schemas": {"Plant": PLANT}},
}


def garden(mistake: str = "") -> Starlette:
    """A server of the contract, independent of the mock."""
    from callconfig.contract.document import Contract
    from callconfig.contract.operation import Request as Asked

    contract = Contract(json.loads(json.dumps(CONTRACT)))
    plants: dict[str, dict[str, Any]] = {}

    async def serve(request: Request) -> Response:
        found = contract.route(request.url.path)
        assert found is not None
        operation = found[0][request.method]
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = request.scope["query_string"]
        arguments, findings = operation.check_request(Asked(found[1], query, headers, await request.body()))
        if findings:
            return Response(status_code=422)
        if request.method == "GET":
            shown = [each for each in plants.values() if arguments.get("name", each["name"]) == each["name"]]
            return JSONResponse(list(plants.values()) if mistake == "ignores the filter" else shown)
        key, body = found[1].get("key", f"plant-{len(plants)}"), arguments["body"]
        if request.method == "PUT" and key not in plants:
            return Response(status_code=404)
        if any(each["name"] == body["name"] and each["key"] != key for each in plants.values()):
            return Response(status_code=409)
        kind = "tree" if mistake == "has another default" else body["kind"]
        plants[key] = {**body, "kind": kind, "key": key}
        return JSONResponse(plants[key], 201 if request.method == "POST" else 200)

    return Starlette(
        routes=[Route("/plants", serve, methods=["GET", "POST"]), Route("/plants/{key}", serve, methods=["PUT"])]
    )


@pytest.fixture
def contract_file(tmp_path: Path) -> str:
    path = tmp_path / "plants.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(CONTRACT))))
    return str(path)


@pytest.mark.parametrize(
    ("mistake", "code", "said"),
    [
        ("", 0, "check: holds"),
        ("ignores the filter", 1, "rule list-filter"),
        ("has another default", 1, 'body /kind: must be "herb", as it was stored; not "tree"'),
    ],
)
def test_a_server_of_another_contract_is_checked_by_the_same_model(
    contract_file: str, capsys: pytest.CaptureFixture[str], mistake: str, code: int, said: str
) -> None:
    with serving(garden(mistake)) as url:
        most = ["--max-failures", "1"] if mistake else []
        assert main(["check", url, "--contract", contract_file, "--seed", "1", *most]) == code
    assert said in capsys.readouterr().out


def test_a_contract_without_a_resource_is_checked_without_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(json.dumps(CONTRACT))
    del document["components"]["schemas"]["Plant"]["x-resource"]
    path = tmp_path / "plants.json"
    path.write_text(json.dumps(document))
    with serving(garden()) as url:
        assert main(["check", url, "--contract", str(path), "--seed", "1", "--max-examples", "5"]) == 0
        assert "no model was tried" in capsys.readouterr().out


def test_the_mock_of_another_contract_is_checked_where_no_server_is_given(
    contract_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--contract", contract_file, "--seed", "1", "--max-examples", "5"]) == 0
    assert "check: holds" in capsys.readouterr().out


def test_a_mock_that_stores_nothing_need_not_know_what_was_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    contract = str(Path(__file__).parents[2] / "examples" / "library.yaml")
    assert main(["check", "--contract", contract, "--seed", "3077765932", "--max-examples", "1"]) == 0
    assert "check: holds" in capsys.readouterr().out
