"""`callconfig diff` on the command line: output, files and exit codes."""

import asyncio
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
import yaml
from callconfig.app import create_app, sources
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.contract.interaction import Interaction
from callconfig.difference.diff import compare, diff
from callconfig.options import DiffOptions
from callconfig.outcome import CouldNotRun
from callconfig.storage.opening import open_store
from callconfig.tests.support.git import commit, git
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
    store = asyncio.run(open_store(":memory:", contract.resources, sources().values))
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
    assert "BREAKING createConfiguration, updateConfiguration: request body application/json" in printed
    assert "concerns: clients that call createConfiguration, updateConfiguration\n" in printed
    assert "reproduce: curl -i" in printed
    found = re.search(
        r"/inbound_block_message: must have at most 1000 characters, not 1001  \(.*new.yaml:(\d+)\)", printed
    )
    assert found is not None
    assert new.read_text().splitlines()[int(found[1]) - 1].strip() == "maxLength: 1000"
    assert "2.0.0 or later; NEW says 1.0.0, which is too little" in printed


def test_an_accepted_break_does_not_count_until_its_day(
    mutated: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = mutated("maxLength: 2000", "maxLength: 1000")
    found = compare(DiffOptions(old=str(BUILT_IN), new=str(new)))
    accepted = tmp_path / "accepted.yaml"

    def accept(until: str) -> int:
        entries = [
            {"operation": each.operation, "fingerprint": each.fingerprint, "reason": "agreed", "until": until}
            for change in found.of("breaking")
            for each in change.all
        ]
        accepted.write_text(yaml.safe_dump(entries))
        return diff(
            DiffOptions(
                old=str(BUILT_IN), new=str(mutated("maxLength: 2000", "maxLength: 1000", "1.1.0")), accepted=accepted
            )
        )

    assert accept("2999-12-31") == 0
    assert re.search(r"^diff: (\d+ safe, )?1 accepted \(", capsys.readouterr().out, re.MULTILINE)
    assert accept("2000-01-01") == 1
    assert re.search(r"^diff: 1 breaking(, \d+ safe)? \(", capsys.readouterr().out, re.MULTILINE)


def test_an_accepted_break_that_matches_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted = tmp_path / "accepted.json"
    accepted.write_text(json.dumps([{"operation": "x", "fingerprint": "y", "reason": "z", "until": "2999-01-01"}]))
    reports = tuple((name, tmp_path / name) for name in ("junit", "sarif", "json", "html", "markdown"))
    assert diff(DiffOptions(old=str(BUILT_IN), new=str(BUILT_IN), accepted=accepted, report=reports)) == 1
    assert "matches nothing" in capsys.readouterr().out
    assert [name for name, path in reports if "matches nothing" not in path.read_text()] == []


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
    assert orjson.loads(text["json"])["errors"] == 1
    assert "curl -i" in text["html"]
    assert "| breaking | createConfiguration" in text["markdown"]


def test_a_revision_comes_from_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "api.yaml").write_text(BUILT_IN.read_text())
    commit(tmp_path)
    (tmp_path / "api.yaml").write_text(BUILT_IN.read_text().replace("maxLength: 2000", "maxLength: 3000"))
    monkeypatch.chdir(tmp_path)
    assert {each.verdict for each in compare(DiffOptions(old="HEAD:api.yaml", new="api.yaml")).changes} >= {"safe"}
    with pytest.raises(CouldNotRun, match="cannot be read"):
        compare(DiffOptions(old="nowhere:api.yaml", new="api.yaml"))


def test_git_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CouldNotRun, match="git must be installed"):
        compare(DiffOptions(old="HEAD:api.yaml", new=str(BUILT_IN)))


@pytest.fixture
def hook() -> list[str]:
    """The command as pre-commit runs it: its entry alone."""
    hooks = yaml.safe_load((BUILT_IN.parent / ".pre-commit-hooks.yaml").read_text())
    declared = next(each for each in hooks if each["id"] == "callconfig-diff")
    assert re.search(declared["files"], "openapi.yaml")
    assert declared["pass_filenames"] is False
    name, *rest = shlex.split(declared["entry"])
    return [str(Path(sys.executable).parent / name), *rest]


def test_the_hook_compares_with_the_last_commit(tmp_path: Path, hook: list[str]) -> None:
    (tmp_path / "openapi.yaml").write_text(BUILT_IN.read_text())
    commit(tmp_path)
    assert subprocess.run(hook, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "openapi.yaml").write_text(BUILT_IN.read_text().replace("maxLength: 2000", "maxLength: 1000"))
    assert subprocess.run(hook, cwd=tmp_path, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("has_commits", [True, False])
def test_the_hook_ends_well_in_the_commit_that_adds_the_contract(
    tmp_path: Path, hook: list[str], *, has_commits: bool
) -> None:
    (tmp_path / "README.md").write_text("An API.")
    if has_commits:
        commit(tmp_path)
    else:
        git(tmp_path, "init", "-q")
    (tmp_path / "openapi.yaml").write_text(BUILT_IN.read_text())
    done = subprocess.run(hook, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"diff: nothing to compare with: this is the first revision of openapi.yaml .*\n", done.stdout)
    (tmp_path / "openapi.yaml").write_text("- no contract")
    assert subprocess.run(hook, cwd=tmp_path, capture_output=True, check=False).returncode == 3


def test_a_name_that_a_commit_does_not_have_is_no_first_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "api.yaml").write_text(BUILT_IN.read_text())
    commit(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CouldNotRun, match="cannot be read"):
        compare(DiffOptions(old="HEAD:apy.yaml", new="api.yaml"))


SHARED = """
openapi: 3.0.3
info: {title: Notes, version: 1.0.0}
paths:
  /notes:
    post:
      operationId: createNote
      requestBody: &body {content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
      responses: {'201': {description: stored}}
    put:
      operationId: replaceNotes
      requestBody: *body
      responses: {'204': {description: replaced}}
components:
  schemas:
    Note:
      type: object
      properties:
        text: {type: string, maxLength: 20}
"""


def revisions(tmp_path: Path, before: str, after: str) -> tuple[str, str]:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(SHARED)
    assert before in SHARED
    new.write_text(SHARED.replace(before, after))
    return str(old), str(new)


def test_a_break_that_operations_share_is_told_once(tmp_path: Path) -> None:
    old, new = revisions(tmp_path, "maxLength: 20", "maxLength: 10")
    (change,) = compare(DiffOptions(old=old, new=new)).changes
    assert change.operations == ["replaceNotes", "createNote"]
    assert len({each.fingerprint for each in change.all}) == 2
    assert change.sentence.startswith("replaceNotes, createNote: ")


def test_a_break_that_one_operation_accepts_still_counts_for_the_other(tmp_path: Path) -> None:
    old, new = revisions(tmp_path, "maxLength: 20", "maxLength: 10")
    (change,) = compare(DiffOptions(old=old, new=new)).changes
    accepted = tmp_path / "accepted.yaml"
    entry = {"operation": "replaceNotes", "fingerprint": change.fingerprint, "reason": "agreed", "until": "2999-12-31"}
    accepted.write_text(yaml.safe_dump([entry]))
    difference = compare(DiffOptions(old=old, new=new, accepted=accepted))
    assert [each.operations for each in difference.errors] == [["createNote"]]


@pytest.mark.parametrize(("undecided", "code"), [("error", 1), ("warning", 0)])
def test_what_is_undecided_counts_as_it_is_told_to(tmp_path: Path, undecided: str, code: int) -> None:
    """A header field that is never refused, and may be ignored from now on."""
    header = "parameters: [{name: X-Trace, in: header, schema: {type: string}}]"
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(SHARED.replace("  /notes:\n", f"  /notes:\n    {header}\n"))
    new.write_text(SHARED)
    options = DiffOptions(old=str(old), new=str(new), undecided=undecided)
    assert {change.verdict for change in compare(options).changes} == {"undecided"}
    assert diff(options) == code


@pytest.mark.parametrize("has_paths", [True, False])
@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ({"stored": {"post": {}}}, {"stored": {"put": {}}}, "changed"),
        ({"stored": {"post": {}}}, {}, "is gone"),
        ({}, {"stored": {"post": {}}}, "is new"),
    ],
)
def test_a_webhook_is_told_and_not_judged(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], what: str, *, has_paths: bool
) -> None:
    document = {**yaml.safe_load(SHARED), "openapi": "3.1.0"}
    if not has_paths:
        del document["paths"]
    (tmp_path / "old.yaml").write_text(yaml.safe_dump({**document, "webhooks": before}))
    (tmp_path / "new.yaml").write_text(yaml.safe_dump({**document, "webhooks": after}))
    (change,) = compare(DiffOptions(old=str(tmp_path / "old.yaml"), new=str(tmp_path / "new.yaml"))).changes
    assert (change.verdict, change.sentence) == (
        "undecided",
        f"webhooks: webhook stored {what}; requests from a server to its clients are not judged",
    )


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_parameter_whose_text_is_taken_all_the_same_is_not_called_breaking(tmp_path: Path, version: str) -> None:
    for name, kind in (("old.yaml", "integer"), ("new.yaml", "string")):
        schema = {"type": "array", "items": {"type": kind}}
        get = {"operationId": "get", "parameters": [{"name": "v", "in": "query", "schema": schema}], "responses": {}}
        info = {"title": "Lists", "version": "1"}
        document = {"openapi": version, "info": info, "paths": {"/a": {"get": get}}}
        (tmp_path / name).write_text(yaml.safe_dump(document))
    (change,) = compare(DiffOptions(old=str(tmp_path / "old.yaml"), new=str(tmp_path / "new.yaml"))).changes
    assert (change.verdict, change.rule) == ("undecided", "parameter-value")


@pytest.mark.parametrize(("version", "verdicts"), [("3.0.3", []), ("3.1.0", ["breaking"])])
def test_words_beside_a_reference_count_where_the_version_heeds_them(
    tmp_path: Path, version: str, verdicts: list[str]
) -> None:
    for name, beside in (("old.yaml", {}), ("new.yaml", {"maxLength": 4})):
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/A", **beside}}}
        post = {"operationId": "post", "requestBody": {"content": content}, "responses": {}}
        document = {
            "openapi": version,
            "info": {"title": "Words", "version": "1"},
            "paths": {"/a": {"post": post}},
            "components": {"schemas": {"A": {"type": "string"}}},
        }
        (tmp_path / name).write_text(yaml.safe_dump(document))
    found = compare(DiffOptions(old=str(tmp_path / "old.yaml"), new=str(tmp_path / "new.yaml"))).changes
    assert [each.verdict for each in found] == verdicts


def har(length: int) -> dict[str, Any]:
    body = {"mimeType": "application/json", "text": json.dumps({"text": "a" * length})}
    headers = [{"name": "Content-Type", "value": "application/json"}, {"name": "User-Agent", "value": "notes/1"}]
    request = {"method": "POST", "url": "http://127.0.0.1/notes", "headers": headers, "postData": body}
    return {"request": request, "response": {"status": 201, "headers": [], "content": {"text": ""}}}


def pact(length: int) -> dict[str, Any]:
    request = {
        "method": "POST",
        "path": "/notes",
        "headers": {"Content-Type": "application/json"},
        "body": {"text": "a" * length},
    }
    interaction = {"description": "a note", "request": request, "response": {"status": 201}}
    return {
        "consumer": {"name": "web"},
        "provider": {"name": "notes"},
        "interactions": [interaction],
        "metadata": {"pactSpecification": {"version": "2.0.0"}},
    }


@pytest.mark.parametrize(("length", "hit"), [(15, 1), (5, 0)])
def test_har_files_and_pacts_say_who_is_hit(tmp_path: Path, length: int, hit: int) -> None:
    old, new = revisions(tmp_path, "maxLength: 20", "maxLength: 10")
    (tmp_path / "session.har").write_text(json.dumps({"log": {"entries": [har(length)]}}))
    (tmp_path / "web.json").write_text(json.dumps(pact(length)))
    files = (tmp_path / "session.har", tmp_path / "web.json")
    seen = compare(DiffOptions(old=old, new=new, traffic=files)).traffic
    assert seen is not None
    assert seen.clients == {"notes/1": (1, hit), "web.json": (1, hit)}


def chain(kind: str, length: int, longest: int) -> dict[str, Any]:
    """A document with a chain of schemas, each of which refers to the next."""
    return posting(schemas_of_chain(kind, length, longest), f"S{length}")


def schemas_of_chain(kind: str, length: int, longest: int) -> dict[str, Any]:
    schemas: dict[str, Any] = {"S0": {"type": "string", "maxLength": longest}}
    for number in range(length):
        before = {"$ref": f"#/components/schemas/S{number}"}
        forms = {
            "reference": before,
            "member": {"type": "object", "properties": {"x": before}},
            "part": {"allOf": [before]},
        }
        schemas[f"S{number + 1}"] = forms[kind]
    return schemas


def posting(schemas: dict[str, Any], name: str, openapi: str = "3.0.3") -> dict[str, Any]:
    """A document with one operation, whose body is of the schema of this name."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    post = {"operationId": "post", "requestBody": {"content": content}, "responses": {"204": {"description": "ok"}}}
    info = {"title": "One operation", "version": "1"}
    return {"openapi": openapi, "info": info, "paths": {"/a": {"post": post}}, "components": {"schemas": schemas}}


@pytest.mark.parametrize(
    ("kind", "length", "verdict"),
    [
        *(("reference", length, "breaking") for length in (40, 500)),
        *(
            (kind, length, word)
            for kind in ("member", "part")
            for length, word in ((40, "breaking"), (500, "undecided"))
        ),
    ],
)
def test_a_long_chain_of_references_is_judged_or_said_to_be_too_deep(
    tmp_path: Path, kind: str, length: int, verdict: str
) -> None:
    for name, longest in (("old.json", 10), ("new.json", 9)):
        (tmp_path / name).write_text(json.dumps(chain(kind, length, longest)))
    (change,) = compare(DiffOptions(old=str(tmp_path / "old.json"), new=str(tmp_path / "new.json"))).changes
    assert change.verdict == verdict
    assert verdict == "breaking" or "too deep" in change.detail


def test_a_schema_that_is_only_itself_costs_no_more_than_others(tmp_path: Path) -> None:
    same = {"$ref": "#/components/schemas/N"}
    for name, more in (("old.json", []), ("new.json", [{"type": "string"}])):
        schemas = {"N": {"anyOf": [same, same, *more]}}
        (tmp_path / name).write_text(json.dumps(posting(schemas, "N", "3.1.0")))
    (change,) = compare(DiffOptions(old=str(tmp_path / "old.json"), new=str(tmp_path / "new.json"))).changes
    assert change.verdict == "undecided"


def test_a_name_may_be_a_number_of_yaml(tmp_path: Path) -> None:
    library = BUILT_IN.parent / "examples" / "library.yaml"
    new = tmp_path / "new.yaml"
    new.write_text(library.read_text().replace("{name: bookId,", "{name: 5,"))
    assert compare(DiffOptions(old=str(library), new=str(new))).errors


@pytest.mark.parametrize(
    "wrong", ["[1]", "a: [", "openapi: 3.0.3\npaths: {/a: {get: 7}}\ninfo: {}", "openapi: 3.0.3\ninfo: 7"]
)
def test_what_is_no_contract_is_one_line(tmp_path: Path, wrong: str) -> None:
    old, _ = revisions(tmp_path, "maxLength: 20", "maxLength: 10")
    (tmp_path / "wrong.yaml").write_text(wrong)
    with pytest.raises(CouldNotRun) as raised:
        compare(DiffOptions(old=old, new=str(tmp_path / "wrong.yaml")))
    assert "\n" not in str(raised.value)


def test_the_output_that_the_readme_shows_is_what_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.yaml").write_text(BUILT_IN.read_text())
    (tmp_path / "openapi.yaml").write_text(BUILT_IN.read_text().replace("maximum: 30\n", "maximum: 20\n"))
    monkeypatch.chdir(tmp_path)
    diff(DiffOptions(old="old.yaml", new="openapi.yaml"))
    readme = (BUILT_IN.parent / "README.md").read_text()
    (shown,) = re.findall(r"```text\n(BREAKING .*?)```", readme, re.DOTALL)
    # Lines of the contract move, and its documented request is long.
    printed = re.sub(r"(yaml):\d+", r"\1:…", capsys.readouterr().out)
    for line in shown.splitlines():
        assert all(part in printed for part in line.split("…")), line
