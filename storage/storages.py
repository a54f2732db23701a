"""TinyDB's storages, extended: one for memory, one for a file, both able to keep one document at the cost of one.

TinyDB asks its Storage for all there is and gives all of it back. That works here too, so TinyDB's own operations do
what its documentation says, at the cost of the whole store.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from tinydb import Storage

from ..contract.resource import Resource
from .commit import GroupCommit
from .document import from_json, text_member, to_json
from .documents import Documents
from .files import to_disk
from .log import Log
from .recovery import Extent
from .store import Document, StoreUnavailable

TABLE = "configurations"


class MemoryStorage(Storage):
    """Documents in memory, gone when the process ends."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._documents = Documents(resource)

    @property
    def documents(self) -> Documents:
        """What is stored now, for looking things up. It changes through this storage only."""
        return self._documents

    def identity_of(self, document: Mapping[str, Any]) -> str:
        """Raises ValueError when it has no id."""
        return text_member(document, self._resource.identity)

    def read(self) -> dict[str, dict[str, Document]]:
        """All there is, in objects that nobody else has."""
        return {TABLE: {identity: from_json(text) for identity, text in self.documents.items()}}

    def write(self, data: dict[str, dict[str, Document]]) -> None:
        """Replace all there is. Raises ValueError, DuplicateScope or StoreUnavailable; then nothing has changed."""
        if data.keys() - {TABLE}:
            raise ValueError(f"there is one table here, {TABLE!r}")
        table = data.get(TABLE, {})
        for identity, document in table.items():
            if document.get(self._resource.identity) != identity:
                raise ValueError(f"{identity!r} cannot get another {self._resource.identity!r}")
        self.replace(table.values())

    def replace(self, documents: Iterable[Document]) -> None:
        """Replace all there is. Raises as `write` does, and DuplicateScope for an id given twice."""
        self._keep_all(Documents.of(self._resource, documents))

    def put(self, document: Document) -> bytes:
        """Keep one document in the place of the one with its id. Returns its JSON; raises as `write` does."""
        self.documents.check(document)
        text = to_json(document)
        self._keep(document, text)
        return text

    async def settle(self) -> None:
        """Return when nothing that `documents` showed can be lost anymore. Raises StoreUnavailable when some was."""

    def _keep_all(self, replacement: Documents) -> None:
        self._documents = replacement

    def _keep(self, document: Document, text: bytes) -> None:
        self._documents.put(document, text)


class Undo(NamedTuple):
    """What a write changed, for as long as the disk may not have it: what was there before."""

    write: int
    extent: Extent
    identity: str
    text: bytes | None


class LogStorage(MemoryStorage):
    """Documents in memory and in a file, which has every change before `put` returns.

    With `fsync`, `settle` waits until the disk has it too. What the disk did not take is taken back, in memory and in
    the file, so that both always say the same.
    """

    def __init__(
        self, resource: Resource, path: Path, *, fsync: bool = False, to_disk: Callable[[int], None] = to_disk
    ) -> None:
        """`to_disk` is the fsync of a file descriptor, for whoever needs another. Raises UnreadableStore."""
        super().__init__(resource)
        self._log = Log(path, self._recover, to_disk)
        self._commit = GroupCommit(self._log.sync) if fsync else None
        self._undo: deque[Undo] = deque()
        self._compact()

    @property
    def documents(self) -> Documents:
        self._take_back()
        return self._documents

    async def settle(self) -> None:
        if self._commit is not None:
            try:
                await self._commit.settle()
            except OSError as error:
                raise StoreUnavailable(f"the disk did not take it: {error.strerror}") from error

    def close(self) -> None:
        """Give the file back, with everything in it that was acknowledged."""
        if self._commit is not None:
            self._commit.close()
        self._take_back()
        self._log.close()

    def _recover(self, line: bytes) -> None:
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"not JSON at column {error.colno}: {error.msg}") from error
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")  # noqa: TRY004 - of the data, not of a caller
        self._documents.check(document)
        self._documents.put(document, line)

    def _keep_all(self, replacement: Documents) -> None:
        self._log.rewrite(replacement.texts())
        super()._keep_all(replacement)
        self._begin_anew()

    def _keep(self, document: Document, text: bytes) -> None:
        self._compact()
        identity = document[self._resource.identity]
        extent, before = self._log.extent, self._documents.get(identity)
        self._log.append(text)
        super()._keep(document, text)
        if self._commit is not None:
            self._commit.written += 1
            self._undo.append(Undo(self._commit.written, extent, identity, before))
            while self._undo and self._undo[0].write <= self._commit.kept:
                self._undo.popleft()

    def _compact(self) -> None:
        if self._log.finish_compaction():
            self._begin_anew()
        if self._log.wants_compaction(len(self._documents)):
            self._log.start_compaction(self._documents.texts())

    def _take_back(self) -> None:
        """Undo what an fsync that failed did not put on the disk, or may not have."""
        if self._commit is None or self._commit.failure is None:
            return
        lost = [undo for undo in self._undo if undo.write > self._commit.kept]
        for undo in reversed(lost):
            self._documents.remove(undo.identity)
            if undo.text is not None:
                self._documents.put(orjson.loads(undo.text), undo.text)
        if lost:
            self._log.take_back(lost[0].extent)
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Owe the disk nothing: it has the whole file, or what it does not have was taken back."""
        self._undo.clear()
        if self._commit is not None:
            self._commit.close(wait=False)
            self._commit = GroupCommit(self._log.sync)
