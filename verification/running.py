"""The frame of every command of this package: contract, baseline, reports, progress, exit code."""

import random
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from ..contract.document import BUILT_IN, Contract
from ..contract.finding import counted
from ..contract.unjudged import unjudged
from ..loading import load_contract
from ..options import JudgingOptions, SendingOptions
from ..outcome import FINDINGS, INTERRUPTING_SIGNALS, OK, CouldNotRun
from ..traffic.recording import MAX_BYTES, InvalidRecording, read_json, reading
from ..traffic.redaction import Redaction
from .reports import Reports
from .result import MaxFailuresReached, Result
from .terminal import Progress, summarize
from .timing import DeadlineExceeded


@contextmanager
def running(
    command: str,
    options: JudgingOptions,
    target: str,
    *,
    secrets: Iterable[str] = (),
    seed: int | None = None,
    most: int | None = None,
    record: Path | None = None,
) -> Iterator[tuple[Result, Progress]]:
    """A result to fill; its failures are printed at once, and its reports written at the end. Raises CouldNotRun."""
    path = options.contract or BUILT_IN
    contract = load_contract(options.contract, dict(options.severity))
    accepted = baseline(options.baseline)
    reports = Reports([*options.report, *([("har", record)] if record else [])])
    result = Result(
        command,
        target,
        contract,
        path,
        Redaction(contract, secrets),
        seed=seed,
        accepted=accepted,
        most=most,
        on_interaction=reports.on_interaction,
    )
    progress = Progress(result)
    result.on_failures = progress.failures
    with interrupting(result) as finish:
        try:
            yield result, progress
        except MaxFailuresReached:
            result.notes.append(f"ended after {counted(result.most or 0, 'error')}; there may be more")
        except KeyboardInterrupt:
            result.ended = "interrupted"
        except BaseException:
            reports.discard()
            raise
        finally:
            finish()
            progress.end()
        _add_notes(result, accepted)
        try:
            reports.write(result)
        finally:
            summarize(result)
    if result.ended == "interrupted":
        raise CouldNotRun("interrupted")


def _add_notes(result: Result, accepted: frozenset[str]) -> None:
    if result.ended == "interrupted":
        result.notes.append("interrupted; not everything was judged")
    for side, count in sorted(result.unrecorded.items()):
        why = "were not recorded, or truncated, or in an unknown content coding"
        result.notes.append(f"{count} {side} bodies {why}, so they were not judged")
    if gone := accepted - result.failures.keys():
        result.notes.append(
            f"{counted(len(gone), 'finding')} of the baseline did not occur: {', '.join(sorted(gone)[:100])}"
        )
    if result.command == "check" and result.coverage is not None and result.coverage.seen == {"404"}:
        result.notes.append(
            "each response was a 404; compare the URL, its path prefix and the contract with the server"
        )
    judged = {operation for _, operation in result.judged}
    result.notes += unjudged(result.contract, judged)


@contextmanager
def interrupting(result: Result) -> Iterator[Callable[[], None]]:
    """SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt, and `result.ended` says so: a library may swallow it.

    Not within a second of another signal, since a terminal and a parent process may both send one; nor within a second
    of a call of `finish`. After an interruption the handlers stay until the process ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    deaf_until = 0.0

    def finish() -> None:
        nonlocal deaf_until
        deaf_until = time.monotonic() + 1

    def interrupt(_number: int, _frame: object) -> None:
        if time.monotonic() >= deaf_until:
            finish()
            result.ended = "interrupted"
            raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in INTERRUPTING_SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as it is in the background, and below nohup
            signal.signal(number, interrupt)
    try:
        yield finish
    finally:
        if result.ended == "interrupted":
            finish()
        else:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def sending_requests(command: str, options: SendingOptions, target: str) -> Iterator[tuple[Result, Progress]]:
    """As `running`, for a command that sends requests; DeadlineExceeded becomes a note. Raises CouldNotRun."""
    seed = options.random_seed
    if seed is None:
        seed = random.randrange(2**32)  # noqa: S311 (no secret; it is printed, to be given again)
    known = [value for _, value in sent_headers(options)]
    with running(command, options, target, secrets=known, seed=seed, most=options.max_failures) as (result, progress):
        try:
            yield result, progress
        except DeadlineExceeded:
            if result.ended == "interrupted":
                raise KeyboardInterrupt from None
            if not result.judged.total():
                reason = f"--max-time of {options.max_time:g} s expired before there was a response to judge"
                raise CouldNotRun(reason) from None
            result.ended = "time"
            doing = {"check": "tried"}.get(command, f"{command}d")
            result.notes.append(f"--max-time of {options.max_time:g} s expired before everything was {doing}")


def run_id(result: Result) -> str:
    """A unique name of the run: a live server still has resources of earlier runs."""
    return f"check-{result.seed}-{secrets.token_hex(4)}"


def sent_headers(options: SendingOptions) -> list[tuple[str, str]]:
    """The header fields that every request gets."""
    token = [("Authorization", f"Bearer {options.token}")] if options.token else []
    return [*options.header, *token]


def exit_code(result: Result) -> int:
    return FINDINGS if result.errors else OK


def baseline(path: Path | None) -> frozenset[str]:
    """The fingerprints of the findings in an earlier JSON report. Raises CouldNotRun."""
    if path is None:
        return frozenset()
    try:
        with path.open("rb") as file, reading(str(path), "no JSON report"):
            findings = read_json(file.read(MAX_BYTES + 1), path)["findings"]
            return frozenset("".join(finding["fingerprint"]) for finding in findings)
    except OSError as error:
        raise CouldNotRun(f"baseline {path}: {error.strerror}") from error
    except InvalidRecording as error:
        raise CouldNotRun(f"baseline {path}: is not a JSON report of callconfig") from error


def selection(include: Sequence[str], exclude: Sequence[str], contract: Contract) -> Callable[[str], bool]:
    """Whether an operation is selected, by patterns of its operationId. Raises CouldNotRun where none is."""

    def included(operation: str) -> bool:
        wanted = not include or any(fnmatchcase(operation, pattern) for pattern in include)
        return wanted and not any(fnmatchcase(operation, pattern) for pattern in exclude)

    for pattern in (*include, *exclude):
        if not any(fnmatchcase(operation, pattern) for operation in contract.operations):
            raise CouldNotRun(f"no operation is named {pattern!r}; there are {', '.join(contract.operations)}")
    if not any(map(included, contract.operations)):
        raise CouldNotRun("--include and --exclude leave no operation")
    return included
