"""`callconfig serve --contract`: the notes, the store and the access control of a mock of another contract."""

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from callconfig.cli import main
from callconfig.outcome import OK
from callconfig.tests.support.postgresql import PostgreSQLServer
from callconfig.tests.support.running import Server, serving

CONTRACTS = Path(__file__).parent / "support" / "contracts"

pytestmark = pytest.mark.xdist_group("contracts")  # which share a mock


def contract(name: str) -> tuple[str, str]:
    return "--contract", str(CONTRACTS / f"{name}.yaml")


def test_what_is_not_remembered_is_said_at_the_start(serve: Callable[..., Server]) -> None:
    server = serve(*contract("weather"), "--store", ":memory:")
    assert "mocks Weather 1.0.0\n" in server.greeting
    assert (
        "responses from an example, or from a generated value: readWeather, readForecast, POST /alarms"
        in server.greeting
    )
    assert "Store  :memory: (0 documents)" in server.greeting


def test_parameters_and_refusals_that_a_mock_makes_nothing_of_are_said_at_the_start(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    text = (CONTRACTS / "books.yaml").read_text().replace("name: pages, in: query", "name: near, in: query")
    (tmp_path / "books.yaml").write_text(text.replace("        '400': {$ref: '#/components/responses/Refused'}\n", ""))
    said = serve("--contract", "books.yaml", "--store", ":memory:").greeting
    assert "Note   listBooks ignores the parameter near\n" in said
    assert "a request that breaks the contract gets an undocumented 400 from listBooks, addBook, readBook" in said


@pytest.fixture(scope="module")
def mock_of_pets() -> Iterator[Server]:
    with serving(*contract("pets"), "--store", ":memory:") as server:
        yield server


@pytest.fixture
def pets(mock_of_pets: Server) -> Server:
    """The one mock of pets, in a session of the test's own."""
    mock_of_pets.client.headers["X-Mock-Session"] = secrets.token_hex(8)
    return mock_of_pets


def test_credentials_bodies_that_are_not_kept_and_the_path_of_the_servers_are_said_at_the_start(pets: Server) -> None:
    assert "1 of 12 operations require credentials, and accept any: key (header X-Key)" in pets.greeting
    assert "a value of the schema is stored instead of bodies of application/xml" in pets.greeting
    assert "the contract's servers have these paths below /api/v3: --base-path /api/v3 does here" in pets.greeting


def test_what_a_mock_serves_leads_to_no_other_server(pets: Server) -> None:
    served = pets.client.get("/openapi.json").json()
    assert served["servers"] == [{"url": "/"}]
    assert "servers" not in served["paths"]["/greeting"]
    samples = [line for line in pets.client.get("/reference.md").text.splitlines() if line.startswith("curl ")]
    assert samples
    assert not [line for line in samples if "example.com" in line]


def test_a_greeting_names_the_first_of_many_paths(serve: Callable[..., Server], tmp_path: Path) -> None:
    operation = {"responses": {"200": {"description": "It is there."}}}
    paths = {f"/things/{number:02}": {"get": operation} for number in range(20)}
    document = {"openapi": "3.0.3", "info": {"title": "Many", "version": "1"}, "paths": paths}
    (tmp_path / "many.json").write_text(json.dumps(document))
    greeting = serve("--contract", "many.json", "--store", ":memory:").greeting
    assert "/things/09\n         and 10 more paths\n" in greeting
    assert "GET /things/09 and 10 more\n" in greeting


def test_a_contract_never_steers_the_terminal(
    serve: Callable[..., Server], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    escape = r"\e[31m\n"
    (tmp_path / "odd.yaml").write_text(
        f'{{openapi: 3.0.3, info: {{title: "A{escape}", version: "1{escape}"}}, paths: {{"/{escape}": {{get: '
        '{responses: {"204": {description: none}}}}}}'
    )
    said = serve("--contract", "odd.yaml", "--store", ":memory:").greeting
    assert "mocks A\\x1b[31m\\n 1\\x1b[31m\\n\n" in said
    assert main(["docs", "build", "--contract", str(tmp_path / "odd.yaml"), "-o", str(tmp_path / "site")]) == OK
    assert (said + capsys.readouterr().out).replace("\n", "").isprintable()


def test_an_id_that_a_client_gives_is_kept_and_one_that_it_does_not_is_made(pets: Server) -> None:
    given = pets.client.post("/pets", json={"id": 10, "name": "Rex", "tags": [{"id": 1, "label": "dog"}]})
    assert (given.status_code, given.json()["id"]) == (200, 10)
    assert pets.client.post("/pets", json={"id": 10, "name": "Tom"}).status_code == 409
    made = pets.client.post("/pets", json={"name": "Tom"}).json()
    assert pets.client.get(f"/pets/{made['id']}").json() == made
    assert pets.client.get("/pets/findByTags", params={"tags": "dog"}).json() == [given.json()]
    assert pets.client.get("/pets/findByTags", params={"tags": "cat"}).json() == []
    asleep = pets.client.post("/pets", json={"name": "Zed", "asleep": True}).json()
    assert pets.client.get("/pets/findByTags").json() == [given.json(), made]  # `asleep` has the default false
    assert pets.client.get("/pets/findByTags", params={"asleep": "true"}).json() == [asleep]
    assert pets.client.get("/pets/findByTags", params={"page": "2.0"}).json() == []


def test_a_put_to_the_collection_replaces_what_its_body_names(pets: Server) -> None:
    pets.client.post("/pets", json={"id": 10, "name": "Rex"})
    assert pets.client.put("/pets", json={"id": 10, "name": "Max"}).json() == {"id": 10, "name": "Max"}
    assert pets.client.get("/pets/10").json() == {"id": 10, "name": "Max"}
    unknown, unnamed = (pets.client.put("/pets", json=body) for body in ({"id": 11, "name": "Max"}, {"name": "Max"}))
    assert (unknown.status_code, unknown.json()) == (404, {"message": "There is no 11 here."})
    assert unnamed.status_code == 404
    assert unnamed.json() == {"message": "The body has no id, which identifies the resource."}


def test_answers_have_the_media_type_the_fields_and_the_members_that_are_documented(pets: Server) -> None:
    made = pets.client.post("/pets", json={"id": 10, "name": "Rex"})
    assert made.headers["content-type"] == "application/json; charset=utf-8"
    assert made.headers["x-server"]
    refused = pets.client.post("/pets", json={"nam": "Rex"})
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/json; charset=utf-8")
    assert refused.headers["x-server"]
    assert pets.client.delete("/pets/10").json() == {"done": "removed"}
    assert pets.client.post("/pets/10:feed").status_code == 204
    gone = pets.client.get("/pets/10")  # whose 404 documents no body
    assert gone.json()["detail"] == "There is no 10 here."
    assert gone.headers["x-server"]
    assert isinstance(pets.client.get("/greeting").json()["words"], str)  # a made one, as the example is none
    assert "not sent, because their examples break the contract: greet" in pets.greeting
    owner = pets.client.post("/owners", json={"name": "Ann", "level": None}, headers={"X-Key": "any"})
    assert owner.headers["content-type"] == "application/vnd.pets+json"
    assert owner.json()["data"]["name"] == "Ann"
    assert isinstance(owner.json()["data"]["level"], int)
    assert pets.client.post("/owners", headers={"X-Key": "any"}).status_code == 201  # its body may be left out
    assert pets.client.post("/owners", json={"name": "Ann"}).json()["message"].startswith("needs credentials: key")
    visit = pets.client.post("/visits", json={"words": "a"})
    assert "location" not in visit.headers  # which would need a place
    assert pets.client.get(f"/places/any/visits/{visit.json()['id']}").json() == visit.json()


def test_of_a_body_that_is_not_read_a_value_of_the_schema_is_stored(pets: Server) -> None:
    xml = pets.client.post("/pets", content=b"<pet><name>Rex</name></pet>", headers={"Content-Type": "application/xml"})
    assert xml.status_code == 200
    assert pets.client.get(f"/pets/{xml.json()['id']}").json() == xml.json()
    owner = pets.client.post("/owners", json=["Ann"], headers={"X-Key": "any"})  # which its schema takes
    assert pets.client.get(f"/owners/{owner.json()['data']['id']}").json()["data"] == owner.json()["data"]
    assert pets.client.post("/pets/batch", json=[{"name": "Rex"}]).status_code == 200  # it is more than one
    listed = [pets.client.get("/pets/findByTags", params={"asleep": text}).json() for text in ("true", "false")]
    assert [row for rows in listed for row in rows] == [xml.json()]


def test_what_a_mock_keeps_is_there_again_and_for_its_contract_only(
    serve: Callable[..., Server], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(*contract("shops"), "--store", "kept.jsonl")
    shop = server.client.post("/shops", json={"name": "a"}).json()
    offer = server.client.post(f"/shops/{shop['id']}/offers", json={"item": "tea", "price": 2}).json()
    server.stop()
    again = serve(*contract("shops"), "--store", "kept.jsonl")
    assert "(2 documents)" in again.greeting
    assert again.client.get(f"/shops/{shop['id']}/offers").json()["offers"] == [offer]
    again.stop()
    assert main(["serve", *contract("books"), "--port", "0", "--store", str(tmp_path / "kept.jsonl")]) == 3
    assert "made for the contract 'Shops', not for 'Books'" in capsys.readouterr().err


def test_seeds_are_planted_by_table(serve: Callable[..., Server], tmp_path: Path) -> None:
    offer = {"number": 3, "item": "tea", "price": 2, "x-callconfig-shop": 7}
    seed = {"shops": [{"id": 7, "name": "a"}], "shops_offers": [offer]}
    (tmp_path / "seed.json").write_text(json.dumps(seed))
    server = serve(*contract("shops"), "--store", ":memory:", "--seed", "seed.json")
    assert server.client.get("/shops/7/offers/3").json() == {"number": 3, "item": "tea", "price": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "must be a JSON object of arrays, of shops, shops_offers"),
        ('{"books": []}', "/books is none of shops, shops_offers"),
        ('{"shops": [{"nam": "a"}]}', "/shops/0/name is required and missing (and 1 more)"),
        ('{"shops": [7]}', "/shops/0 must be object, not 7"),
        ('{"shops": [{"name": "a"}, {"name": "a"}]}', "more than one document has {'name': 'a'}"),
    ],
)
def test_a_seed_of_several_tables_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(text)
    assert main(["serve", *contract("shops"), "--port", "0", "--store", ":memory:", "--seed", str(seed)]) == 3
    assert capsys.readouterr().err == f"callconfig: seed {seed}: {said}\n"


def test_a_contract_without_roles_takes_every_token_that_is_known(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text('{"tokens": [{"token": "s3cret"}]}')
    server = serve(*contract("books"), "--store", ":memory:", "--auth", "tokens.json")
    assert server.client.get("/books").status_code == 401
    assert server.client.get("/books", headers={"Authorization": "Bearer s3cret"}).json() == []


def test_several_workers_share_what_is_stored(serve: Callable[..., Server], postgresql: PostgreSQLServer) -> None:
    server = serve(*contract("shops"), "--store", postgresql.fresh_url(), "--workers", "2")
    assert "UI     off: each of several processes would steer only itself" in server.greeting
    shop = server.client.post("/shops", json={"name": "a"}).json()
    answers = [server.client.get(f"/shops/{shop['id']}", headers={"Connection": "close"}) for _ in range(8)]
    assert [each.json() for each in answers] == [shop] * 8


def test_handlers_of_a_file_are_served(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("async def list_books():\n    return [], 200, {'X-Total-Count': '7'}\n")
    server = serve(*contract("books"), "--store", ":memory:", "--handlers", "own.py")
    assert server.client.get("/books").headers["x-total-count"] == "7"
    assert "listBooks ignores" not in server.greeting


def test_the_notes_are_about_the_operations_without_a_handler(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("async def read_weather(place): return {}\n")
    server = serve(*contract("weather"), "--store", ":memory:", "--handlers", "own.py")
    assert (
        "Note   responses from an example, or from a generated value: readForecast, POST /alarms\n" in server.greeting
    )


def test_a_handler_may_use_what_serving_does_not_load(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import sys\nLOADED = 'requests' in sys.modules\nimport requests\nfrom requests.adapters import HTTPAdapter\n"
        "async def list_books():\n    used = requests.Session().get_adapter('http://a')\n"
        "    return [], 200, {'X-Total-Count': str(int(isinstance(used, HTTPAdapter) and not LOADED))}\n"
    )
    server = serve(*contract("books"), "--store", ":memory:", "--handlers", "own.py")
    assert server.client.get("/books").headers["x-total-count"] == "1"


def test_handlers_may_have_the_name_of_another_module(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "html.py").write_text("async def list_books():\n    return [], 200, {'X-Total-Count': '0'}\n")
    options = [*contract("books"), "--store", ":memory:", "--handlers", "own/html.py"]
    server = serve(*options, XDG_CACHE_HOME=str(tmp_path))
    assert [server.client.get(path).status_code for path in ("/books", "/docs")] == [200, 200]


def test_a_contract_of_either_version_is_served(serve: Callable[..., Server], tmp_path: Path) -> None:
    text = (CONTRACTS / "books.yaml").read_text().replace("openapi: 3.0.3", "openapi: 3.1.0")
    (tmp_path / "books.yaml").write_text(text)
    server = serve("--contract", "books.yaml", "--store", ":memory:")
    assert server.client.post("/books", json={"title": "a", "pages": 1}).status_code == 201
    assert server.client.post("/books", json={"title": "a", "pages": 0}).status_code == 400


def test_a_file_that_is_no_contract_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("openapi: 2\n")
    assert main(["serve", "--contract", str(path), "--port", "0", "--store", ":memory:"]) == 3
    assert capsys.readouterr().err.startswith(f"callconfig: contract {path}")
