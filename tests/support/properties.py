"""Schemathesis against an application: every phase, every check, valid and invalid requests; nothing is excluded."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import schemathesis
from callconfig.tests.support.generation import draw_once
from callconfig.verification.generated import REFUSALS
from callconfig.verification.strategies import register
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import Interaction
from schemathesis.python.asgi import HOST
from starlette.types import ASGIApp

PHASES = {"examples", "coverage", "fuzzing", "stateful"}

register()
draw_once()


@patch.dict(os.environ, no_proxy=HOST)  # else each request looks for a proxy, in a tenth of the time
def hold_every_property(
    app: ASGIApp, document: str, *, max_examples: int, seed: int = 1, headers: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Fail with every violation and how to reproduce it, and where a phase sent nothing."""
    settings = {
        "seed": seed,
        "generation": {"max-examples": max_examples, "database": "none"},
        "checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}},
        "headers": dict(headers),
    }
    config = SchemathesisConfig.from_dict(settings)
    schema = schemathesis.openapi.from_asgi(document, app, config=config, headers=dict(headers))
    schema.hooks.register_hook_with_name(lambda _context, body: within_64_bits(body), "map_body")
    failures: list[str] = []
    phases: set[str] = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
            failures += [
                f"{check.name}: {check.failure_info.failure.message} {check.failure_info.code_sample} "
                f"{answer(event.recorder.interactions.get(case))}"
                for case, checks in event.recorder.checks.items()
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


def within_64_bits(value: Any) -> Any:
    """The value with its integers limited to 64 bits, which the API requires without a schema."""
    if isinstance(value, dict):
        return {name: within_64_bits(nested) for name, nested in value.items()}
    if isinstance(value, list):
        return [within_64_bits(item) for item in value]
    return min(max(value, -(2**63)), 2**63 - 1) if type(value) is int else value


def answer(interaction: Interaction | None) -> str:
    if interaction is None or interaction.response is None:
        return "without an answer"
    return f"{interaction.response.status_code} {(interaction.response.content or b'')[:300]!r}"
