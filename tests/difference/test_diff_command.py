"""`callconfig diff` as a person uses it: what it prints, writes and exits with."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
import yaml
from callconfig.app import create_app, server_values
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.contract.interaction import Interaction
from callconfig.difference.diff import compare, diff
from callconfig.options import DiffOptions
from callconfig.outcome import CouldNotRun
from callconfig.storage import open_store
from starlette.testclient import TestClient

MUTATIONS = [
    ("maxLength: 2000", "maxLength: 1000"),
    ("enum: [TWILIO, EXOTEL, PLIVO]", "enum: [TWILIO, PLIVO]"),
    ("enum: [REJECT, REDIRECT]", "enum: [REJECT]"),
    ("maximum: 30", "maximum: 20"),
]


@pytest.fixture
def mutated(tmp_path: Path) -> Any:
    def mutate(before: str, after: str, version: str = "1.0.0") -> Path:
        text = BUILT_IN.read_text()
        assert before in text
        path = tmp_path / "new.yaml"
        path.write_text(text.replace(before, after).replace("version: 1.0.0", f"version: {version}"))
        return path

    return mutate


def answer(contract: Contract, interaction: Interaction) -> int:
    store = asyncio.run(open_store(":memory:", contract.stored, server_values(contract)))
    with TestClient(create_app(contract, store)) as client:
        headers = dict(interaction.request_headers)
        response = client.request(
            interaction.method, interaction.path, content=interaction.request_body, headers=headers
        )
    return response.status_code


@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_request_that_breaks_is_taken_by_the_old_mock_and_refused_by_the_new(
    mutated: Any, before: str, after: str
) -> None:
    new = mutated(before, after)
    difference = compare(DiffOptions(old=str(BUILT_IN), new=str(new)))
    shown = [each for each in difference.of("breaking") if each.rule == "request-body"]
    created = [each for each in shown if each.operation == "createConfiguration"]
    assert created
    for change in created:
        assert answer(Contract.load(), change.interactions[0]) == 201
        assert answer(Contract.load(new), change.interactions[0]) == 400


def test_equal_contracts_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert diff(DiffOptions(old=str(BUILT_IN), new=str(BUILT_IN))) == 0
    assert "nothing changed" in capsys.readouterr().out


def test_a_break_is_an_error_with_its_request_its_lines_and_whom_to_tell(
    mutated: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    new = mutated("maxLength: 2000", "maxLength: 1000")
    assert diff(DiffOptions(old=str(BUILT_IN), new=str(new))) == 1
    printed = capsys.readouterr().out
    assert "BREAKING createConfiguration: request body application/json" in printed
    assert "concerns: clients that call createConfiguration" in printed
    assert "again: curl -i" in printed
    found = re.search(
        r"/inbound_block_message: must have at most 1000 characters, not 1001  \(.*new.yaml:(\d+)\)", printed
    )
    assert found is not None
    assert new.read_text().splitlines()[int(found[1]) - 1].strip() == "maxLength: 1000"
    assert "2.0.0 or later; NEW says 1.0.0, which is too little" in printed


def test_an_accepted_break_does_not_count_until_its_day(mutated: Any, tmp_path: Path) -> None:
    new = mutated("maxLength: 2000", "maxLength: 1000")
    found = compare(DiffOptions(old=str(BUILT_IN), new=str(new)))
    accepted = tmp_path / "accepted.yaml"

    def accept(until: str) -> int:
        entries = [
            {"operation": each.operation, "fingerprint": each.fingerprint, "reason": "agreed", "until": until}
            for each in found.of("breaking")
        ]
        accepted.write_text(yaml.safe_dump(entries))
        return diff(
            DiffOptions(
                old=str(BUILT_IN), new=str(mutated("maxLength: 2000", "maxLength: 1000", "1.1.0")), accepted=accepted
            )
        )

    assert accept("2999-12-31") == 0
    assert accept("2000-01-01") == 1


def test_an_accepted_break_that_matches_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted = tmp_path / "accepted.json"
    accepted.write_text(json.dumps([{"operation": "x", "fingerprint": "y", "reason": "z", "until": "2999-01-01"}]))
    assert diff(DiffOptions(old=str(BUILT_IN), new=str(BUILT_IN), accepted=accepted)) == 1
    assert "matches nothing" in capsys.readouterr().out


def test_recorded_clients_are_told_apart(mutated: Any, tmp_path: Path) -> None:
    sample = yaml.safe_load(BUILT_IN.read_text())["components"]["examples"]["CreateRequest"]["value"]
    entries = [
        {
            "request": {
                "method": "POST",
                "url": "http://127.0.0.1/configurations",
                "headers": [
                    {"name": "User-Agent", "value": agent},
                    {"name": "Content-Type", "value": "application/json"},
                ],
                "postData": {"text": json.dumps({**sample, "inbound_block_message": "a" * length})},
            },
            "response": {"status": 201, "headers": [], "content": {"text": ""}},
        }
        for agent, length in (("hit/1", 1500), ("fine/1", 5))
    ]
    recording = tmp_path / "traffic.ndjson"
    recording.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    new = mutated("maxLength: 2000", "maxLength: 1000")
    seen = compare(DiffOptions(old=str(BUILT_IN), new=str(new), traffic=(recording,))).traffic
    assert seen is not None
    assert seen.clients == {"hit/1": (1, 1), "fine/1": (1, 0)}
    assert {hit.client for hits in seen.hits.values() for hit in hits} == {"hit/1"}


def test_every_report_is_well_formed(mutated: Any, tmp_path: Path) -> None:
    new = mutated("maxLength: 2000", "maxLength: 1000")
    reports = tuple((name, tmp_path / name) for name in ("junit", "sarif", "json", "html", "markdown"))
    diff(DiffOptions(old=str(BUILT_IN), new=str(new), report=reports))
    text = {name: path.read_text() for name, path in reports}
    assert ElementTree.fromstring(text["junit"]).get("failures") == "2"  # noqa: S314 (our own)
    result = orjson.loads(text["sarif"])["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == str(new)
    assert orjson.loads(text["json"])["errors"] == 2
    assert "curl -i" in text["html"]
    assert "| breaking | createConfiguration" in text["markdown"]


def test_a_revision_comes_from_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "api.yaml").write_text(BUILT_IN.read_text())
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    (tmp_path / "api.yaml").write_text(BUILT_IN.read_text().replace("maxLength: 2000", "maxLength: 3000"))
    monkeypatch.chdir(tmp_path)
    assert {each.verdict for each in compare(DiffOptions(old="HEAD:api.yaml", new="api.yaml")).changes} >= {"safe"}
    with pytest.raises(CouldNotRun, match="cannot be read"):
        compare(DiffOptions(old="nowhere:api.yaml", new="api.yaml"))
