"""Schemathesis against an application: every phase, every check, valid and invalid requests; nothing is excluded."""

from collections.abc import Mapping
from types import MappingProxyType

import schemathesis
from callconfig.contract.formats import time_zones
from hypothesis import strategies
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from starlette.types import ASGIApp

PHASES = {"examples", "coverage", "fuzzing", "stateful"}

schemathesis.openapi.format("iana-time-zone", strategies.sampled_from(sorted(time_zones())))


def hold_every_property(
    app: ASGIApp, document: str, *, max_examples: int, seed: int = 1, headers: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Fails with every violation and how to see it again, and where a phase tried nothing."""
    settings = {
        "seed": seed,
        "generation": {"max-examples": max_examples, "database": "none"},
        "headers": dict(headers),
    }
    config = SchemathesisConfig.from_dict(settings)
    schema = schemathesis.openapi.from_asgi(document, app, config=config, headers=dict(headers))
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
    assert not failures, "\n".join(failures)
    assert phases >= PHASES, f"nothing was tried in {PHASES - phases}"
