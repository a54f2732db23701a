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
from operator import truediv
from pathlib import Path

from callconfig.storage import MEMORY, ConfigurationStore, Document, open_store
from callconfig.tests.support.postgresql import postgresql_server
from callconfig.tests.support.stores import RESOURCE, configuration, counted_values

SIZES = (100, 10_000, 100_000)
ROUNDS = 40
BATCH = 200
"""Operations in one measurement: few, because creating them changes the size that is measured."""
CLIENTS = 16
"""How many wait for an answer at the same time."""
PER_KEY = 10
"""Configurations of each reseller and of each template, at every size: so every list has this many."""

ASKED_FOR = {size: random.sample(range(size), SIZES[0]) for size in SIZES}
"""What is looked up: as many at every size, from anywhere in the store. What the ratios in memory still show is mostly
the processor's cache: neighbours among few documents are in it, scattered ones among many are not."""

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
        telephony_config={"account_sid": "AC" + "0f" * 16, "from_number": "+15557654321"},
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


async def rate(store: ConfigurationStore, operation: Operation, size: int) -> float:
    """Operations per second."""
    numbers = iter(random.choices(ASKED_FOR[size], k=BATCH))  # noqa: S311 - no secret

    async def client() -> None:
        for number in numbers:
            await operation(store, number)

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return BATCH / (time.perf_counter() - start)


async def measure(new_location: Callable[[], str], *, fsync: bool) -> dict[str, dict[int, list[float]]]:
    """For each operation and each of SIZES its rate in each round."""

    async def filled(size: int) -> ConfigurationStore:
        store = await open_store(new_location(), RESOURCE, counted_values(), fsync=fsync)
        await store.load({**sample(number), "id": identity(number)} for number in range(size))
        await rate(store, OPERATIONS["get"], size)  # connections are made when they are needed
        return store

    smallest, *larger = SIZES
    lasting = {size: await filled(size) for size in larger}
    spent = []
    rates: dict[str, dict[int, list[float]]] = {name: {size: [] for size in SIZES} for name in OPERATIONS}
    for _ in range(ROUNDS):
        # The larger ones hardly grow by what is created, the smallest one does: each round has a new one. It is kept,
        # since in the memory of those before, still in the processor's cache, the next one would be faster than any.
        store = await filled(smallest)
        for name, operation in OPERATIONS.items():
            for size in random.sample(SIZES, len(SIZES)):
                rates[name][size].append(await rate(lasting.get(size, store), operation, size))
        await store.close()
        spent.append(store)
    for store in lasting.values():
        await store.close()
    return rates


async def opening_time(location: str, size: int) -> float:
    """Seconds to open a file that holds so many."""
    store = await open_store(location, RESOURCE, counted_values())
    await store.load(sample(number) for number in range(size))
    await store.close()
    start = time.perf_counter()
    store = await open_store(location, RESOURCE, counted_values())
    duration = time.perf_counter() - start
    await store.close()
    return duration


def cells(rates: dict[int, list[float]]) -> str:
    """The median rate at each size, and the median of its ratios to the smallest size in the same round."""
    smallest = rates[SIZES[0]]
    ratios = {size: statistics.median(map(truediv, rates[size], smallest)) for size in SIZES}
    return "".join(f" {statistics.median(rates[size]):,.0f} ({ratios[size]:.2f}) |" for size in SIZES)


def main(names: list[str]) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callconfig-")))
        files = (str(folder / f"{number}.jsonl") for number in itertools.count())
        places: dict[str, Callable[[], str]] = {
            "memory": lambda: MEMORY,
            "file": lambda: next(files),
            "file with fsync": lambda: next(files),
        }
        try:
            server = stack.enter_context(postgresql_server())
            places["PostgreSQL"] = server.fresh_url
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
        print(f"operations per second, {CLIENTS} clients, median of {ROUNDS} rounds (ratio to {SIZES[0]} stored)\n")
        print(f"| store | operation |{''.join(f' {size:,} stored |' for size in SIZES)}")
        print(f"|---|---|{'---|' * len(SIZES)}")
        for store in names or places:
            for operation, rates in asyncio.run(measure(places[store], fsync=store.endswith("fsync"))).items():
                print(f"| {store} | {operation} |{cells(rates)}", flush=True)
        seconds = statistics.median(asyncio.run(opening_time(next(files), SIZES[-1])) for _ in range(3))
        print(f"\nopening a file of {SIZES[-1]:,}: {seconds:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
