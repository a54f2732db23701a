"""A result as JUnit, a test case for each operation in each part of the run, and as SARIF."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from ...contract.document import BUILT_IN
from ...contract.interaction import Fields, by_name
from ...contract.yaml_tree import InvalidYaml, MarkedYaml
from ...reports import junit as junit_xml
from ...reports import sarif as sarif_json
from ...traffic.curl import curl
from ..result import Failure, Result
from ..terminal import explain, meaning


def junit(result: Result) -> str:
    cases: dict[tuple[str, str], list[junit_xml.Found]] = {key: [] for key in sorted(result.judged)}
    for failure in result.failures.values():
        finding, text = failure.finding, explain(failure, result)
        found = junit_xml.Found(finding.rule, str(finding), text, fails=result.counts(failure))
        cases.setdefault((failure.part, failure.operation), []).append(found)
    return junit_xml.junit(result.command, result.started, result.seconds, cases, result.notes)


def sarif(result: Result) -> str:
    """The SARIF document as text; the location of each result is its operation in the contract's file."""
    lines = _lines(result)
    return sarif_json.sarif(
        result.command,
        result.started,
        [_result(each, result, lines.get(each.operation, 1)) for each in result.failures.values()],
        partial(meaning, contract=result.contract),
        result.notes,
        successful=result.ended != "interrupted",
    )


def _result(failure: Failure, result: Result, line: int) -> dict[str, Any]:
    finding, path = failure.finding, result.contract_file
    location = sarif_json.location(path.name if path == BUILT_IN else path.as_posix(), line)
    location["logicalLocations"] = [{"fullyQualifiedName": f"{failure.operation}{finding.pointer or ''}"}]
    accepted = "accepted in the baseline" if result.kind(failure) == "accepted" else ""
    text, fingerprint = explain(failure, result), failure.fingerprint
    shown = sarif_json.result(finding.rule, finding.severity, text, fingerprint, location, accepted)
    shown["occurrenceCount"] = result.times[fingerprint]
    if failure.interactions:
        last = failure.interactions[-1]
        asked = {"method": last.method, "target": last.url}
        answered = {"statusCode": last.status} if last.status else {"noResponseReceived": True}
        shown["webRequest"] = asked | _message(last.request_headers, last.request_body)
        shown["webResponse"] = answered | (_message(last.response_headers, last.response_body) if last.status else {})
        shown["properties"] = {"curl": list(map(curl, failure.interactions))}
    return shown


def _message(headers: Fields, body: bytes) -> dict[str, Any]:
    text = {"text": body.decode(errors="replace")}
    return {"protocol": "http", "version": "1.1", "headers": dict(by_name(headers)), "body": text}


def _lines(result: Result) -> Mapping[str, int]:
    """The line of each operation in the contract's file; empty where they are unknown."""
    try:
        marked = MarkedYaml(result.contract.text)
    except InvalidYaml:
        return {}
    operations = result.contract.operations.values()
    return {each.id: marked.line(("paths", each.path, each.method.lower())) or 1 for each in operations}
