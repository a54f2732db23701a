"""Tests, some of which fail in a strict suite, whose report is tested. Not collected by its name."""

import pytest
from callconfig.pytest_plugin import Mock
from scheduler import Scheduler


@pytest.mark.mock_strict
def test_that_keeps_the_contract(mock: Mock, scheduler: Scheduler) -> None:
    mock.expect(operation="createConfiguration", times=2)
    mock.expect(operation="updateConfiguration", times=0)
    scheduler.create("welcome")
    scheduler.create("goodbye")


@pytest.mark.mock_strict
def test_that_sends_what_the_contract_does_not_take(scheduler: Scheduler) -> None:
    with pytest.raises(OSError, match="400"):
        scheduler.create("welcome", retries=-1)


@pytest.mark.mock_strict
def test_that_goes_to_an_unknown_path(mock: Mock) -> None:
    with pytest.raises(OSError, match="404"):
        Scheduler(f"{mock.base_url}/v2").templates()


def test_that_leaves_an_expectation_unmet(mock: Mock, scheduler: Scheduler) -> None:
    mock.expect(operation="createConfiguration", body={"template": "other"}, times=2)
    scheduler.create("welcome")


def test_that_does_more_than_was_expected(mock: Mock, scheduler: Scheduler) -> None:
    mock.expect(operation="createConfiguration")
    scheduler.create("welcome")
    scheduler.create("goodbye")


def test_that_is_not_strict(scheduler: Scheduler) -> None:
    with pytest.raises(OSError, match="400"):
        scheduler.create("welcome", retries=-1)


@pytest.mark.mock_strict(False)
def test_that_says_that_it_is_not_strict(scheduler: Scheduler) -> None:
    with pytest.raises(OSError, match="400"):
        scheduler.create("welcome", retries=-1)


class TestOverride:
    @pytest.fixture
    def mock_strict(self) -> bool:
        return True

    def test_that_a_fixture_makes_strict(self, scheduler: Scheduler) -> None:
        with pytest.raises(OSError, match="400"):
            scheduler.create("welcome", retries=-1)
