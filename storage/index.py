"""The embedded store's memory: documents by id, by scope and by member, each list in the order in which it is told."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

import orjson

from ..contract.resource import Resource
from .store import Document, DuplicateScope, StoredDocument, has_members


class Index(Mapping[str, Document]):
    """Documents that are unique by id and by scope, which is decided here, whoever writes.

    As a mapping, by id, each parsed anew. `find` returns what is kept: a list costs references, not texts.
    """

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._by_identity: dict[str, StoredDocument] = {}
        self._by_scope: dict[tuple[str, ...], StoredDocument] = {}
        self._ordered: list[StoredDocument] = []  # a document's own order is by created_at, then id
        # one for each unique member: value -> the documents that have it, ordered
        self._by_member: list[dict[str, list[StoredDocument]]] = [{} for _ in resource.unique]

    @classmethod
    def of(cls, resource: Resource, documents: Iterable[StoredDocument]) -> Self:
        """All of `documents`. Raises DuplicateScope, for an id given twice as well."""
        index = cls(resource)
        for document in sorted(documents):
            if document.identity in index:
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

    def texts(self) -> list[bytes]:
        """The JSON of every document, by created_at, then id."""
        return [document.text for document in self._ordered]

    def find(self, equal: Mapping[str, str]) -> list[StoredDocument]:
        """The documents that have all these members, by created_at, then id.

        Costs what it finds for a whole scope and for one member of it; a further member is looked for in each of those.
        """
        unique = self._resource.unique
        indexed = [member for member in unique if member in equal]
        if not indexed:
            found = self._ordered
        elif len(indexed) == len(unique):
            holder = self._by_scope.get(tuple(equal[member] for member in unique))
            found = [] if holder is None else [holder]
        else:
            indexed = indexed[:1]
            found = self._by_member[unique.index(indexed[0])].get(equal[indexed[0]], [])
        others = {member: value for member, value in equal.items() if member not in indexed}
        return [document for document in found if has_members(document.text, others)] if others else found.copy()

    def check(self, document: StoredDocument) -> None:
        """Raises DuplicateScope when another document has its scope."""
        holder = self._by_scope.get(document.scope)
        if holder is not None and holder.identity != document.identity:
            scope = dict(zip(self._resource.unique, document.scope, strict=True))
            raise DuplicateScope(scope, holder.identity)

    def put(self, document: StoredDocument) -> None:
        """Keep `document`, which passed `check`, in the place of the one with its id."""
        former = self._by_identity.get(document.identity)
        if former is not None and (former.created_at, former.scope) != (document.created_at, document.scope):
            self.remove(document.identity)
            former = None
        self._by_identity[document.identity] = self._by_scope[document.scope] = document
        lists = [entries.setdefault(value, []) for entries, value in zip(self._by_member, document.scope, strict=True)]
        for entries in (self._ordered, *lists):
            if former is not None:
                entries[bisect_left(entries, former)] = document
            elif entries and document < entries[-1]:
                insort(entries, document)
            else:
                entries.append(document)

    def remove(self, identity: str) -> None:
        """Forget the document; there may be none."""
        former = self._by_identity.pop(identity, None)
        if former is None:
            return
        del self._by_scope[former.scope]
        del self._ordered[bisect_left(self._ordered, former)]
        for by_value, value in zip(self._by_member, former.scope, strict=True):
            entries = by_value[value]
            del entries[bisect_left(entries, former)]
            if not entries:
                del by_value[value]
