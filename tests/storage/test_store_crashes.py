"""Real kills: a writing process is killed at any moment, and every acknowledged write is there."""

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from callconfig.storage.opening import open_store
from callconfig.storage.store import UnreadableStore
from callconfig.tests.support.stores import RESOURCE, counted_values
from callconfig.tests.support.writer import change, read

WRITER = (sys.executable, "-m", "callconfig.tests.support.writer")
ROUNDS = 50
ROUNDS_PER_FILE = 10
LONGEST_LIFE = 0.1
"""The longest time from the first acknowledgement to the kill, in seconds, enough to hit loads and compactions."""


def last_acknowledged(path: Path, life: float, *options: str) -> int:
    """Run the writer for a while, kill it, and return the number of its last acknowledged change."""
    with subprocess.Popen([*WRITER, path, *options], stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        first = writer.stdout.readline()
        time.sleep(life)
        writer.kill()
        acknowledged = first + writer.stdout.read()
    return int(acknowledged.split()[-1])


@pytest.mark.slow
def test_everything_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path, run: Any) -> None:
    moments = random.Random(20260101)  # noqa: S311 - the same moments in every run, as far as a machine allows
    state: dict[str, int] = {}
    number = -1
    for round_ in range(ROUNDS):
        path = tmp_path / f"{round_ // ROUNDS_PER_FILE}.jsonl"
        if not path.exists():
            state, number = {}, -1
        options = ["fsync"] if round_ % 2 else []
        acknowledged = last_acknowledged(path, moments.uniform(0, LONGEST_LIFE), *options)
        while number < acknowledged:
            number += 1
            state = change(state, number)
        store = run(open_store(str(path), [RESOURCE], counted_values()))
        found, _ = run(read(store))
        run(store.close())
        assert found in (state, change(state, number + 1)), f"round {round_}, change {number}"
        state, number = found, max(found.values())


def test_while_a_process_writes_no_other_can_open_its_file(tmp_path: Path, run: Any) -> None:
    path = tmp_path / "store.jsonl"
    with subprocess.Popen([*WRITER, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        writer.stdout.readline()
        with pytest.raises(UnreadableStore, match="in use by another process"):
            run(open_store(str(path), [RESOURCE], counted_values()))
        writer.kill()
        writer.stdout.read()
    run(run(open_store(str(path), [RESOURCE], counted_values())).close())
