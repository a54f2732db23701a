"""The cost of many documents for each store, without HTTP."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count, cycle, islice
from statistics import median

from callconfig.app import sources
from callconfig.contract.document import Contract
from callconfig.storage.opening import MEMORY, open_store
from callconfig.storage.store import Store
from callconfig.tests.support.postgresql import postgresql_server

from .measurements import Plan
from .servers import SAMPLE
from .table import Row, beside

FEW, BATCH, CLIENTS = 100, 200, 16
_contract = Contract.load(validate=False)
_new = count(10_000_000)


def _scope(number: int) -> dict[str, str]:
    return {"reseller_id": f"reseller-{number // 10}", "template": f"template-{number % 10}"}


async def _filled(place: str, size: int, *, fsync: bool = False) -> Store:
    store = await open_store(place, _contract.resources, sources().values, fsync=fsync)
    await store.load({"configurations": (SAMPLE | _scope(number) for number in range(size))})
    return store


async def _rate(store: Store, operation: str, numbers: Iterator[int]) -> float:
    """Operations per second."""

    async def client() -> None:
        for number in numbers:
            await (store.find(**_scope(number)) if operation == "find" else store.create(SAMPLE | _scope(number)))

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return BATCH / (time.perf_counter() - start)


async def _compared(plan: Plan, kind: str, place: Callable[[], str]) -> list[Row]:
    filled = {size: await _filled(place(), size, fsync=kind.endswith("fsync")) for size in (plan.many, FEW)}
    rates: dict[str, dict[int, list[float]]] = {name: {size: [] for size in filled} for name in ("create", "find")}
    for _ in range(8 * plan.rounds):
        for size, store in filled.items():
            for operation, measured in rates.items():
                numbers = _new if operation == "create" else cycle(range(0, size, size // FEW))
                measured[size].append(await _rate(store, operation, islice(numbers, BATCH)))
    for store in filled.values():
        await store.close()
    what = f"in {kind}, {plan.many:,} stored, of {FEW}"
    return [beside(f"{name} {what}", each[plan.many], each[FEW], "{:,.0f}/s") for name, each in rates.items()]


async def _opening(place: str, size: int) -> float:
    """Seconds to open a store file of `size` documents."""
    await (await _filled(place, size)).close()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        store = await open_store(place, _contract.resources, sources().values)
        times.append(time.perf_counter() - start)
        await store.close()
    return median(times)


def opening(plan: Plan) -> Iterator[Row]:
    """The time to open a full file."""
    seconds = asyncio.run(_opening(plan.store(), plan.many))
    yield Row(f"opening a file of {plan.many:,}", "", "", seconds, " s", below=1.5)


def stores(plan: Plan) -> Iterator[Row]:
    """The rates of every kind of store; PostgreSQL where its server is installed, and without its fsync."""
    with ExitStack() as stack:
        places = {"file": plan.store, "file with fsync": plan.store, "memory": lambda: MEMORY}
        try:
            places["PostgreSQL"] = stack.enter_context(postgresql_server()).fresh_url
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
        for kind, place in places.items():
            yield from asyncio.run(_compared(plan, kind, place))
