"""The comparison of a response with its expectation: the mistakes, and the memory after it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from ...contract.finding import Finding
from ...contract.paging import MORE, NEXT, TOTALS, first_value
from ...contract.pointer import json_pointer
from ...contract.schema import Json, show
from .collection import MISSING, REMOVED, Collection
from .expectation import Asked, Expectation, part_of
from .memory import Key, Memory, Stored, only
from .steps import Aimed, Create, Delete, List, Outer, Raw, Read, Replace, Step

PARTS = 20
"""The number of pages of a list that are requested; a list with more is not judged as a whole."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, parsed for the model."""

    status: int
    body: Json = None
    """The body without its envelope."""
    whole: Json = None
    """The body with its envelope."""
    envelope: tuple[str, ...] = ()
    """The path of the member that holds the resource or the list."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The header fields, by their names in lower case."""
    leads_to: tuple[str, ...] = ()
    """The path parameters of `Location`, where it leads to a resource of the collection."""


class Mistake(NamedTuple):
    """A finding in a response, with the numbers of the steps that led to it."""

    finding: Finding
    since: tuple[int, ...]


def learn(
    memory: Memory, step: Step, asked: Asked, expected: Expectation, answer: Answer
) -> tuple[list[Mistake], Memory]:
    """The mistakes in a response, and the memory after it."""
    if isinstance(step, Outer) and memory.outer:
        mistakes, outer = learn(replace(memory.outer, steps=memory.steps), step.step, asked, expected, answer)
        return mistakes, memory.after(outer=outer)
    lesson = _Lesson(memory, asked, expected, answer)
    after = lesson.learned(step)
    return lesson.mistakes, after


def either(statuses: Sequence[str]) -> str:
    """Statuses in words, such as `400 or 422`; a class by its name."""
    return " or ".join(f"a {CLASSES[status[0]]} ({status})" if status.endswith("XX") else status for status in statuses)


CLASSES = {"1": "provisional answer", "2": "success", "3": "redirection", "4": "client error", "5": "server error"}


class _Lesson:
    """The comparison of one response, which collects mistakes."""

    def __init__(self, memory: Memory, asked: Asked, expected: Expectation, answer: Answer) -> None:
        self.memory, self.asked, self.expected, self.answer = memory, asked, expected, answer
        self.resource = memory.collection.resource
        self.body: Mapping[str, Json] = answer.body if isinstance(answer.body, dict) else {}
        """The members of the resource; empty where the response shows none."""
        self.mistakes: list[Mistake] = []

    def wrong(self, rule: str, detail: str, since: Sequence[int], *path: str | int) -> None:
        """Add a mistake in the body."""
        pointer = json_pointer((*self.answer.envelope, *path))
        self.mistaken(Finding(rule, "body", detail, pointer), since)

    def mistaken(self, finding: Finding, since: Sequence[int]) -> None:
        self.mistakes.append(Mistake(finding, (*since, self.memory.steps)))

    def learned(self, step: Step) -> Memory:
        """The memory after the step."""
        memory, expected, status = self.memory, self.expected, self.answer.status
        careless = memory.careless(step)
        since = (*expected.since, *(careless.since if careless else ()))
        if status and not expected.admits(status):
            detail = f"must be {either(expected.statuses)}, because {expected.because}; it is {status}"
            self.mistaken(Finding("expected-status", "status", detail), since)
        elif status == 405 and "405" in expected.statuses and "allow" not in self.answer.headers:
            self.mistaken(Finding("allow", "header", "is required in a 405 and missing", name="Allow"), since)
        elif 200 <= status < 300:
            return self._succeeded(step, memory.target(step) if isinstance(step, Aimed) else careless)
        return memory.after(created=(*memory.created, None)) if isinstance(step, Create) else memory.after()

    def _succeeded(self, step: Step, target: Stored | None) -> Memory:
        memory, rows = self.memory, self.answer.body
        if isinstance(step, Create):
            stored = self._created(step)
            keys = (*memory.created, stored.key if stored else None)
            return memory.after(created=keys, stored=memory.keeping(stored) if stored else memory.stored)
        if isinstance(step, List) and isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return self._listed_part(step, rows)
        if target is None:
            return memory.after()
        if isinstance(step, Delete):
            self._deleted(target)
            return memory.without(target.key)
        if isinstance(step, Read):
            if self.body:
                self._disagree(target.shown, self.body, target.since)
            stored = replace(target, tag=self.answer.headers.get("etag", ""))
        elif isinstance(step, Raw):  # the server accepted it, so members that it sets itself may have changed
            known = {name: value for name, value in target.shown.items() if name != self.resource.updated_at}
            stored = replace(target, shown={**known, **only(self.body, self.resource.server_members)}, tag="")
        else:
            stored = self._changed(target, paused=isinstance(step, Replace) and step.pause)
        return memory.after(stored=memory.keeping(stored))

    def _created(self, step: Create) -> Stored | None:
        memory, since = self.memory, self.expected.since
        identity = self.body.get(self.resource.identity)
        if not isinstance(identity, str | int):
            return None  # the engine has reported it
        key = Key(step.below, identity)
        if (other := memory.stored.get(key)) is not None:
            detail = f"must be new, but {show(identity)} was made before"
            self.wrong("identity", detail, other.since, self.resource.identity)
        shown = {**only(self.body, self.resource.server_members), **self.expected.body}
        self._disagree(shown, self.body, since)
        location, has_items = self.answer.headers.get("location"), memory.collection.unknown is not None
        if location is not None and has_items and str(identity) not in self.answer.leads_to[-1:]:
            detail = f"must lead to {show(identity)}, not to {show(location)}"
            self.mistaken(Finding("location", "header", detail, name="Location"), ())
        return Stored(key, shown, (*since, memory.steps))

    def _changed(self, target: Stored, *, paused: bool) -> Stored:
        resource, body, shown = self.resource, self.body, dict(self.expected.body)
        for member, rule in ((resource.identity, "identity"), (resource.created_at, "created-at")):
            if member in target.shown and body.get(member, target.shown[member]) != target.shown[member]:
                detail = f"must still be {show(target.shown[member])}, not {show(body[member])}"
                self.wrong(rule, detail, target.since, member)
                shown[member] = body[member]
        if (member := resource.updated_at) and member in body:
            before, after = instant(target.shown.get(member)), instant(body[member])
            if before and after and _is_not_later(before, after, paused=paused):
                detail = f"must be later than {show(target.shown[member])}, not {show(body[member])}"
                self.wrong("updated-at", detail, target.since, member)
            shown[member] = body[member]
        if body:
            self._disagree(shown, body, target.since)
        return Stored(target.key, shown, (*target.since, self.memory.steps), former=target.tag or target.former)

    def _deleted(self, target: Stored) -> None:
        """Compare the body of a deletion, where it has one."""
        resource, body = self.resource, self.body
        if body and resource.deleted_at in resource.properties and body.get(resource.deleted_at, MISSING) is None:
            self.wrong("deleted-at", "must say when it was deleted, not null", target.since, resource.deleted_at)
        if body:
            changing = {resource.updated_at, resource.deleted_at}
            last = {name: value for name, value in target.shown.items() if name not in changing}
            self._disagree(last, body, target.since)

    def _listed_part(self, step: List, part: Sequence[Mapping[str, Json]]) -> Memory:
        """Compare one page of a list, and after the last one the whole list."""
        memory, answer = self.memory, self.answer
        rows = (*(memory.rows if step.after else ()), *part)
        most = next(iter(part_of(memory, step).values()), None)
        after, is_whole = following(memory.collection, step, answer, len(rows), most)
        if most is not None and len(part) > most:
            self.wrong("list-part", f"must have at most {most} items, as was asked for, not {len(part)}", ())
        parts = step.number + 1
        if after and parts < PARTS and not any(row in memory.rows for row in (part if step.after else ())):
            return memory.after(rows=rows, more=replace(step, after=after, number=parts))
        there = {row.get(self.resource.identity) for row in rows}
        wanted = [each for each in self.expected.body if (is_whole and not after) or each.identity in there]
        self._listed(wanted, rows, len(rows) - len(part), step.below)
        total = next(
            (value for name, value in answer.headers.items() if name in TOTALS), first_value(answer.whole, TOTALS)
        )
        if str(total).isdecimal() and int(total) < len(wanted):
            detail = f"{total} are said to be there in all, but {len(wanted)} were stored"
            self.wrong("list-total", detail, [number for each in wanted for number in each.since])
        return memory.after(rows=rows, more=None, total=len(rows))

    def _listed(self, wanted: Sequence[Stored], rows: Sequence[Mapping[str, Json]], start: int, below: int) -> None:
        """Compare a list. `start` is the number of rows in earlier pages, `below` the number of the parent."""
        memory, key = self.memory, self.resource.identity

        def at(index: int, *path: str | int) -> Path:
            return (index - start, *path) if index >= start else ()

        filters: Mapping[str, Json] = self.asked.value
        for index, row in enumerate(rows):
            wrong = next((name for name, value in filters.items() if row.get(name, value) != value), None)
            if wrong is not None:
                detail = f"is {show(row[wrong])}, but {show(filters[wrong])} was asked for"
                self.wrong("list-filter", detail, memory.since(row), *at(index, wrong))
        ours = [index for index, row in enumerate(rows) if memory.concerns(row)]
        for stored in wanted:
            found = [index for index in ours if rows[index].get(key) == stored.identity]
            if len(found) != 1:
                times = f"there {len(found)} times" if found else "missing"
                self.wrong("list-content", f"{show(stored.identity)}, which was stored, is {times}", stored.since)
            elif found[0] >= start:
                self._disagree(stored.shown, rows[found[0]], stored.since, *at(found[0]))
        for index in ours:
            if (why := memory.stranger(Key(below, rows[index].get(key, "")))) is not None:
                detail = f"{show(why.identity)} is in the list, but {why.what}"
                self.wrong("list-content", detail, why.since or range(max(0, memory.steps - 1), memory.steps))
        self._disorder(rows, start)

    def _disorder(self, rows: Sequence[Mapping[str, Json]], start: int) -> None:
        order = self.resource.order
        if not order or not all(name in row for row in rows for name in order):
            return
        keys = [[instant(row[name]) or row[name] for name in order] for row in rows]
        for index in range(max(1, start), len(keys)):
            if _is_after(keys[index - 1], keys[index]):
                before = json_pointer([index - 1 - start]) if index > start else "the part before"
                detail = f"must come before {before}: the order is by {', then '.join(order)}"
                since = (*self.memory.since(rows[index - 1]), *self.memory.since(rows[index]))
                self.wrong("list-order", detail, since, index - start)
                return

    def _disagree(
        self, expected: Mapping[str, Json], actual: Mapping[str, Json], since: Sequence[int], *path: str | int
    ) -> None:
        for where, wanted, came in differences(expected, actual, path):
            if wanted is REMOVED and came not in (MISSING, None):
                self.wrong("stored-value", f"must be gone, as a patch removed it; it is {show(came)}", since, *where)
            elif wanted not in (MISSING, REMOVED):
                answered = "it is missing" if came is MISSING else f"not {show(came)}"
                self.wrong("stored-value", f"must be {show(wanted)}, as it was stored; {answered}", since, *where)


def following(
    collection: Collection, step: List, answer: Answer, so_far: int, most: int | None
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """The query parameters for the next page of a list, none after the last; and whether that is certain."""
    paging, size = collection.paging, len(answer.body)
    if paging is None or first_value(answer.whole, MORE) is False:
        return (), True
    is_last = not size or (most is not None and size < most and first_value(answer.whole, MORE) is not True)
    if paging.cursor:
        cursor = first_value(answer.whole, NEXT)
        is_known = isinstance(cursor, str | int) and "/" not in str(cursor)
        return (((paging.cursor.name, str(cursor)),), True) if is_known else ((), is_last or cursor is None)
    if is_last:
        return (), True
    if paging.offset:
        return ((paging.offset.name, str(so_far)),), True
    if paging.page:
        declared = paging.page.declared
        first = declared.get("default", declared.get("minimum", 1))
        return ((paging.page.name, str(first + step.number + 1)),), True
    return (), False


def _is_after(one: list[Any], other: list[Any]) -> bool:
    try:
        return one > other
    except TypeError:  # different types, which the engine reports
        return False


def _is_not_later(before: datetime, after: datetime, *, paused: bool) -> bool:
    try:
        return after < before or (paused and after == before)
    except TypeError:  # only one of them has an offset
        return False


def is_same(_path: Path, one: Json, other: Json) -> bool:
    """Whether two scalars are equal; 1 is not true."""
    is_scalar = not isinstance(one, Mapping | list)
    return is_scalar and bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def differences(
    one: Json, other: Json, path: Path = (), is_alike: Callable[[Path, Json, Json], bool] = is_same
) -> Iterator[tuple[Path, Json, Json]]:
    """The differences of two JSON values: path, the one, the other; MISSING where only one has a member."""
    if is_alike(path, one, other):
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys([*one, *other]):
            yield from differences(one.get(name, MISSING), other.get(name, MISSING), (*path, name), is_alike)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (item, counterpart) in enumerate(zip(one, other, strict=True)):
            yield from differences(item, counterpart, (*path, index), is_alike)
    else:
        yield path, one, other


def instant(value: Json) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
