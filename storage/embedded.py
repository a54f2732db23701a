"""The embedded store: ConfigurationStore on TinyDB, in memory or in one file.

Requests use the operations of TinyDB's table. The table hands TinyDB the documents that are there now instead of a
copy of the whole database, and keeps what an operation changed: one document costs one line of the file.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

from tinydb import Storage, TinyDB
from tinydb.queries import QueryLike
from tinydb.table import Table

from ..contract.resource import Resource
from .files import to_disk
from .index import Index
from .log import Log
from .store import (
    Document,
    ServerValues,
    StoredDocument,
    StoreUnavailable,
    UnknownConfiguration,
    completed,
    made_ready,
    text_member,
    unused,
    with_server_members,
)

TABLE = "configurations"


class DocumentStorage(Storage):
    """The documents there are; with a `log`, also on the disk before anything is acknowledged."""

    def __init__(self, resource: Resource, index: Index, log: Log | None = None) -> None:
        self.resource, self.index, self._log = resource, index, log
        self._compact()

    def put(self, document: StoredDocument) -> None:
        """Keep one document in the place of the one with its id. Raises DuplicateScope, StoreUnavailable."""
        self.index.check(document)
        former = self.index.stored(document.identity)
        if self._log is not None:
            self._log.append(document.text, partial(self._restore, document.identity, former))
        self.index.put(document)
        self._compact()

    def put_all(self, documents: Iterable[StoredDocument]) -> None:
        """Replace all there is, or nothing. Raises DuplicateScope, for an id given twice as well, StoreUnavailable."""
        replacement = Index.of(self.resource, documents)
        if self._log is not None:
            self._log.rewrite(replacement.texts())
        self.index = replacement

    async def load(self, replacement: Index) -> None:
        """Replace all there is, or nothing; the file is written in a thread. This has to be awaited to its end."""
        if self._log is not None:
            await self._log.rewrite_aside(replacement.texts())
        self.index = replacement

    async def settle(self) -> None:
        """Return when nothing that was read or written can be lost anymore. Raises StoreUnavailable when some was."""
        if self._log is not None:
            await self._log.settle()

    def read(self) -> dict[str, dict[str, Document]]:
        """All there is, as TinyDB's database asks for it."""
        return {TABLE: dict(self.index)}

    def write(self, data: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Replace all there is. Raises ValueError, and as `put_all`."""
        if data.keys() - {TABLE}:
            raise ValueError(f"there is one table here, {TABLE!r}")
        table = data.get(TABLE, {})
        self.put_all([self.stored(identity, document) for identity, document in table.items()])

    def stored(self, identity: str, document: Mapping[str, Any]) -> StoredDocument:
        """`document` as it is kept under `identity`. Raises ValueError when it has another, and as StoredDocument."""
        stored = StoredDocument.of(self.resource, document)
        if stored.identity != identity:
            raise ValueError(f"{identity!r} cannot get another {self.resource.identity!r}")
        return stored

    def take_back(self) -> None:
        """Forget what a failing disk did not take, before anything is built on it."""
        if self._log is not None:
            self._log.take_back()

    def close(self) -> None:
        if self._log is not None:
            self._log.close()

    def _compact(self) -> None:
        if self._log is not None:
            self._log.compact(len(self.index), self.index.texts)

    def _restore(self, identity: str, former: StoredDocument | None) -> None:
        self.index.remove(identity)
        if former is not None:
            self.index.put(former)


class Changes(MutableMapping[str, Document]):
    """The documents, to be changed by one operation of TinyDB: by id or in place. Nothing is kept before `keep`."""

    def __init__(self, storage: DocumentStorage) -> None:
        self._storage, self._index = storage, storage.index
        self._touched: dict[str, Document | None] = {}  # None: removed

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
        self._touched = dict.fromkeys(self._index)

    def keep(self) -> None:
        """All of it or nothing: one document as one line, more as a whole new file. Raises as DocumentStorage does."""
        touched = self._touched.items()
        made = [self._storage.stored(identity, document) for identity, document in touched if document is not None]
        changed = [document for document in made if document != self._index.stored(document.identity)]
        if len(made) < len(self._touched) or len(changed) > 1:
            kept = [document for document in self._index.find({}) if document.identity not in self._touched]
            self._storage.put_all([*kept, *made])
        elif changed:
            self._storage.put(*changed)


@dataclass(frozen=True, slots=True)
class Equal:
    """A query for the documents that have all these members, which `search` answers from the index."""

    members: Mapping[str, str]

    def __call__(self, value: Mapping[Any, Any]) -> bool:
        return all(value.get(member) == wanted for member, wanted in self.members.items())


class ConfigurationTable(Table):
    """TinyDB's table with the configurations under their own ids."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB allows any class here, its annotation says int
    _storage: DocumentStorage

    def __init__(self, storage: DocumentStorage, name: str) -> None:
        if name != TABLE:
            raise ValueError(f"there is one table here, {TABLE!r}")
        super().__init__(storage, name, cache_size=0)  # its cache would hand out the same objects twice

    def insert(self, document: Mapping[str, Any]) -> Any:
        return super().insert(self._with_own_id(document))

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> Any:
        return super().insert_multiple(self._with_own_id(document) for document in documents)

    def search(self, cond: QueryLike) -> list[Any]:
        """As TinyDB; but for `Equal` the StoredDocuments, in the order of every list, at the cost of what is found."""
        return self._storage.index.find(cond.members) if isinstance(cond, Equal) else super().search(cond)

    def _with_own_id(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.document_class(document, text_member(document, self._storage.resource.identity))  # type: ignore[arg-type]

    def _read_table(self) -> Mapping[str, Document]:  # type: ignore[override]  # TinyDB only reads it
        return self._storage.index

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        self._storage.take_back()
        changes = Changes(self._storage)
        updater(changes)
        changes.keep()


class ConfigurationDatabase(TinyDB):
    """TinyDB with the one table there is as the default, so that its operations can be used on the database itself."""

    table_class = ConfigurationTable  # type: ignore[assignment]  # a Table for this storage only
    default_table_name = TABLE


class EmbeddedStore:
    """ConfigurationStore in this process, for one event loop at a time.

    Every method answers when nothing that it saw or did can be lost anymore. `database` is the TinyDB database, for
    whatever TinyDB's queries are good for, under the same rules. A query other than `Equal` reads all that is stored.
    """

    def __init__(self, storage: DocumentStorage, values: ServerValues) -> None:
        self.database = ConfigurationDatabase(storage=lambda: storage)
        self._table = cast("ConfigurationTable", self.database.table(TABLE))
        self._storage, self._resource, self._values = storage, storage.resource, values

    @classmethod
    def in_memory(cls, resource: Resource, values: ServerValues) -> Self:
        return cls(DocumentStorage(resource, Index(resource)), values)

    @classmethod
    def in_file(
        cls,
        path: Path,
        resource: Resource,
        values: ServerValues,
        *,
        fsync: bool = False,
        to_disk: Callable[[int], None] = to_disk,
    ) -> Self:
        """Open `path`, or make it. With `fsync`, what is acknowledged survives a power cut. Raises UnreadableStore.

        `to_disk` is the fsync of a file descriptor, for whoever needs another.
        """
        index = Index(resource)

        def accept(text: bytes, document: Document) -> None:
            stored = StoredDocument.of(resource, document, text)
            index.check(stored)
            index.put(stored)

        return cls(DocumentStorage(resource, index, Log(path, accept, fsync=fsync, to_disk=to_disk)), values)

    async def create(self, values: Document) -> Document:
        try:
            now = self._values.now()
            identity = unused(self._values.new_id, self._storage.index)
            document = with_server_members(self._resource, values, identity=identity, created_at=now, updated_at=now)
            self._table.insert(document)
            return document
        finally:
            await self._storage.settle()

    async def replace(self, identity: str, values: Document) -> Document:
        replacement: Document = {}

        def replace(document: MutableMapping[str, Any]) -> None:
            created_at, now = document[self._resource.created_at], self._values.now()
            replacement.update(
                with_server_members(self._resource, values, identity=identity, created_at=created_at, updated_at=now)
            )
            document.clear()
            document.update(replacement)

        try:
            if not self._table.update(replace, doc_ids=[identity]):  # type: ignore[list-item]  # ids are texts here
                raise UnknownConfiguration(identity)
            return replacement
        finally:
            await self._storage.settle()

    async def delete(self, identity: str) -> None:
        try:
            if identity not in self._storage.index:
                raise UnknownConfiguration(identity)
            self._table.remove(doc_ids=[identity])  # type: ignore[list-item]  # ids are texts here
        finally:
            await self._storage.settle()

    async def get(self, identity: str) -> Document:
        document = self._table.get(doc_id=identity)  # type: ignore[call-overload]  # ids are texts here
        await self._storage.settle()
        if document is None:
            raise UnknownConfiguration(identity)
        return dict(document)

    async def find(self, **equal: str) -> list[bytes]:
        texts = [document.text for document in self._table.search(Equal(equal))]
        await self._storage.settle()
        return texts

    async def load(self, documents: Iterable[Document]) -> None:
        await self._replace_all(await made_ready(self._index, documents))

    def _index(self, documents: Iterable[Document]) -> Index:
        return Index.of(self._resource, completed(self._resource, documents, self._values))

    async def _replace_all(self, replacement: Index) -> None:
        # Shielded: whoever no longer waits gets all of it or nothing, too.
        await asyncio.shield(asyncio.create_task(self._storage.load(replacement)))

    async def close(self) -> None:
        with suppress(StoreUnavailable):  # whoever wrote what the disk did not take was told
            await self._storage.settle()
        self.database.close()
