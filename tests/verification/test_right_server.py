"""The right server has no findings with any draw, and its whole contract is covered."""

from collections.abc import Callable

import pytest
from callconfig.storage.store import Store
from callconfig.tests.support.tampering import tampered
from callconfig.verification.result import Result
from starlette.types import ASGIApp


def by_itself(app: ASGIApp, _store: Store) -> ASGIApp:
    return app


def in_the_wrapper_of_the_mutants(app: ASGIApp, store: Store) -> ASGIApp:
    """The wrapper of `test_mutants` without a mistake, so that the findings in a mutant are of its own mistake."""
    return tampered(app, store, lambda serve, _store: serve)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "served"), [(0, by_itself), (1, in_the_wrapper_of_the_mutants)])
def test_the_right_server_is_not_accused_and_everything_is_exercised(
    make_app: Callable[..., ASGIApp],
    store: Store,
    check_app: Callable[..., Result],
    seed: int,
    served: Callable[[ASGIApp, Store], ASGIApp],
) -> None:
    result = check_app(served(make_app(), store), seed=seed)
    assert [str(failure.finding) for failure in result.failures.values()] == []
    assert result.coverage is not None
    assert {name: of - seen for name, (seen, of) in result.coverage.summary().items()} == {
        "operations": 0,
        "statuses": 0,
        "members": 0,
        "rules": 0,
    }
