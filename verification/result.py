"""The result of a run: its failures, each once, with the requests that led to it. Every report is a view of it."""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ..contract.document import Contract
from ..contract.finding import Finding
from ..contract.interaction import Interaction
from ..traffic.redaction import Redaction
from .coverage import Coverage
from .judge import Verdict

MAX_KEPT = 1000
"""The number of different failures that are kept: a bound for endless recordings."""
MAX_BYTES = 64 << 20
"""Bytes of bodies that are kept with the failures; later failures are kept without."""

_INDEX = re.compile(r"(?<=/)[0-9]+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Failure:
    """A finding in an operation, with the requests that show it; the last one is where it shows."""

    finding: Finding
    operation: str
    interactions: Sequence[Interaction]
    part: str = ""
    """The part of the run that found it: a phase, or a file."""

    @property
    def fingerprint(self) -> str:
        """A hash that is the same for the same mistake in another run: of the rule and the place, not of the values."""
        operation, rule, place, status = self.cause
        where = _INDEX.sub("*", self.finding.pointer or "") or self.finding.name or ""
        key = "\n".join((operation, rule, place, where, str(status)))
        return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:16]

    @property
    def cause(self) -> tuple[str, str, str, int]:
        """The operation, rule, place and status, which failures with one common cause share."""
        status = self.interactions[-1].status if self.interactions else 0
        return self.operation, self.finding.rule, self.finding.place, status


class MaxFailuresReached(Exception):
    """The run has found `most` errors."""


@dataclass
class Result:
    """The result of a run. Failures are added redacted and are kept once for each fingerprint."""

    command: str
    target: str
    contract: Contract
    contract_file: Path
    redaction: Redaction
    seed: int | None = None
    accepted: frozenset[str] = frozenset()
    """Fingerprints of the baseline: known failures that do not count."""
    most: int | None = None
    """The number of errors that ends the run."""
    on_failures: Callable[[Sequence[Failure]], None] = lambda _failures: None
    """Gets the new ones among failures that were found together."""
    on_interaction: Callable[[Interaction], None] | None = None
    """Gets every interaction, redacted."""

    failures: dict[str, Failure] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    judged: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The number of judged interactions, by part and operation."""
    unrecorded: Counter[str] = field(default_factory=Counter)
    """The numbers of `request` and of `response` bodies that were not judged, because they were not recorded."""
    notes: list[str] = field(default_factory=list)
    ended: str = ""
    """The reason of an early end: `interrupted`, `time` or `unreadable`."""
    coverage: Coverage | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _clock: float = field(default_factory=time.monotonic)
    _bytes: int = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._clock

    @property
    def errors(self) -> list[Failure]:
        """The failures that count: no warnings, and none of the baseline."""
        return [failure for failure in self.failures.values() if self.counts(failure)]

    def counts(self, failure: Failure) -> bool:
        return failure.finding.severity == "error" and failure.fingerprint not in self.accepted

    def kind(self, failure: Failure) -> str:
        """`error`, `warning` or `accepted`."""
        return "accepted" if failure.fingerprint in self.accepted else failure.finding.severity

    def record(self, part: str, verdict: Verdict, interaction: Interaction) -> None:
        """Record a judged interaction."""
        self.judged[part, verdict.operation] += 1
        self.unrecorded.update(interaction.unrecorded)
        if self.coverage is not None:
            self.coverage.record(verdict.operation, verdict.request, interaction)
        if self.on_interaction is not None:
            self.on_interaction(self.redaction.interaction(interaction))

    def add_all(
        self, findings: Iterable[Finding], operation: str, interactions: Sequence[Interaction], part: str
    ) -> None:
        """Raises MaxFailuresReached."""
        self.add(*[Failure(finding, operation, interactions, part) for finding in findings])

    def add(self, *failures: Failure) -> None:
        """Add failures that were found together, and report the new ones. Raises MaxFailuresReached."""
        new = list(filter(None, map(self._added, failures)))
        if new:
            self.on_failures(new)
        if new and self.most is not None and len(self.errors) >= self.most:
            raise MaxFailuresReached

    def _added(self, failure: Failure) -> Failure | None:
        """The failure as it is kept; None where it is known or off, or where MAX_KEPT are kept."""
        weighed = self.contract.severities.with_severities([failure.finding])
        if not weighed:
            return None
        failure = replace(failure, finding=weighed[0])
        fingerprint = failure.fingerprint
        if fingerprint not in self.failures and len(self.failures) >= MAX_KEPT:
            return None
        self.times[fingerprint] += 1
        if fingerprint in self.failures or (self.most is not None and len(self.errors) >= self.most):
            return None
        finding = replace(failure.finding, detail=self.redaction.text(failure.finding.detail))
        shown = []
        for each in map(self.redaction.interaction, failure.interactions):
            self._bytes += len(each.request_body) + len(each.response_body)
            shown.append(each if self._bytes <= MAX_BYTES else replace(each, request_body=b"", response_body=b""))
        self.failures[fingerprint] = replace(failure, finding=finding, interactions=tuple(shown))
        return self.failures[fingerprint]
