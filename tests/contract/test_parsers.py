"""Readers of YAML 1.1 and of YAML 1.2 see the same document in either file."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from callconfig.contract.document import read_document

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "openapi.yaml", ROOT / "controls" / "controls.yaml"]

READERS = {
    "yaml": 'import {parse} from "yaml"; const read = (text) => parse(text, {version: "1.2", strict: true});',
    "js-yaml": 'import * as yaml from "js-yaml"; const read = (text) => yaml.load(text, {schema: yaml.JSON_SCHEMA});',
}
RUAMEL = """
import json, sys
from ruamel.yaml import YAML
print(json.dumps(YAML(typ="safe", pure=True).load(open(sys.argv[1]))))
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_contract_is_plain(file: Path) -> None:
    """No anchors, no aliases, no merge keys, no reference into the members of another schema."""
    events = list(yaml.parse(file.read_text()))
    assert not [event for event in events if isinstance(event, yaml.AliasEvent)]
    assert not [event for event in events if getattr(event, "anchor", None)]
    assert not re.search(r"\$ref: '[^']*/properties/", file.read_text())
    assert "<<:" not in file.read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_both_loaders_of_pyyaml_read_what_the_engine_reads(file: Path) -> None:
    assert yaml.load(file.read_text(), yaml.CSafeLoader) == yaml.safe_load(file.read_text()) == read_document(file)


@pytest.mark.slow
@pytest.mark.timeout(1500)  # the first downloads the tool
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_ruamel_reads_the_same(file: Path, python: Path, run: Callable[..., str]) -> None:
    assert json.loads(run(python / "python", "-c", RUAMEL, file)) == read_document(file)


@pytest.mark.slow
@pytest.mark.timeout(1500)  # the first downloads the tool
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
@pytest.mark.parametrize("reader", READERS)
def test_a_reader_of_yaml_1_2_reads_the_same(
    reader: str, file: Path, node: Path, run: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(node / "node_modules")
    script = f"""
    import {{readFileSync}} from "node:fs";
    {READERS[reader]}
    console.log(JSON.stringify(read(readFileSync(process.argv[2], "utf8"))));
    """
    (tmp_path / "read.mjs").write_text(script)
    assert json.loads(run("node", "read.mjs", file)) == read_document(file)
