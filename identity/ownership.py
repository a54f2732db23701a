"""The documents of one caller, as a store in front of the store."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..storage.store import Change, Document, Store, UnknownDocument
from .caller import Forbidden


class OwnDocuments(Store):
    """A store of the documents whose members equal those in `own`; other documents do not exist here.

    Writing a document that is not the caller's raises Forbidden.
    """

    def __init__(self, store: Store, own: Mapping[str, str]) -> None:
        self._store, self._own = store, own

    def table(self, name: str) -> "OwnDocuments":
        return OwnDocuments(self._store.table(name), self._own)

    async def create(self, values: Document) -> Document:
        self._check(values)
        return await self._store.create(values)

    async def update(self, identity: str, change: Change) -> Document:
        """Raises UnknownDocument for another caller's document, Forbidden for a change that would make it another's."""

        def changed(document: Document) -> Document | None:
            self._expect(identity, document)
            replacement = change(document)
            if replacement is not None:
                self._check(replacement)
            return replacement

        return await self._store.update(identity, changed)

    async def get(self, identity: str) -> Document:
        document = await self._store.get(identity)
        self._expect(identity, document)
        return document

    async def find(self, **equal: Any) -> list[bytes]:
        if any(equal.get(name, value) != value for name, value in self._own.items()):
            return []
        return await self._store.find(**{**equal, **self._own})

    async def load(self, tables: Mapping[str, Iterable[Document]]) -> None:
        given = {name: list(documents) for name, documents in tables.items()}
        for documents in given.values():
            for document in documents:
                self._check(document)
        await self._store.load(given)

    async def close(self) -> None:
        await self._store.close()

    def _expect(self, identity: str, document: Document) -> None:
        if any(document.get(name) != value for name, value in self._own.items()):
            raise UnknownDocument(identity)

    def _check(self, values: Document) -> None:
        for name, value in self._own.items():
            if values.get(name) != value:
                raise Forbidden(f"The token is for {name} {value}, and for no other.")
