"""Real kills: a writing process is killed at any moment, and every acknowledged write is there."""

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from callconfig.storage.opening import open_store
from callconfig.storage.store import UnreadableStore
from callconfig.tests.support.running import PATIENCE
from callconfig.tests.support.stores import RESOURCE, counted_values
from callconfig.tests.support.writer import change, read

ROUNDS = 50
ROUNDS_PER_FILE = 10
LONGEST_LIFE = 0.1
"""The longest time from the first acknowledgement to the kill, in seconds, enough to hit loads and compactions."""


class Writer:
    """A writing process; `acknowledged` has the numbers of its changes, a line each."""

    def __init__(self, acknowledged: BinaryIO) -> None:
        self.acknowledged = acknowledged
        self._process = os.pidfd_open(int(acknowledged.readline()))

    def kill(self) -> None:
        """Return when the process is gone."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        assert select.select([self._process], [], [], PATIENCE)[0]

    def close(self) -> None:
        self.kill()
        os.close(self._process)


Start = Callable[..., contextlib.AbstractContextManager[Writer]]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """A context manager of a process that writes to a file."""
    command = (sys.executable, "-m", "callconfig.tests.support.writer")
    with subprocess.Popen(command, stdin=subprocess.PIPE) as origin:

        @contextlib.contextmanager
        def starting(path: Path, *, fsync: bool = False) -> Iterator[Writer]:
            channel = path.with_suffix(".channel")
            channel.unlink(missing_ok=True)
            os.mkfifo(channel)
            assert origin.stdin
            origin.stdin.write(
                json.dumps({"path": str(path), "channel": str(channel), "fsync": fsync}).encode() + b"\n"
            )
            origin.stdin.flush()
            with channel.open("rb") as acknowledged, contextlib.closing(Writer(acknowledged)) as writer:
                yield writer

        yield starting


def last_acknowledged(start: Start, path: Path, life: float, *, fsync: bool) -> int:
    """Run the writer for a while, kill it, and return the number of its last acknowledged change."""
    with start(path, fsync=fsync) as writer:
        first = writer.acknowledged.readline()
        time.sleep(life)
        writer.kill()
        acknowledged = first + writer.acknowledged.read()
    return int(acknowledged.split()[-1])


@pytest.mark.slow
def test_everything_acknowledged_survives_a_kill_at_any_moment(start: Start, tmp_path: Path, run: Any) -> None:
    moments = random.Random(20260101)  # noqa: S311 - the same moments in every run, as far as a machine allows
    state: dict[str, int] = {}
    number = -1
    for round_ in range(ROUNDS):
        path = tmp_path / f"{round_ // ROUNDS_PER_FILE}.jsonl"
        if not path.exists():
            state, number = {}, -1
        acknowledged = last_acknowledged(start, path, moments.uniform(0, LONGEST_LIFE), fsync=round_ % 2 == 1)
        while number < acknowledged:
            number += 1
            state = change(state, number)
        store = run(open_store(str(path), [RESOURCE], counted_values()))
        found, _ = run(read(store))
        run(store.close())
        assert found in (state, change(state, number + 1)), f"round {round_}, change {number}"
        state, number = found, max(found.values())


def test_while_a_process_writes_no_other_can_open_its_file(start: Start, tmp_path: Path, run: Any) -> None:
    path = tmp_path / "store.jsonl"
    with start(path) as writer:
        writer.acknowledged.readline()
        with pytest.raises(UnreadableStore, match="in use by another process"):
            run(open_store(str(path), [RESOURCE], counted_values()))
    run(run(open_store(str(path), [RESOURCE], counted_values())).close())
