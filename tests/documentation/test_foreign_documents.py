"""Any OpenAPI 3.0 file can be documented, with its words escaped."""

import base64
import hashlib
import json
import re
import resource
import time
from pathlib import Path
from typing import Any

import pytest
from callconfig.cli import main
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.documentation.facts import Facts
from callconfig.documentation.page import render_markdown, render_page
from callconfig.outcome import COULD_NOT_RUN, FINDINGS, OK
from callconfig.tests.support.reading import Reading

FOREIGN = Path(__file__).parent / "foreign.yaml"


@pytest.fixture(scope="module")
def foreign() -> tuple[Reading, str]:
    facts = Facts(Contract.load(FOREIGN), {})
    page, markdown = render_page(facts), render_markdown(facts)
    return Reading(page.html), markdown


def test_markup_and_script_are_text(foreign: tuple[Reading, str]) -> None:
    page, _ = foreign
    assert page.tags.count("script") == 4  # the page's own: two of data, two of code
    assert not {"img", "i", "iframe", "object", "embed"} & set(page.tags)
    assert [value for _, name, value in page.attributes if "javascript:" in value or name.startswith("on")] == []
    for text in (
        "Trees <script>alert('title')</script>",
        "<img src=x onerror=\"alert('description')\">",
        "</table><script>alert('table')</script>",
        "Its name, <b>bold</b>",
        r'"</script><script>alert(\"answer\")</script>"',
        "Somewhere <i>else</i>",
    ):
        assert text in page.text


def test_markup_is_text_in_markdown_too(foreign: tuple[Reading, str]) -> None:
    without_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", foreign[1], flags=re.DOTALL)
    assert "<" not in without_code
    assert "&lt;img src=x" in without_code


def test_only_what_is_in_the_page_may_run() -> None:
    page = render_page(Facts(Contract.load(FOREIGN), {}))
    policy = page.content_security_policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", page.html, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page.html, re.DOTALL)
    assert len(scripts) == 2
    assert len(styles) == 1
    for text in (*scripts, *styles):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy


@pytest.mark.parametrize(
    ("place", "facts"),
    [
        ("GET-trees-name", ["Read a tree", "GET", "/trees/{name}"]),
        ("GET-trees-name.query.depth", ["integer", "Default 3", "at least 0"]),
        ("GET-trees-name.query.kinds", ["array of string", '"leaf", "branch"']),
        ("GET-trees-name.query.filter", ["object", "optional"]),
        ("replace_tree", ["deprecated", "204", "No Content", "a 'plain' text"]),
        ("plantTree.body.deep.er.est", ["string"]),
        ("forests.200.rows", ["array of array of"]),
        ("Tree.name", ["required", "`tick`"]),
        ("Tree.size", ["number (double)", "0.5 to 99.5", "Nullable"]),
        ("Tree.kind", ['Default "leaf"', '"leaf", "branch"']),
        ("Tree.children", ["array of Tree", "Members: Tree"]),
        ("Tree.labels", ["map of string"]),
        ("Tree.fruit", ["3 alternatives", "Apple", "Nut", "string"]),
        ("Nut", ["shell", "boolean", "required", "sort"]),
        ("Error.a-b-c", ["a/b c", "any"]),
        ("Lonely.alone", ["boolean"]),
    ],
)
def test_it_is_all_there(foreign: tuple[Reading, str], place: str, facts: list[str]) -> None:
    assert [fact for fact in facts if fact not in foreign[0].places[place]] == []


def test_no_example_is_said_to_have_run(foreign: tuple[Reading, str]) -> None:
    assert "Its examples were not run" in foreign[0].text
    assert "The examples were not run" in foreign[1]


def test_requests_go_to_the_server_that_the_contract_names(foreign: tuple[Reading, str]) -> None:
    assert any("https://trees.example.com/v1/trees/oak" in code for code in foreign[0].code)


def test_the_command_writes_three_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "made" / "for it"
    assert main(["docs", "build", "-o", str(folder), "--contract", str(FOREIGN)]) == OK
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "openapi.yaml", "reference.md"]
    assert (folder / "openapi.yaml").read_bytes() == FOREIGN.read_bytes()
    assert "no example was run" in capsys.readouterr().out


@pytest.mark.parametrize(("title", "code"), [("Walden", OK), ("Emma", FINDINGS)])
def test_the_command_runs_the_examples_of_another_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], title: str, code: int
) -> None:
    """As README shows it, with the credentials that the contract asks for."""
    schema = {
        "type": "object",
        "required": ["id", "title"],
        "properties": {"id": {"type": "string", "readOnly": True}, "title": {"type": "string"}},
        "x-resource": {"identity": "id"},
    }
    content = {"schema": {"$ref": "#/components/schemas/Book"}}
    example = {
        "x-request": {"body": "walden", "headers": {"Authorization": "Bearer any"}},
        "value": {"id": "book_1", "title": title},
    }
    added = {"description": "Added.", "content": {"application/json": {**content, "examples": {"walden": example}}}}
    body = {"content": {"application/json": {**content, "examples": {"walden": {"value": {"title": "Walden"}}}}}}
    operation = {"operationId": "add", "security": [{"token": []}], "requestBody": body, "responses": {"201": added}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Books", "version": "1"},
        "x-examples": {"now": "2026-01-01T00:00:00Z", "ids": ["book_1"]},
        "paths": {"/books": {"post": operation}},
        "components": {
            "schemas": {"Book": schema},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    (tmp_path / "books.json").write_text(json.dumps(document))
    assert main(["docs", "build", "-o", str(tmp_path / "site"), "--contract", str(tmp_path / "books.json")]) == code
    said = capsys.readouterr()
    assert "1 example run, all responses as documented" in said.out or code
    assert '/title: documents "Emma", but the response has "Walden"' in said.err or not code


def test_the_command_runs_the_examples_of_the_built_in_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["docs", "build", "-o", str(tmp_path)]) == OK
    assert re.search(r"\d\d examples run, all responses as documented", capsys.readouterr().out)


def test_the_command_finds_a_wrong_answer_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = tmp_path / "wrong.yaml"
    wrong = BUILT_IN.read_text().replace('No configuration has the id "cfg_unknown".', "Gone.", 1)
    contract.write_text(wrong)
    assert main(["docs", "build", "-o", str(tmp_path / "site"), "--contract", str(contract)]) == FINDINGS
    shown = capsys.readouterr().err
    assert 'updateConfiguration.404.unknownConfiguration: /detail: documents "Gone."' in shown
    assert shown.endswith("documented responses differ in 1 place from the mock's\n")
    assert not (tmp_path / "site").exists()


def test_a_build_that_cannot_write_a_file_changes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site"
    assert main(["docs", "build", "-o", str(site), "--contract", str(FOREIGN)]) == OK
    before = {path.name: path.read_bytes() for path in site.iterdir()}
    contract = tmp_path / "changed.yaml"
    contract.write_text(FOREIGN.read_text().replace("title: ", "title: Old ", 1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before["reference.md"]) + 1000, hard))  # too few for the page
    try:
        assert main(["docs", "build", "-o", str(site), "--contract", str(contract)]) == COULD_NOT_RUN
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert capsys.readouterr().err == f"callconfig: {site}: cannot be written: File too large\n"
    assert {path.name: path.read_bytes() for path in site.iterdir()} == before


@pytest.mark.parametrize(
    ("contract", "output", "said"),
    [
        ("there is none.yaml", "site", "cannot be read"),
        (FOREIGN, "file/site", "cannot be written"),
    ],
)
def test_what_stops_the_command_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], contract: str | Path, output: str, said: str
) -> None:
    (tmp_path / "file").touch()
    assert main(["docs", "build", "-o", str(tmp_path / output), "--contract", str(contract)]) == COULD_NOT_RUN
    shown = capsys.readouterr().err
    assert shown.startswith("callconfig: ")
    assert said in shown
    assert shown.count("\n") == 1


def test_a_request_is_shown_once_with_all_its_answers() -> None:
    answers = {
        status: {"description": "It.", "content": {"application/json": {"example": {"status": status}}}}
        for status in ("200", "404")
    }
    facts = Facts(_contract({"/things": {"get": {"operationId": "things", "responses": answers}}}), {})
    page, markdown = render_page(facts), render_markdown(facts)
    assert [code.startswith("curl") for code in Reading(page.html).code].count(True) == markdown.count("curl") == 1
    assert [page.html.count(f'id="things.{status}.example"') for status in answers] == [1, 1]


@pytest.mark.parametrize(("count", "folded"), [(40, False), (41, True)])
def test_many_objects_are_folded(count: int, folded: bool) -> None:
    schemas = {f"S{number}": {"type": "object", "properties": {"a": {"type": "string"}}} for number in range(count)}
    page = render_page(Facts(_contract({}, schemas), {}))
    assert ("<summary>Members of <b>S7</b></summary>" in page.html) is folded


def _contract(paths: dict[str, Any], schemas: dict[str, Any] | None = None) -> Contract:
    info = {"title": "Things", "version": "1"}
    return Contract({"openapi": "3.0.3", "info": info, "paths": paths, "components": {"schemas": schemas or {}}})


def test_the_time_that_it_takes_grows_as_the_document_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few, many = (_seconds_to_build(tmp_path, count) for count in (20, 160))
    assert many < 16 * few, capsys.readouterr().out


def _seconds_to_build(folder: Path, count: int) -> float:
    """The CPU time for `count` operations and schemas, each of which refers to the next one; the lower of two."""
    schemas = {
        f"Thing{number}": {
            "type": "object",
            "required": [f"member{member}" for member in range(0, 20, 3)],
            "properties": {f"member{member}": {"type": "string", "maxLength": number} for member in range(20)}
            | {"next": {"$ref": f"#/components/schemas/Thing{(number + 1) % count}"}},
        }
        for number in range(count)
    }
    paths = {}
    for number in range(count):
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/Thing{number}"}}}
        answers = {"200": {"description": "It.", "content": content}}
        paths[f"/things/{number}"] = {"put": {"requestBody": {"content": content}, "responses": answers}}
    document = {"openapi": "3.0.3", "info": {"title": "Things", "version": "1"}, "paths": paths}
    contract = folder / f"{count}.json"
    contract.write_text(json.dumps({**document, "components": {"schemas": schemas}}))
    took = []
    for _ in range(2):
        clock = time.process_time()
        assert main(["docs", "build", "-o", str(folder / "site"), "--contract", str(contract)]) == OK
        took.append(time.process_time() - clock)
    return min(took)


def _chained(kind: str, number: int) -> dict[str, Any]:
    """A schema that refers to the next two, so that the number of paths grows exponentially."""
    following = [{"$ref": f"#/components/schemas/S{each}"} for each in (number + 1, number + 2) if each < 300]
    if kind == "allOf":
        return {"allOf": following} if following else {"type": "object"}
    if kind == "array":
        return {"type": "array", "minItems": 2, "items": following[0]} if following else {"type": "string"}
    named = {name: following[0] if following else {"type": "string"} for name in ("one", "other")}
    return {"type": "object", "required": list(named), "properties": named}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", ["allOf", "array", "required"])
def test_schemas_with_countless_ways_through_them_are_built(tmp_path: Path, kind: str) -> None:
    schemas = {f"S{number}": _chained(kind, number) for number in range(300)}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}
    operation = {
        "requestBody": {"content": content},
        "responses": {"200": {"description": "Done.", "content": content}},
    }
    document = {"openapi": "3.0.3", "info": {"title": "Chains", "version": "1"}, "paths": {"/a": {"post": operation}}}
    path = tmp_path / "chains.json"
    path.write_text(json.dumps({**document, "components": {"schemas": schemas}}))
    assert main(["docs", "build", "--contract", str(path), "-o", str(tmp_path / "site")]) == OK
    assert (tmp_path / "site" / "index.html").stat().st_size < 2_000_000
