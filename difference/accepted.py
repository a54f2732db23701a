"""Accepted breaks: a file of changes with a reason and an end date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from ..contract.finding import one_line
from ..contract.references import read_file
from ..outcome import CouldNotRun
from .change import Change


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted break, with its reason and its last day."""

    operation: str
    fingerprint: str
    reason: str
    until: date
    """The last day on which the entry counts."""


def read_accepted(path: Path) -> list[Accepted]:
    """The entries of a YAML or JSON file, which is a list of objects. Raises CouldNotRun."""
    try:
        entries = yaml.safe_load(read_file(path)) or []
        return [
            Accepted(
                str(entry["operation"]),
                str(entry["fingerprint"]),
                str(entry["reason"]),
                date.fromisoformat(str(entry["until"])),
            )
            for entry in entries
        ]
    except OSError as error:
        raise CouldNotRun(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        wrong = f"must be a list of objects with operation, fingerprint, reason and until: {one_line(error)}"
        raise CouldNotRun(f"{path}: {wrong}") from error


def applicable(
    entries: Iterable[Accepted], changes: Iterable[Change], today: date
) -> tuple[dict[str, Accepted], list[str]]:
    """The entries that count, by fingerprint, and notes on the others."""
    known = {(change.operation, change.fingerprint) for change in changes if change.verdict != "safe"}
    counted: dict[str, Accepted] = {}
    notes = []
    for entry in entries:
        named = f"the accepted break {entry.fingerprint} of {entry.operation or 'the resource'}"
        if (entry.operation, entry.fingerprint) not in known:
            notes.append(f"{named} matches nothing; remove it")
        elif entry.until < today:
            notes.append(f"{named} was accepted until {entry.until}; fix it, or accept it again: {entry.reason}")
        else:
            counted[entry.fingerprint] = entry
    return counted, notes
