"""A test that fails, for the report. Not collected by its name."""

from callconfig.pytest_plugin import Mock
from scheduler import Scheduler


def test_that_fails(mock: Mock, scheduler: Scheduler) -> None:
    scheduler.create("welcome")
    mock.wait_for(operation="updateConfiguration", timeout=0.01)
