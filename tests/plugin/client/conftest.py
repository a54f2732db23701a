"""The client team's own fixtures."""

import pytest
from callconfig.pytest_plugin import Mock
from scheduler import Scheduler


@pytest.fixture
def scheduler(mock: Mock) -> Scheduler:
    return Scheduler(mock.base_url)
