"""SARIF 2.1.0, as code scanning reads it: each result points at its operation in the contract's file."""

from importlib.metadata import version
from json import dumps
from typing import Any
from urllib.parse import quote

from ...contract.interaction import Interaction, by_name
from ...contract.rules import RULES
from ..curl import curl
from ..result import Failure, Result
from ..text import explain

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(result: Result) -> str:
    """The document as text."""
    rules = sorted({failure.finding.rule for failure in result.failures.values()})
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
            {"executionSuccessful": True, "startTimeUtc": f"{result.started.replace(tzinfo=None).isoformat()}Z"}
        ],
        "results": [
            _result(failure, result, rules.index(failure.finding.rule)) for failure in result.failures.values()
        ],
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(name: str, result: Result) -> dict[str, Any]:
    known = RULES.get(name)
    summary = known.summary if known else result.rule_of_contract(name)
    described: dict[str, Any] = {"id": name, "shortDescription": {"text": summary}}
    return {**described, "help": {"text": known.remedy}} if known else described


def _result(failure: Failure, result: Result, rule: int) -> dict[str, Any]:
    finding = failure.finding
    shown: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": explain(failure, result)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(result.contract_file.as_posix())},
                    "region": {"startLine": result.line(failure.operation)},
                },
                "logicalLocations": [{"fullyQualifiedName": f"{failure.operation}{finding.pointer or ''}"}],
            }
        ],
        "partialFingerprints": {"callconfig/v1": failure.fingerprint},
        "occurrenceCount": result.times[failure.fingerprint],
    }
    if failure.interactions:
        last = failure.interactions[-1]
        shown |= {"webRequest": _request(last), "webResponse": _response(last)}
        shown["properties"] = {"curl": list(map(curl, failure.interactions))}
    if failure.fingerprint in result.accepted:
        shown["suppressions"] = [{"kind": "external", "justification": "accepted in the baseline"}]
    return shown


def _request(interaction: Interaction) -> dict[str, Any]:
    return {
        "protocol": "http",
        "version": "1.1",
        "method": interaction.method,
        "target": interaction.url,
        "headers": dict(by_name(interaction.request_headers)),
        "body": _content(interaction.request_body),
    }


def _response(interaction: Interaction) -> dict[str, Any]:
    if not interaction.status:
        return {"noResponseReceived": True}
    return {
        "protocol": "http",
        "version": "1.1",
        "statusCode": interaction.status,
        "headers": dict(by_name(interaction.response_headers)),
        "body": _content(interaction.response_body),
    }


def _content(body: bytes) -> dict[str, Any]:
    return {"text": body.decode(errors="replace")}
