"""A store of documents, whichever engine keeps it: its interface, its errors, what every engine does alike."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol, TypeVar

import orjson

from ..contract.aside import aside
from ..contract.resource import TABLE, Resource, text_member
from ..contract.schema import show

T = TypeVar("T")
Document = dict[str, Any]
"""What is stored, as Python values: the JSON object of the contract, writeOnly members included."""


@dataclass(frozen=True, slots=True)
class ServerValues:
    """Where server-made values come from, handed in so that tests and controls can fix them.

    `now` returns an RFC 3339 time in UTC with microseconds and `Z`: a fixed width, so its order as text is its order
    in time. `new_id` returns an id that was never returned before.
    """

    now: Callable[[], str]
    new_id: Callable[[], str]


Values = Callable[[Resource], ServerValues]
"""Where the server-made values of each resource come from."""


def by_table(resources: Sequence[Resource]) -> dict[str, Resource]:
    """What a store keeps, each in a table of its own; it has one at least."""
    return {each.table: each for each in resources or [Resource("id", (), "", "")]}


def expect_contract(made_for: str, contract: str, tables: Sequence[str]) -> None:
    """Raises ValueError where a store was made for another contract.

    One that names none was made for one with the table `configurations` alone; whoever names none may open any.
    """
    if made_for and contract and made_for != contract:
        raise ValueError(f"made for the contract {made_for!r}, not for {contract!r}")
    if not made_for and [*tables] != [TABLE]:
        raise ValueError(f"made for a contract with the table {TABLE}, not for {contract!r}")


class StoreError(Exception):
    """What a store can answer instead of doing what it was asked; nothing was changed."""


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
    """It was deleted, and is remembered."""


class StoreUnavailable(StoreError):
    """The disk or the database does not answer now; asking again later may work."""


class UnreadableStore(StoreError):
    """What is at the store's place cannot be opened as a store; it was left exactly as it was."""


Change = Callable[[Document], Document | None]
"""From what is stored to what is to take its place, None for nothing.

What it raises leaves all as it is. It may be called again.
"""


class Store(Protocol):
    """One table of a store: documents by key, unique by scope. Nothing that goes in or comes out is shared with it.

    A key is the id, or where clients choose ids what `Resource.key` makes of it. Every method raises StoreUnavailable
    when the engine behind it cannot answer.
    """

    def table(self, name: str) -> "Store":
        """Another table of the same store, by the name that its resource has. Raises KeyError."""

    async def create(self, values: Document) -> Document:
        """Store `values` under a new id and return them with the server's members: id, created_at, updated_at.

        What is returned is a new object around the values that were given. Raises DuplicateScope, also for an id that
        a client chose and that is taken.
        """

    async def replace(self, identity: str, values: Document) -> Document:
        """Put `values` in the place of what is stored; id and created_at stay, updated_at is now.

        Returns as `create` does. Raises UnknownDocument, DuplicateScope; the first outranks the second.
        """
        return await self.update(identity, lambda _stored: values)

    async def update(self, identity: str, change: Change) -> Document:
        """As `replace`, by what `change` makes of what is stored, with nobody in between.

        What is deleted is returned as it was; with the time, where that is kept.
        """

    async def delete(self, identity: str) -> Document:
        """As `update` to nothing. Raises UnknownDocument."""
        return await self.update(identity, lambda _stored: None)

    async def get(self, identity: str) -> Document:
        """Raises UnknownDocument, which is DeletedDocument where it is remembered."""

    async def find(self, **equal: Any) -> list[bytes]:
        """The documents whose members equal all of `equal`, each as its JSON text, by created_at, then id."""

    async def load(self, tables: Mapping[str, Iterable[Document]]) -> None:
        """Replace everything in these tables, by name, or change nothing.

        Server members that a document lacks are made for it. Raises DuplicateScope, also for an id given twice.
        """

    async def close(self) -> None:
        """Release files and connections. Everything acknowledged is kept."""


class StoredDocument(NamedTuple):
    """A document as it is kept: its JSON text, and beside it only what finds and orders it.

    A text cannot be changed through a reference somebody holds, and the cyclic garbage collector does not walk it.
    """

    created_at: str
    """At the one width at which the order of texts is the order in time; as it was given, it stands in `text`."""
    identity: str
    scope: tuple[str | None, ...]
    """The texts of the indexed members; None for one that is absent or null."""
    text: bytes
    deleted: bool = False
    """Whether it is kept only to be remembered."""

    @classmethod
    def of(cls, resource: Resource, document: Mapping[str, Any], text: bytes | None = None) -> "StoredDocument":
        """`document`, whose JSON is `text`. Raises ValueError for what is missing, not text, or cannot be kept."""
        if resource.is_plain:  # nearly always, and several times as fast
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

    Raises ValueError for what could not be read back as it is: an integer beyond 64 bits, a lone surrogate, whatever
    JSON does not have. NaN and the infinities become null.
    """
    try:
        # Copied once: the bytes that orjson returns hold on to the larger buffer they were written in.
        return bytes(memoryview(orjson.dumps(document)))
    except TypeError as error:
        raise ValueError(f"cannot be kept as JSON: {error}") from error


def has_members(text: bytes, equal: Mapping[str, Any]) -> bool:
    """Whether the document in `text` has all these members."""
    document = orjson.loads(text)
    return all(document.get(member) == value for member, value in equal.items())


def with_server_members(
    resource: Resource, values: Document, *, identity: Any, created_at: str, updated_at: str, deleted_at: Any = None
) -> Document:
    """`values` between its id and its times; what `values` says about those is passed over."""
    if not resource.made_by_store.isdisjoint(values):
        values = {member: value for member, value in values.items() if member not in resource.made_by_store}
    document = {resource.identity: identity, **values, resource.creation: created_at}
    if resource.updated_at:
        document[resource.updated_at] = updated_at
    if not resource.deleted_at:
        return document
    if deleted_at is not None or resource.shows_that_it_is_not_deleted:
        document[resource.deleted_at] = deleted_at
    return document


def with_change(resource: Resource, stored: Document, change: Change, now: str) -> Document | None:
    """What a change makes of a document, with the server's members; to be deleted is no update.

    None where it is to be deleted, and not to be remembered.
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
"""More documents are made ready aside."""


async def made_ready(make: Callable[[Iterable[Document]], T], documents: Iterable[Document]) -> T:
    """What `make` makes of the documents; aside where they are many, together with an iterator's own work."""
    iterator = iter(documents)
    first = list(islice(iterator, FEW + 1))
    if len(first) <= FEW:
        return make(first)
    # One by one in Python: an iterator of C would let no other thread go on before its end.
    return await aside(make, (document for document in chain(first, iterator)))


def completed(resource: Resource, documents: Iterable[Document], values: ServerValues) -> list[StoredDocument]:
    """`documents` with the server's members, made here where one is missing or null. Raises as StoredDocument.of."""
    documents = list(documents)
    taken = {resource.key(document) for document in documents if document.get(resource.identity) is not None}
    now = values.now()
    result = []
    for number, document in enumerate(documents):
        # Where nobody sees the time, it keeps the order that was given.
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
    """A time so much later, or the last of the calendar."""
    try:
        return moment + by
    except OverflowError:
        return LAST


def unused(resource: Resource, new_id: Callable[[], str], taken: Container[str], inside: Document) -> Any:
    """A new identity that is not taken, beside the parents that are in `inside`.

    Ids may come from a counter that began again when the process did.
    """
    while resource.key_below(inside, identity := resource.typed(new_id())) in taken:
        pass
    return identity


def instant(time: str) -> str:
    """`time` at the one width and in the one zone in which the order of texts is the order in time.

    Times that the server made have it already; those of loaded documents may have any form of RFC 3339. What is no
    time at all stays as it is: judging it is the contract's business.
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
