"""The client team's tests."""

import json
from pathlib import Path
from threading import Timer

import pytest
from callconfig.pytest_plugin import Match, Mock, MockError, MockServer, absent, any_of, pattern
from scheduler import Scheduler

import contract
import handlers
import storage

OUTAGE = Path(__file__).with_name("outage.json")


def test_our_own_packages_are_ours() -> None:
    assert {module.WHOSE for module in (handlers, storage, contract)} == {"the client team's"}


def test_a_configuration_is_created_once(mock: Mock, scheduler: Scheduler) -> None:
    assert scheduler.create("welcome") == scheduler.create("welcome")
    assert [request.status for request in mock.requests(operation="createConfiguration")] == [201, 409]
    assert mock.requests()[0].json["template"] == "welcome"
    assert mock.requests()[1].answer["title"] == "Duplicate scope"


def test_an_outage_is_survived(mock: Mock, scheduler: Scheduler) -> None:
    mock.rules.add(match={"operation": "createConfiguration"}, answers=[503, 503])
    scheduler.create("welcome")
    assert [configuration["template"] for configuration in mock.state()] == ["welcome"]
    (rule,) = mock.rules.all()
    assert (rule["matched"], rule["answered"]) == (2, 2)


def test_a_longer_outage_is_told(mock: Mock, scheduler: Scheduler) -> None:
    mock.rules.add(answer={"status": 503})
    with pytest.raises(TimeoutError):
        scheduler.create("welcome")
    mock.rules.clear()
    assert scheduler.templates() == {}


def test_what_happens_in_the_background_is_waited_for(mock: Mock, scheduler: Scheduler) -> None:
    Timer(0.05, lambda: scheduler.create("welcome", retries=5)).start()
    (request,) = mock.wait_for(operation="createConfiguration", body={"max_retry": 5})
    assert (request.method, request.findings) == ("POST", [])
    with pytest.raises(AssertionError, match="max_retry must be one of 9, not 5"):
        mock.wait_for(operation="createConfiguration", body={"max_retry": 9}, timeout=0.05)


def test_times_and_ids_are_foreseen(mock: Mock, scheduler: Scheduler) -> None:
    mock.clock.freeze("2025-01-15T10:30:00Z")
    mock.ids("cfg_one", "cfg_two", seed=7)
    scheduler.create("one")
    mock.clock.advance(60)
    scheduler.create("two")
    assert [(each["id"], each["created_at"]) for each in mock.state()] == [
        ("cfg_one", "2025-01-15T10:30:00.000000Z"),
        ("cfg_two", "2025-01-15T10:31:00.000000Z"),
    ]
    mock.clock.set("2030-01-01T00:00:00Z")
    assert mock.clock.now().startswith("2030")
    mock.clock.release()
    assert mock.clock.now() < "2030"


def test_a_client_that_needs_another_url_sends_the_header(mock: Mock, mock_server: MockServer) -> None:
    Scheduler(mock_server.base_url, mock.headers).create("welcome")
    assert [request.status for request in mock.requests()] == [201]


def test_a_request_is_matched_by_what_it_has_not_and_by_what_it_may_have(mock: Mock, scheduler: Scheduler) -> None:
    match: Match = {
        "headers": {"Authorization": absent, "Content-Type": pattern("^application/")},
        "body": {"template": any_of("a", "b"), "merchant_id": absent},
    }
    mock.rules.add(match=match, answer={"status": 503, "headers": {"Retry-After": "7"}}, times=1)
    scheduler.create("b")
    first, second = mock.requests(**match)
    assert (first.status, first.answer_headers["retry-after"], second.status) == (503, "7", 201)
    with pytest.raises(MockError, match="must be a regular expression"):
        mock.requests(path="/configurations", body=pattern("("))


def test_snapshots_and_forks_come_back_to_what_was(mock: Mock, scheduler: Scheduler) -> None:
    scheduler.create("one")
    mock.snapshot("before")
    scheduler.create("two")
    fork = mock.fork()
    mock.restore("before")
    assert scheduler.templates().keys() == {"one"}
    assert Scheduler(fork.base_url).templates().keys() == {"one", "two"}
    assert mock.fork("before").state() == mock.state()
    with pytest.raises(MockError, match='no snapshot "none"'):
        mock.restore("none")


def test_a_body_is_made_from_the_contract(mock: Mock) -> None:
    assert mock.configuration(max_retry=5)["max_retry"] == 5
    (stored,) = mock.seed([mock.configuration(template="made")])
    assert stored["template"] == "made"
    with pytest.raises(MockError, match='/max_retrys is not a known member; did you mean "max_retry"'):
        mock.configuration(max_retrys=5)


def test_a_follower_sees_each_request_once(mock: Mock, scheduler: Scheduler) -> None:
    scheduler.create("one")
    seen = mock.requests()[-1].number
    assert mock.requests(after=seen) == []
    scheduler.create("two")
    (request,) = mock.wait_for(after=seen)
    assert request.json["template"] == "two"


class TestScenario:
    @pytest.fixture
    def mock_scenario(self) -> Path:
        return OUTAGE

    def test_a_test_begins_in_the_world_of_a_file(self, mock: Mock, scheduler: Scheduler) -> None:
        assert scheduler.templates() == {"seeded": "cfg_seeded"}
        assert scheduler.create("new") == "cfg_new"
        assert [request.status for request in mock.requests(method="POST")] == [503, 201]
        assert mock.state()[1]["created_at"] == "2025-01-15T10:30:00.000000Z"


def test_a_seed_that_breaks_the_contract_is_told_where(mock: Mock) -> None:
    with pytest.raises(MockError, match="/0/max_retry must be at least 0, not -1"):
        mock.seed([{"max_retry": -1}])


class TestSeeded:
    @pytest.fixture
    def mock_seed(self) -> list[dict[str, object]]:
        state: list[dict[str, object]] = json.loads(OUTAGE.read_text())["state"]
        return state

    def test_the_state_is_what_the_fixture_says(self, scheduler: Scheduler) -> None:
        assert scheduler.templates() == {"seeded": "cfg_seeded"}
        assert scheduler.create("seeded") == "cfg_seeded"


@pytest.mark.parametrize("number", range(200))
def test_nobody_sees_anybody(mock: Mock, scheduler: Scheduler, number: int) -> None:
    assert mock.state() == mock.requests() == []
    mock.clock.freeze(f"2025-01-15T10:30:00.{number:03}Z")
    identity = scheduler.create("the same for all")
    if number % 2:
        mock.rules.add(answer={"status": 503}, times=1)
        scheduler.create("the other")
    assert scheduler.templates()["the same for all"] == identity
    assert {each["created_at"] for each in mock.state()} == {f"2025-01-15T10:30:00.{number:03}000Z"}
    assert [request.status for request in mock.requests()] == ([201, 503, 201, 200] if number % 2 else [201, 200])
