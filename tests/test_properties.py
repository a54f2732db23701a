"""Schemathesis against the application.

That every documented status is seen is part of the promise: a status that no test provokes is a status nobody checked.
"""

from collections.abc import Callable

import pytest
from callconfig.tests.support.properties import hold_every_property
from starlette.types import ASGIApp


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_property_of_the_contract_holds(make_app: Callable[..., ASGIApp]) -> None:
    """With one seed: most of what is sent is the same for all of them, and more examples say more than more seeds."""
    hold_every_property(make_app(), "/openapi.json", max_examples=60)
