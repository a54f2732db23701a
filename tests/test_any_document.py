"""All commands on documents with many habits: each is documented, and a right server of each passes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from callconfig.app import create_app, sources
from callconfig.cli import main
from callconfig.contract.document import METHODS, Contract
from callconfig.contract.yaml_tree import read_yaml
from callconfig.controls.bundle import load_controls
from callconfig.controls.controls import Controls
from callconfig.documentation.console import render_console
from callconfig.documentation.samples import request
from callconfig.mcp_tools import ServedContract, tools_of
from callconfig.outcome import OK
from callconfig.storage.opening import open_store
from callconfig.tests.support.example_server import ExampleServer
from callconfig.tests.support.generation import draw_once
from callconfig.tests.support.reading import Reading
from callconfig.verification.target import serving
from jsonschema_rs import Draft202012Validator, meta

draw_once()
DOCUMENTS: dict[str, dict[str, Any]] = read_yaml((Path(__file__).parent / "documents.yaml").read_bytes())


@pytest.fixture(params=DOCUMENTS, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def document(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document in a file, with the files that it refers to."""
    row = DOCUMENTS[name]
    path = tmp_path_factory.mktemp("document") / "shape.yaml"
    path.write_text(row["text"] if "text" in row else json.dumps(_completed(row["document"])))
    for file, text in row.get("files", {}).items():
        (path.parent / file).parent.mkdir(exist_ok=True)
        (path.parent / file).write_text(text)
    return path


@pytest.fixture(scope="module")
def contract(document: Path) -> Contract:
    return Contract.load(document)


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    for item in document.get("paths", {}).values():
        for operation in (item[method] for method in METHODS if isinstance(item, dict) and method in item):
            responses = operation.get("responses", {})
            if "default" not in responses:
                responses.setdefault("4XX", {"description": "Refused."})
    return {"openapi": "3.0.3", "info": {"title": "Shapes", "version": "1"}, **document}


def test_the_table_has_at_least_forty_documents() -> None:
    assert len(DOCUMENTS) >= 40


def test_the_reference_shows_it(name: str, document: Path, contract: Contract, tmp_path: Path) -> None:
    assert main(["docs", "build", "-o", str(tmp_path / "site"), "--contract", str(document)]) == OK
    page = Reading((tmp_path / "site" / "index.html").read_text())
    shown = f"{page.text} {' '.join(page.code)}"
    assert [text for text in DOCUMENTS[name]["shows"] if text not in shown] == []
    targets = [value for _, attribute, value in page.attributes if attribute == "href" and value.startswith("#")]
    assert [target for target in targets if target[1:] not in {*page.places, "content"}] == []
    written = Contract.load(tmp_path / "site" / "openapi.yaml")
    assert written.operations.keys() == contract.operations.keys()


def test_a_right_server_is_found_right(
    name: str, document: Path, contract: Contract, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if DOCUMENTS[name].get("silent"):
        assert not contract.operations
        return
    recording, few = tmp_path / "check.har", ["--contract", str(document), "--max-examples", "2", "--seed", "1"]
    with serving(ExampleServer(contract)) as url:
        checked = main(["check", url, *few, "--write-anywhere", "--report", f"har:{recording}"])
        assert checked == OK, capsys.readouterr().out
        assert main(["compare", url, url, *few, "--write-anywhere"]) == OK, capsys.readouterr().out
    assert main(["verify", str(recording), "--contract", str(document)]) == OK, capsys.readouterr().out


def test_its_mock_has_a_console_and_tools_for_agents(contract: Contract) -> None:
    page = render_console(contract, "")
    facts = json.loads(page.html.partition('id="facts">')[2].partition("</script>")[0])
    assert [each["id"] for each in facts["operations"]] == list(contract.operations)
    assert (facts["sample"] is None) == (not contract.operations)
    controls = load_controls(contract)
    tools = list(tools_of(ServedContract(contract, "http://mock", {}), ServedContract(controls, "http://mock", {})))
    assert len(tools) == len({tool.name for tool in tools}) == len(contract.operations) + len(controls.operations)
    for tool in tools:
        schema = tool.described().input_schema
        assert meta.is_valid(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
        Draft202012Validator(schema)


def test_its_mock_answers_every_operation(contract: Contract) -> None:

    async def answers() -> list[httpx2.Response]:
        values = sources()
        store = await open_store(":memory:", contract.resources, values.values)
        app = create_app(contract, store, controls=Controls(contract, store, values), handlers=[])
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
            sent = [request(contract, each, {}, "") for each in contract.operations.values()]
            return [
                await client.request(each.method, each.target, headers=dict(each.headers), content=each.content)
                for each in sent
            ] + [await client.get("/_mock/state")]

    *answered, state = asyncio.run(answers())
    assert [each.text for each in answered if "The server failed;" in each.text] == []
    assert state.status_code == 200
