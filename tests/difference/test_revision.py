"""Revisions of a contract in several files."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from callconfig.difference.diff import Difference, compare
from callconfig.options import DiffOptions
from callconfig.outcome import CouldNotRun
from callconfig.tests.support.git import commit

MAIN = """\
openapi: 3.0.3
info: {title: Notes, version: 1.0.0}
paths:
  /notes:
    $ref: paths/notes.yaml
"""
NOTES = """\
post:
  operationId: createNote
  requestBody:
    content:
      application/json:
        schema:
          $ref: ../schemas.yaml#/Note
  responses: {'201': {description: stored}}
"""
SCHEMAS = """\
Note:
  type: object
  properties:
    author: {$ref: '#/Author'}
    text:
      type: string
      maxLength: 20
Author:
  type: string
  maxLength: 30
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, SCHEMAS)
    return tmp_path


def write(folder: Path, schemas: str) -> None:
    (folder / "paths").mkdir(parents=True, exist_ok=True)
    (folder / "openapi.yaml").write_text(MAIN)
    (folder / "paths" / "notes.yaml").write_text(NOTES)
    (folder / "schemas.yaml").write_text(schemas)


def between(old: Any, new: Any) -> Difference:
    return compare(DiffOptions(old=str(old), new=str(new)))


@pytest.mark.parametrize(
    ("before", "after", "pointer", "line"), [("20", "10", "/text", 7), ("30", "10", "/author", 10)]
)
def test_a_change_in_another_file_is_judged_and_its_line_is_told(
    folder: Path, before: str, after: str, pointer: str, line: int
) -> None:
    write(folder / "new", SCHEMAS.replace(before, after))
    (change,) = between(folder / "openapi.yaml", folder / "new" / "openapi.yaml").changes
    assert (change.verdict, change.rule, change.findings[0].pointer) == ("breaking", "request-body", pointer)
    assert str(change.new) == f"{(folder / 'new' / 'schemas.yaml').as_posix()}:{line}"
    assert str(change.old) == f"{(folder / 'schemas.yaml').as_posix()}:{line}"


def test_the_other_files_of_a_commit_are_those_of_that_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(folder)
    write(folder, SCHEMAS.replace("20", "10"))
    (folder / "sub").mkdir()
    for here, path in ((folder, ""), (folder / "sub", "../")):
        monkeypatch.chdir(here)
        (change,) = between(f"HEAD:{path}openapi.yaml", f"{path}openapi.yaml").changes
        assert (change.verdict, str(change.old)) == ("breaking", f"{path}schemas.yaml:7")


def test_a_file_that_a_commit_does_not_have_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "schemas.yaml").unlink()
    commit(folder)
    write(folder, SCHEMAS)
    monkeypatch.chdir(folder)
    with pytest.raises(CouldNotRun, match=r"HEAD:openapi.yaml: .*schemas.yaml#/Note: there is no such file"):
        between("HEAD:openapi.yaml", "openapi.yaml")


def test_what_is_above_the_folder_is_refused(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    document = {**yaml.safe_load(MAIN), "paths": {"/notes": {"$ref": "../paths/notes.yaml"}}}
    (inner / "openapi.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(CouldNotRun, match="into files in its folder or below"):
        between(folder / "openapi.yaml", inner / "openapi.yaml")
