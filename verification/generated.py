"""Schemathesis: requests generated from the contract, in all its phases, answered before all its checks."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure as CheckFailure
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import Interaction as Recorded
from schemathesis.engine.recorder import ScenarioRecorder

from ..contract.finding import Finding
from ..contract.interaction import Interaction
from .client import TIMEOUT
from .judge import Judge
from .result import Failure, Result
from .running import Deadline
from .strategies import register

JUDGED_BY_ENGINE = {
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
}
"""Checks whose failures the engine of the contract has found already, and located better."""


def generate(
    result: Result,
    judge: Judge,
    url: str,
    *,
    headers: dict[str, str],
    included: Callable[[str], bool],
    max_examples: int,
    workers: int,
    rate_limit: float | None,
    on_part: Callable[[str], None],
    deadline: Deadline,
) -> None:
    """Run every phase and add what it finds to the result. Raises EnoughFailures, OutOfTime."""
    register()
    config = SchemathesisConfig.from_dict(
        {
            "seed": result.seed,
            "base-url": url,
            "headers": headers,
            "workers": workers,
            "request-timeout": TIMEOUT,
            "cache": {"enabled": False},
            "output": {"truncation": {"max-recorded-payload-size": 0}},
            "generation": {"max-examples": max_examples, "database": "none"},
            **({"rate-limit": _rate(rate_limit)} if rate_limit else {}),
        }
    )
    schema: schemathesis.BaseSchema = schemathesis.openapi.from_dict(dict(result.contract.document), config=config)
    excluded = [operation for operation in result.contract.operations.values() if not included(operation.id)]
    if excluded:
        labels = {f"{operation.method} {operation.path}" for operation in excluded}
        schema = schema.exclude(lambda context: context.operation.label in labels)
    stream = from_schema(schema).execute()
    try:
        for event in stream:
            if isinstance(event, events.PhaseStarted):
                on_part(event.phase.name.value)
            elif isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
                phase = getattr(event, "phase", "fuzzing")
                _scenario(event.recorder, str(getattr(phase, "value", phase)), result, judge)
            elif isinstance(event, events.NonFatalError):
                part = event.phase.value if event.phase else "generation"
                message = " ".join(event.info.message.split())
                if excluded and part == "stateful" and not event.related_to_operation:
                    result.notes.append("no links were followed: they lead to or from operations that are left out")
                    continue
                result.add(Failure(Finding("generation", "status", message), event.label, [], part))
            elif isinstance(event, events.FatalError):
                raise event.exception
            if deadline.is_over:
                stream.stop()
    finally:
        stream.stop()
    deadline.check()


def _rate(per_second: float) -> str:
    return f"{round(per_second)}/s" if per_second >= 1 else f"{max(1, round(per_second * 3600))}/h"


def _scenario(recorder: ScenarioRecorder, part: str, result: Result, judge: Judge) -> None:
    interactions = {case: _interaction(recorded) for case, recorded in recorder.interactions.items()}
    for case, interaction in interactions.items():
        verdict = judge.judge(interaction)
        result.record(part, verdict, interaction)
        result.add_all(verdict.response, verdict.operation, [interaction], part)
        for name, failure in _failures(recorder, case):
            if name in JUDGED_BY_ENGINE and verdict.response:
                continue
            label = verdict.operation if verdict.operation in result.contract.operations else str(failure.operation)
            chain = recorder.iter_chain_cases(case_id=case)
            led_here = [interactions[each.id] for each in chain if each.id in interactions] or [interaction]
            result.add(Failure(_finding(name, failure), label, led_here, part))


def _failures(recorder: ScenarioRecorder, case: str) -> Iterator[tuple[str, CheckFailure]]:
    for check in recorder.checks.get(case, ()):
        if check.failure_info is not None:
            yield check.name, check.failure_info.failure


def _finding(name: str, failure: CheckFailure) -> Finding:
    message = " ".join(failure.message.split())
    return Finding(name.replace("_", "-"), "status", f"{failure.title}: {message}" if message else failure.title)


def _interaction(recorded: Recorded) -> Interaction:
    request, response = recorded.request, recorded.response
    shared: dict[str, Any] = {
        "method": request.method.upper(),
        "url": request.uri,
        "request_headers": _fields(request.headers),
        "request_body": request.body or b"",
        "started": datetime.fromtimestamp(recorded.timestamp, UTC),
    }
    if response is None:
        return Interaction(status=0, error="the connection broke or timed out", **shared)
    return Interaction(
        status=response.status_code,
        response_headers=_fields(response.headers),
        response_body=response.content or b"",
        seconds=response.elapsed,
        **shared,
    )


def _fields(headers: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _text(value)) for name, values in headers.items() for value in values)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
