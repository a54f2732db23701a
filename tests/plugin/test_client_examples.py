"""The examples for client teams, the same test in three languages, each run by the commands in its first lines."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from callconfig.tests.support.running import PYTEST

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ([*PYTEST, "-c", os.devnull], "test_retry.py"),
        (["sh"], "retry.sh"),
        (["node", "--test"], "retry.test.mjs"),
    ],
)
def test_the_same_test_passes_in_every_language(url: str, command: list[str], file: str, tmp_path: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on this machine")
    example = shutil.copy(EXAMPLES / file, tmp_path)
    done = subprocess.run(
        [*command, example], env={**os.environ, "CALLCONFIG_URL": url}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
