"""SARIF 2.1.0 for code scanning: each result points at a line of a contract."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from json import dumps
from typing import Any
from urllib.parse import quote

from ..contract.rulebook import Rule
from ..outcome import program

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(
    command: str,
    started: datetime,
    results: Sequence[dict[str, Any]],
    meaning: Callable[[str], Rule],
    notes: Sequence[str],
    *,
    successful: bool = True,
) -> str:
    """The SARIF document as text; `meaning` describes a rule."""
    rules = sorted({each["ruleId"] for each in results})
    driver = {
        **program(),
        "informationUri": "https://spec.openapis.org/oas/v3.0.3",
        "rules": [_rule(name, meaning(name)) for name in rules],
    }
    invocation = {
        "executionSuccessful": successful,
        "startTimeUtc": f"{started.replace(tzinfo=None).isoformat()}Z",
        "toolExecutionNotifications": [{"level": "note", "message": {"text": note}} for note in notes],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"callconfig/{command}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [{**each, "ruleIndex": rules.index(each["ruleId"])} for each in results],
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(name: str, rule: Rule) -> dict[str, Any]:
    help_text = {"help": {"text": rule.remedy}} if rule.remedy else {}
    return {"id": name, "shortDescription": {"text": rule.summary}, **help_text}


def result(
    rule: str, level: str, text: str, fingerprint: str, location: dict[str, Any], accepted: str = ""
) -> dict[str, Any]:
    """A result; `accepted` is the justification where it is suppressed."""
    suppressed = {"suppressions": [{"kind": "external", "justification": accepted}]} if accepted else {}
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": text},
        "locations": [location],
        "partialFingerprints": {"callconfig/v1": fingerprint},
        **suppressed,
    }


def location(file: str, line: int) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(os.fsencode(file))}, "region": {"startLine": line}}
    return {"physicalLocation": place}
