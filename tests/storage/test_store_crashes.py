"""Kills that are real: a process that writes is killed at any moment, and everything it acknowledged is there.

Run as a program, this file is that process. It changes the store in the file it is given, forever, and prints the
number of each change when that was acknowledged. What a change does follows from its number, so whoever reads the last
number knows what the file must hold.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from callconfig.storage.opening import open_store
from callconfig.storage.store import Document, Store, UnreadableStore
from callconfig.tests.support.stores import RESOURCE, TABLE, configuration, counted_values

ROUNDS = 50
ROUNDS_PER_FILE = 10
LONGEST_LIFE = 0.1
"""Seconds from the first acknowledgement to the kill, at most: long enough for loads and compactions to be hit."""
TEMPLATES = 20
BETWEEN_LOADS = 4_001


def change(state: dict[str, int], number: int) -> dict[str, int]:
    """The state after change `number`: now and then everything is loaded anew, else one configuration is replaced."""
    if number % BETWEEN_LOADS == 0:
        return {str(template): number for template in range(TEMPLATES)}
    return {**state, str(number % TEMPLATES): number}


async def read(store: Store) -> tuple[dict[str, int], dict[str, str]]:
    """The state of the store, and the id of each template."""
    documents = [json.loads(text) for text in await store.find()]
    return {d["template"]: d["number"] for d in documents}, {d["template"]: d["id"] for d in documents}


def document(template: str, number: int) -> Document:
    return configuration(template=template, number=number, padding="x" * (number % 500))


async def write(path: str, fsync: bool) -> None:
    store = await open_store(path, [RESOURCE], counted_values(), fsync=fsync)
    state, identities = await read(store)
    number = max(state.values(), default=-1)
    while True:
        number += 1
        state = change(state, number)
        if number % BETWEEN_LOADS == 0:
            await store.load({TABLE: (document(template, number) for template in state)})
            _, identities = await read(store)
        else:
            template = str(number % TEMPLATES)
            await store.replace(identities[template], document(template, number))
        os.write(sys.stdout.fileno(), f"{number}\n".encode())


def last_acknowledged(path: Path, life: float, *options: str) -> int:
    """Let the writer work for a while, kill it, and tell what it had acknowledged."""
    with subprocess.Popen([sys.executable, __file__, path, *options], stdout=subprocess.PIPE) as writer:
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
    with subprocess.Popen([sys.executable, __file__, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        writer.stdout.readline()
        with pytest.raises(UnreadableStore, match="in use by another process"):
            run(open_store(str(path), [RESOURCE], counted_values()))
        writer.kill()
        writer.stdout.read()
    run(run(open_store(str(path), [RESOURCE], counted_values())).close())


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], fsync="fsync" in sys.argv))
