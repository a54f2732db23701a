"""The index of the embedded store: documents by id, by scope and by member, in the order of lists."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import orjson

from ..contract.resource import Resource, member_text
from .store import Document, DuplicateScope, StoredDocument, has_members

Scope = tuple[str | None, ...]


class Index(Mapping[str, Document]):
    """Documents, unique by id and by scope, which is enforced here for every writer.

    As a mapping by id it parses each document anew. `find` returns the StoredDocuments themselves.
    """

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._by_identity: dict[str, StoredDocument] = {}
        self._deleted: dict[str, StoredDocument] = {}
        # for each combination: its positions among the indexed members, None for all, and the documents by values
        self._by_scope: list[tuple[tuple[int, ...] | None, dict[Scope, StoredDocument]]] = [
            (None if len(positions) == len(resource.indexed) else positions, {}) for positions in resource.positions
        ]
        self._ordered: list[StoredDocument] = []  # sorted by created_at, then id
        # for each indexed member: value -> its documents, sorted
        self._by_member: list[dict[str | None, list[StoredDocument]]] = [{} for _ in resource.indexed]

    @classmethod
    def of(cls, resource: Resource, documents: Iterable[StoredDocument]) -> Self:
        """An index of documents. Raises DuplicateScope, also for a duplicate id."""
        index = cls(resource)
        for document in sorted(documents):
            if document.identity in index or document.identity in index._deleted:
                raise DuplicateScope({resource.identity: document.identity}, document.identity)
            index.check(document)
            index.put(document)
        return index

    def __len__(self) -> int:
        return len(self._ordered)

    def __contains__(self, identity: object) -> bool:
        return identity in self._by_identity

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_identity)

    def __getitem__(self, identity: str) -> Document:
        document: Document = orjson.loads(self._by_identity[identity].text)
        return document

    def stored(self, identity: str) -> StoredDocument | None:
        return self._by_identity.get(identity)

    def is_deleted(self, identity: str) -> bool:
        """Whether a document is deleted, and kept."""
        return identity in self._deleted

    @property
    def kept(self) -> int:
        """The number of documents, with deleted ones that are kept."""
        return len(self._ordered) + len(self._deleted)

    def all_documents(self) -> list[StoredDocument]:
        """The documents by created_at, then id, and deleted ones that are kept."""
        return [*self._ordered, *self._deleted.values()]

    def texts(self) -> list[bytes]:
        """The JSON of `all_documents`."""
        return [document.text for document in self.all_documents()]

    def find(self, equal: Mapping[str, Any]) -> list[StoredDocument]:
        """The documents with these members, by created_at, then id.

        The cost is the number of documents found for a whole scope or for one member of it; further members filter
        these.
        """
        members, unique = self.resource.indexed, self.resource.unique
        indexed = [member for member in members if member in equal]
        if not indexed:
            found = self._ordered
        elif unique and all(member in equal for member in unique):
            indexed = [*unique]
            scope = tuple([member_text(equal[member]) for member in unique])
            holder = self._by_scope[0][1].get(scope)
            found = [] if holder is None else [holder]
        else:
            indexed = indexed[:1]
            found = self._by_member[members.index(indexed[0])].get(member_text(equal[indexed[0]]), [])
        others = {member: value for member, value in equal.items() if member not in indexed}
        return [document for document in found if has_members(document.text, others)] if others else found.copy()

    def check(self, document: StoredDocument) -> None:
        """Raises DuplicateScope when another document has its scope."""
        if document.deleted:
            return
        for number, (positions, holders) in enumerate(self._by_scope):
            scope = document.scope if positions is None else _at(document.scope, positions)
            holder = holders.get(scope)
            if holder is not None and holder.identity != document.identity:
                found = orjson.loads(document.text)
                members = self.resource.combinations[number]
                raise DuplicateScope({name: found[name] for name in members}, self.resource.identified(holder.identity))

    def put(self, document: StoredDocument) -> None:
        """Store `document`, which passed `check`, in the place of the one with its id."""
        if document.deleted or document.identity in self._deleted:
            self.remove(document.identity)
            if document.deleted:
                self._deleted[document.identity] = document
                return
        former = self._by_identity.get(document.identity)
        if former is not None and (former.created_at, former.scope) != (document.created_at, document.scope):
            self.remove(document.identity)
            former = None
        self._by_identity[document.identity] = document
        for positions, holders in self._by_scope:
            scope = document.scope if positions is None else _at(document.scope, positions)
            if None not in scope:
                holders[scope] = document
        lists = [entries.setdefault(value, []) for entries, value in zip(self._by_member, document.scope, strict=True)]
        for entries in (self._ordered, *lists):
            if former is not None:
                entries[bisect_left(entries, former)] = document
            elif entries and document < entries[-1]:
                insort(entries, document)
            else:
                entries.append(document)

    def remove(self, identity: str) -> None:
        """Remove the document, if it exists."""
        self._deleted.pop(identity, None)
        former = self._by_identity.pop(identity, None)
        if former is None:
            return
        for positions, holders in self._by_scope:
            holders.pop(former.scope if positions is None else _at(former.scope, positions), None)
        del self._ordered[bisect_left(self._ordered, former)]
        for by_value, value in zip(self._by_member, former.scope, strict=True):
            entries = by_value[value]
            del entries[bisect_left(entries, former)]
            if not entries:
                del by_value[value]


def _at(scope: Scope, positions: tuple[int, ...]) -> Scope:
    """The values of one combination."""
    return tuple([scope[position] for position in positions])
