"""Whatever `diff` calls breaking is replayed: the mock of OLD takes the request, and the mock of NEW refuses it."""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import yaml
from callconfig.app import create_app, server_values
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.difference.diff import compare
from callconfig.options import DiffOptions
from callconfig.storage import open_store
from starlette.testclient import TestClient

PAIRS: list[dict[str, Any]] = [
    pair
    for pair in yaml.safe_load((Path(__file__).parent / "pairs.yaml").read_text())
    if pair.get("version") != "3.1"  # the mock serves 3.0
]


def with_members(which: str) -> dict[str, Any]:
    """The contract, whose request has one more member for each pair."""
    document: dict[str, Any] = yaml.safe_load(BUILT_IN.read_text())
    schemas = document["components"]["schemas"]
    body = document["paths"]["/configurations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    members = schemas[body["$ref"].rpartition("/")[2]]["properties"]
    for number, pair in enumerate(PAIRS):
        text = json.dumps([pair[which], pair.get(f"{which}_schemas", {})])
        schema, own = json.loads(text.replace("#/components/schemas/", f"#/components/schemas/Pair{number}"))
        members[f"pair{number}"] = copy.deepcopy(schema)
        schemas |= {f"Pair{number}{name}": each for name, each in own.items()}
    return document


def mock(document: dict[str, Any]) -> TestClient:
    contract = Contract(document)
    store = asyncio.run(open_store(":memory:", contract.stored, server_values(contract)))
    return TestClient(create_app(contract, store))


def test_each_break_of_the_table_breaks_between_two_mocks(tmp_path: Path) -> None:
    documents = with_members("old"), with_members("new")
    paths = tmp_path / "old.json", tmp_path / "new.json"
    for path, document in zip(paths, documents, strict=True):
        path.write_text(json.dumps(document))
    difference = compare(DiffOptions(old=str(paths[0]), new=str(paths[1])))
    breaks = [
        (change.findings[0].pointer or "", change.interactions[0])
        for found in difference.of("breaking")
        for change in found.all
        if change.rule == "request-body" and change.operation == "createConfiguration"
    ]
    shown = {pointer.split("/")[1] for pointer, _ in breaks}
    assert shown == {f"pair{number}" for number, pair in enumerate(PAIRS) if pair["request"] == "breaking"}
    with mock(documents[0]) as old, mock(documents[1]) as new:
        for number, (pointer, sent) in enumerate(breaks):
            body = {**json.loads(sent.request_body), "template": f"template {number}"}  # none conflicts with another
            headers = dict(sent.request_headers)
            statuses = [each.post("/configurations", json=body, headers=headers).status_code for each in (old, new)]
            assert statuses == [201, 400], (pointer, sent.request_body)
