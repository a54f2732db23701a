"""The memory of a store. Run as a program, this file is the measured process, and prints bytes."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from callconfig.storage.opening import open_store
from callconfig.tests.support.stores import RESOURCE, configuration, counted_values

NUMBER = 20_000
PER_CONFIGURATION = 2_048
PADDING = "x" * 600


def resident() -> int:
    """The resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


async def measure(location: str) -> None:
    """Print the bytes for creating NUMBER configurations, for a list of all of them, and the size of the list."""
    store = await open_store(location, [RESOURCE], counted_values())
    before = resident()
    for number in range(NUMBER):
        await store.create(configuration(f"reseller-{number // 10}", f"template-{number}", note=PADDING, limits=[1, 2]))
    created = resident()
    texts = await store.find()
    print(created - before, resident() - created, sum(map(len, texts)))
    await store.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell")
@pytest.mark.parametrize("place", ["memory", "file"])
def test_a_stored_configuration_takes_at_most_2_kb_and_a_list_refers_to_what_is_stored(
    place: str, tmp_path: Path
) -> None:
    location = ":memory:" if place == "memory" else str(tmp_path / "store.jsonl")
    output = subprocess.check_output([sys.executable, __file__, location], text=True)
    created, listed, size = map(int, output.split())
    assert size > 700 * NUMBER
    assert created < PER_CONFIGURATION * NUMBER
    assert listed < size / 10


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1]))
