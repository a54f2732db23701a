"""`callconfig verify`: recorded traffic judged against the contract, one interaction at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from ..contract.finding import Finding
from ..contract.interaction import Interaction, by_name
from ..options import VerifyOptions
from ..outcome import CouldNotRun, printable
from ..traffic.reader import read_recording
from ..traffic.recording import NotARecording
from .coverage import Coverage
from .exercised import require_minimum, table
from .judge import Judge, Verdict
from .running import exit_code, running
from .terminal import lines


def verify(options: VerifyOptions) -> int:
    """Judge the files and return the exit code. Raises CouldNotRun."""
    with running("verify", options, " ".join(map(str, options.files))) as (result, progress):
        judge = Judge(result.contract, options.base_path)
        result.coverage = Coverage(result.contract)
        passed_over = 0
        for path in options.files:
            progress.part(str(path))
            for interaction, is_expectation in recorded(path):
                if not _is_meant(interaction, options.only_host) or not judge.concerns(interaction):
                    passed_over += 1
                    continue
                verdict = judge.judge(_completed(interaction, judge) if is_expectation else interaction)
                if is_expectation:
                    verdict = _expected(verdict)
                result.record(str(path), verdict, interaction)
                result.add_all(verdict.findings, verdict.operation, [interaction], str(path))
                progress.count(str(path), result.judged.total())
        if passed_over:
            result.notes.append(f"{passed_over} interactions were passed over: another host, base path, or a preflight")
        if not result.judged:
            raise CouldNotRun("there was nothing to judge; compare --base-path and --only-host with the recording")
        if options.coverage or options.coverage_minimum:
            progress.clear()
            print(lines(table(result.coverage)))
        require_minimum(result, options.coverage_minimum)
    return exit_code(result)


def recorded(path: Path) -> Iterator[tuple[Interaction, bool]]:
    """The interactions of a file, and whether they are expectations (a pact) or facts. Raises CouldNotRun."""
    try:
        yield from read_recording(path)
    except OSError as error:
        raise CouldNotRun(printable(f"{path}: {error.strerror}")) from error
    except NotARecording as error:
        raise CouldNotRun(printable(" ".join(str(error).split()))) from error


def _is_meant(interaction: Interaction, hosts: Sequence[str]) -> bool:
    parts = urlsplit(interaction.url)
    return not hosts or parts.hostname in hosts or parts.netloc in hosts


def _completed(interaction: Interaction, judge: Judge) -> Interaction:
    """An expected response that names no media type means the documented one."""
    found = judge.locate(interaction.method, interaction.path)
    response = None if isinstance(found, Finding) else found[0].response(interaction.status)
    if response is None or not response.representations or "content-type" in by_name(interaction.response_headers):
        return interaction
    named = ("Content-Type", next(iter(response.representations)))
    return replace(interaction, response_headers=(*interaction.response_headers, named))


def _expected(verdict: Verdict) -> Verdict:
    """An expectation names only what the consumer needs, so what it leaves out is not missing."""
    needed = [finding for finding in verdict.response if finding.rule not in ("required", "json-syntax")]
    return replace(verdict, response=needed)
