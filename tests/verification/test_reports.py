"""Reports: valid by their public schemas, complete, and text stays text.

No package on the registries ships the schemas of JUnit and SARIF, so the parts of them that a report can touch stand
here, written from the published ones: Jenkins' junit-10.xsd, and sarif-schema-2.1.0.json of OASIS.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema_rs
import pytest
from callconfig.cli import REPORT_FORMATS, main
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.contract.finding import Finding
from callconfig.verification.interaction import Interaction
from callconfig.verification.redaction import Redaction
from callconfig.verification.report import FORMATS
from callconfig.verification.result import Failure, Result
from callconfig.verification.text import Progress

JUNIT: dict[str, tuple[set[str], set[str], set[str]]] = {
    # element: required attributes, optional attributes, children
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors", "disabled"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests"},
        {"failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"assertions", "time", "classname", "status"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT = closed(["text"], text={"type": "string"})
HEADERS = {"type": "object", "additionalProperties": {"type": "string"}}
SARIF = closed(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"enum": ["2.1.0"]},
    runs={
        "type": "array",
        "items": closed(
            ["tool"],
            tool=closed(
                ["driver"],
                driver=closed(
                    ["name"],
                    name={"type": "string"},
                    version={"type": "string"},
                    informationUri={"type": "string", "format": "uri"},
                    rules={
                        "type": "array",
                        "uniqueItems": True,
                        "items": closed(["id"], id={"type": "string"}, shortDescription=TEXT, help=TEXT),
                    },
                ),
            ),
            automationDetails=closed([], id={"type": "string"}),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            invocations={
                "type": "array",
                "items": closed(
                    ["executionSuccessful"],
                    executionSuccessful={"type": "boolean"},
                    startTimeUtc={"type": "string", "format": "date-time"},
                ),
            },
            results={
                "type": "array",
                "items": closed(
                    ["message"],
                    ruleId={"type": "string"},
                    ruleIndex={"type": "integer", "minimum": -1},
                    level={"enum": ["none", "note", "warning", "error"]},
                    message=TEXT,
                    locations={
                        "type": "array",
                        "items": closed(
                            [],
                            physicalLocation=closed(
                                [],
                                artifactLocation=closed([], uri={"type": "string", "format": "uri-reference"}),
                                region=closed([], startLine={"type": "integer", "minimum": 1}),
                            ),
                            logicalLocations={
                                "type": "array",
                                "uniqueItems": True,
                                "items": closed([], fullyQualifiedName={"type": "string"}),
                            },
                        ),
                    },
                    partialFingerprints=HEADERS,
                    occurrenceCount={"type": "integer", "minimum": 1},
                    webRequest=closed(
                        [],
                        protocol={"type": "string"},
                        version={"type": "string"},
                        method={"type": "string"},
                        target={"type": "string"},
                        headers=HEADERS,
                        body=TEXT,
                    ),
                    webResponse=closed(
                        [],
                        protocol={"type": "string"},
                        version={"type": "string"},
                        statusCode={"type": "integer"},
                        headers=HEADERS,
                        body=TEXT,
                        noResponseReceived={"type": "boolean"},
                    ),
                    properties={"type": "object"},
                    suppressions={
                        "type": "array",
                        "uniqueItems": True,
                        "items": closed(
                            ["kind"], kind={"enum": ["inSource", "external"]}, justification={"type": "string"}
                        ),
                    },
                ),
            },
        ),
    },
)
NASTY = "<script>alert(1)</script>\x00\x1b\ud800 ]]> & \"'"


@pytest.fixture
def result(contract: Contract) -> Result:
    """A result with one error, one warning and one accepted finding, and nasty texts in all of them."""
    asked = Interaction("POST", "http://a.example/configurations", 201, (), NASTY.encode(errors="surrogatepass"))
    silent = Interaction("GET", "http://a.example/configurations", 0, error=NASTY)
    accepted = Failure(Finding("type", "body", "accepted", "/1/id"), "listConfigurations", [asked], "a.har")
    result = Result(
        "verify",
        "a.har",
        contract,
        BUILT_IN,
        Redaction(contract),
        seed=7,
        accepted=frozenset([accepted.fingerprint]),
    )
    rule = Finding(
        "redirect-needs-number", "body", "a rule of the contract", "/inbound_redirect_number", None, "warning"
    )
    for failure in (
        Failure(Finding("minimum", "body", NASTY, "/max_retry"), "createConfiguration", [silent, asked], "a.har"),
        Failure(Finding("no-response", "status", "nothing"), "listConfigurations", [silent], "a.har"),
        Failure(rule, "createConfiguration", [asked], "a.har"),
        accepted,
        accepted,
    ):
        result.add(failure)
    return result


def judge_junit(node: ElementTree.Element) -> None:
    required, optional, children = JUNIT[node.tag]
    assert required <= set(node.keys()) <= required | optional, (node.tag, node.keys())
    for child in node:
        assert child.tag in children, (node.tag, child.tag)
        judge_junit(child)


def test_junit_is_valid_and_counts_what_counts(result: Result) -> None:
    root = ElementTree.fromstring(FORMATS["junit"](result))  # noqa: S314 (our own)
    judge_junit(root)
    suite = root[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    assert [each.get("type") for each in root.iter("failure")] == ["minimum", "no-response"]


def test_sarif_is_valid_and_leads_to_the_contract(result: Result) -> None:
    document = json.loads(FORMATS["sarif"](result))
    errors = jsonschema_rs.Draft7Validator(SARIF, validate_formats=True).iter_errors(document)
    assert [str(error) for error in errors] == []
    (run,) = document["runs"]
    first, *_, last = run["results"]
    assert (first["level"], first["ruleId"], last["occurrenceCount"]) == ("error", "minimum", 2)
    assert last["suppressions"][0]["kind"] == "external"
    line = first["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert BUILT_IN.read_text().splitlines()[line - 2 : line + 1][0].strip() == "post:"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == sorted({r["ruleId"] for r in run["results"]})
    described = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}
    assert described["redirect-needs-number"] == "inbound_block_action REDIRECT needs an inbound_redirect_number"


def test_the_terminal_gets_no_control_characters(result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    for failure in result.failures.values():
        progress.failure(failure, result)
    assert set("\x00\x1b\ud800") & set(capsys.readouterr().out) == set()


def test_html_shows_text_as_text(result: Result) -> None:
    page = FORMATS["html"](result)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page


def test_json_says_what_counts(result: Result) -> None:
    document = json.loads(FORMATS["json"](result))
    assert document["errors"] == 2
    assert [(each["rule"], each["severity"], each["accepted"], each["times"]) for each in document["findings"]] == [
        ("minimum", "error", False, 1),
        ("no-response", "error", False, 1),
        ("redirect-needs-number", "warning", False, 1),
        ("type", "error", True, 2),
    ]


def test_a_json_report_is_the_baseline_of_the_next_run(
    tmp_path: Path, write_har: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    recording = write_har(Interaction("GET", "http://a.example/configurations", 418))
    report = tmp_path / "first.json"
    assert main(["verify", recording, "--report", f"json:{report}"]) == 1
    assert main(["verify", recording, "--baseline", str(report)]) == 0
    assert "accepted listConfigurations: status: 418 is not documented" in capsys.readouterr().out
    fine = write_har(
        Interaction(
            "GET", "http://a.example/configurations", 200, (), b"", (("Content-Type", "application/json"),), b"[]"
        )
    )
    assert main(["verify", fine, "--baseline", str(report)]) == 0
    assert "1 findings of the baseline did not occur" in capsys.readouterr().out
    report.write_text("{}")
    assert main(["verify", fine, "--baseline", str(report)]) == 3


def test_a_fingerprint_knows_the_place_and_not_the_value() -> None:
    def fingerprint(detail: str, pointer: str, rule: str = "type") -> str:
        return Failure(Finding(rule, "body", detail, pointer), "listConfigurations", []).fingerprint

    assert fingerprint("not 1", "/0/id") == fingerprint("not 2", "/17/id")
    assert fingerprint("not 1", "/0/id") != fingerprint("not 1", "/0/template")
    assert fingerprint("not 1", "/0/id") != fingerprint("not 1", "/0/id", "pattern")


@pytest.mark.parametrize("text", ["junit", "xml:a.xml", "junit:", ":a"])
def test_a_report_that_is_not_understood_is_wrong_usage(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify", "a.har", "--report", text])
    assert ended.value.code == 2
    assert "is not FORMAT:PATH" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_stops_the_run_before_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "a.har", "--report", "junit:/nonexistent/a.xml"]) == 3
    assert capsys.readouterr().err == (
        "callconfig: report /nonexistent/a.xml: cannot be written: No such file or directory\n"
    )


def test_every_format_of_the_command_is_there() -> None:
    assert {*FORMATS, "har"} == set(REPORT_FORMATS)
