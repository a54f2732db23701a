"""How fast each store creates and finds configurations when it holds 100, 10,000 and 100,000 of them.

Run by hand: `uv run python benchmarks/store.py`, with names of stores to measure only those. PostgreSQL is measured
when its server is installed, and runs without fsync. Rounds are interleaved, so that a noisy machine is unfair to all
sizes alike.
"""

import asyncio
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

from callconfig.storage import MEMORY, ConfigurationStore, Document, open_store
from callconfig.storage.testing import RESOURCE, configuration, counted_values, postgresql_server

SIZES = (100, 10_000, 100_000)
ROUNDS = 25
BATCH = 200
"""Operations in one measurement: few, because creating them changes the size that is measured."""
CLIENTS = 16
"""How many wait for an answer at the same time."""
PER_KEY = 10
"""Configurations of each reseller and of each template, at every size: so every list has this many."""

Operation = Callable[[ConfigurationStore, int], Awaitable[object]]
new_numbers = itertools.count(10_000_000)


def sample(number: int) -> Document:
    """Some 800 bytes of JSON."""
    block, place = divmod(number, PER_KEY * PER_KEY)
    return configuration(
        f"reseller-{block}-{place // PER_KEY}",
        f"template-{block}-{place % PER_KEY}",
        merchant_id=None,
        max_retry=3,
        call_start_time="09:00",
        call_end_time="21:00",
        enable_calling=True,
        rate_limit_whitelist=["+919876543210", "+15551234567"],
        pre_checks=[{"name": f"check-{check}", "type": "external_api", "enabled": True} for check in range(6)],
        telephony_config={"account_sid": "AC" + "0" * 32, "from_number": "+15557654321"},
    )


def identity(number: int) -> str:
    return f"cfg_stored_{number:07}"


def scope(number: int, *members: str) -> dict[str, str]:
    document = sample(number)
    return {member: document[member] for member in members}


OPERATIONS: dict[str, Operation] = {
    "create": lambda store, _: store.create(sample(next(new_numbers))),
    "get": lambda store, number: store.get(identity(number)),
    "find by reseller": lambda store, number: store.find(**scope(number, "reseller_id")),
    "find by template": lambda store, number: store.find(**scope(number, "template")),
    "find by both": lambda store, number: store.find(**scope(number, "reseller_id", "template")),
}


async def fill(store: ConfigurationStore, size: int) -> None:
    await store.load({**sample(number), "id": identity(number)} for number in range(size))


async def rate(store: ConfigurationStore, operation: Operation, size: int) -> float:
    """Operations per second."""
    numbers = iter([random.randrange(size) for _ in range(BATCH)])  # noqa: S311 - no secret

    async def client() -> None:
        for number in numbers:
            await operation(store, number)

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return BATCH / (time.perf_counter() - start)


async def measure(locations: list[str], *, fsync: bool) -> dict[str, list[float]]:
    """For each operation its median rate at each of SIZES, in stores at these locations."""
    stores = [await open_store(location, RESOURCE, counted_values(), fsync=fsync) for location in locations]
    rates: dict[str, list[list[float]]] = {name: [[] for _ in SIZES] for name in OPERATIONS}
    for store, size in zip(stores, SIZES, strict=True):
        await fill(store, size)
    for _ in range(ROUNDS):
        for name, operation in OPERATIONS.items():
            for place, (store, size) in enumerate(zip(stores, SIZES, strict=True)):
                rates[name][place].append(await rate(store, operation, size))
        await fill(stores[0], SIZES[0])  # the others hardly grow by what was created
    for store in stores:
        await store.close()
    return {name: [statistics.median(rounds) for rounds in sizes] for name, sizes in rates.items()}


def main(names: list[str]) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callconfig-")))
        places = {
            "memory": [MEMORY for _ in SIZES],
            "file": [str(folder / f"{size}.jsonl") for size in SIZES],
            "file with fsync": [str(folder / f"{size}-fsync.jsonl") for size in SIZES],
        }
        try:
            server = stack.enter_context(postgresql_server())
            places["PostgreSQL"] = [server.fresh_url() for _ in SIZES]
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
        print(f"operations per second, {CLIENTS} clients, median of {ROUNDS} rounds (ratio to {SIZES[0]} stored)\n")
        print(f"| store | operation |{''.join(f' {size:,} stored |' for size in SIZES)}")
        print(f"|---|---|{'---|' * len(SIZES)}")
        for store in names or places:
            for operation, rates in asyncio.run(measure(places[store], fsync=store.endswith("fsync"))).items():
                cells = "".join(f" {rate:,.0f} ({rate / rates[0]:.2f}) |" for rate in rates)
                print(f"| {store} | {operation} |{cells}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
