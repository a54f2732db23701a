"""The behaviour of every store, whatever the engine."""

import asyncio
import itertools
import json
from typing import Any

import pytest
from callconfig.storage.store import Document, DuplicateScope, Store, UnknownDocument
from callconfig.tests.support.stores import TABLE, configuration

AWKWARD_VALUES = {
    "zero byte": "a\0b\\u0000",
    "control characters": "\x01\x01\x02\x1f\x7f",
    "backslashes": "\\\\\"\\'",
    "beyond the basic plane": "\N{PILE OF POO}\N{COMBINING ACUTE ACCENT}\u2028",
    "largest float": 1.7976931348623157e308,
    "smallest float": 5e-324,
    "round float": 1e23,
    "negative zero": -0.0,
    "largest integer": 2**64 - 1,
    "smallest integer": -(2**63),
    "nesting": [[[]], {"": {"a": [None, True, {}]}}],
    "null": None,
}


async def found(store: Store, **equal: str) -> list[Document]:
    return [json.loads(text) for text in await store.find(**equal)]


def test_a_created_configuration_has_an_id_and_its_times_around_what_was_given(store: Store, run: Any) -> None:
    created = run(store.create(configuration(max_retry=3)))
    assert list(created) == ["id", "reseller_id", "template", "max_retry", "created_at", "updated_at"]
    assert created["created_at"] == created["updated_at"]
    assert run(store.get(created["id"])) == created


def test_the_server_s_members_are_never_the_client_s(store: Store, run: Any) -> None:
    created = run(store.create(configuration(id="mine", created_at="then", updated_at="then")))
    assert created["id"].startswith("cfg_")
    assert "then" not in created.values()


def test_one_scope_has_one_configuration(store: Store, run: Any) -> None:
    first = run(store.create(configuration(merchant_id="a")))
    with pytest.raises(DuplicateScope) as refusal:
        run(store.create(configuration(merchant_id="b")))
    assert refusal.value.identity == first["id"]
    assert refusal.value.scope == {"reseller_id": "reseller-1", "template": "order"}
    assert run(found(store)) == [first]


def test_what_is_deleted_is_gone_and_its_scope_is_free(store: Store, run: Any) -> None:
    gone, kept = run(store.create(configuration())), run(store.create(configuration(template="other")))
    run(store.delete(gone["id"]))
    assert run(found(store)) == [kept]
    with pytest.raises(UnknownDocument):
        run(store.delete(gone["id"]))
    assert run(store.create(configuration()))["id"] != gone["id"]


def test_of_64_concurrent_creations_of_one_scope_exactly_one_succeeds(store: Store, run: Any) -> None:
    async def race() -> list[Any]:
        return await asyncio.gather(*(store.create(configuration()) for _ in range(64)), return_exceptions=True)

    answers = run(race())
    (created,) = [answer for answer in answers if isinstance(answer, dict)]
    conflicts = [answer for answer in answers if isinstance(answer, DuplicateScope)]
    assert len(conflicts) == 63
    assert {conflict.identity for conflict in conflicts} == {created["id"]}
    assert run(found(store)) == [created]


def test_a_replacement_is_whole_and_keeps_the_id_and_the_time_of_creation(store: Store, run: Any) -> None:
    created = run(store.create(configuration(max_retry=3)))
    replaced = run(store.replace(created["id"], configuration(template="other", retry_offset=1)))
    assert replaced == configuration(
        template="other",
        retry_offset=1,
        id=created["id"],
        created_at=created["created_at"],
        updated_at=replaced["updated_at"],
    )
    assert replaced["updated_at"] > created["updated_at"]
    assert run(found(store)) == [replaced]
    assert run(found(store, template="order")) == []


def test_a_configuration_can_be_replaced_within_its_own_scope(store: Store, run: Any) -> None:
    created = run(store.create(configuration()))
    assert run(store.replace(created["id"], configuration(max_retry=1)))["max_retry"] == 1


def test_a_scope_that_was_left_is_free(store: Store, run: Any) -> None:
    created = run(store.create(configuration()))
    run(store.replace(created["id"], configuration(template="other")))
    assert run(store.create(configuration()))["id"] != created["id"]


def test_a_replacement_cannot_take_the_scope_of_another(store: Store, run: Any) -> None:
    first = run(store.create(configuration()))
    second = run(store.create(configuration(template="other")))
    with pytest.raises(DuplicateScope) as refusal:
        run(store.replace(second["id"], configuration()))
    assert refusal.value.identity == first["id"]
    assert run(found(store)) == [first, second]


def test_an_unknown_id_outranks_a_taken_scope(store: Store, run: Any) -> None:
    run(store.create(configuration()))
    with pytest.raises(UnknownDocument) as refusal:
        run(store.replace("cfg_unknown", configuration()))
    assert refusal.value.identity == "cfg_unknown"
    with pytest.raises(UnknownDocument):
        run(store.get("cfg_unknown"))


def test_find_combines_its_members(store: Store, run: Any) -> None:
    scopes = list(itertools.product(("r1", "r2"), ("t1", "t2")))
    for reseller_id, template in scopes:
        run(store.create(configuration(reseller_id, template, merchant_id=template)))

    def scopes_of(**equal: str) -> list[tuple[str, str]]:
        return [(document["reseller_id"], document["template"]) for document in run(found(store, **equal))]

    assert scopes_of() == scopes
    assert scopes_of(reseller_id="r1") == [("r1", "t1"), ("r1", "t2")]
    assert scopes_of(template="t2") == [("r1", "t2"), ("r2", "t2")]
    assert scopes_of(reseller_id="r2", template="t1") == [("r2", "t1")]
    assert scopes_of(merchant_id="t1") == [("r1", "t1"), ("r2", "t1")]
    assert scopes_of(reseller_id="r2", merchant_id="t1") == [("r2", "t1")]
    assert scopes_of(reseller_id="r3") == scopes_of(template="R1") == scopes_of(merchant_id="") == []


def test_lists_are_in_the_order_of_creation_in_time_then_of_ids(store: Store, run: Any) -> None:
    times = {
        "d": "2026-01-01T00:00:01Z",
        "a": "2026-01-01T00:00:00.5Z",
        "c": "2026-01-01T00:00:00Z",
        "b": "2026-01-01T01:00:00.000000+01:00",
        "e": "2025-12-31T23:59:59.999999Z",
    }
    run(store.load({TABLE: (configuration(template=name, id=name, created_at=time) for name, time in times.items())}))
    assert [document["id"] for document in run(found(store))] == ["e", "b", "c", "a", "d"]
    assert [document["id"] for document in run(found(store, reseller_id="reseller-1"))] == ["e", "b", "c", "a", "d"]
    assert run(store.get("b"))["created_at"] == times["b"]


@pytest.mark.parametrize("value", AWKWARD_VALUES.values(), ids=AWKWARD_VALUES)
def test_values_come_back_as_they_were_given(store: Store, run: Any, value: Any) -> None:
    created = run(store.create(configuration(pre_checks=[{"http_request": {"body": value}}])))
    (text,) = run(store.find())
    for document in (created, run(store.get(created["id"]))):
        returned = document["pre_checks"][0]["http_request"]["body"]
        assert (returned, type(returned), str(returned)) == (value, type(value), str(value))
    assert json.loads(text) == created


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", {1: 2}, b"", object()])
def test_what_could_not_be_read_back_is_refused(store: Store, run: Any, value: Any) -> None:
    created = run(store.create(configuration()))
    for write in (
        store.create(configuration(template=str(value), value=value)),
        store.load({TABLE: [configuration(value=value)]}),
    ):
        with pytest.raises(ValueError, match="cannot be stored as JSON"):
            run(write)
    assert run(found(store)) == [created]


@pytest.mark.parametrize("text", [value for value in AWKWARD_VALUES.values() if isinstance(value, str)])
def test_keys_are_compared_exactly(store: Store, run: Any, text: str) -> None:
    created = run(store.create(configuration(text, text)))
    run(store.create(configuration(text + "\0", text)))
    run(store.create(configuration(text + "\x01", text)))
    assert run(found(store, reseller_id=text)) == run(found(store, reseller_id=text, template=text)) == [created]
    with pytest.raises(DuplicateScope):
        run(store.create(configuration(text, text)))


def test_what_goes_in_and_what_comes_out_is_not_shared(store: Store, run: Any) -> None:
    given = configuration(pre_checks=[{"name": "dnd"}])
    created = run(store.create(given))
    as_created = json.loads(json.dumps(created))
    given["pre_checks"].append({})
    created["pre_checks"][0]["name"] = "changed"
    created["merchant_id"] = "added"
    run(store.get(created["id"]))["pre_checks"].clear()
    assert run(found(store)) == [as_created]
    assert given.keys() == configuration(pre_checks=[]).keys()


def test_load_replaces_everything(store: Store, run: Any) -> None:
    run(store.create(configuration(template="before")))
    given = [
        configuration(template="a", id="cfg_a", created_at="2020-01-01T00:00:00Z", updated_at="2021-01-01T00:00:00Z"),
        configuration(template="b", created_at="2022-01-01T00:00:00Z", id=None),
        configuration(template="c"),
    ]
    run(store.load({TABLE: given}))
    first, second, third = run(found(store))
    assert first == given[0]
    assert second["id"].startswith("cfg_")
    assert second["updated_at"] == "2022-01-01T00:00:00Z"
    assert third["created_at"] == third["updated_at"] > "2026"
    assert len({document["id"] for document in (first, second, third)}) == 3
    assert run(store.get(second["id"])) == second
    assert run(store.create(configuration(template="before")))


def test_load_of_nothing_clears(store: Store, run: Any) -> None:
    run(store.create(configuration()))
    run(store.load({TABLE: []}))
    assert run(store.find()) == []
    assert run(store.create(configuration()))


@pytest.mark.parametrize(
    "given",
    [
        [configuration(template="a"), configuration(template="a")],
        [configuration(template="a", id="x"), configuration(template="b", id="x")],
    ],
    ids=["scope", "id"],
)
def test_a_load_with_something_twice_changes_nothing(store: Store, run: Any, given: list[Document]) -> None:
    created = run(store.create(configuration()))
    with pytest.raises(DuplicateScope):
        run(store.load({TABLE: given}))
    assert run(found(store)) == [created]


def test_a_load_that_cannot_be_read_to_its_end_changes_nothing(store: Store, run: Any) -> None:
    created = run(store.create(configuration()))
    with pytest.raises(ZeroDivisionError):
        run(store.load({TABLE: (configuration(template=str(1 // number)) for number in (1, 0))}))
    assert run(found(store)) == [created]


def test_ids_that_are_taken_are_passed_over(store: Store, run: Any) -> None:
    run(store.load({TABLE: [configuration(template=str(number), id=f"cfg_{number:012}") for number in (1, 2, 4)]}))
    assert run(store.create(configuration()))["id"] == "cfg_000000000003"
    assert run(store.create(configuration(template="other")))["id"] == "cfg_000000000005"


def test_a_store_can_be_closed_twice(store: Store, run: Any) -> None:
    run(store.close())
    run(store.close())
