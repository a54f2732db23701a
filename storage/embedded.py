"""The embedded store, on TinyDB, in memory or in one file.

Requests use the operations of TinyDB's table. The table gives TinyDB the current documents instead of a copy of the
whole database, and stores only the documents that an operation changed: each costs one line of the file.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import orjson
from tinydb import Storage, TinyDB
from tinydb.queries import QueryLike
from tinydb.table import Table

from ..contract.resource import Resource
from .files import to_disk
from .format import FileFormat, line_of
from .index import Index
from .log import Log
from .store import (
    Change,
    DeletedDocument,
    Document,
    DuplicateScope,
    Store,
    StoredDocument,
    StoreUnavailable,
    UnknownDocument,
    Values,
    by_table,
    completed,
    made_ready,
    unused,
    with_change,
    with_server_members,
)


class DocumentStorage(Storage):
    """The documents by table; with a `log`, also in a file before a write is acknowledged."""

    def __init__(self, indexes: Mapping[str, Index], log: Log | None = None) -> None:
        self.indexes, self._log = dict(indexes), log
        self._compact()

    def put(self, table: str, document: StoredDocument) -> None:
        """Store one document in the place of the one with its id. Raises DuplicateScope, StoreUnavailable."""
        index = self.indexes[table]
        index.check(document)
        self._append(table, document.identity, document)
        index.put(document)
        self._compact()

    def remove(self, table: str, identity: str) -> None:
        """Remove one document. Raises StoreUnavailable."""
        self._append(table, identity, None)
        self.indexes[table].remove(identity)
        self._compact()

    def put_all(self, tables: Mapping[str, Iterable[StoredDocument]]) -> None:
        """Replace all documents in these tables, or none.

        Raises DuplicateScope, also for a duplicate id, StoreUnavailable.
        """
        made = {table: Index.of(self.indexes[table].resource, documents) for table, documents in tables.items()}
        replaced = self.replaced(made)
        if self._log is not None:
            self._log.rewrite(_lines(replaced))
        self.indexes = replaced

    async def load(self, replacement: Mapping[str, Index]) -> None:
        """Replace all documents in these tables, or none; the file is written in a thread. Must not be cancelled."""
        replaced = self.replaced(replacement)
        if self._log is not None:
            await self._log.rewrite_in_thread(_lines(replaced))
        self.indexes = replaced

    def replaced(self, replacement: Mapping[str, Index]) -> dict[str, Index]:
        """The indexes of all tables, some of them replaced."""
        return {**self.indexes, **replacement}

    @property
    def kept(self) -> int:
        """The number of documents in all tables, with deleted ones that are kept."""
        return sum([index.kept for index in self.indexes.values()])

    async def settle(self) -> None:
        """Return when no document that was read or written can be lost. Raises StoreUnavailable when one was."""
        if self._log is not None:
            await self._log.settle()

    def read(self) -> dict[str, dict[str, Document]]:
        """All documents, for TinyDB's database."""
        return {table: dict(index) for table, index in self.indexes.items()}

    def write(self, data: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Replace all documents. Raises ValueError, and as `put_all`."""
        for table in data:
            self.expect_table(table)
        self.put_all(
            {
                table: [self.stored(table, identity, document) for identity, document in data.get(table, {}).items()]
                for table in self.indexes
            }
        )

    def expect_table(self, name: str) -> None:
        """Raises ValueError for an unknown table."""
        if name not in self.indexes:
            raise ValueError(f"there is one table for each resource here, {', '.join(self.indexes)}, and no {name!r}")

    def stored(self, table: str, identity: str, document: Mapping[str, Any]) -> StoredDocument:
        """The document as it is stored. Raises ValueError when it has another identity, and as StoredDocument."""
        resource = self.indexes[table].resource
        stored = StoredDocument.of(resource, document)
        if stored.identity != identity:
            raise ValueError(f"{identity!r} cannot change its {resource.identity!r}")
        return stored

    def roll_back(self) -> None:
        """Undo the writes that a failing disk refused, before others depend on them."""
        if self._log is not None:
            self._log.roll_back()

    def close(self) -> None:
        if self._log is not None:
            self._log.close()

    def _append(self, table: str, identity: str, document: StoredDocument | None) -> None:
        """Log the change of one document, before it is made; None removes it."""
        if self._log is not None:
            text = orjson.dumps(identity) if document is None else document.text
            undo = partial(self._restore, table, identity, self.indexes[table].stored(identity))
            self._log.append(line_of(table, text), undo)

    def _compact(self) -> None:
        if self._log is not None:
            self._log.compact(self.kept, lambda: _lines(self.indexes))

    def _restore(self, table: str, identity: str, former: StoredDocument | None) -> None:
        index = self.indexes[table]
        index.remove(identity)
        if former is not None:
            index.put(former)


def indexes_of(resources: Sequence[Resource]) -> dict[str, Index]:
    return {table: Index(each) for table, each in by_table(resources).items()}


def _lines(indexes: Mapping[str, Index]) -> list[bytes]:
    return [line_of(table, text) for table, index in indexes.items() for text in index.texts()]


class Changes(MutableMapping[str, Document]):
    """The documents, for one operation of TinyDB to change by id or in place. `commit` stores the changes."""

    def __init__(self, storage: DocumentStorage, table: str) -> None:
        self._storage, self._table, self._index = storage, table, storage.indexes[table]
        self._touched: dict[str, Document | None] = {}  # None: removed
        self._cleared = False

    def __getitem__(self, identity: str) -> Document:
        if identity not in self._touched:
            self._touched[identity] = self._index[identity]
        document = self._touched[identity]
        if document is None:
            raise KeyError(identity)
        return document

    def __setitem__(self, identity: str, document: Document) -> None:
        self._touched[identity] = document

    def __delitem__(self, identity: str) -> None:
        self._touched[identity] = None

    def __contains__(self, identity: object) -> bool:
        return self._touched[identity] is not None if identity in self._touched else identity in self._index

    def __iter__(self) -> Iterator[str]:
        return (identity for identity in {**dict.fromkeys(self._index), **self._touched} if identity in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        self._touched, self._cleared = dict.fromkeys(self._index), True

    def commit(self) -> None:
        """Store all changes or none: one document as one line, several as a new file. Raises as DocumentStorage."""
        storage, table, touched = self._storage, self._table, self._touched
        made = [storage.stored(table, identity, each) for identity, each in touched.items() if each is not None]
        changed = [document for document in made if document != self._index.stored(document.identity)]
        if not made and len(touched) == 1 and not self._cleared:
            storage.remove(table, *touched)
        elif len(made) < len(touched) or len(changed) > 1:
            others = (each for each in self._index.all_documents() if each.identity not in touched)
            storage.put_all({table: [*others, *made]})
        elif changed:
            storage.put(table, *changed)


@dataclass(frozen=True, slots=True)
class Equal:
    """A query for the documents with these members, which `search` answers from the index."""

    members: Mapping[str, Any]

    def __call__(self, value: Mapping[Any, Any]) -> bool:
        return all(value.get(member) == wanted for member, wanted in self.members.items())


class DocumentTable(Table):
    """TinyDB's table, in which the ids are those of the documents."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB allows any class here, its annotation says int
    _storage: DocumentStorage

    def __init__(self, storage: DocumentStorage, name: str) -> None:
        storage.expect_table(name)
        super().__init__(storage, name, cache_size=0)  # its cache would return shared objects

    def insert(self, document: Mapping[str, Any]) -> Any:
        return super().insert(self._with_own_id(document))

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> Any:
        return super().insert_multiple(self._with_own_id(document) for document in documents)

    def search(self, cond: QueryLike) -> list[Any]:
        """As TinyDB's, but for `Equal` the StoredDocuments, by created_at and id, in time linear in their number."""
        return self.index.find(cond.members) if isinstance(cond, Equal) else super().search(cond)

    @property
    def index(self) -> Index:
        return self._storage.indexes[self._name]

    def _with_own_id(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.document_class(document, self.index.resource.key(document))  # type: ignore[arg-type]

    def _read_table(self) -> Mapping[str, Document]:  # type: ignore[override]  # TinyDB only reads it
        return self.index

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        self._storage.roll_back()
        changes = Changes(self._storage, self._name)
        updater(changes)
        changes.commit()


class DocumentDatabase(TinyDB):
    """TinyDB with the first table as the default, so that the database has its operations."""

    table_class = DocumentTable  # type: ignore[assignment]  # a Table for this storage only

    def __init__(self, storage: DocumentStorage) -> None:
        self.default_table_name = next(iter(storage.indexes))
        super().__init__(storage=lambda: storage)


class EmbeddedStore(Store):
    """The store of one process, for one event loop at a time.

    Every method returns when no document that it read or wrote can be lost. `database` is the TinyDB database, for
    queries under the same rules; a query other than `Equal` reads all documents.
    """

    def __init__(self, storage: DocumentStorage, values: Values, table: str = "") -> None:
        """The table of that name, the first one without a name."""
        self.database, self._storage, self._of_resources = DocumentDatabase(storage), storage, values
        name = table or self.database.default_table_name
        self.resource = storage.indexes[name].resource
        self._values, self._table = values(self.resource), cast("DocumentTable", self.database.table(name))
        self._tables: dict[str, EmbeddedStore] = {name: self}

    @classmethod
    def in_memory(cls, resources: Sequence[Resource], values: Values) -> Self:
        return cls(DocumentStorage(indexes_of(resources)), values)

    @classmethod
    def in_file(
        cls,
        path: Path,
        resources: Sequence[Resource],
        values: Values,
        *,
        contract: str = "",
        fsync: bool = False,
        to_disk: Callable[[int], None] = to_disk,
    ) -> Self:
        """Open `path`, or create it. With `fsync`, acknowledged writes survive a power cut. Raises UnreadableStore.

        `contract` is the title of the store's contract. `to_disk` is the fsync of a file descriptor.
        """
        indexes = indexes_of(resources)

        def accept(table: str, text: bytes, document: Document | str) -> None:
            if (index := indexes.get(table)) is None:
                raise ValueError(f"the contract has no table {table!r}, only {', '.join(indexes)}")
            if isinstance(document, str):
                index.remove(document)
                return
            stored = StoredDocument.of(index.resource, document, text)
            index.check(stored)
            index.put(stored)

        log = Log(path, accept, FileFormat(contract, tuple(indexes)), fsync=fsync, to_disk=to_disk)
        return cls(DocumentStorage(indexes, log), values)

    def table(self, name: str) -> "EmbeddedStore":
        if name not in self._tables:
            self._tables[name] = EmbeddedStore(self._storage, self._of_resources, name)
        return self._tables[name]

    async def create(self, values: Document) -> Document:
        try:
            resource, index = self.resource, self._table.index
            now = self._values.now()
            identity: Any
            if resource.is_named_by_clients and resource.identity in values:
                identity = values[resource.identity]
                if (key := resource.key(values)) in index or index.is_deleted(key):
                    raise DuplicateScope({resource.identity: identity}, identity)
            else:
                identity = unused(resource, self._values.new_id, index, values)
            document = with_server_members(resource, values, identity=identity, created_at=now, updated_at=now)
            self._table.insert(document)
            return document
        finally:
            await self._storage.settle()

    async def update(self, identity: str, change: Change) -> Document:
        replacement: Document | None = None
        stored: Document = {}

        def replace(document: MutableMapping[str, Any]) -> None:
            nonlocal replacement
            stored.update(document)
            replacement = with_change(self.resource, stored, change, self._values.now())
            if replacement is not None:
                document.clear()
                document.update(replacement)

        try:
            if not self._table.update(replace, doc_ids=[identity]):  # type: ignore[list-item]  # ids are texts here
                raise self._unknown(identity)
            if replacement is None:
                self._table.remove(doc_ids=[identity])  # type: ignore[list-item]
            return stored if replacement is None else replacement
        finally:
            await self._storage.settle()

    async def get(self, identity: str) -> Document:
        document = self._table.get(doc_id=identity)  # type: ignore[call-overload]  # ids are texts here
        await self._storage.settle()
        if document is None:
            raise self._unknown(identity)
        return dict(document)

    def _unknown(self, identity: str) -> UnknownDocument:
        is_deleted = self._table.index.is_deleted(identity)
        return (DeletedDocument if is_deleted else UnknownDocument)(self.resource.identified(identity))

    async def find(self, **equal: Any) -> list[bytes]:
        texts = [document.text for document in self._table.search(Equal(equal))]
        await self._storage.settle()
        return texts

    async def load(self, tables: Mapping[str, Iterable[Document]]) -> None:
        made = {name: await made_ready(partial(self._index, name), documents) for name, documents in tables.items()}
        # Shielded, so that a cancelled call is complete or without effect.
        await asyncio.shield(asyncio.create_task(self._storage.load(made)))

    def _index(self, table: str, documents: Iterable[Document]) -> Index:
        resource = self._storage.indexes[table].resource
        return Index.of(resource, completed(resource, documents, self._of_resources(resource)))

    async def close(self) -> None:
        with suppress(StoreUnavailable):  # the error was raised to the writers already
            await self._storage.settle()
        self.database.close()
