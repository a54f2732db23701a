"""The embedded store: ConfigurationStore on TinyDB, in memory or in one file."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from tinydb import TinyDB
from tinydb.table import Table

from ..contract.resource import Resource
from .document import completed, from_json, unused, with_server_members
from .storages import TABLE, LogStorage, MemoryStorage
from .store import Document, ServerValues, StoreUnavailable, UnknownConfiguration

Answer = TypeVar("Answer")


class ConfigurationTable(Table):
    """TinyDB's table, with the configurations under their own ids and counted without reading them."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB allows any class here, its annotation says int

    def __init__(self, storage: MemoryStorage, name: str) -> None:
        if name != TABLE:
            raise ValueError(f"there is one table here, {TABLE!r}")
        super().__init__(storage, name, cache_size=0)  # its cache would hand out the same objects twice
        self._configurations = storage

    def __len__(self) -> int:
        return len(self._configurations.documents)

    def insert(self, document: Mapping[str, Any]) -> Any:
        return super().insert(self._with_own_id(document))

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> Any:
        return super().insert_multiple(self._with_own_id(document) for document in documents)

    def _with_own_id(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.document_class(document, self._configurations.identity_of(document))  # type: ignore[arg-type]


class ConfigurationDatabase(TinyDB):
    """TinyDB with the one table there is as the default, so that its operations can be used on the database itself."""

    table_class = ConfigurationTable  # type: ignore[assignment]  # a Table for these storages only
    default_table_name = TABLE


class EmbeddedStore:
    """ConfigurationStore in this process, for one event loop at a time.

    `database` is the TinyDB database, for whatever TinyDB's queries are good for. What is changed there obeys the same
    rules, and costs as much as all that is stored.
    """

    def __init__(self, storage: MemoryStorage, resource: Resource, values: ServerValues) -> None:
        self.database = ConfigurationDatabase(storage=lambda: storage)
        self._storage = storage
        self._resource = resource
        self._values = values

    @classmethod
    def in_memory(cls, resource: Resource, values: ServerValues) -> Self:
        return cls(MemoryStorage(resource), resource, values)

    @classmethod
    def in_file(cls, path: Path, resource: Resource, values: ServerValues, *, fsync: bool = False) -> Self:
        """Open `path`, or make it. With `fsync`, what is acknowledged survives a power cut. Raises UnreadableStore."""
        return cls(LogStorage(resource, path, fsync=fsync), resource, values)

    async def create(self, values: Document) -> Document:
        return await self._settled(lambda: self._create(values))

    async def replace(self, identity: str, values: Document) -> Document:
        return await self._settled(lambda: self._replace(identity, values))

    async def get(self, identity: str) -> Document:
        return await self._settled(lambda: self._get(identity))

    async def find(self, **equal: str) -> list[bytes]:
        return await self._settled(lambda: self._storage.documents.find(equal))

    async def load(self, documents: Iterable[Document]) -> None:
        complete = completed(self._resource, documents, self._values)
        await self._settled(lambda: self._storage.replace(complete))

    async def close(self) -> None:
        with suppress(StoreUnavailable):  # whoever wrote what the disk did not take was told
            await self._storage.settle()
        self.database.close()

    async def _settled(self, act: Callable[[], Answer]) -> Answer:
        """What `act` returns or raises, once nothing that it saw or did can be lost anymore."""
        try:
            return act()
        finally:
            await self._storage.settle()

    def _create(self, values: Document) -> Document:
        now = self._values.now()
        identity = unused(self._values.new_id, self._storage.documents)
        document = with_server_members(self._resource, values, identity=identity, created_at=now, updated_at=now)
        return from_json(self._storage.put(document))

    def _replace(self, identity: str, values: Document) -> Document:
        created_at = self._get(identity)[self._resource.created_at]
        document = with_server_members(
            self._resource, values, identity=identity, created_at=created_at, updated_at=self._values.now()
        )
        return from_json(self._storage.put(document))

    def _get(self, identity: str) -> Document:
        text = self._storage.documents.get(identity)
        if text is None:
            raise UnknownConfiguration(identity)
        return from_json(text)
