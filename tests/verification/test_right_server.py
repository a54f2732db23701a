"""The right server has no findings with any draw, and its whole contract is covered."""

from collections.abc import Callable

import pytest
from callconfig.verification.result import Result
from starlette.types import ASGIApp


@pytest.mark.xdist_group("draws")  # one worker draws the values of the contract, once
@pytest.mark.slow
def test_the_right_server_is_not_accused_and_everything_is_exercised(
    make_app: Callable[..., ASGIApp], check_app: Callable[..., Result]
) -> None:
    result = check_app(make_app(), seed=0)
    assert [str(failure.finding) for failure in result.failures.values()] == []
    assert result.coverage is not None
    assert {name: of - seen for name, (seen, of) in result.coverage.summary().items()} == {
        "operations": 0,
        "statuses": 0,
        "members": 0,
        "rules": 0,
    }
