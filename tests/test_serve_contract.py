"""`callconfig serve --contract`: what a mock of another contract says at its start, what it keeps, who may use it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from callconfig.cli import main
from callconfig.tests.support.postgresql import PostgreSQLServer
from callconfig.tests.support.running import Server

CONTRACTS = Path(__file__).parent / "support" / "contracts"


def contract(name: str) -> tuple[str, str]:
    return "--contract", str(CONTRACTS / f"{name}.yaml")


def test_what_is_not_remembered_is_said_at_the_start(serve: Callable[..., Server]) -> None:
    server = serve(*contract("weather"), "--store", ":memory:")
    assert "mocks Weather 1.0.0\n" in server.greeting
    assert (
        "answered by example, or by a value of the schema: readWeather, readForecast, POST /alarms" in server.greeting
    )
    assert "Store  :memory: (0 documents)" in server.greeting


def test_parameters_and_refusals_that_a_mock_makes_nothing_of_are_said_at_the_start(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    text = (CONTRACTS / "books.yaml").read_text().replace("name: pages, in: query", "name: near, in: query")
    (tmp_path / "books.yaml").write_text(text.replace("        '400': {$ref: '#/components/responses/Refused'}\n", ""))
    said = serve("--contract", "books.yaml", "--store", ":memory:").greeting
    assert "Note   listBooks takes near, and they change nothing\n" in said
    assert "a request that breaks the contract gets an undocumented 400 from listBooks, addBook, readBook" in said


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
        ('{"shops": [{"name": "a"}, {"name": "a"}]}', "more than one has {'name': 'a'}"),
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
    assert "Steer  off: each of several processes would steer only itself" in server.greeting
    shop = server.client.post("/shops", json={"name": "a"}).json()
    answers = [server.client.get(f"/shops/{shop['id']}", headers={"Connection": "close"}) for _ in range(8)]
    assert [each.json() for each in answers] == [shop] * 8


def test_handlers_of_a_file_are_served(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("async def list_books():\n    return [], 200, {'X-Total-Count': '7'}\n")
    server = serve(*contract("books"), "--store", ":memory:", "--handlers", "own.py")
    assert server.client.get("/books").headers["x-total-count"] == "7"


def test_a_handler_may_use_what_serving_does_not_load(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import sys\nLOADED = 'requests' in sys.modules\nimport requests\nfrom requests.adapters import HTTPAdapter\n"
        "async def list_books():\n    used = requests.Session().get_adapter('http://a')\n"
        "    return [], 200, {'X-Total-Count': str(int(isinstance(used, HTTPAdapter) and not LOADED))}\n"
    )
    server = serve(*contract("books"), "--store", ":memory:", "--handlers", "own.py")
    assert server.client.get("/books").headers["x-total-count"] == "1"


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
