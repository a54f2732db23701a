"""Advice on the semantic version (semver.org, 2.0.0) that changes require."""

import re
from collections.abc import Iterable

from .change import Change

LEVELS = ("none", "patch", "minor", "major")
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")


def deserved(changes: Iterable[Change]) -> str:
    """The step that the changes require; `changes` are without accepted ones."""
    verdicts = {change.verdict for change in changes}
    if verdicts & {"breaking", "undecided"}:
        return "major"
    return "minor" if verdicts else "none"


def promised(old: str, new: str) -> str | None:
    """The step from one version to another; None where one of them is no semantic version.

    Below 1.0.0 anything may change with a new minor version (clause 4).
    """
    before, after = _VERSION.fullmatch(old), _VERSION.fullmatch(new)
    if before is None or after is None:
        return None
    one, two = (tuple(map(int, match.groups())) for match in (before, after))
    if two <= one:
        return "none"
    if one[0] == two[0] == 0 and two[1] > one[1]:
        return "major"
    return next(
        level for level, old_part, new_part in zip(LEVELS[:0:-1], one, two, strict=True) if old_part != new_part
    )


def following(old: str, level: str) -> str | None:
    """The version after `old` by a step."""
    match = _VERSION.fullmatch(old)
    if match is None:
        return None
    major, minor, patch = map(int, match.groups())
    if level == "major" and major == 0:
        return f"0.{minor + 1}.0"
    steps = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}
    return ".".join(map(str, steps.get(level, (major, minor, patch))))
