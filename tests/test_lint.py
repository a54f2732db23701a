"""`callconfig lint`, and the hook that runs it before each commit."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from callconfig.cli import main
from callconfig.outcome import FINDINGS, OK

ROOT = Path(__file__).parent.parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"
WRONG = "openapi: 3.0.3\ninfo: {title: A, version: '1'}\npaths: {/a: {get: {responses: {}}}}\n"


def test_a_contract_is_passed_over_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(ROOT / "openapi.yaml")]) == OK
    assert capsys.readouterr() == ("", "")


def test_each_file_that_is_no_contract_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, text in {"wrong.yaml": WRONG, "text.yaml": "a: b: c", "empty.yaml": "", "\x1b[31m.yaml": ""}.items():
        (tmp_path / name).write_text(text)
    paths = sorted(map(str, tmp_path.iterdir()))
    assert main(["lint", *paths, str(ROOT / "openapi.yaml"), str(tmp_path / "missing.yaml")]) == FINDINGS
    lines = capsys.readouterr().err.splitlines()
    assert [line.isprintable() for line in lines] == [True] * 5
    assert [Path(line.split(":")[0]).name for line in lines] == [
        "\\x1b[31m.yaml",
        "empty.yaml",
        "text.yaml",
        "wrong.yaml",
        "missing.yaml",
    ]
    assert "wrong.yaml:3: /paths/~1a/get/responses must have at least 1 member, not 0" in lines[3]


def test_the_hook_is_one_that_pre_commit_takes() -> None:
    subprocess.run([sys.executable, "-m", "pre_commit", "validate-manifest", HOOKS], check=True)


def test_the_hook_finds_what_is_wrong_with_the_files_it_is_for(tmp_path: Path) -> None:
    """Run as pre-commit runs it: its entry with the files that match its pattern."""
    hook = next(each for each in yaml.safe_load(HOOKS.read_text()) if each["id"] == "callconfig-lint")
    shutil.copy(ROOT / "openapi.yaml", tmp_path)
    for name in ("api/openapi.json", "api/openapi.yml", "api/not-openapi.yaml", "openapi.yaml.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(WRONG)
    paths = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    chosen = [path for path in paths if re.search(hook["files"], path)]
    assert chosen == ["api/openapi.json", "api/openapi.yml", "openapi.yaml"]
    name, *rest = shlex.split(hook["entry"])
    command = [str(Path(sys.executable).parent / name), *rest, *chosen]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["api/openapi.json:3", "api/openapi.yml:3"]
