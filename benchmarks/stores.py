"""What having many costs each store, without HTTP."""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from statistics import median

from callconfig.app import sources
from callconfig.contract.document import Contract
from callconfig.storage import MEMORY, ConfigurationStore, open_store
from callconfig.storage.testing import postgresql_server

from .measurements import Plan
from .servers import SAMPLE
from .table import Row, beside

FEW, BATCH, CLIENTS = 100, 200, 16
_contract = Contract.load(validate=False)
_new = itertools.count(10_000_000)


def _scope(number: int) -> dict[str, str]:
    return {"reseller_id": f"reseller-{number // 10}", "template": f"template-{number % 10}"}


@asynccontextmanager
async def _opened(place: str, size: int = 0, *, fsync: bool = False) -> AsyncIterator[ConfigurationStore]:
    store = await open_store(place, _contract.stored, sources(_contract).values, fsync=fsync)
    try:
        if size:
            await store.load(SAMPLE | _scope(number) for number in range(size))
        yield store
    finally:
        await store.close()


async def _rate(operation: str, store: ConfigurationStore, numbers: Iterator[int]) -> float:
    """Operations per second."""

    async def client() -> None:
        for number in numbers:
            await (store.find(**_scope(number)) if operation == "find" else store.create(SAMPLE | _scope(number)))

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return BATCH / (time.perf_counter() - start)


async def _compared(plan: Plan, kind: str, place: Callable[[], str]) -> list[Row]:
    fsync = kind == "file with fsync"
    rates: dict[tuple[str, int], list[float]] = {}
    async with _opened(place(), FEW, fsync=fsync) as few, _opened(place(), plan.many, fsync=fsync) as many:
        for _, (size, store) in itertools.product(range(8 * plan.rounds), ((FEW, few), (plan.many, many))):
            asked = itertools.cycle(range(0, size, size // FEW))
            for operation, numbers in (("find", asked), ("create", _new)):
                rate = await _rate(operation, store, itertools.islice(numbers, BATCH))
                rates.setdefault((operation, size), []).append(rate)
    return [
        beside(f"{operation} in {kind}, {plan.many:,} stored, of {FEW}", many_, few_, "{:,.0f}/s")
        for operation in ("create", "find")
        for many_, few_ in [(rates[operation, plan.many], rates[operation, FEW])]
    ]


async def _opening(plan: Plan, place: str) -> Iterator[float]:
    times = []
    async with _opened(place, plan.many):
        pass
    for _ in range(3):
        start = time.perf_counter()
        async with _opened(place):
            times.append(time.perf_counter() - start)
    return iter(times)


def opening(plan: Plan) -> Iterator[Row]:
    """How long a full file takes until it can be used."""
    seconds = median(asyncio.run(_opening(plan, plan.store())))
    yield Row(f"opening a file of {plan.many:,}", "", "", seconds, " s", below=1.5)


def stores(plan: Plan) -> Iterator[Row]:
    """Every kind of store; PostgreSQL where its server is installed, and without its fsync."""
    with ExitStack() as stack:
        places = {"file": plan.store, "file with fsync": plan.store, "memory": lambda: MEMORY}
        try:
            places["PostgreSQL"] = stack.enter_context(postgresql_server()).fresh_url
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
        for kind, place in places.items():
            yield from asyncio.run(_compared(plan, kind, place))
