"""TinyDB's own operations on the embedded store work as documented, under the store's rules."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from callconfig.storage.embedded import EmbeddedStore, Equal
from callconfig.storage.opening import open_store
from callconfig.storage.store import DuplicateScope
from callconfig.tests.support.stores import RESOURCE, TABLE, configuration, counted_values
from tinydb import Query, where
from tinydb.operations import delete


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path, run: Any) -> Iterator[EmbeddedStore]:
    """A store with three configurations: a and b of reseller-1, c of reseller-2."""
    location = ":memory:" if request.param == "memory" else str(tmp_path / "store.jsonl")
    store = run(open_store(location, [RESOURCE], counted_values()))
    given = [configuration(template=name, id=name, max_retry=number) for number, name in enumerate("ab")]
    run(store.load({TABLE: [*given, configuration("reseller-2", "c", id="c")]}))
    yield store
    run(store.close())


def ids(documents: Any) -> list[str]:
    return sorted(document["id"] for document in documents)


def test_queries_find_what_is_stored(store: EmbeddedStore) -> None:
    database = store.database
    assert len(database) == 3
    assert ids(database) == ids(database.all()) == ["a", "b", "c"]
    assert ids(database.search(where("reseller_id") == "reseller-1")) == ["a", "b"]
    assert ids(database.search((Query().template == "b") | (where("max_retry") < 1))) == ["a", "b"]
    assert database.get(doc_id="a")["template"] == "a"
    assert database.contains(where("template") == "c")
    assert database.count(where("max_retry").exists()) == 2


def test_queries_see_every_change_of_the_store(store: EmbeddedStore, run: Any) -> None:
    query = where("template") == "x"
    assert store.database.search(query) == []
    run(store.replace("a", configuration(template="x")))
    assert ids(store.database.search(query)) == ["a"]
    run(store.load({TABLE: []}))
    assert store.database.search(query) == []


def test_what_a_query_found_is_not_shared(store: EmbeddedStore, run: Any) -> None:
    query = where("template") == "a"
    store.database.search(query)[0]["template"] = "changed"
    assert store.database.search(query)[0]["template"] == "a"
    assert len(run(store.find(template="a"))) == 1


def test_the_store_sees_every_change_of_tinydb(store: EmbeddedStore, run: Any) -> None:
    database = store.database
    assert database.update({"template": "moved"}, where("template") == "a") == ["a"]
    database.update(delete("max_retry"), doc_ids=["b"])
    database.remove(where("template") == "c")
    database.insert({**configuration(template="d"), "id": "d", "created_at": "2020-01-01T00:00:00Z"})
    found = [json.loads(text) for text in run(store.find())]
    assert [(document["id"], document["template"]) for document in found] == [("d", "d"), ("a", "moved"), ("b", "b")]
    assert "max_retry" not in found[2]
    assert run(store.find(template="a")) == []
    assert len(run(store.find(reseller_id="reseller-1", template="moved"))) == 1


@pytest.mark.parametrize("empty", ["truncate", "drop_tables"])
def test_tinydb_can_clear_the_store(store: EmbeddedStore, run: Any, empty: str) -> None:
    getattr(store.database, empty)()
    assert run(store.find()) == []
    assert run(store.create(configuration()))


def test_tinydb_obeys_the_rules_of_the_store(store: EmbeddedStore, run: Any) -> None:
    before = run(store.find())
    complete = {**configuration(), "id": "new", "created_at": "2020-01-01T00:00:00Z"}
    with pytest.raises(DuplicateScope):
        store.database.update({"template": "a"}, where("template") == "b")
    with pytest.raises(DuplicateScope):
        store.database.insert({**complete, "template": "a"})
    with pytest.raises(ValueError, match="'a' cannot change its 'id'"):
        store.database.update({"id": "z"}, where("template") == "a")
    with pytest.raises(ValueError, match="'id' is missing"):
        store.database.insert(configuration())
    with pytest.raises(ValueError, match="ID a already exists"):
        store.database.insert({**complete, "id": "a"})
    with pytest.raises(ValueError, match="'template' is not a string"):
        store.database.insert_multiple([{**complete, "template": 7}])
    with pytest.raises(ValueError, match="one table"):
        store.database.table("others")
    assert run(store.find()) == before


def test_a_query_for_equal_members_is_answered_in_order_without_reading_the_others(
    store: EmbeddedStore, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    table: Any = store.database.table("configurations")
    expected = run(store.find(reseller_id="reseller-1"))
    reads: list[bytes] = []
    monkeypatch.setattr("callconfig.storage.index.orjson.loads", reads.append)
    assert [document.text for document in table.search(Equal({"reseller_id": "reseller-1"}))] == expected
    assert [document.text for document in table.search(Equal({}))] == run(store.find())
    assert reads == []


def test_any_operation_of_tinydb_takes_the_query_for_equal_members(store: EmbeddedStore) -> None:
    database = store.database
    both = Equal({"reseller_id": "reseller-1", "template": "b"})
    assert database.get(both)["id"] == "b"
    assert database.count(both) == 1
    assert database.update({"max_retry": 9}, both) == ["b"]
    assert database.remove(both) == ["b"]
    assert not database.contains(both)


def test_an_operation_on_one_document_writes_one_line(tmp_path: Path, run: Any) -> None:
    path = tmp_path / "store.jsonl"
    store = run(open_store(str(path), [RESOURCE], counted_values()))
    inode = path.stat().st_ino
    lines = [{**configuration(template=name), "id": name, "created_at": "2020-01-01T00:00:00Z"} for name in ("a", "b")]
    for line in lines:
        store.database.insert(line)
    store.database.update({"max_retry": 9}, where("template") == "a")
    store.database.upsert({"max_retry": 8}, where("template") == "b")
    store.database.update({"max_retry": 8}, where("template") == "b")  # which changes nothing
    written = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert written == [*lines, {**lines[0], "max_retry": 9}, {**lines[1], "max_retry": 8}]
    assert path.stat().st_ino == inode
    run(store.close())


def test_an_operation_on_many_documents_is_done_wholly_or_not_at_all(store: EmbeddedStore, run: Any) -> None:
    before = run(store.find())
    complete = {**configuration(template="new"), "id": "new", "created_at": "2020-01-01T00:00:00Z"}
    with pytest.raises(DuplicateScope):
        store.database.insert_multiple([complete, {**complete, "id": "newer"}])
    with pytest.raises(DuplicateScope):
        store.database.update({"template": "same"}, where("reseller_id") == "reseller-1")
    assert run(store.find()) == before
    assert store.database.insert_multiple([complete, {**complete, "id": "newer", "template": "newer"}])
    assert len(run(store.find())) == 5


def test_two_documents_can_exchange_their_scopes_in_one_operation(store: EmbeddedStore, run: Any) -> None:
    def exchange(document: Any) -> None:
        document["template"] = {"a": "b", "b": "a"}[document["template"]]

    assert sorted(store.database.update(exchange, where("reseller_id") == "reseller-1")) == ["a", "b"]
    assert json.loads(run(store.find(reseller_id="reseller-1", template="a"))[0])["id"] == "b"
