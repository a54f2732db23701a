"""The script with which CI compares the contract with its last release, in a separate repository."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from callconfig.contract.document import BUILT_IN

from .support.git import commit, git

SCRIPT = Path(__file__).parent.parent / "scripts" / "released"


@pytest.fixture
def released(tmp_path: Path, path_with_uv: str) -> "Released":
    return Released(tmp_path / "repository", path_with_uv)


class Released:
    """A repository with the contract, and the output of the script."""

    def __init__(self, folder: Path, path: str) -> None:
        self.folder, self.path = folder, path
        folder.mkdir()
        self.write(BUILT_IN.read_text())
        commit(folder)

    def write(self, text: str) -> None:
        (self.folder / "openapi.yaml").write_text(text)

    def tag(self, name: str) -> None:
        git(self.folder, "tag", name)

    def judge(self) -> tuple[int, str]:
        environment = {**os.environ, "PATH": self.path}
        done = subprocess.run([SCRIPT, self.folder], env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


def test_before_the_first_release_the_script_says_that_there_is_none(released: Released) -> None:
    code, output = released.judge()
    assert code == 0
    assert "knows no release" in output


def test_what_the_last_release_promised_holds(released: Released) -> None:
    released.tag("v1.0.0")
    code, output = released.judge()
    assert code == 0
    assert "compared with the release v1.0.0\n" in output
    assert "nothing changed" in output


def test_what_breaks_the_last_release_fails_and_what_was_accepted_does_not_until_its_day(released: Released) -> None:
    released.tag("v1.0.0")
    released.write(
        BUILT_IN.read_text().replace("maxLength: 2000", "maxLength: 1000").replace("version: 1.0.0", "version: 1.1.0")
    )
    code, output = released.judge()
    assert code == 1
    assert "BREAKING createConfiguration, updateConfiguration" in output
    fingerprints = re.findall(r"([a-zA-Z]+) ([0-9a-f]{16})", output)
    assert len(fingerprints) == 2

    def accepted_until(day: str) -> tuple[int, str]:
        entries = [
            f"- {{operation: {operation}, fingerprint: {fingerprint}, reason: agreed, until: {day}}}\n"
            for operation, fingerprint in fingerprints
        ]
        (released.folder / "accepted-breaks.yaml").write_text("".join(entries))
        return released.judge()

    code, output = accepted_until("2999-12-31")
    assert code == 0
    assert "1 accepted" in output
    code, output = accepted_until("2000-01-01")
    assert code == 1
    assert "2000-01-01" in output
