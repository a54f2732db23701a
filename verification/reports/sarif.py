"""SARIF 2.1.0, as code scanning reads it: each result points at its operation in the contract's file."""

import os
from importlib.metadata import version
from json import dumps
from typing import Any
from urllib.parse import quote

from ...contract.document import BUILT_IN
from ...contract.interaction import by_name
from ...contract.yaml_tree import MarkedYaml, NotPlain
from ...traffic.curl import curl
from ..result import Failure, Result
from ..terminal import explain, meaning

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(result: Result) -> str:
    """The document as text."""
    rules = sorted({failure.finding.rule for failure in result.failures.values()})
    lines = _lines(result)
    driver = {
        "name": "callconfig",
        "version": version("callconfig"),
        "informationUri": "https://spec.openapis.org/oas/v3.0.3",
        "rules": [_rule(name, result) for name in rules],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"callconfig/{result.command}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": result.ended != "interrupted",
                "startTimeUtc": f"{result.started.replace(tzinfo=None).isoformat()}Z",
                "toolExecutionNotifications": [{"level": "note", "message": {"text": note}} for note in result.notes],
            }
        ],
        "results": [
            _result(failure, result, rules.index(failure.finding.rule), lines.get(failure.operation, 1))
            for failure in result.failures.values()
        ],
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(name: str, result: Result) -> dict[str, Any]:
    meant = meaning(name, result.contract)
    described: dict[str, Any] = {"id": name, "shortDescription": {"text": meant.summary}}
    return {**described, "help": {"text": meant.remedy}} if meant.remedy else described


def _result(failure: Failure, result: Result, rule: int, line: int) -> dict[str, Any]:
    finding, path = failure.finding, result.contract_file
    uri = quote(path.name if path == BUILT_IN else os.fsencode(path.as_posix()))
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
    shown: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": explain(failure, result)},
        "locations": [
            {
                "physicalLocation": place,
                "logicalLocations": [{"fullyQualifiedName": f"{failure.operation}{finding.pointer or ''}"}],
            }
        ],
        "partialFingerprints": {"callconfig/v1": failure.fingerprint},
        "occurrenceCount": result.times[failure.fingerprint],
    }
    if failure.interactions:
        last = failure.interactions[-1]
        asked = {"method": last.method, "target": last.url}
        answered = {"statusCode": last.status} if last.status else {"noResponseReceived": True}
        shown["webRequest"] = asked | _message(last.request_headers, last.request_body)
        shown["webResponse"] = answered | (_message(last.response_headers, last.response_body) if last.status else {})
        shown["properties"] = {"curl": list(map(curl, failure.interactions))}
    if result.kind(failure) == "accepted":
        shown["suppressions"] = [{"kind": "external", "justification": "accepted in the baseline"}]
    return shown


def _message(headers: Any, body: bytes) -> dict[str, Any]:
    text = {"text": body.decode(errors="replace")}
    return {"protocol": "http", "version": "1.1", "headers": dict(by_name(headers)), "body": text}


def _lines(result: Result) -> dict[str, int]:
    """Where each operation begins in the contract's file; nothing where the file is gone."""
    try:
        marked = MarkedYaml(result.contract_file.read_bytes())
    except (OSError, NotPlain):
        return {}
    operations = result.contract.operations.values()
    return {each.id: marked.line(("paths", each.path, each.method.lower())) or 1 for each in operations}
