"""The severity of each rule: error for a rule of a standard, warning for a house rule.

A contract overrides it with `x-severity`, a command with `--severity`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .finding import Finding, Level
from .rulebook import HOUSE_RULES


class Severities:
    """The severity of each rule; of several declarations the last one holds."""

    def __init__(self, *declared: Mapping[str, Level]) -> None:
        self._levels: dict[str, Level] = dict.fromkeys(HOUSE_RULES, "warning")
        for each in declared:
            self._levels.update(each)

    def of(self, rule: str) -> Level:
        return self._levels.get(rule, "error")

    def with_severities(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings with their severities, without those that are off; no warning becomes an error."""
        kept: list[Finding] = []
        for finding in findings:
            level = self.of(finding.rule)
            if level != "off":
                kept.append(replace(finding, severity="warning") if level == "warning" else finding)
        return kept


DEFAULT = Severities()
