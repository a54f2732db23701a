"""Where a store is: in memory, in a file, or in a database."""

from collections.abc import Sequence
from pathlib import Path

from ..contract.resource import Resource
from .embedded import EmbeddedStore
from .store import Store, UnreadableStore, Values

MEMORY = ":memory:"


async def open_store(
    location: str, resources: Sequence[Resource], values: Values, *, contract: str = "", fsync: bool = False
) -> Store:
    """The store at `location`: `:memory:`, a `postgresql://` URL, or the path of a file, made if it is not there.

    It is the table of the first resource, and leads to the others. `contract` is the title of the one that declares
    them: what was made for another one is refused. `fsync` is for the file: what is acknowledged then survives a power
    cut, not only the end of the process. Raises UnreadableStore, also when the driver of PostgreSQL is not installed,
    and StoreUnavailable.
    """
    if location == MEMORY:
        return EmbeddedStore.in_memory(resources, values)
    if is_shared(location):
        try:
            from .postgresql import PostgreSQLStore  # not needed, and maybe not installed, for the other places
        except ImportError as error:
            raise UnreadableStore('PostgreSQL needs its driver: pip install "callconfig[postgres]"') from error
        return await PostgreSQLStore.open(location, resources, values, contract=contract)
    return EmbeddedStore.in_file(Path(location), resources, values, contract=contract, fsync=fsync)


def is_shared(location: str) -> bool:
    """Whether more than one process can use the store at `location` at a time."""
    return location.startswith(("postgresql://", "postgres://"))
