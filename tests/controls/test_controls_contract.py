"""The controls are tested by Schemathesis as the API is: every phase and every check, nothing excluded."""

from collections.abc import Callable

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.extensions import extensions
from callconfig.contract.grammar import objects
from callconfig.controls.bundle import load_controls
from callconfig.controls.sessions import Limits
from callconfig.tests.support.properties import hold_every_property
from openapi_spec_validator import OpenAPIV30SpecValidator
from starlette.types import ASGIApp

PATIENT = Limits(sessions=100_000, rules=100_000, snapshots=100_000, journal_entries=20, wait_seconds=0.01)


def test_openapi_spec_validator_accepts_the_controls(contract: Contract) -> None:
    OpenAPIV30SpecValidator(load_controls(contract).document).validate()


def test_our_own_members_are_spelt_and_shaped_as_their_schema_says(contract: Contract) -> None:
    assert list(extensions(objects(dict(load_controls(contract).document)))) == []


def test_the_copies_of_a_rule_are_the_same(contract: Contract) -> None:
    """A rule in a response has the members of one in a request, and its counts."""
    declared = load_controls(contract).document["components"]["schemas"]
    answered = dict(declared["Rule"]["properties"])
    for made in ("id", "matched", "answered"):
        del answered[made]
    assert answered == declared["NewRule"]["properties"]


@pytest.mark.xdist_group("draws")  # one worker draws the values of the contract, once
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_property_of_the_controls_holds(make_steered: Callable[..., ASGIApp]) -> None:
    hold_every_property(make_steered(limits=PATIENT), "/_mock/openapi.json", max_examples=10)
