"""`callconfig verify`: recorded traffic judged against the contract, one interaction at a time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from ..contract.finding import Finding, counted, one_line
from ..contract.interaction import Interaction, by_name
from ..options import VerifyOptions
from ..outcome import CouldNotRun, lines, printable
from ..traffic.reader import read_recording
from ..traffic.recording import InvalidRecording
from .coverage import Coverage
from .coverage_table import require_minimum, table
from .judge import NO_OPERATION, Judge, Verdict
from .result import Result
from .running import exit_code, running


def verify(options: VerifyOptions) -> int:
    """Judge the files and return the exit code. Raises CouldNotRun."""
    with running("verify", options, " ".join(options.files)) as (result, progress):
        result.coverage = Coverage(result.contract)
        judging = _Verification(result, Judge(result.contract, options.base_path), options)
        for source in options.files:
            name = result.redaction.url(source)
            progress.part(name)
            try:
                for read, is_expectation in read_recording(source, name):
                    judging.judge(read, name, is_expectation=is_expectation)
            except OSError as error:
                judging.unreadable.append(f"{name}: {error.strerror}")
            except InvalidRecording as error:
                judging.unreadable.append(error_line(error))
        judging.end()
        if options.coverage or options.coverage_minimum:
            with progress.paused():
                print(lines(table(result.coverage)))
        require_minimum(result, options.coverage_minimum)
    if judging.unreadable and not result.errors:
        raise CouldNotRun(judging.unreadable[0])
    return exit_code(result)


class _Verification:
    """The state of a run over its recordings."""

    def __init__(self, result: Result, judge: Judge, options: VerifyOptions) -> None:
        self._result, self._judge, self._hosts = result, judge, options.only_host
        self._skipped, self._located = 0, False
        self._base_paths = Counter[str]()
        self.unreadable: list[str] = []

    def judge(self, read: Interaction | InvalidRecording, part: str, *, is_expectation: bool) -> None:
        """Raises MaxFailuresReached."""
        if isinstance(read, InvalidRecording):
            self.unreadable.append(error_line(read))
            return
        if not _is_meant(read, self._hosts) or not self._judge.concerns(read):
            self._skipped += 1
            self._guess(read)
            return
        verdict = self._judge.judge(_completed(read, self._judge) if is_expectation else read)
        if is_expectation:
            verdict = _expected(verdict)
        if verdict.operation == NO_OPERATION:
            self._guess(read)
        self._located |= verdict.operation != NO_OPERATION
        self._result.record(part, verdict, read)
        self._result.add_all(verdict.findings, verdict.operation, [read], part)

    def _guess(self, read: Interaction) -> None:
        if not self._located and _is_meant(read, self._hosts) and (base := self._judge.base_path_of(read.path)):
            self._base_paths[base] += 1

    def end(self) -> None:
        """Add notes on the interactions that were not judged. Raises CouldNotRun where none was."""
        notes = self._result.notes
        if self.unreadable:
            self._result.ended = "unreadable"
            notes.append(f"{len(self.unreadable)} could not be read: {'; '.join(self.unreadable[:MAX_NAMED])}")
        if self._skipped:
            skipped = f"{counted(self._skipped, 'interaction')} {'was' if self._skipped == 1 else 'were'} skipped"
            notes.append(f"{skipped}: another host or base path, or a CORS preflight")
        hint = "compare --base-path and --only-host with the recording" if self._skipped else "there are no requests"
        if not self._located and self._base_paths:
            ((base, count),) = self._base_paths.most_common(1)
            hint = f"the recording seems to have --base-path {base} ({counted(count, 'interaction')})"
            notes.append(hint)
        if not self._result.judged:
            raise CouldNotRun(self.unreadable[0] if self.unreadable else f"nothing was judged; {hint}")


MAX_NAMED = 10
"""The number of unreadable entries that are named."""


def error_line(error: InvalidRecording) -> str:
    return printable(one_line(error))


def _is_meant(interaction: Interaction, hosts: Sequence[str]) -> bool:
    parts = urlsplit(interaction.url)
    return not hosts or parts.hostname in hosts or parts.netloc in hosts


def _completed(interaction: Interaction, judge: Judge) -> Interaction:
    """An expected interaction, with the documented media type where its response names none."""
    found = judge.locate(interaction.method, interaction.path)
    response = None if isinstance(found, Finding) else found[0].response(interaction.status)
    if response is None or not response.representations or "content-type" in by_name(interaction.response_headers):
        return interaction
    named = ("Content-Type", next(iter(response.representations)))
    return replace(interaction, response_headers=(*interaction.response_headers, named))


def _expected(verdict: Verdict) -> Verdict:
    """The verdict on an expectation, without missing members: it names only those that the consumer needs."""
    needed = [finding for finding in verdict.response if finding.rule not in ("required", "json-syntax")]
    return replace(verdict, response=needed)
