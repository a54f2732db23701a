"""Linters of the field find nothing in either contract; what is switched off says why in their committed files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from callconfig.contract.document import Contract
from callconfig.controls.bundle import load_controls

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]  # the first of them downloads the tools

VALIDATE = """
import parser from "@apidevtools/swagger-parser";
await parser.validate(process.argv[2]);
"""


@pytest.fixture(params=["api", "controls"])
def document(request: pytest.FixtureRequest, contract: Contract, tmp_path: Path) -> Path:
    """Both contracts, as they are served."""
    served = contract if request.param == "api" else load_controls(contract)
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(served.document))
    return path


def test_spectral_finds_nothing(document: Path, node: Path, run: Callable[..., str]) -> None:
    tool = node / "node_modules" / ".bin" / "spectral"
    written = run(tool, "lint", "--ruleset", ROOT / ".spectral.yaml", "--fail-severity", "hint", document)
    assert "No results" in written


def test_redocly_finds_nothing(document: Path, node: Path, run: Callable[..., str]) -> None:
    tool = node / "node_modules" / ".bin" / "redocly"
    written = run(
        tool, "lint", "--config", ROOT / "redocly.yaml", "--max-problems", "1000", "--format", "json", document
    )
    found = json.loads(written[written.index("{\n") : written.rindex("}") + 1])
    assert found["problems"] == []


def test_swagger_parser_finds_nothing(document: Path, node: Path, run: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(node / "node_modules")
    (tmp_path / "validate.mjs").write_text(VALIDATE)
    run("node", "validate.mjs", document)
