"""The coverage by recorded traffic: as text, and held to a minimum."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..contract.finding import Finding
from ..options import VerifyOptions
from ..outcome import lines
from ..traffic.reader import complete_recording
from .coverage import Coverage, OperationCoverage
from .result import Failure, Result

WIDTH = 100


def table(coverage: Coverage) -> str:
    """The coverage as text: a summary, then each operation with its exercised and its missed parts."""
    rows = [
        f"  {kind:<12}{done:>5} of {of:<5}{percent(done, of):>4} %" for kind, (done, of) in coverage.summary().items()
    ]
    lines = [line for name, each in coverage.operations.items() for line in _operation(name, each)]
    return "\n".join(["coverage", *rows, *lines])


def percent(done: int, of: int) -> int:
    """A percentage, rounded down, so that 100 is complete coverage."""
    return 100 * done // of if of else 100


def require_minimum(result: Result, minimum: Iterable[tuple[str, float]]) -> None:
    """Add an error for each kind, such as `statuses`, whose coverage in percent is below its minimum."""
    for kind, wanted in minimum:
        done, of = result.coverage.summary()[kind] if result.coverage is not None else (0, 0)
        if of and 100 * done < wanted * of:
            detail = f"{percent(done, of)} % of {kind} were exercised ({done} of {of}), less than {wanted:g} %"
            result.add(Failure(Finding("coverage", "status", detail, name=kind), "the whole", [], "coverage"))


def measure(arguments: str) -> int:
    """Print the coverage of recordings without their findings: a client's tests break the contract on purpose.

    `arguments` are options of `callconfig verify` as JSON. Returns the exit code. Raises CouldNotRun.
    """
    from .judge import Judge
    from .running import exit_code, running

    given = json.loads(arguments)
    options = VerifyOptions(
        files=tuple(given["files"]),
        contract=Path(given["contract"]) if given.get("contract") else None,
        base_path=given["base_path"],
        report=tuple((name, Path(path)) for name, path in given["report"]),
    )
    with running("coverage", options, "the tests of a client") as (result, _progress):
        result.coverage = Coverage(result.contract)
        judge = Judge(result.contract, options.base_path)
        for path in options.files:
            for interaction, _ in complete_recording(path):
                result.record("the tests", judge.judge(interaction), interaction)
        print(lines(table(result.coverage)))
        require_minimum(result, ((kind, wanted) for kind, wanted in given["minimum"]))
    return exit_code(result)


def _operation(name: str, covered: OperationCoverage) -> Iterator[str]:
    rows = covered.rows.values()
    seen = [f"{status} x{times}" for status, times in sorted(covered.statuses.items())]
    broken = [
        f"{row.name or 'the body'} {keyword} x{times}"
        for row in rows
        for keyword, times in row.keywords.items()
        if times
    ]
    yield f"{name}: {'exercised' if seen else 'never'}"
    yield from _line("statuses", seen)
    yield from _line("never answered", covered.unseen)
    if seen:
        yield from _line("members never sent", [row.name or "the body" for row in rows if not row.sent])
        yield from _line("rules broken", broken)


def _line(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        text = f"{title}: {', '.join(items)}"
        yield from textwrap.wrap(
            text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
