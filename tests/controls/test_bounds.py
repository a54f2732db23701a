"""All sessions together stay within their memory budget, whatever is sent, and deletions release memory."""

from collections.abc import Callable
from typing import Any

import pytest
from callconfig.controls.budget import Budget, LimitReached
from callconfig.controls.journal import Entry, Journal
from callconfig.controls.match import MAX_PARTS, Match
from callconfig.controls.sessions import Limits
from starlette.testclient import TestClient
from starlette.types import ASGIApp

Json = dict[str, Any]

ONE, TWO = {"X-Mock-Session": "one"}, {"X-Mock-Session": "two"}


def test_a_part_counts_in_the_whole_until_it_leaves() -> None:
    whole = Budget(100)
    one, two = Budget(80, whole), Budget(80, whole)
    one.hold("a", 60)
    with pytest.raises(LimitReached):
        one.hold("b", 21)
    with pytest.raises(LimitReached) as caught:
        two.hold("a", 41)
    assert caught.value.everywhere
    one.hold("a", 50)
    two.hold("a", 50)
    assert (one.total, two.total, whole.total) == (50, 50, 100)
    one.release_all()
    one.hold("a", 70)
    assert whole.total == 50


def test_room_is_made_before_anything_is_refused() -> None:
    whole = Budget(100, make_room=lambda: part.release_all())
    part = Budget(100, whole)
    part.hold("a", 100)
    Budget(100, whole).hold("a", 100)
    assert whole.total == 100


def test_a_journal_drops_its_oldest_when_others_have_spent_the_bytes() -> None:
    whole = Budget(1_000_000)
    journal = Journal(100, 1_000_000, Budget(1_000_000, whole))

    def keep(body: bytes) -> None:
        journal.begin(kept := Entry(0.0, "GET", "http", "/", b"/", [], response_body=body))
        journal.end(kept)

    whole.hold("others", 800_000)
    for _ in range(10):
        keep(b"x" * 50_000)
    assert [each.number for each in journal] == [8, 9, 10]
    keep(b"x" * 500_000)
    assert len(journal) == 0
    assert whole.total == 800_000


def create(number: int, sample: Json) -> tuple[str, str, Any]:
    return "POST", "/configurations", {**sample, "template": f"t{number}"}


def rule(_number: int, _sample: Json) -> tuple[str, str, Any]:
    return "POST", "/_mock/rules", {"answer": {"status": 200, "body": "x" * 2000}, "off_contract": True, "times": 1}


def pattern(number: int, _sample: Json) -> tuple[str, str, Any]:
    return "POST", "/_mock/rules", {"match": {"body": {str(number): {str(n): 1 for n in range(10)}}}, "fault": "reset"}


def snapshot(number: int, _sample: Json) -> tuple[str, str, Any]:
    return "PUT", f"/_mock/snapshots/s{number}", None


def more_state(number: int, sample: Json) -> tuple[str, str, Any]:
    return "PUT", "/_mock/state", [{**sample, "template": f"t{each}"} for each in range(20 * number)]


def ids(number: int, _sample: Json) -> tuple[str, str, Any]:
    return "PUT", "/_mock/ids", {"next": ["x" * 250] * 100 * number}


@pytest.mark.parametrize("fill", [create, rule, pattern, snapshot, more_state, ids])
def test_what_fills_a_session_ends_at_its_bytes_and_is_given_back(
    fill: Callable[[int, Json], tuple[str, str, Any]], make_steered: Callable[..., ASGIApp], sample: Json
) -> None:
    limits = Limits(session_bytes=200_000, all_bytes=250_000, snapshots=1000)
    with TestClient(make_steered(limits=limits)) as api:

        def until_refused(session: dict[str, str]) -> tuple[int, Json]:
            api.put("/_mock/state", json=[{**sample, "template": "t0"}], headers=session)
            for number in range(1, 1000):
                method, path, body = fill(number, sample)
                if (answer := api.request(method, path, json=body, headers=session)).status_code >= 400:
                    return number, answer.json()
            pytest.fail("nothing was refused")

        went, refused = until_refused(ONE)
        assert (refused["status"], refused["detail"]) in (
            (409, "A session holds at most 200000 bytes."),
            (503, "A session holds the maximum: 200000 bytes."),
        )
        sooner, refused = until_refused(TWO)
        assert sooner < went
        assert "All sessions together hold" in refused["detail"]
        assert api.delete("/_mock/sessions/one").status_code == 204
        again, _ = until_refused(ONE)
        assert sooner <= again <= went


def test_a_pattern_of_too_many_members_is_refused_at_once(make_steered: Callable[..., ASGIApp]) -> None:
    match = {"body": {str(number): 1 for number in range(MAX_PARTS)}}
    with pytest.raises(LimitReached):
        Match(match)
    with TestClient(make_steered()) as api:
        for path, body in (("/_mock/rules", {"fault": "reset"}), ("/_mock/requests/find", {})):
            assert api.post(path, json={**body, "match": match}).json()["title"] == "Limit reached"
