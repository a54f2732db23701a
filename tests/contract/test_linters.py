"""Common linters find nothing in either contract; their committed configurations justify each disabled rule."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from callconfig.contract.document import Contract
from callconfig.controls.bundle import load_controls

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]  # the first of them downloads the tools

VALIDATE = """
import parser from "@apidevtools/swagger-parser";
for (const path of process.argv.slice(2)) await parser.validate(path);
"""


@pytest.fixture
def documents(contract: Contract, tmp_path: Path) -> list[Path]:
    """Both contracts as they are served, for one run of each tool, which takes longer to start than to read one."""
    served = {"api.json": contract, "controls.json": load_controls(contract)}
    for name, each in served.items():
        (tmp_path / name).write_text(json.dumps(each.document))
    return [tmp_path / name for name in served]


def test_spectral_finds_nothing(documents: list[Path], node: Path, run: Callable[..., str]) -> None:
    tool = node / "node_modules" / ".bin" / "spectral"
    written = run(tool, "lint", "--ruleset", ROOT / ".spectral.yaml", "--fail-severity", "hint", *documents)
    assert "No results" in written


def test_redocly_finds_nothing(documents: list[Path], node: Path, run: Callable[..., str]) -> None:
    tool = node / "node_modules" / ".bin" / "redocly"
    options = ("--config", ROOT / "redocly.yaml", "--max-problems", "1000", "--format", "json")
    written = run(tool, "lint", *options, *documents)
    reports = [json.loads(report) for report in re.findall(r'\{\n  "totals".*?\n\}', written, re.DOTALL)]
    assert [report["problems"] for report in reports] == [[], []]


def test_swagger_parser_finds_nothing(
    documents: list[Path], node: Path, run: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(node / "node_modules")
    (tmp_path / "validate.mjs").write_text(VALIDATE)
    run("node", "validate.mjs", *documents)
