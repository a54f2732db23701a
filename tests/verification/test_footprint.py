"""`check` on a shared server changes no resource of other clients."""

import itertools
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.contract.interaction import Interaction
from callconfig.verification.footprint import Footprint
from callconfig.verification.target import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

State = dict[str, dict[str, Any]]


class Careless:
    """A server without any checks: every write and every deletion succeeds, in every collection.

    A create replaces a resource with the same identity or scope; `numbers` says that identities are numbers.
    """

    def __init__(self, others: State, *, unique: tuple[str, ...] = (), numbers: bool = False) -> None:
        self.state, self._unique = deepcopy(others), unique
        self._numbers = (str(number) if numbers else f"made-{number}" for number in itertools.count(1000))
        self.written: list[str] = []
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        self.app = Starlette(routes=[Route("/{path:path}", self.serve, methods=methods)])

    async def serve(self, request: Request) -> Response:
        path = request.url.path
        if request.method == "GET":
            below = [each for name, each in self.state.items() if name.rpartition("/")[0] == path]
            found = self.state.get(path, below)
            return JSONResponse(found)
        try:
            body = await request.json()
        except ValueError:
            body = {}
        body = body if isinstance(body, dict) else {"value": body}
        self.written.append(f"{request.method} {path}")
        if request.method == "DELETE":
            removed = [name for name in self.state if f"{name}/".startswith(f"{path}/")]
            for name in removed:
                del self.state[name]
            return Response(status_code=204)
        if request.method == "POST":
            scope = [body.get(name) for name in self._unique]
            same = (
                name for name, each in self.state.items() if scope and [each.get(key) for key in self._unique] == scope
            )
            path = next(same, f"{path}/{body.get('id', next(self._numbers))}")
            identity = path.rpartition("/")[2]
            body = {**body, "id": int(identity) if identity.isdigit() else identity}
            self.state[path] = body
            return JSONResponse(body, 201, headers={"Location": path})
        self.state[path] = {**self.state.get(path, {}), **body}
        return JSONResponse(self.state[path])


def check(careless: Careless, seed: int, *options: str) -> None:
    with serving(careless.app) as url:
        main(["check", url, "--seed", str(seed), "--max-examples", "5", "--max-time", "60", *options])
    assert len(careless.written) > 20, "hardly anything was tried"


def changed(before: State, after: State) -> list[str]:
    return [name for name, value in before.items() if after.get(name) != value]


@pytest.fixture
def lean(contract: Contract, tmp_path: Path) -> Path:
    """The contract without optional members: what is sent is less, and says as much of whom it concerns."""
    document = _without_examples(contract.document)
    schemas = document["components"]["schemas"]
    kept = {"id", "created_at", "updated_at", *schemas["CallExecutionConfigCreate"]["required"]}
    for name in ("CallExecutionConfig", "CallExecutionConfigCreate", "CallExecutionConfigUpdate"):
        members = {member: each for member, each in schemas[name]["properties"].items() if member in kept}
        required = [member for member in schemas[name]["required"] if member in kept]
        rest = {keyword: each for keyword, each in schemas[name].items() if keyword != "not"}
        schemas[name] = {**rest, "properties": members, "required": required}
    path = tmp_path / "lean.json"
    path.write_text(json.dumps(document))
    return path


def _without_examples(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_examples(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {name: _without_examples(each) for name, each in node.items() if name not in ("example", "examples")}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2])
def test_configurations_of_others_stay_as_they_are(sample: dict[str, Any], lean: Path, seed: int) -> None:
    scopes = [(sample["reseller_id"], sample["template"]), ("res", "0"), ("0", "0"), ("", ""), ("res_1", "x")]
    others = {
        f"/configurations/cfg_{number:012}": {
            **sample,
            "id": f"cfg_{number:012}",
            "reseller_id": reseller,
            "template": template,
            "created_at": "2025-01-01T00:00:00.000000Z",
            "updated_at": "2025-01-01T00:00:00.000000Z",
        }
        for number, (reseller, template) in enumerate(scopes)
    }
    careless = Careless(others, unique=("reseller_id", "template"))
    check(careless, seed, "--contract", str(lean))
    assert changed(others, careless.state) == []
    assert any(method.startswith("PUT /configurations/made-") for method in careless.written), "nothing was replaced"


BOOK = {"title": "A", "pages": 7, "kind": "novel", "added": "2025-01-01T00:00:00Z", "changed": "2025-01-01T00:00:00Z"}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("contract", "others"),
    [
        ("books", {f"/books/{name}": {**BOOK, "id": name, "title": name} for name in ("a", "0", "made-1", "{first}")}),
        (
            "shops",
            {
                **{f"/shops/{number}": {"id": number, "name": "tea", "opened": True} for number in range(9)},
                **{f"/shops/{number}/offers/1": {"number": 1, "item": "tea", "price": 1} for number in range(9)},
            },
        ),
    ],
)
def test_what_can_be_deleted_and_patched_stays_where_others_have_it(contract: str, others: State) -> None:
    careless = Careless(others, numbers=contract == "shops")
    check(careless, 1, "--contract", str(Path(__file__).parent.parent / f"support/contracts/{contract}.yaml"))
    assert changed(others, careless.state) == []
    assert any(each.startswith("DELETE ") for each in careless.written), "nothing was deleted"


def answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "It is so.", "content": {"application/json": {"schema": schema}}}


USER = {
    "type": "object",
    "required": ["name"],
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}, "age": {"type": "integer"}},
}
BODY = {"required": True, "content": {"application/json": {"schema": USER}}}
IDENTITY = {"name": "userId", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
USERS: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Users", "version": "1"},
    "paths": {
        "/users": {
            "get": {"operationId": "users", "responses": {"200": answer({"type": "array", "items": USER})}},
            "post": {"operationId": "addUser", "requestBody": BODY, "responses": {"201": answer(USER)}},
            "delete": {"operationId": "removeAll", "responses": {"204": {"description": "All are gone."}}},
        },
        "/users/{userId}": {
            "parameters": [IDENTITY],
            "get": {"operationId": "user", "responses": {"200": answer(USER)}},
            "put": {"operationId": "setUser", "requestBody": BODY, "responses": {"200": answer(USER)}},
            "patch": {"operationId": "changeUser", "requestBody": BODY, "responses": {"200": answer(USER)}},
            "delete": {"operationId": "removeUser", "responses": {"204": {"description": "It is gone."}}},
        },
        "/users/{userId}/notes": {
            "parameters": [IDENTITY],
            "post": {"operationId": "addNote", "requestBody": BODY, "responses": {"201": answer(USER)}},
        },
        "/settings": {"put": {"operationId": "setSettings", "requestBody": BODY, "responses": {"200": answer(USER)}}},
        "/teams/{team}": {
            "parameters": [{"name": "team", "in": "path", "required": True, "schema": {"type": "string"}}],
            "put": {"operationId": "setTeam", "requestBody": BODY, "responses": {"200": answer(USER)}},
        },
    },
}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_a_resource_only_what_the_run_created_is_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    path = tmp_path / "users.json"
    path.write_text(json.dumps(USERS))
    others: State = {f"/users/{number}": {"id": number, "name": f"user {number}"} for number in range(30)}
    others |= {f"/users/{number}/notes/1": {"id": 1, "name": "note"} for number in range(30)}
    others |= {"/settings": {"name": "all"}, **{f"/teams/{name}": {"name": name} for name in ("0", "a", "null", "A")}}
    careless = Careless(others, numbers=True)
    check(careless, seed, "--contract", str(path))
    assert changed(others, careless.state) == []
    created = {each.split("/")[2] for each in careless.state if each.startswith("/users/")}
    for method in ("PUT", "PATCH"):
        assert any(f"{method} /users/{each}" in careless.written for each in created), f"no {method} of what it created"
    assert any(each.startswith("POST /users/") for each in careless.written)
    out = capsys.readouterr().out
    assert "note: not tried, because it would change earlier resources: removeAll, setSettings; " in out
    assert "note: tried on unused identities only, because the run created no resource for it: setTeam; " in out


def test_a_server_whose_data_nobody_needs_is_tried_in_full(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text(json.dumps(USERS))
    careless = Careless({"/settings": {"name": "all"}}, numbers=True)
    check(careless, 1, "--contract", str(path), "--write-anywhere")
    assert {"DELETE /users", "PUT /settings"} <= set(careless.written)


@pytest.fixture
def footprint() -> Footprint:
    return Footprint(Contract(USERS), "http://example.com/api", "check-1-abc")


def created(path: str, body: Any, status: int = 201, **headers: str) -> Interaction:
    content = json.dumps(body).encode()
    return Interaction("POST", f"http://example.com/api{path}", status, (), b"", tuple(headers.items()), content)


@pytest.mark.parametrize(
    "interaction",
    [
        created("/users", {"userId": 7}),
        created("/users", {"user_id": 7, "id": 8}),
        created("/users", {"id": 7}),
        created("/users", {"data": {"id": 7, "name": "x"}}),
        created("/users", {}, Location="/api/users/7"),
        created("/users", {}, Location="http://example.com/api/users/7"),
    ],
)
def test_what_was_created_is_known_by_its_identity_or_its_location(
    footprint: Footprint, interaction: Interaction
) -> None:
    assert not footprint.permits("DELETE", "/api/users/7")
    footprint.record(interaction)
    assert footprint.permits("DELETE", "/api/users/7")
    assert footprint.permits("POST", "/api/users/7/notes")
    assert not footprint.permits("DELETE", "/api/users/8")
    assert not footprint.permits("DELETE", "/api/users/77")
    assert not footprint.permits("DELETE", "/api/users/7/../8")


@pytest.mark.parametrize(
    "interaction",
    [
        created("/users", {"id": 7}, 200),
        created("/users", {"id": 7}, 409),
        created("/users", {"id": True}),
        created("/users", [{"id": 7}]),
        created("/users", {"name": "x", "friend": {"id": 7}}),
        created("/users", {}, 202, Location="/api/users/7"),
        created("/users", {}, Location="/api/users"),
        created("/users", {}, Location="http://[/users/7"),
    ],
)
def test_what_was_only_found_or_mentioned_is_somebodys(footprint: Footprint, interaction: Interaction) -> None:
    footprint.record(interaction)
    assert not footprint.permits("PUT", "/api/users/7")


@pytest.mark.parametrize(
    ("method", "path", "permitted"),
    [
        ("GET", "/api/users/1", True),
        ("POST", "/api/users", True),
        ("POST", "/api/users/1/notes", False),
        ("DELETE", "/api/users", False),
        ("DELETE", "/api/users/", False),
        ("PATCH", "/api/users/1", False),
        ("PUT", "/api/settings", False),
        ("PUT", "/api/teams/a", False),
        ("PUT", "/api/teams/a-check-1-abc", True),
        ("delete", "/api/nowhere", False),
    ],
)
def test_what_may_change_something_goes_only_where_nobodys_data_is(
    footprint: Footprint, method: str, path: str, permitted: bool
) -> None:
    assert footprint.permits(method, path) is permitted


@pytest.mark.parametrize("value", [1, 30, 0, -1, 5000000000, "abc", 0.5, None, True, ""])
def test_identities_become_those_that_nobody_has_and_wrong_ones_stay_wrong(footprint: Footprint, value: Any) -> None:
    permitted_parameters = footprint.permitted_parameters(
        "DELETE", "/users/{userId}", {"userId": value}, f"/users/{value}"
    )["userId"]
    assert footprint.permits("DELETE", f"/api/users/{permitted_parameters}")
    is_right = type(value) is int and value >= 1
    assert (type(permitted_parameters) is int and permitted_parameters >= 1) is is_right
