"""Failing tests, whose report is tested. Not collected by its name."""

from callconfig.pytest_plugin import Mock, MockServer
from scheduler import Scheduler


def test_that_fails(mock: Mock, scheduler: Scheduler) -> None:
    scheduler.create("welcome")
    mock.wait_for(operation="updateConfiguration", timeout=0.01)


def test_whose_client_is_in_no_session(mock: Mock, mock_server: MockServer) -> None:
    Scheduler(mock_server.base_url).create("welcome")
    assert mock.state() != []


def test_whose_mock_is_gone() -> None:
    Mock(MockServer("http://127.0.0.1:9"), "nobody").state()
