"""Processes that each change the store in a file until they are killed.

Each writes the number of each acknowledged change to its channel. The effect of a change follows from its number, so
the last number determines the content of the file. The processes are forks of one, which loads the modules once.
"""

import asyncio
import json
import os
import signal
import sys

from callconfig.storage.opening import open_store
from callconfig.storage.store import Document, Store
from callconfig.tests.support.stores import RESOURCE, TABLE, configuration, counted_values

TEMPLATES = 20
BETWEEN_LOADS = 4_001


def change(state: dict[str, int], number: int) -> dict[str, int]:
    """The state after change `number`: some changes load all documents, the others replace one configuration."""
    if number % BETWEEN_LOADS == 0:
        return {str(template): number for template in range(TEMPLATES)}
    return {**state, str(number % TEMPLATES): number}


async def read(store: Store) -> tuple[dict[str, int], dict[str, str]]:
    """The state of the store, and the id of each template."""
    documents = [json.loads(text) for text in await store.find()]
    return {d["template"]: d["number"] for d in documents}, {d["template"]: d["id"] for d in documents}


def document(template: str, number: int) -> Document:
    return configuration(template=template, number=number, padding="x" * (number % 500))


async def write(path: str, acknowledgements: int, *, fsync: bool) -> None:
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
        os.write(acknowledgements, f"{number}\n".encode())


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in sys.stdin:
        given = json.loads(line)
        if os.fork() == 0:
            channel = os.open(given["channel"], os.O_WRONLY)
            os.write(channel, f"{os.getpid()}\n".encode())
            asyncio.run(write(given["path"], channel, fsync=given["fsync"]))
