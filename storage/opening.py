"""Opening a store by its location: in memory, in a file, or in a database."""

from collections.abc import Sequence
from pathlib import Path

from ..contract.resource import Resource
from .embedded import EmbeddedStore
from .store import Store, UnreadableStore, Values

MEMORY = ":memory:"


async def open_store(
    location: str, resources: Sequence[Resource], values: Values, *, contract: str = "", fsync: bool = False
) -> Store:
    """The store at `location`: `:memory:`, a `postgresql://` URL, or the path of a file, created if missing.

    It is the table of the first resource, and leads to the others. `contract` is the title of their contract; a store
    of another one is refused. With `fsync`, acknowledged writes to a file survive a power cut, not only the end of the
    process. Raises UnreadableStore, also when the driver of PostgreSQL is not installed, and StoreUnavailable.
    """
    if location == MEMORY:
        return EmbeddedStore.in_memory(resources, values)
    if is_shared(location):
        try:
            from .postgresql import PostgreSQLStore  # optional, and not needed for the other locations
        except ImportError as error:
            raise UnreadableStore('PostgreSQL needs its driver: pip install "callconfig[postgres]"') from error
        return await PostgreSQLStore.open(location, resources, values, contract=contract)
    return EmbeddedStore.in_file(Path(location), resources, values, contract=contract, fsync=fsync)


def is_shared(location: str) -> bool:
    """Whether several processes can share the store at `location`."""
    return location.startswith(("postgresql://", "postgres://"))
