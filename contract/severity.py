"""How much each rule counts: what the standards ask for is an error, what only a careful house asks for a warning.

A contract says otherwise with `x-severity`, and whoever judges with `--severity`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .finding import Finding, Level
from .rulebook import HOUSE_RULES


class Severities:
    """What each rule counts as; of several declarations a later one holds."""

    def __init__(self, *declared: Mapping[str, Level]) -> None:
        self._levels: dict[str, Level] = dict.fromkeys(HOUSE_RULES, "warning")
        for each in declared:
            self._levels.update(each)

    def of(self, rule: str) -> Level:
        return self._levels.get(rule, "error")

    def weighed(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings as they count; nothing becomes worse, and those that are off are left out."""
        kept: list[Finding] = []
        for finding in findings:
            level = self.of(finding.rule)
            if level != "off":
                kept.append(replace(finding, severity="warning") if level == "warning" else finding)
        return kept


DEFAULT = Severities()
