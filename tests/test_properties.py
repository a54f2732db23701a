"""Schemathesis against the application. Every documented status must be seen."""

from collections.abc import Callable

import pytest
from callconfig.tests.support.properties import hold_every_property
from starlette.types import ASGIApp


@pytest.mark.xdist_group("draws")  # one worker draws the values of the contract, once
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_property_of_the_contract_holds(make_app: Callable[..., ASGIApp]) -> None:
    """With one seed: most requests are the same for all seeds, and more examples find more than more seeds."""
    hold_every_property(make_app(), "/openapi.json", max_examples=60)
