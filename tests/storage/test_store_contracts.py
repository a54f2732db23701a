"""The contract of a store, and its tables when the contract changes."""

import json
from pathlib import Path
from typing import Any

import pytest
from callconfig.contract.resource import Resource
from callconfig.storage.opening import open_store
from callconfig.storage.store import ServerValues, UnreadableStore
from callconfig.tests.support.stores import RESOURCE, counted_values

PLANTS = Resource("id", ("name",), "created_at", "updated_at", table="plants")
BEDS = Resource("id", ("name",), "", "", table="beds")


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql").fresh_url()
        return url
    return str(tmp_path / "store.jsonl")


async def opened(place: str, *resources: Resource, contract: str = "Garden") -> Any:
    return await open_store(place, resources, counted_values(), contract=contract)


def test_a_store_made_for_another_contract_is_refused_in_words(place: str, run: Any) -> None:
    run(run(opened(place, PLANTS)).close())
    with pytest.raises(UnreadableStore, match=r"made for the contract 'Garden', not for 'Kitchen'"):
        run(opened(place, PLANTS, contract="Kitchen"))
    run(run(opened(place, PLANTS)).close())


def test_a_store_that_names_no_contract_was_made_for_configurations(place: str, run: Any) -> None:
    store = run(open_store(place, [RESOURCE], counted_values()))
    created = run(store.create({"reseller_id": "a", "template": "b"}))
    run(store.close())
    with pytest.raises(UnreadableStore, match=r"made for a contract with the table configurations, not for 'Garden'"):
        run(opened(place, PLANTS))
    store = run(opened(place, RESOURCE, contract="Configurations"))
    assert run(store.get(created["id"])) == created
    run(store.close())


def test_a_contract_may_gain_what_it_stores(place: str, run: Any) -> None:
    store = run(opened(place, PLANTS))
    load_seeds = run(store.create({"name": "fern"}))
    run(store.close())
    store = run(opened(place, PLANTS, BEDS))
    bed = run(store.table("beds").create({"name": "north"}))
    assert run(store.table("plants").get(load_seeds["id"])) == load_seeds
    run(store.close())
    store = run(opened(place, PLANTS, BEDS))
    assert [json.loads(text)["id"] for text in run(store.table("beds").find(name="north"))] == [bed["id"]]
    run(store.close())


def test_a_table_that_the_contract_has_no_more_is_told(tmp_path: Path, run: Any) -> None:
    place = str(tmp_path / "store.jsonl")
    store = run(opened(place, PLANTS, BEDS))
    run(store.table("beds").create({"name": "north"}))
    run(store.close())
    with pytest.raises(UnreadableStore, match=r"line 2: the contract has no table 'beds', only plants"):
        run(opened(place, PLANTS))


def test_a_file_of_several_tables_can_be_read_by_people(tmp_path: Path, run: Any) -> None:
    path = tmp_path / "store.jsonl"
    store = run(opened(str(path), PLANTS, BEDS))
    fern = run(store.create({"name": "fern"}))
    run(store.create({"name": "moss"}))
    run(store.delete(fern["id"]))
    run(store.close())
    header, first, second, third = map(json.loads, path.read_text().splitlines())
    assert header == {"format": "callconfig store", "version": 1, "contract": "Garden"}
    assert (first, second[0], third) == (["plants", fern], "plants", ["plants", fern["id"]])
    path.write_text(path.read_text().replace('["plants",', '[ "plants", '))  # an editor's change of the file
    store = run(opened(str(path), PLANTS, BEDS))
    assert [json.loads(text)["name"] for text in run(store.find())] == ["moss"]
    run(store.close())


def test_all_tables_are_loaded_or_none(place: str, run: Any) -> None:
    store = run(opened(place, PLANTS, BEDS))
    fern = run(store.create({"name": "fern"}))
    twice = [{"name": "north"}, {"name": "north"}]
    with pytest.raises(Exception, match="north"):
        run(store.load({"plants": [], "beds": twice}))
    assert run(store.get(fern["id"])) == fern
    run(store.load({"plants": [], "beds": twice[:1]}))
    assert (len(run(store.find())), len(run(store.table("beds").find()))) == (0, 1)
    run(store.close())


def test_documents_without_a_time_are_loaded_at_the_end_of_the_calendar(run: Any) -> None:
    last = ServerValues(now=lambda: "9999-12-31T23:59:59.999999Z", new_id=counted_values()(BEDS).new_id)
    store = run(open_store(":memory:", [BEDS], lambda _resource: last))
    run(store.load({"beds": [{"name": "a"}, {"name": "b"}]}))
    assert [json.loads(text)["name"] for text in run(store.find())] == ["a", "b"]
