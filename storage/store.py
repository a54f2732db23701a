"""A store of documents: the interface, the errors, and the functions that all engines share."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol, TypeVar

import orjson

from ..contract.resource import TABLE, Resource, text_member
from ..contract.schema import show
from ..contract.threads import in_thread

T = TypeVar("T")
Document = dict[str, Any]
"""A stored JSON object as Python values, with writeOnly and hidden members."""


@dataclass(frozen=True, slots=True)
class ServerValues:
    """The source of values that the server sets, injected so that tests and controls can fix them.

    `now` returns an RFC 3339 time in UTC with microseconds and `Z`: a fixed width, so its order as text is its order
    in time. `new_id` returns an id that was never returned before.
    """

    now: Callable[[], str]
    new_id: Callable[[], str]


Values = Callable[[Resource], ServerValues]
"""Returns the source of values that the server sets, by resource."""


def by_table(resources: Sequence[Resource]) -> dict[str, Resource]:
    """The resources of a store by table, at least one."""
    return {each.table: each for each in resources or [Resource("id", (), "", "")]}


def expect_contract(made_for: str, contract: str, tables: Sequence[str]) -> None:
    """Raises ValueError where a store was made for another contract.

    A store without a contract's name must have the table `configurations` alone; an empty `contract` may open any
    store.
    """
    if made_for and contract and made_for != contract:
        raise ValueError(f"made for the contract {made_for!r}, not for {contract!r}")
    if not made_for and [*tables] != [TABLE]:
        raise ValueError(f"made for a contract with the table {TABLE}, not for {contract!r}")


class StoreError(Exception):
    """The base of a store's errors, none of which leaves a change."""


class DuplicateScope(StoreError):
    """Another document, `identity`, already has this combination of unique members."""

    def __init__(self, scope: dict[str, Any], identity: Any) -> None:
        super().__init__(f"{identity} already has {scope}")
        self.scope, self.identity = scope, identity

    @property
    def claim(self) -> str:
        """The combination in words."""
        return " and ".join(f"{name} {show(value)}" for name, value in self.scope.items())


class UnknownDocument(StoreError):
    """No document has this id."""

    def __init__(self, identity: Any) -> None:
        super().__init__(f"no document has the id {identity!r}")
        self.identity = identity


class DeletedDocument(UnknownDocument):
    """The document is deleted, and kept."""


class StoreUnavailable(StoreError):
    """The disk or the database is unavailable; a later attempt may succeed."""


class UnreadableStore(StoreError):
    """The file or database at the store's location cannot be opened as a store; it is unchanged."""


Change = Callable[[Document], Document | None]
"""Returns the replacement of a stored document, None to delete it.

An exception leaves the document unchanged. It may be called more than once.
"""


class Store(Protocol):
    """One table of a store: documents by key, unique by scope. Documents are copied in and out.

    A key is the id, or `Resource.key` where clients choose ids. Every method raises StoreUnavailable when the engine is
    unavailable.
    """

    def table(self, name: str) -> "Store":
        """Another table of the same store, by its name. Raises KeyError."""

    async def create(self, values: Document) -> Document:
        """Store `values` under a new id and return them with the server-set members: id, created_at, updated_at.

        The returned object is new, its values are those given. Raises DuplicateScope, also for an id that a client
        chose and that is taken.
        """

    async def replace(self, identity: str, values: Document) -> Document:
        """Replace a document by `values`; id and created_at stay, updated_at is now.

        Returns as `create` does. Raises UnknownDocument, or else DuplicateScope.
        """
        return await self.update(identity, lambda _stored: values)

    async def update(self, identity: str, change: Change) -> Document:
        """As `replace`, by the result of `change` on the stored document, atomically.

        A deleted document is returned unchanged, but for the time of deletion, where it is kept.
        """

    async def delete(self, identity: str) -> Document:
        """Delete a document, as `update` to None does. Raises UnknownDocument."""
        return await self.update(identity, lambda _stored: None)

    async def get(self, identity: str) -> Document:
        """The document. Raises UnknownDocument, or its subclass DeletedDocument."""

    async def find(self, **equal: Any) -> list[bytes]:
        """The documents whose members equal all of `equal`, each as its JSON text, by created_at, then id."""

    async def load(self, tables: Mapping[str, Iterable[Document]]) -> None:
        """Replace all documents in these tables, by name, or none.

        Missing members that the server sets are added. Raises DuplicateScope, also for a duplicate id.
        """

    async def close(self) -> None:
        """Release files and connections. Every acknowledged write is kept."""


class StoredDocument(NamedTuple):
    """A stored document: its JSON text, and the values that identify and order it.

    A text is immutable, and the cyclic garbage collector does not traverse it.
    """

    created_at: str
    """The time as `instant` normalizes it, so that its order as text is the order in time; `text` has the original."""
    identity: str
    scope: tuple[str | None, ...]
    """The texts of the indexed members; None for one that is absent or null."""
    text: bytes
    deleted: bool = False
    """Whether the document is deleted, and kept."""

    @classmethod
    def of(cls, resource: Resource, document: Mapping[str, Any], text: bytes | None = None) -> "StoredDocument":
        """`document`, whose JSON is `text`. Raises ValueError for a missing or mistyped member, and as `to_json`."""
        if resource.is_plain:  # the usual case, several times as fast
            return cls(
                instant(text_member(document, resource.creation)),
                text_member(document, resource.identity),
                tuple([text_member(document, member) for member in resource.indexed]),
                to_json(document) if text is None else text,
            )
        return cls(
            instant(text_member(document, resource.creation)),
            resource.key(document),
            tuple([resource.indexed_text(document, member) for member in resource.indexed]),
            to_json(document) if text is None else text,
            bool(resource.deleted_at) and document.get(resource.deleted_at) is not None,
        )


def to_json(document: Mapping[str, Any]) -> bytes:
    """`document` as compact JSON in UTF-8, without a raw newline; its members keep their order.

    Raises ValueError for a value that would not survive: an integer beyond 64 bits, a lone surrogate, a type that JSON
    does not have. NaN and the infinities become null.
    """
    try:
        # A copy, because orjson's bytes keep their larger buffer.
        return bytes(memoryview(orjson.dumps(document)))
    except TypeError as error:
        raise ValueError(f"cannot be stored as JSON: {error}") from error


def has_members(text: bytes, equal: Mapping[str, Any]) -> bool:
    """Whether the document in `text` has these members."""
    document = orjson.loads(text)
    return all(document.get(member) == value for member, value in equal.items())


def with_server_members(
    resource: Resource, values: Document, *, identity: Any, created_at: str, updated_at: str, deleted_at: Any = None
) -> Document:
    """`values` with the members that the server sets, which replace those in `values`."""
    if not values.keys().isdisjoint(resource.store_members):
        values = {member: value for member, value in values.items() if member not in resource.store_members}
    document = {resource.identity: identity, **values, resource.creation: created_at}
    if resource.updated_at:
        document[resource.updated_at] = updated_at
    if not resource.deleted_at:
        return document
    if deleted_at is not None or resource.is_deleted_at_nullable:
        document[resource.deleted_at] = deleted_at
    return document


def with_change(resource: Resource, stored: Document, change: Change, now: str) -> Document | None:
    """The changed document with the members that the server sets; a deletion does not change `updated_at`.

    None where the document is deleted, and not kept.
    """
    made = change(dict(stored))
    deletes = made is None
    if deletes and not resource.deleted_at:
        return None
    return with_server_members(
        resource,
        stored if made is None else made,
        identity=stored[resource.identity],
        created_at=stored[resource.creation],
        updated_at=stored[resource.updated_at] if deletes and resource.updated_at else now,
        deleted_at=now if deletes else None,
    )


LAST = datetime.max.replace(tzinfo=UTC)
FEW = 20
"""The number of documents that are prepared in the event loop; more of them in a thread."""


async def made_ready(make: Callable[[Iterable[Document]], T], documents: Iterable[Document]) -> T:
    """The result of `make` on the documents; computed in a thread, with the iteration, where they are many."""
    iterator = iter(documents)
    first = list(islice(iterator, FEW + 1))
    if len(first) <= FEW:
        return make(first)
    # A Python loop, because an iterator in C would block other threads until its end.
    return await in_thread(make, (document for document in chain(first, iterator)))


def completed(resource: Resource, documents: Iterable[Document], values: ServerValues) -> list[StoredDocument]:
    """`documents` with the members that the server sets where they are missing or null. Raises as StoredDocument.of."""
    documents = list(documents)
    taken = {resource.key(document) for document in documents if document.get(resource.identity) is not None}
    now = values.now()
    result = []
    for number, document in enumerate(documents):
        # A hidden time of creation keeps the given order.
        order = timedelta(microseconds=0 if resource.created_at else number)
        made_at = timestamp(later(datetime.fromisoformat(now), order)) if order else now
        created_at = document.get(resource.creation) or made_at
        identity = document.get(resource.identity)
        complete = with_server_members(
            resource,
            document,
            identity=unused(resource, values.new_id, taken, document) if identity in (None, "") else identity,
            created_at=created_at,
            updated_at=document.get(resource.updated_at) or created_at,
            deleted_at=document.get(resource.deleted_at) if resource.deleted_at else None,
        )
        result.append(StoredDocument.of(resource, complete))
    return result


def later(moment: datetime, by: timedelta) -> datetime:
    """A later time, or the last one of the calendar."""
    try:
        return moment + by
    except OverflowError:
        return LAST


def unused(resource: Resource, new_id: Callable[[], str], taken: Container[str], inside: Document) -> Any:
    """A new identity that is not taken, below the parents in `inside`.

    Ids may come from a counter that restarts with the process.
    """
    while resource.key_below(inside, identity := resource.typed(new_id())) in taken:
        pass
    return identity


def instant(time: str) -> str:
    """`time` in UTC at a fixed width, so that the order of texts is the order in time.

    Times of the server have this form already; those of loaded documents may have any form of RFC 3339. An invalid time
    stays unchanged, for the contract to judge.
    """
    if len(time) == len("2026-01-31T00:00:00.000000Z") and time.endswith("Z"):
        return time
    try:
        return timestamp(datetime.fromisoformat(time.upper()).astimezone(UTC))
    except (ValueError, OverflowError, OSError):  # the latter two for the ends of the calendar
        return time


def timestamp(moment: datetime) -> str:
    """A time in UTC as `ServerValues.now` returns it."""
    return f"{moment.isoformat(timespec='microseconds')[: -len('+00:00')]}Z"
