"""The severities of rules, and the notes on unjudged parts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from callconfig.cli import main
from callconfig.contract.document import BUILT_IN, Contract, read_document
from callconfig.contract.interaction import Interaction
from callconfig.contract.rulebook import HOUSE_RULES, RULES
from callconfig.contract.severity import DEFAULT
from callconfig.contract.unjudged import unjudged

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Things", "version": "1.0.0"},
    "paths": {
        "/things": {
            "get": {
                "operationId": "listThings",
                "responses": {
                    "200": {
                        "description": "All.",
                        "content": {
                            "application/json": {"schema": {"type": "array", "items": {"type": "integer"}}},
                            "application/xml": {"schema": {"type": "array", "items": {"type": "integer"}}},
                        },
                    }
                },
            }
        }
    },
}
ASKED = Interaction(
    "GET", "http://a.example/things?page=1", 200, (), b"", (("Content-Type", "application/json"),), b"[1]"
)


@pytest.fixture
def verify(tmp_path: Path, write_har: Callable[..., str]) -> Callable[..., int]:
    """A function that returns the exit code of `verify` for a request with an unknown parameter."""

    def run(*options: str, declared: dict[str, str] | None = None) -> int:
        path = tmp_path / "things.json"
        path.write_text(json.dumps({**DOCUMENT, **({"x-severity": declared} if declared else {})}))
        return main(["verify", write_har(ASKED), "--contract", str(path), *options])

    return run


@pytest.mark.parametrize(
    ("declared", "options", "code", "said"),
    [
        (None, [], 0, "warning listThings: query page: is not a known parameter"),
        (None, ["--severity", "unknown-parameter=error"], 1, "ERROR listThings: query page: is not a known parameter"),
        (None, ["--severity", "unknown-parameter=off"], 0, "verify: holds (1"),
        ({"unknown-parameter": "error"}, [], 1, "ERROR listThings"),
        ({"unknown-parameter": "off"}, [], 0, "verify: holds (1"),
        ({"unknown-parameter": "error"}, ["--severity", "unknown-parameter=warning"], 0, "warning listThings"),
    ],
)
def test_a_rule_counts_as_the_command_line_says_else_the_contract_else_the_house(
    verify: Callable[..., int],
    declared: dict[str, str] | None,
    options: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verify(*options, declared=declared) == code
    assert said in capsys.readouterr().out


def test_the_environment_says_it_too(verify: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCONFIG_SEVERITY", "accept=off,unknown-parameter=error")
    assert verify() == 1


@pytest.mark.parametrize("command", ["check", "compare", "verify", "proxy"])
def test_an_unknown_rule_is_wrong_usage_that_lists_the_rules(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--severity", "unknown-paramter=off"]) == 2
    output = " ".join(capsys.readouterr().err.split())
    assert "'unknown-paramter' is no rule" in output
    assert all(rule in output for rule in RULES)


@pytest.mark.parametrize("wrong", ["unknown-parameter", "unknown-parameter=fatal", "=off"])
def test_what_is_no_rule_with_a_level_is_wrong_usage(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--severity", wrong, "a.har"]) == 2
    output = " ".join(capsys.readouterr().err.split())
    assert "is not RULE=LEVEL" in output or "is no rule" in output


@pytest.mark.parametrize(
    ("declared", "said"),
    [({"unknown-paramter": "off"}, "unknown-paramter"), ({"unknown-parameter": "fatal"}, "must be one of")],
)
def test_a_contract_cannot_name_a_rule_or_a_level_that_is_none(
    verify: Callable[..., int], declared: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(declared=declared) == 3
    assert said in capsys.readouterr().err


def test_warnings_and_notes_are_in_every_report(verify: Callable[..., int], tmp_path: Path) -> None:
    formats = ("json", "junit", "sarif", "html")
    assert verify(*(part for name in formats for part in ("--report", f"{name}:{tmp_path / name}"))) == 0
    output = "application/xml is judged by its media type, not by its schema (1 operation)"
    report = json.loads((tmp_path / "json").read_text())
    assert [(each["rule"], each["severity"]) for each in report["findings"]] == [("unknown-parameter", "warning")]
    assert output in report["notes"][0]
    (run,) = json.loads((tmp_path / "sarif").read_text())["runs"]
    assert [each["level"] for each in run["results"]] == ["warning"]
    assert output in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    suite = ElementTree.parse(tmp_path / "junit").getroot()[0]  # noqa: S314 (our own)
    assert suite.get("failures") == "0"
    assert [output in (each.text or "") for each in suite.findall("system-out")] == [True]
    assert "is not a known parameter" in (tmp_path / "junit").read_text()
    assert output in (tmp_path / "html").read_text()


def test_the_house_rules_are_warnings_for_others_and_errors_for_our_own() -> None:
    assert {rule for rule in RULES if DEFAULT.of(rule) == "warning"} == HOUSE_RULES
    for path in (BUILT_IN, BUILT_IN.parent / "controls" / "controls.yaml"):
        assert read_document(path)["x-severity"] == dict.fromkeys(HOUSE_RULES, "error")


BODY = {"schema": {"type": "object", "properties": {"id": {"type": "string", "format": "ulid"}}}}


@pytest.mark.parametrize(
    ("operation", "sentences"),
    [
        ({}, []),
        ({"callbacks": {"onDone": {}}}, ["callbacks are not judged (1 operation)"]),
        (
            {"requestBody": {"content": {"application/json": BODY}}},
            ["format ulid is not judged: it is in no registry that is known here (1 operation)"],
        ),
        (
            {"requestBody": {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
            ["a body of text/event-stream is judged by its media type, not by its schema (1 operation)"],
        ),
        ({"requestBody": {"content": {"application/xml": {}}}}, []),
        ({"security": [{"tls": []}]}, ["security scheme tls is not judged: no request shows it (1 operation)"]),
        (
            {
                "parameters": [
                    {"name": "a", "in": "query", "content": {"application/xml": {"schema": {"type": "object"}}}}
                ]
            },
            ["a parameter with content that is not JSON is judged by its presence, not by its schema (1 operation)"],
        ),
        (
            {
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {"type": "object", "properties": {"a": {"type": "object"}}},
                            "encoding": {"a": {"contentType": "application/xml"}},
                        }
                    }
                }
            },
            ["fields of a form that are declared to be no JSON are not judged: a (1 operation)"],
        ),
    ],
)
def test_what_is_not_judged_is_told(operation: dict[str, Any], sentences: list[str]) -> None:
    document = {
        **DOCUMENT,
        "paths": {"/": {"post": {"responses": {}, **operation}}},
        "components": {"securitySchemes": {"tls": {"type": "mutualTLS"}}},
    }
    assert unjudged(Contract(document), {"POST /"}) == sentences
    assert unjudged(Contract(document), set()) == []


def test_webhooks_are_told_to_be_not_judged() -> None:
    document = {**DOCUMENT, "openapi": "3.1.0", "webhooks": {"onThing": {"post": {"responses": {}}}}}
    assert unjudged(Contract(document), {"listThings"})[-1] == "webhooks are not judged (1 webhook)"


def test_a_pattern_that_the_engine_does_not_know_is_told() -> None:
    schema = {"type": "string", "pattern": "^(?<a>x)(?<a>y)$"}
    answer = {"description": "All.", "content": {"application/json": {"schema": schema}}}
    contract = Contract({**DOCUMENT, "paths": {"/": {"get": {"operationId": "read", "responses": {"200": answer}}}}})
    assert unjudged(contract, {"read"}) == [
        f"pattern {schema['pattern']} is not judged: it is not known here (1 operation)"
    ]


def test_a_recording_is_not_accused_of_what_was_left_out_of_it(
    tmp_path: Path, write_har: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {"type": "object", "properties": {"pin": {"type": "string", "pattern": "^[0-9]{4}$"}}}
    operation = {
        "security": [{"token": []}],
        "parameters": [{"name": "sid", "in": "cookie", "required": True, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": secret}}},
        "responses": {"204": {"description": "Done."}},
    }
    document = {
        **DOCUMENT,
        "paths": {"/": {"post": operation}},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(document))
    sent = (("Content-Type", "application/json"),)
    recording = write_har(Interaction("POST", "http://a.example/", 204, sent, b'{"pin": "[redacted]"}'))
    assert main(["verify", recording, "--contract", str(path)]) == 0
    output = capsys.readouterr().out
    assert "warning" in output
    assert "needs credentials: token" in output
    assert "pin" not in output.partition("reproduce:")[0]
