"""Sessions on one server. Each has its own store, journal, rules, clock and ids, and shares nothing."""

import asyncio
import copy
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any
from weakref import WeakValueDictionary

import orjson

from ..contract.finding import Finding
from ..contract.problem import Problem
from ..contract.resource import Resource
from ..contract.schema import show
from ..storage.embedded import DocumentStorage, EmbeddedStore, indexes_of
from ..storage.index import Index
from ..storage.store import Store, StoredDocument, by_table
from .budget import DOCUMENT_OVERHEAD, SESSION_OVERHEAD, Budget, LimitReached, json_size
from .clock import Sources
from .journal import Journal
from .refusals import Refused, SessionUnavailable
from .rules import Rules

DEFAULT = "default"
_ID_OVERHEAD = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a server's sessions. The default session's store is unlimited.

    `session_bytes` bounds the memory of a session, `all_bytes` that of all sessions together.
    """

    sessions: int = 1000
    idle_seconds: float = 1800.0
    configurations: int = 10_000
    snapshots: int = 100
    rules: int = 1000
    journal_entries: int = 1000
    journal_bytes: int = 8 << 20
    session_bytes: int = 128 << 20
    all_bytes: int = 512 << 20
    wait_seconds: float = 60.0


class BoundedStorage(DocumentStorage):
    """A store in memory of at most `most` documents in all tables, within a budget. Raises LimitReached."""

    def __init__(self, indexes: Mapping[str, Index], most: int, budget: Budget) -> None:
        super().__init__(indexes)
        self._most, self._budget, self._size = most, budget, 0

    def _append(self, table: str, identity: str, document: StoredDocument | None) -> None:
        former = self.indexes[table].stored(identity)
        number = self.kept + (document is not None) - (former is not None)
        self._hold(self._size + _document_size(document) - _document_size(former), number)

    def replaced(self, replacement: Mapping[str, Index]) -> dict[str, Index]:
        replaced = super().replaced(replacement)
        documents = [document for index in replaced.values() for document in index.all_documents()]
        self._hold(sum(map(_document_size, documents)), len(documents))
        return replaced

    def _hold(self, size: int, number: int) -> None:
        if number > self._most:
            raise LimitReached(self._most, "documents")
        self._budget.hold("documents", size)
        self._size = size


def _document_size(document: StoredDocument | None) -> int:
    """The approximate bytes of a document."""
    return len(document.text) + DOCUMENT_OVERHEAD if document else 0


Content = Mapping[str, list[bytes]]
"""The content of a store: by table, the JSON texts of its documents."""


class Session:
    """One session, whose memory is counted in its budget."""

    def __init__(
        self, name: str, store: Store, tables: Sequence[str], sources: Sources, limits: Limits, budget: Budget
    ) -> None:
        self.name, self.store, self.tables, self.sources = name, store, tables, sources
        self.limits, self.budget = limits, budget
        self._snapshots: dict[str, Content] = {}
        self.used_at = time.monotonic()
        self.journal = Journal(limits.journal_entries, limits.journal_bytes, budget)
        self.rules = Rules(sources.clock, budget)

    @property
    def snapshots(self) -> dict[str, int]:
        """The number of documents in each snapshot."""
        return {name: _number(content) for name, content in self._snapshots.items()}

    async def content(self) -> Content:
        """All stored documents."""
        return {name: await self.store.table(name).find() for name in self.tables}

    async def fill(self, content: Content) -> None:
        """Replace all stored documents. Raises LimitReached."""
        await self.store.load({name: map(orjson.loads, content.get(name, ())) for name in self.tables})

    async def save(self, name: str) -> None:
        if name not in self._snapshots and len(self._snapshots) >= self.limits.snapshots:
            raise LimitReached(self.limits.snapshots, "snapshots")
        content = await self.content()
        size = sum(len(text) for texts in content.values() for text in texts)
        self.budget.hold(("snapshot", name), size + _number(content) * DOCUMENT_OVERHEAD)
        self._snapshots[name] = content

    def set_ids(self, given: list[str], seed: int | None) -> None:
        self.budget.hold(self.sources.ids, json_size(given) + len(given) * _ID_OVERHEAD)
        self.sources.ids.set_sequence(given, seed)

    def saved(self, name: str) -> Content:
        """The content of a snapshot. Raises Refused when it does not exist."""
        if name not in self._snapshots:
            detail = f"The session {show(self.name)} has no snapshot {show(name)}."
            raise Refused(Problem("unknown-snapshot", detail))
        return self._snapshots[name]

    def delete_snapshot(self, name: str) -> None:
        self.saved(name)
        del self._snapshots[name]
        self.budget.hold(("snapshot", name), 0)

    async def reset(self) -> None:
        await self.fill({})
        for name in list(self._snapshots):
            self.delete_snapshot(name)
        self.journal.clear()
        self.rules.clear()
        self.sources.clock.release()
        self.set_ids([], None)


class Sessions:
    """All sessions of a server, by name. They are created at first use, and removed after `idle_seconds`."""

    def __init__(
        self, store: Store, sources: Sources, resources: Sequence[Resource], *, name_pattern: str, limits: Limits
    ) -> None:
        self.limits = limits
        self._resources, self._tables = resources, list(by_table(resources))
        self._name_pattern = re.compile(name_pattern)
        self._budget = Budget(limits.all_bytes, make_room=self._remove_idle)
        self.default = Session(
            DEFAULT, store, self._tables, sources, limits, Budget(limits.session_bytes, self._budget)
        )
        self._sessions = {DEFAULT: self.default}
        self._seen: WeakValueDictionary[str, Session] = WeakValueDictionary()
        """Sessions that do not exist, while a control reads them."""
        self._stopping = asyncio.Event()

    def __iter__(self) -> Iterator[Session]:
        self._remove_idle()
        return iter(self._sessions.values())

    def find(self, name: str) -> Session | None:
        """The session of this name, if it exists; it counts as used now."""
        if (session := self._sessions.get(name)) is not None:
            session.used_at = time.monotonic()
        return session

    def use(self, name: str) -> Session:
        """The session of this name, new or not. Raises SessionUnavailable."""
        return self.find(name) or self._create(name)

    def peek(self, name: str) -> Session:
        """The session of this name, or a transient empty one, for reading. Raises SessionUnavailable.

        A search that waits in a transient session finds the requests that create it meanwhile.
        """
        if (session := self.find(name) or self._seen.get(name)) is None:
            self._seen[name] = session = self._new(name)
        return session

    async def fork(self, source: Session, name: str, snapshot: str | None) -> Session:
        """A new session with the clock of `source` and its state, or its snapshot. Raises Refused, LimitReached."""
        content = await source.content() if snapshot is None else source.saved(snapshot)
        if name in self._sessions:
            raise Refused(Problem("session-exists", f"The session {show(name)} exists already."))
        session = self._create(name, clock_of=source)
        try:
            await session.fill(content)
        except LimitReached:
            self._remove(name)
            raise
        return session

    async def delete(self, name: str) -> None:
        """Delete a session; the default one is emptied. Raises Refused when it does not exist."""
        if name == DEFAULT:
            await self.default.reset()
        elif name not in self._sessions:
            raise Refused(Problem("unknown-session", f"There is no session {show(name)}."))
        else:
            self._remove(name)

    async def pause(self, seconds: float) -> None:
        """Wait, at most until the server stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def stop(self) -> None:
        """End all waiting, because the server stops."""
        self._stopping.set()
        for session in chain(self, self._seen.values()):
            session.journal.stop()

    def _create(self, name: str, clock_of: Session | None = None) -> Session:
        self._remove_idle()
        if len(self._sessions) > self.limits.sessions:  # the default one is not counted
            self._check_name(name)
            detail = "The mock has the maximum number of sessions. Delete some, or use an existing one."
            raise SessionUnavailable(Problem("unavailable", detail))
        session = (self._seen.pop(name, None) if clock_of is None else None) or self._new(name, clock_of)
        session.budget.hold("session", SESSION_OVERHEAD)
        self._sessions[name] = session
        return session

    def _new(self, name: str, clock_of: Session | None = None) -> Session:
        self._check_name(name)
        sources = Sources(copy.copy(clock_of.sources.clock) if clock_of else None)
        # A transient session holds nothing; its budget counts in the whole once it holds something.
        budget = Budget(self.limits.session_bytes, self._budget)
        storage = BoundedStorage(indexes_of(self._resources), self.limits.configurations, budget)
        store = EmbeddedStore(storage, sources.values)
        return Session(name, store, self._tables, sources, self.limits, budget)

    def _check_name(self, name: str) -> None:
        if not self._name_pattern.fullmatch(name):
            detail = f"must match {self._name_pattern.pattern}, not {show(name)}"
            raise SessionUnavailable(Problem.of_findings([Finding("pattern", "header", detail, name="X-Mock-Session")]))

    def _remove(self, name: str) -> None:
        self._sessions.pop(name).budget.release_all()

    def _remove_idle(self) -> None:
        oldest = time.monotonic() - self.limits.idle_seconds
        for session in list(self._sessions.values()):
            if session.used_at < oldest and session is not self.default:
                self._remove(session.name)


def _number(content: Content) -> int:
    return sum(map(len, content.values()))


def summary(session: Session) -> dict[str, Any]:
    """The session in the controls' responses."""
    return {
        "name": session.name,
        "requests": len(session.journal),
        "rules": len(session.rules),
        "snapshots": len(session.snapshots),
        "bytes": session.budget.total,
        "idle_seconds": round(time.monotonic() - session.used_at, 3),
    }
