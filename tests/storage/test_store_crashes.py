"""Kills that are real: a process that writes is killed at any moment, and everything it acknowledged is there."""

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from callconfig.storage import open_store
from callconfig.storage.testing import RESOURCE, counted_values

ROUNDS = 50
ROUNDS_PER_FILE = 10
LONGEST_LIFE = 0.2
"""Seconds from the first acknowledgement to the kill, at most: enough for loads and compactions to be hit, too."""
WRITER = Path(__file__).with_name("acknowledging_writer.py")


def last_acknowledged(path: Path, life: float, *options: str) -> int:
    """Let the writer work for a while, kill it, and tell what it had acknowledged."""
    with subprocess.Popen([sys.executable, WRITER, path, *options], stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        first = writer.stdout.readline()
        time.sleep(life)
        writer.kill()
        acknowledged = first + writer.stdout.read()
    return int(acknowledged.split()[-1])


def test_everything_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path, run: Any, writer: Any) -> None:
    moments = random.Random(20260101)  # noqa: S311 - the same moments in every run, as far as a machine can
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
            state = writer.change(state, number)
        store = run(open_store(str(path), RESOURCE, counted_values()))
        found, _ = run(writer.read(store))
        run(store.close())
        assert found in (state, writer.change(state, number + 1)), f"round {round_}: not what change {number} leaves"
        state, number = found, max(found.values())
