"""What every command of this package does around its work: contract, baseline, reports, progress, the verdict."""

import json
import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from ..contract.document import BUILT_IN, Contract, InvalidContract
from ..contract.redaction import Redaction
from ..options import ConversingOptions, JudgingOptions
from ..outcome import FINDINGS, OK, CouldNotRun
from .report import Reports
from .result import EnoughFailures, Result
from .text import Progress, summarize


@contextmanager
def running(
    command: str, options: JudgingOptions, target: str, secrets: Iterable[str] = ()
) -> Iterator[tuple[Result, Progress]]:
    """A result to fill; what it found is printed as it comes, and reported at the end. Raises CouldNotRun."""
    seed = getattr(options, "random_seed", None)
    if isinstance(options, ConversingOptions) and seed is None:
        seed = random.randrange(2**32)  # noqa: S311 (no secret; it is printed, to be given again)
    path = options.contract or BUILT_IN
    contract = load(path)
    accepted = baseline(options.baseline)
    reports = Reports(list(options.report))
    progress = Progress()
    result = Result(
        command,
        target,
        contract,
        Path(path.name) if path == BUILT_IN else path,
        Redaction(contract, secrets),
        seed=seed,
        accepted=accepted,
        most=getattr(options, "max_failures", None),
        on_interaction=reports.on_interaction,
    )
    result.on_failure = lambda failure: progress.failure(failure, result)
    interrupted = False
    try:
        yield result, progress
    except EnoughFailures:
        result.notes.append(f"ended after {result.most} errors; there may be more")
    except KeyboardInterrupt:
        interrupted = True
        result.notes.append("interrupted; not everything was judged")
    progress.clear()
    if gone := accepted - result.failures.keys():
        result.notes.append(f"{len(gone)} findings of the baseline did not occur: {', '.join(sorted(gone))}")
    reports.write(result)
    summarize(result)
    if interrupted:
        raise CouldNotRun("interrupted")


class OutOfTime(Exception):
    """The time that a run may take is over."""


class Deadline:
    """When a run must end; never, without a time."""

    def __init__(self, seconds: float | None) -> None:
        self._ends = time.monotonic() + seconds if seconds else None

    @property
    def is_over(self) -> bool:
        return self._ends is not None and time.monotonic() > self._ends

    def check(self) -> None:
        """Raises OutOfTime."""
        if self.is_over:
            raise OutOfTime


def run_id(result: Result) -> str:
    """A name that no run had before: a live server still has what earlier runs left there."""
    return f"check-{result.seed}-{secrets.token_hex(4)}"


def sent_headers(options: ConversingOptions) -> list[tuple[str, str]]:
    """The header fields that every request gets."""
    token = [("Authorization", f"Bearer {options.token}")] if options.token else []
    return [*options.header, *token]


def exit_code(result: Result) -> int:
    return FINDINGS if result.errors else OK


def load(path: Path) -> Contract:
    """Raises CouldNotRun."""
    try:
        return Contract.load(path, validate=path != BUILT_IN)
    except InvalidContract as error:
        raise CouldNotRun(f"contract {error}") from error


def baseline(path: Path | None) -> frozenset[str]:
    """The fingerprints of the findings in an earlier JSON report. Raises CouldNotRun."""
    if path is None:
        return frozenset()
    try:
        return frozenset(finding["fingerprint"] for finding in json.loads(path.read_bytes())["findings"])
    except OSError as error:
        raise CouldNotRun(f"baseline {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise CouldNotRun(f"baseline {path}: is not a JSON report of callconfig") from error


def selection(include: Sequence[str], exclude: Sequence[str], contract: Contract) -> Callable[[str], bool]:
    """Which operations are meant, by operationId or a pattern of one. Raises CouldNotRun when none is."""

    def included(operation: str) -> bool:
        wanted = not include or any(fnmatchcase(operation, pattern) for pattern in include)
        return wanted and not any(fnmatchcase(operation, pattern) for pattern in exclude)

    for pattern in (*include, *exclude):
        if not any(fnmatchcase(operation, pattern) for operation in contract.operations):
            raise CouldNotRun(f"no operation is named {pattern!r}; there are {', '.join(contract.operations)}")
    if not any(map(included, contract.operations)):
        raise CouldNotRun("--include and --exclude leave no operation")
    return included
