"""Keeping configurations. Knows nothing of HTTP, and of the API only what the contract declares as `x-resource`."""

from pathlib import Path

from ..contract.resource import Resource
from .embedded import EmbeddedStore
from .store import (
    ConfigurationStore,
    Document,
    DuplicateScope,
    ServerValues,
    StoreError,
    StoreUnavailable,
    UnknownConfiguration,
    UnreadableStore,
)

__all__ = [
    "MEMORY",
    "ConfigurationStore",
    "Document",
    "DuplicateScope",
    "EmbeddedStore",
    "ServerValues",
    "StoreError",
    "StoreUnavailable",
    "UnknownConfiguration",
    "UnreadableStore",
    "is_shared",
    "open_store",
]

MEMORY = ":memory:"


async def open_store(
    location: str, resource: Resource, values: ServerValues, *, fsync: bool = False
) -> ConfigurationStore:
    """The store at `location`: `:memory:`, a `postgresql://` URL, or the path of a file, made if it is not there.

    `fsync` is for the file: what is acknowledged then survives a power cut, not only the end of the process.
    Raises UnreadableStore, also when the driver of PostgreSQL is not installed, and StoreUnavailable.
    """
    if location == MEMORY:
        return EmbeddedStore.in_memory(resource, values)
    if is_shared(location):
        try:
            from .postgresql import PostgreSQLStore  # not needed, and maybe not installed, for the other places
        except ImportError as error:
            raise UnreadableStore('PostgreSQL needs its driver: pip install "callconfig[postgres]"') from error
        return await PostgreSQLStore.open(location, resource, values)
    return EmbeddedStore.in_file(Path(location), resource, values, fsync=fsync)


def is_shared(location: str) -> bool:
    """Whether more than one process can use the store at `location` at a time."""
    return location.startswith(("postgresql://", "postgres://"))
