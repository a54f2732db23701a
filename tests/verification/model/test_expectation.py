"""Expectations as functions of the conversation so far, without a server."""

from pathlib import Path
from typing import Any

import pytest
from callconfig.contract.document import Contract, read_document
from callconfig.contract.finding import Finding
from callconfig.verification.footprint import Footprint
from callconfig.verification.model.collection import Collection
from callconfig.verification.model.comparison import ParsedResponse, compare_response
from callconfig.verification.model.conversations import TABLE, table_conversations
from callconfig.verification.model.expectation import Expectation, expect, expect_raw, request_for
from callconfig.verification.model.script import MINIMAL, Script, StateCheck
from callconfig.verification.model.state import ModelState
from callconfig.verification.model.steps import Create, Delete, List, Merge, RawRequest, Read, Replace, Step


@pytest.fixture
def state(contract: Contract) -> ModelState:
    (collection,) = Collection.every(contract, lambda _operation: True, Footprint(contract, "http://a", "test"))
    return ModelState.of(collection, "test")


def expected(state: ModelState, step: Step) -> Expectation:
    return expect(state, step, request_for(state, step), [])


def compared(state: ModelState, step: Step, body: Any, status: int = 201) -> tuple[list[Finding], ModelState]:
    request = request_for(state, step)
    mistakes, after = compare_response(
        state, step, request, expect(state, step, request, []), ParsedResponse(status, body)
    )
    return [mistake.finding for mistake in mistakes], after


def created(state: ModelState, sample: dict[str, Any], scope: int = 0) -> tuple[dict[str, Any], ModelState]:
    """The response of a right server to a create, and the state after it."""
    body = expected(state, Create(sample, scope)).body
    shown = {**body, "id": f"cfg_{state.steps}", "created_at": "2025-01-01T00:00:00.000000Z"}
    shown["updated_at"] = shown["created_at"]
    findings, after = compared(state, Create(sample, scope), shown)
    assert findings == []
    return shown, after


def test_a_create_shows_what_was_sent_and_the_defaults_of_the_rest(state: ModelState, sample: dict[str, Any]) -> None:
    sample.pop("rate_limit_window_seconds", None)
    expectation = expected(state, Create(sample))
    assert expectation.statuses == ("201",)
    assert expectation.body["rate_limit_window_seconds"] == 1800
    assert expectation.body["reseller_id"] == "test-reseller_id-0"


def test_a_scope_that_is_taken_is_a_conflict_that_says_with_what(state: ModelState, sample: dict[str, Any]) -> None:
    _, state = created(state, sample)
    expectation = expected(state, Create(sample))
    assert (expectation.statuses, expectation.evidence) == (("409",), (0,))
    assert expectation.because.startswith('"cfg_0" already has reseller_id "test-reseller_id-0" and ')
    assert expected(state, Create(sample, 1)).statuses == ("201",)
    assert expected(state, Replace(0, sample)).statuses == ("200",)


def test_what_was_never_created_is_not_found(state: ModelState, sample: dict[str, Any]) -> None:
    expectation = expected(state, Replace(0, sample))
    assert (expectation.statuses, expectation.because) == (("404",), '"test-unknown" was never created')


def test_a_list_has_what_was_stored_and_is_missed_by_name(state: ModelState, sample: dict[str, Any]) -> None:
    shown, state = created(state, sample)
    step = List(("reseller_id",))
    assert [each.identity for each in expected(state, step).body] == ["cfg_0"]
    assert compared(state, step, [shown], 200)[0] == []
    (missing,) = compared(state, step, [], 200)[0]
    assert (missing.rule, missing.detail) == ("list-content", '"cfg_0", which was stored, is missing')
    (wrong,) = compared(state, step, [{**shown, "max_retry": 9}], 200)[0]
    assert (wrong.rule, wrong.pointer) == ("stored-value", "/0/max_retry")


def test_memory_is_never_changed(state: ModelState, sample: dict[str, Any]) -> None:
    _, after = created(state, sample)
    assert (state.steps, state.created, state.stored) == (0, (), {})
    assert (after.steps, after.created, list(after.stored)) == (1, ((0, "cfg_0"),), [(0, "cfg_0")])


def test_a_refusal_names_every_status_that_is_right_and_no_other(state: ModelState) -> None:
    operation = state.collection.create
    too_large = RawRequest("POST", "/x", or_status="413")
    wrong = [Finding("json-syntax", "body", "is not JSON", "")]
    assert expect_raw(too_large, operation, wrong).statuses == ("400", "413")
    plain = expect_raw(RawRequest("POST", "/x"), operation, wrong)
    assert plain.statuses == ("400",)
    mistakes, _ = compare_response(
        state, RawRequest("POST", "/x"), request_for(state, RawRequest("POST", "/x")), plain, ParsedResponse(201)
    )
    assert [each.finding.detail for each in mistakes] == [
        "must be 400, because the request breaks the contract (body: is not JSON); it is 201"
    ]
    nowhere = expect_raw(
        RawRequest("GET", "/x"), Finding("undocumented-path", "path", "is no path of the contract"), []
    )
    assert (nowhere.statuses, nowhere.accepts(501), nowhere.accepts(200)) == (("404",), True, False)


def books(**members: Any) -> ModelState:
    """A state with one book; `members` are schemas of further members."""
    document = read_document(Path(__file__).parents[2] / "support" / "contracts" / "books.yaml")
    for name in ("Book", "NewBook", "BookChange"):
        document["components"]["schemas"][name]["properties"] |= members
    contract = Contract(document)
    (collection,) = Collection.every(contract, lambda _operation: True, Footprint(contract, "http://a", "test"))
    state, step = ModelState.of(collection, "test"), Create({"title": "A", "pages": 7, **dict.fromkeys(members, "x")})
    findings, state = compared(state, step, {**expected(state, step).body, "id": "a"})
    assert findings == []
    return state


def test_a_patch_changes_what_it_names_and_removes_what_is_null() -> None:
    state = books(note={"type": "string", "nullable": True}, kind={"type": "string", "default": "novel"})
    shown = {"title": "test-title-0", "pages": 8, "id": "a", "kind": "novel"}
    step = Merge(0, {"pages": 8, "note": None, "kind": None})
    assert compared(state, step, shown, 200)[0] == []
    assert compared(state, step, {**shown, "note": None}, 200)[0] == []
    (kept,) = compared(state, step, {**shown, "note": "x"}, 200)[0]
    assert (kept.pointer, kept.detail) == ("/note", 'must be absent, as a patch removed it; it is "x"')
    (left,) = compared(state, Merge(0, {"pages": 8, "kind": None}), shown, 200)[0]
    assert (left.pointer, left.detail) == ("/note", 'must be "x", as it was stored; it is missing')


def test_a_patch_that_leaves_what_breaks_the_contract_is_refused() -> None:
    state = books(note={"type": "string", "minLength": 1})
    assert expected(state, Merge(0, {"note": None})).statuses == ("200",)
    refused = expected(state, Merge(0, {"pages": None}))
    assert (refused.statuses, refused.because) == (("400",), "its result breaks the contract")


def test_what_is_deleted_is_gone_and_leaves_its_values_free() -> None:
    _, state = compared(books(), Delete(0), None, 204)
    gone = expected(state, Read(0))
    assert (gone.statuses, gone.because, gone.evidence) == (("404",), '"a" was deleted', (0, 1))
    assert expected(state, Create({"title": "B", "pages": 1})).statuses == ("201",)
    (listed,) = compared(state, List(), [{"id": "a", "title": "test-title-0"}], 200)[0]
    assert listed.detail == '"a" is in the list, but was deleted'


def test_the_table_can_be_read_and_is_played_in_its_order(state: ModelState) -> None:
    assert len({row.why for row in TABLE}) == len(TABLE)
    script = Script(state.collection)
    played = list(table_conversations(script))
    assert played[0] == [Create(MINIMAL), StateCheck()]
    assert len(played) > 150
