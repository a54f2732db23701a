"""`callconfig diff`: whether a change of the contract breaks clients, with a proof or a request that breaks."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from ..contract.finding import one_line
from ..contract.references import InvalidContract
from ..options import DiffOptions
from ..outcome import FINDINGS, OK, CouldNotRun
from .accepted import Accepted, applicable, read_accepted
from .change import Change, grouped
from .clients import Hit, Traffic, traffic
from .operation_changes import all_changes
from .pairing import Comparison
from .revision import FileNotInCommit, Revision
from .semantic_version import LEVELS, deserved, following, promised


@dataclass(frozen=True, slots=True)
class Difference:
    """The result of a comparison, which reports show."""

    old: Revision
    new: Revision
    changes: list[Change]
    """The changes, one for each cause."""
    undecided: str
    """The severity of undecided changes: `error` or `warning`."""
    accepted: dict[str, Accepted]
    """The accepted breaks that count, by fingerprint."""
    notes: list[str]
    traffic: Traffic | None
    seconds: float
    is_first: bool = False
    """Whether OLD's commit does not have the file, so that NEW is compared with itself."""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def level(self, change: Change) -> str:
        """The severity of a change."""
        if change.verdict == "safe" or change.fingerprint in self.accepted:
            return "note"
        return "error" if change.verdict == "breaking" else self.undecided

    @property
    def errors(self) -> list[Change]:
        return [change for change in self.changes if self.level(change) == "error"]

    @property
    def deserved(self) -> str:
        """The step of the semantic version that the changes require."""
        counted = (change for change in self.changes if change.fingerprint not in self.accepted)
        return deserved(each for each in counted if each.verdict != "undecided" or self.undecided == "error")

    @property
    def promised(self) -> str | None:
        return promised(self.old.version, self.new.version)

    @property
    def promises_too_little(self) -> bool:
        return self.promised is not None and LEVELS.index(self.promised) < LEVELS.index(self.deserved)

    @property
    def advice(self) -> str:
        """The version that the changes require, beside the one of the contract."""
        if self.promised is None:
            return f"{self.old.version!r} to {self.new.version!r} is no step of a semantic version; no advice"
        deserves = following(self.old.version, self.deserved)
        if self.deserved == "none":
            return f"no new version is needed after {self.old.version}"
        verdict = "which is too little" if self.promises_too_little else "which is enough"
        advice_text = f"a {self.deserved} change of {self.old.version}: {deserves} or later"
        return f"{advice_text}; NEW says {self.new.version}, {verdict}"

    @property
    def verdict(self) -> str:
        """The result in one line."""
        if self.is_first:
            return f"nothing to compare with: this is the first revision of {self.new.name}"
        kinds = Counter(
            "accepted" if change.fingerprint in self.accepted else change.verdict for change in self.changes
        )
        words = ("breaking", "undecided", "safe", "accepted")
        return ", ".join(f"{kinds[word]} {word}" for word in words if kinds[word]) or "nothing changed"

    def hits(self, change: Change) -> list[Hit]:
        """The recorded requests that a change, or another one with the same cause, breaks."""
        found = self.traffic.hits if self.traffic else {}
        return [hit for each in change.all for hit in found.get(each.fingerprint, ())]

    def of(self, verdict: str) -> list[Change]:
        return [change for change in self.changes if change.verdict == verdict]


def compare(options: DiffOptions) -> Difference:
    """Compare the two revisions. Raises CouldNotRun."""
    clock = time.monotonic()
    try:
        old, is_first = Revision.load(options.old), False
        new = Revision.load(options.new, same_as=old)
    except FileNotInCommit:
        if Path(options.old.partition(":")[2]) != Path(options.new):
            raise
        old = new = Revision.load(options.new)
        is_first = True
    try:
        found = [] if old.document == new.document else list(all_changes(Comparison(old, new)))
    except InvalidContract as error:
        raise CouldNotRun(f"{old.name} or {new.name}: {error}") from error
    except RecursionError as error:
        raise CouldNotRun(f"{old.name} or {new.name} has references too deep to be compared") from error
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        wrong = f"{type(error).__name__} {one_line(error)[:200]}"
        raise CouldNotRun(f"{old.name} or {new.name} is not a valid OpenAPI document: {wrong}") from error
    entries = read_accepted(options.accepted) if options.accepted else []
    accepted, notes = applicable(entries, found, date.today())  # noqa: DTZ011 (the day where it is run)
    seen = traffic(options.traffic, old, new, found) if options.traffic else None
    changes = grouped(found, accepted)
    seconds = time.monotonic() - clock
    return Difference(old, new, changes, options.undecided, accepted, notes, seen, seconds, is_first=is_first)


def diff(options: DiffOptions) -> int:
    """Compare, print, write the reports, and return the exit code. Raises CouldNotRun."""
    from .presentation import FORMATS, text

    difference = compare(options)
    print(text(difference), end="")
    for name, path in options.report:
        try:
            path.write_text(FORMATS[name](difference), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise CouldNotRun(f"report {path}: cannot be written: {error.strerror}") from error
    return FINDINGS if difference.errors or difference.promises_too_little or difference.notes else OK
