"""The documents of the embedded store in memory, with the indexes that keep every question fast."""

from collections.abc import Iterable, Iterator
from typing import Self

import orjson

from ..contract.resource import Resource
from .document import has_members, instant, scope_of, text_member, to_json
from .store import Document, DuplicateScope


class Documents:
    """Documents by id, kept as their JSON texts.

    Texts cannot be changed through a reference somebody kept, and Python's cyclic garbage collector, which would walk
    every stored dict again and again, does not look into them.
    """

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        # id -> its place in the order, and its text
        self._entries: dict[str, tuple[str, bytes]] = {}
        self._scopes: dict[tuple[str, ...], str] = {}
        # member -> value -> place in the order -> text: a list is made without looking up each of its documents
        self._members: dict[str, dict[str, dict[str, bytes]]] = {member: {} for member in resource.unique}

    @classmethod
    def of(cls, resource: Resource, documents: Iterable[Document]) -> Self:
        """All of `documents`. Raises DuplicateScope, for an id given twice as well, and ValueError as `check` does."""
        result = cls(resource)
        for document in documents:
            result.check(document)
            identity = document[resource.identity]
            if identity in result:
                raise DuplicateScope({resource.identity: identity}, identity)
            result.put(document, to_json(document))
        return result

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, identity: object) -> bool:
        return identity in self._entries

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Every id with its text, in no promised order."""
        return ((identity, text) for identity, (_, text) in self._entries.items())

    def texts(self) -> list[bytes]:
        """Every text, in no promised order."""
        return [text for _, text in self._entries.values()]

    def get(self, identity: str) -> bytes | None:
        entry = self._entries.get(identity)
        return entry and entry[1]

    def find(self, equal: dict[str, str]) -> list[bytes]:
        """The texts of the documents that have all these members, by created_at, then id.

        Costs what it finds for a whole scope and for one member of it; a further member is looked for in each of those.
        """
        indexed = [member for member in self._members if member in equal]
        if len(indexed) == len(self._members):
            identity = self._scopes.get(tuple(equal[member] for member in indexed))
            found = [] if identity is None else [self._entries[identity][1]]
        elif indexed:
            entries = self._members[indexed[0]].get(equal[indexed[0]], {})
            found = [entries[place] for place in sorted(entries)]
            indexed = indexed[:1]
        else:
            found = [text for _, text in sorted(self._entries.values())]
        others = {member: value for member, value in equal.items() if member not in indexed}
        return [text for text in found if has_members(text, others)] if others else found

    def check(self, document: Document) -> None:
        """Raises what forbids to `put` it: DuplicateScope, ValueError for a member that is needed and is not text."""
        identity = text_member(document, self._resource.identity)
        text_member(document, self._resource.created_at)
        scope = scope_of(self._resource, document)
        holder = self._scopes.get(scope, identity)
        if holder != identity:
            raise DuplicateScope(dict(zip(self._resource.unique, scope, strict=True)), holder)

    def put(self, document: Document, text: bytes) -> None:
        """Keep `document`, which passed `check` and whose JSON is `text`, in the place of the one with its id."""
        identity = document[self._resource.identity]
        scope = scope_of(self._resource, document)
        place = f"{instant(document[self._resource.created_at])} {identity}"
        self.remove(identity)
        self._entries[identity] = (place, text)
        self._scopes[scope] = identity
        for entries, value in zip(self._members.values(), scope, strict=True):
            entries.setdefault(value, {})[place] = text

    def remove(self, identity: str) -> None:
        """Forget the document; there may be none."""
        entry = self._entries.pop(identity, None)
        if entry is None:
            return
        place, text = entry
        scope = scope_of(self._resource, orjson.loads(text))
        del self._scopes[scope]
        for entries, value in zip(self._members.values(), scope, strict=True):
            del entries[value][place]
            if not entries[value]:
                del entries[value]
