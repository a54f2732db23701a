"""The floor of the benchmark does what its docstring promises, so that the comparison is fair."""

from collections.abc import Iterator
from typing import Any

import pytest
from callconfig.benchmarks.floor import Floor
from callconfig.contract.document import Contract
from callconfig.contract.schema import Schema
from starlette.testclient import TestClient

Json = dict[str, Any]


@pytest.fixture
def floor(contract: Contract) -> Iterator[TestClient]:
    client = TestClient(Floor(contract))
    yield client
    client.close()


def test_a_create_is_answered_as_the_contract_says(floor: TestClient, contract: Contract, sample: Json) -> None:
    created = floor.post("/configurations", json=sample)
    assert created.status_code == 201
    assert created.headers["Location"] == f"/configurations/{created.json()['id']}"
    assert Schema(contract.resources[0].schema, contract.resolve, "response").findings(created.json(), "body") == []
    assert created.json() == {**created.json(), **sample}


def test_a_list_by_scope_has_what_was_created(floor: TestClient, sample: Json) -> None:
    created = floor.post("/configurations", json=sample).json()
    scope = {"reseller_id": sample["reseller_id"], "template": sample["template"]}
    assert floor.get("/configurations", params=scope).json() == [created]
    assert floor.get("/configurations", params={**scope, "template": "other"}).json() == []


def test_what_breaks_the_contract_and_a_scope_that_is_taken_are_refused(floor: TestClient, sample: Json) -> None:
    assert floor.post("/configurations", json={**sample, "max_retry": -1}).status_code == 400
    assert floor.post("/configurations", json=sample).status_code == 201
    assert floor.post("/configurations", json=sample).status_code == 409
