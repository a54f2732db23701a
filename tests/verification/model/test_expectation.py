"""Expectations as functions of the conversation so far, without a server."""

from pathlib import Path
from typing import Any

import pytest
from callconfig.contract.document import Contract, read_document
from callconfig.contract.finding import Finding
from callconfig.verification.footprint import Footprint
from callconfig.verification.model.collection import Collection
from callconfig.verification.model.comparison import Answer, learn
from callconfig.verification.model.conversations import TABLE, deliberate
from callconfig.verification.model.expectation import Expectation, ask, expect, expect_raw
from callconfig.verification.model.memory import Memory
from callconfig.verification.model.script import LEAST, Look, Script
from callconfig.verification.model.steps import Create, Delete, List, Merge, Raw, Read, Replace, Step


@pytest.fixture
def memory(contract: Contract) -> Memory:
    (collection,) = Collection.every(contract, lambda _operation: True, Footprint(contract, "http://a", "test"))
    return Memory.of(collection, "test")


def expected(memory: Memory, step: Step) -> Expectation:
    return expect(memory, step, ask(memory, step), [])


def answered(memory: Memory, step: Step, body: Any, status: int = 201) -> tuple[list[Finding], Memory]:
    asked = ask(memory, step)
    mistakes, after = learn(memory, step, asked, expect(memory, step, asked, []), Answer(status, body))
    return [mistake.finding for mistake in mistakes], after


def created(memory: Memory, sample: dict[str, Any], scope: int = 0) -> tuple[dict[str, Any], Memory]:
    """The response of a right server to a create, and the memory after it."""
    body = expected(memory, Create(sample, scope)).body
    shown = {**body, "id": f"cfg_{memory.steps}", "created_at": "2025-01-01T00:00:00.000000Z"}
    shown["updated_at"] = shown["created_at"]
    findings, after = answered(memory, Create(sample, scope), shown)
    assert findings == []
    return shown, after


def test_a_create_shows_what_was_sent_and_the_defaults_of_the_rest(memory: Memory, sample: dict[str, Any]) -> None:
    sample.pop("rate_limit_window_seconds", None)
    expectation = expected(memory, Create(sample))
    assert expectation.statuses == ("201",)
    assert expectation.body["rate_limit_window_seconds"] == 1800
    assert expectation.body["reseller_id"] == "test-reseller_id-0"


def test_a_scope_that_is_taken_is_a_conflict_that_says_with_what(memory: Memory, sample: dict[str, Any]) -> None:
    _, memory = created(memory, sample)
    expectation = expected(memory, Create(sample))
    assert (expectation.statuses, expectation.since) == (("409",), (0,))
    assert expectation.because.startswith('"cfg_0" already has reseller_id "test-reseller_id-0" and ')
    assert expected(memory, Create(sample, 1)).statuses == ("201",)
    assert expected(memory, Replace(0, sample)).statuses == ("200",)


def test_what_was_never_created_is_not_found(memory: Memory, sample: dict[str, Any]) -> None:
    expectation = expected(memory, Replace(0, sample))
    assert (expectation.statuses, expectation.because) == (("404",), '"test-unknown" was never created')


def test_a_list_has_what_was_stored_and_is_missed_by_name(memory: Memory, sample: dict[str, Any]) -> None:
    shown, memory = created(memory, sample)
    step = List(("reseller_id",))
    assert [each.identity for each in expected(memory, step).body] == ["cfg_0"]
    assert answered(memory, step, [shown], 200)[0] == []
    (missing,) = answered(memory, step, [], 200)[0]
    assert (missing.rule, missing.detail) == ("list-content", '"cfg_0", which was stored, is missing')
    (wrong,) = answered(memory, step, [{**shown, "max_retry": 9}], 200)[0]
    assert (wrong.rule, wrong.pointer) == ("stored-value", "/0/max_retry")


def test_memory_is_never_changed(memory: Memory, sample: dict[str, Any]) -> None:
    _, after = created(memory, sample)
    assert (memory.steps, memory.created, memory.stored) == (0, (), {})
    assert (after.steps, after.created, list(after.stored)) == (1, ((0, "cfg_0"),), [(0, "cfg_0")])


def test_a_refusal_names_every_status_that_is_right_and_no_other(memory: Memory) -> None:
    operation = memory.collection.create
    too_large = Raw("POST", "/x", or_status="413")
    wrong = [Finding("json-syntax", "body", "is not JSON", "")]
    assert expect_raw(too_large, operation, wrong).statuses == ("400", "413")
    plain = expect_raw(Raw("POST", "/x"), operation, wrong)
    assert plain.statuses == ("400",)
    mistakes, _ = learn(memory, Raw("POST", "/x"), ask(memory, Raw("POST", "/x")), plain, Answer(201))
    assert [each.finding.detail for each in mistakes] == [
        "must be 400, because the request breaks the contract (body: is not JSON); it is 201"
    ]
    nowhere = expect_raw(Raw("GET", "/x"), Finding("undocumented-path", "path", "is no path of the contract"), [])
    assert (nowhere.statuses, nowhere.admits(501), nowhere.admits(200)) == (("404",), True, False)


def books(**members: Any) -> Memory:
    """A memory with one book; `members` are schemas of further members."""
    document = read_document(Path(__file__).parents[2] / "support" / "contracts" / "books.yaml")
    for name in ("Book", "NewBook", "BookChange"):
        document["components"]["schemas"][name]["properties"] |= members
    contract = Contract(document)
    (collection,) = Collection.every(contract, lambda _operation: True, Footprint(contract, "http://a", "test"))
    memory, step = Memory.of(collection, "test"), Create({"title": "A", "pages": 7, **dict.fromkeys(members, "x")})
    findings, memory = answered(memory, step, {**expected(memory, step).body, "id": "a"})
    assert findings == []
    return memory


def test_a_patch_changes_what_it_names_and_removes_what_is_null() -> None:
    memory = books(note={"type": "string", "nullable": True}, kind={"type": "string", "default": "novel"})
    shown = {"title": "test-title-0", "pages": 8, "id": "a", "kind": "novel"}
    step = Merge(0, {"pages": 8, "note": None, "kind": None})
    assert answered(memory, step, shown, 200)[0] == []
    assert answered(memory, step, {**shown, "note": None}, 200)[0] == []
    (kept,) = answered(memory, step, {**shown, "note": "x"}, 200)[0]
    assert (kept.pointer, kept.detail) == ("/note", 'must be gone, as a patch removed it; it is "x"')
    (left,) = answered(memory, Merge(0, {"pages": 8, "kind": None}), shown, 200)[0]
    assert (left.pointer, left.detail) == ("/note", 'must be "x", as it was stored; it is missing')


def test_a_patch_that_leaves_what_breaks_the_contract_is_refused() -> None:
    memory = books(note={"type": "string", "minLength": 1})
    assert expected(memory, Merge(0, {"note": None})).statuses == ("200",)
    refused = expected(memory, Merge(0, {"pages": None}))
    assert (refused.statuses, refused.because) == (("400",), "what it makes breaks the contract")


def test_what_is_deleted_is_gone_and_leaves_its_values_free() -> None:
    _, memory = answered(books(), Delete(0), None, 204)
    gone = expected(memory, Read(0))
    assert (gone.statuses, gone.because, gone.since) == (("404",), '"a" was deleted', (0, 1))
    assert expected(memory, Create({"title": "B", "pages": 1})).statuses == ("201",)
    (listed,) = answered(memory, List(), [{"id": "a", "title": "test-title-0"}], 200)[0]
    assert listed.detail == '"a" is in the list, but was deleted'


def test_the_table_can_be_read_and_is_played_in_its_order(memory: Memory) -> None:
    assert len({row.why for row in TABLE}) == len(TABLE)
    script = Script(memory.collection)
    played = list(deliberate(script))
    assert played[0] == [Create(LEAST), Look()]
    assert len(played) > 150
