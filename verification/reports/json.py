"""A result as JSON. The report is also a baseline: `--baseline` accepts the findings of an earlier one."""

from json import dumps
from typing import Any

from ...outcome import program
from ...traffic.curl import curl
from ...traffic.har import entry
from ..result import Failure, Result


def json(result: Result) -> str:
    return dumps(document(result), indent=2, ensure_ascii=False) + "\n"


def document(result: Result) -> dict[str, Any]:
    """The report; the `findings` that are not `accepted` and have severity error made the run fail."""
    return {
        "tool": program(),
        "command": result.command,
        "contract": {"title": result.contract.title, "version": result.contract.version},
        "target": result.redaction.url(result.target),
        "seed": result.seed,
        "started": result.started.isoformat(),
        "seconds": round(result.seconds, 3),
        "interactions": result.judged.total(),
        "errors": len(result.errors),
        "ended": result.ended or "complete",
        "notes": result.notes,
        "findings": [_finding(failure, result) for failure in result.failures.values()],
        "coverage": result.coverage.as_json() if result.coverage is not None else None,
    }


def _finding(failure: Failure, result: Result) -> dict[str, Any]:
    return {
        "fingerprint": failure.fingerprint,
        "operation": failure.operation,
        "part": failure.part,
        "severity": failure.finding.severity,
        "accepted": failure.fingerprint in result.accepted,
        "times": result.times[failure.fingerprint],
        **failure.finding.as_json(),
        "source": failure.interactions[-1].source if failure.interactions else "",
        "requests": [{"curl": curl(interaction), "har": entry(interaction)} for interaction in failure.interactions],
    }
