"""What a store of configurations is, whichever engine keeps it: one interface and the errors it raises."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

Document = dict[str, Any]
"""A configuration as Python values: the JSON object of the contract, writeOnly members included."""


@dataclass(frozen=True, slots=True)
class ServerValues:
    """Where server-made values come from, handed in so that tests and controls can fix them.

    `now` returns an RFC 3339 time in UTC with microseconds and `Z`: a fixed width, so its order as text is its order
    in time. `new_id` returns an id that was never returned before.
    """

    now: Callable[[], str]
    new_id: Callable[[], str]


class StoreError(Exception):
    """What a store can answer instead of doing what it was asked; nothing was changed."""


class DuplicateScope(StoreError):
    """Another configuration, `identity`, already has this combination of unique members."""

    def __init__(self, scope: dict[str, str], identity: str) -> None:
        super().__init__(f"{identity} already has {scope}")
        self.scope, self.identity = scope, identity


class UnknownConfiguration(StoreError):
    """No configuration has this id."""

    def __init__(self, identity: str) -> None:
        super().__init__(f"no configuration has the id {identity!r}")
        self.identity = identity


class StoreUnavailable(StoreError):
    """The disk or the database does not answer now; asking again later may work."""


class UnreadableStore(StoreError):
    """What is at the store's place cannot be opened as a store; it was left exactly as it was."""


class ConfigurationStore(Protocol):
    """Configurations by id, unique by scope. Nothing that goes in or comes out is shared with the store.

    Every method raises StoreUnavailable when the engine behind it cannot answer.
    """

    async def create(self, values: Document) -> Document:
        """Store `values` under a new id and return them with the server's members: id, created_at, updated_at.

        Raises DuplicateScope.
        """

    async def replace(self, identity: str, values: Document) -> Document:
        """Put `values` in the place of what is stored; id and created_at stay, updated_at is now.

        Raises UnknownConfiguration, DuplicateScope; the first outranks the second.
        """

    async def get(self, identity: str) -> Document:
        """Raises UnknownConfiguration."""

    async def find(self, **equal: str) -> list[bytes]:
        """The configurations whose members equal all of `equal`, each as its JSON text, by created_at, then id."""

    async def load(self, documents: Iterable[Document]) -> None:
        """Replace everything stored by `documents`, or change nothing.

        Server members that a document lacks are made for it. Raises DuplicateScope, also for an id given twice.
        """

    async def close(self) -> None:
        """Release files and connections. Everything acknowledged is kept."""
