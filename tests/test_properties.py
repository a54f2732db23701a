"""Schemathesis against the application: every phase, every check, valid and invalid requests; nothing is excluded.

That every documented status is seen is part of the promise: a status that no test provokes is a status nobody checked.
"""

from collections.abc import Callable

import pytest
import schemathesis
from callconfig.contract.schema import time_zones
from hypothesis import strategies
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from starlette.types import ASGIApp

schemathesis.openapi.format("iana-time-zone", strategies.sampled_from(sorted(time_zones())))


@pytest.mark.parametrize("seed", [1, 2])
def test_every_property_of_the_contract_holds(make_app: Callable[..., ASGIApp], seed: int) -> None:
    config = SchemathesisConfig.from_dict({"seed": seed, "generation": {"max-examples": 40, "database": "none"}})
    schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(), config=config)
    failures: list[str] = []
    phases: dict[str, int] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
            failures += _failures(event.recorder)
        if isinstance(event, events.ScenarioFinished):
            phases[event.phase.value] = phases.get(event.phase.value, 0) + len(event.recorder.cases)
        if isinstance(event, events.NonFatalError):
            failures.append(f"{event.label}: {event.value!r}")
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.PhaseFinished):
            assert event.status in (Status.SUCCESS, Status.SKIP), (event.phase, failures)
    assert failures == []
    assert {name for name, cases in phases.items() if cases} >= {"examples", "coverage", "fuzzing", "stateful"}


def _failures(recorder: ScenarioRecorder) -> list[str]:
    return [
        f"{check.name}: {check.failure_info.failure.message} {check.failure_info.code_sample}"
        for checks in recorder.checks.values()
        for check in checks
        if check.failure_info is not None
    ]
