"""The contract of the controls is held like the API's: Schemathesis, every phase and every check, nothing excluded."""

from collections.abc import Callable

import schemathesis
from callconfig.contract.document import Contract
from callconfig.contract.schema import time_zones
from callconfig.controls.document import load_controls
from callconfig.controls.sessions import Limits
from hypothesis import strategies
from openapi_spec_validator import OpenAPIV30SpecValidator
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from starlette.types import ASGIApp

schemathesis.openapi.format("iana-time-zone", strategies.sampled_from(sorted(time_zones())))

PATIENT = Limits(sessions=100_000, rules=100_000, snapshots=100_000, journal_entries=20, wait_seconds=0.01)


def test_openapi_spec_validator_accepts_the_controls(contract: Contract) -> None:
    OpenAPIV30SpecValidator(load_controls(contract).document).validate()


def test_every_property_of_the_controls_holds(make_steered: Callable[..., ASGIApp]) -> None:
    config = SchemathesisConfig.from_dict({"seed": 1, "generation": {"max-examples": 10, "database": "none"}})
    schema = schemathesis.openapi.from_asgi("/_mock/openapi.json", make_steered(limits=PATIENT), config=config)
    failures: list[str] = []
    phases: set[str] = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
            failures += [
                f"{check.name}: {check.failure_info.failure.message} {check.failure_info.code_sample}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.failure_info is not None
            ]
        if isinstance(event, events.ScenarioFinished) and event.recorder.cases:
            phases.add(event.phase.value)
        if isinstance(event, events.NonFatalError):
            failures.append(f"{event.label}: {event.value!r}")
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.PhaseFinished):
            assert event.status in (Status.SUCCESS, Status.SKIP), "\n".join([event.phase.name.value, *failures])
    assert failures == []
    assert phases >= {"examples", "coverage", "fuzzing", "stateful"}
