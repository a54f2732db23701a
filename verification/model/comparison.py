"""An answer held against what was expected of it: what is wrong, and what is known afterwards."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from ...contract.finding import Finding, Place, json_pointer
from ...contract.paging import MORE, NEXT, TOTALS, told
from ...contract.schema import Json, show
from .collection import MISSING, REMOVED, Collection
from .expectation import Asked, Expectation, part_of
from .memory import Key, Memory, Stored, only
from .steps import Aimed, Create, Delete, List, Outer, Raw, Read, Replace, Step

PARTS = 20
"""How many parts of a list are asked for; one that has more is not judged as a whole."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Json = None
    """Without its envelope."""
    whole: Json = None
    """With it."""
    location: str | None = None
    leads_to: tuple[str, ...] = ()
    """The path parameters of `location`, where it is a resource of the collection."""
    has_allow: bool = False
    tag: str = ""
    """The entity tag."""
    total: str = ""
    """How many a field of its head says that there are in all."""


class Mistake(NamedTuple):
    """What is wrong with an answer, and the numbers of the steps that led to it."""

    finding: Finding
    since: tuple[int, ...]


def learn(
    memory: Memory, step: Step, asked: Asked, expected: Expectation, answer: Answer
) -> tuple[list[Mistake], Memory]:
    """The mistakes in an answer, and the memory after it."""
    if isinstance(step, Outer) and memory.outer:
        mistakes, outer = learn(replace(memory.outer, steps=memory.steps), step.step, asked, expected, answer)
        return mistakes, memory.after(outer=outer)
    mistakes = []
    first = memory.careless(step)
    now = (*expected.since, *(first.since if first else ()), memory.steps)
    if answer.status and not expected.admits(answer.status):
        detail = f"must be {either(expected.statuses)}, because {expected.because}; it is {answer.status}"
        mistakes.append(Mistake(Finding("expected-status", "status", detail), now))
    elif answer.status == 405 and "405" in expected.statuses and not answer.has_allow:
        mistakes.append(Mistake(Finding("allow", "header", "is required in a 405 and missing", name="Allow"), now))
    elif 200 <= answer.status < 300:
        return _learn_success(memory, step, asked, expected, answer)
    return mistakes, memory.after(created=(*memory.created, None)) if isinstance(step, Create) else memory.after()


def _learn_success(
    memory: Memory, step: Step, asked: Asked, expected: Expectation, answer: Answer
) -> tuple[list[Mistake], Memory]:
    mistakes: list[Mistake] = []
    body = answer.body if isinstance(answer.body, dict) else {}
    target = memory.target(step) if isinstance(step, Aimed) else memory.careless(step)
    if isinstance(step, Create):
        stored = _created(memory, step, expected, answer, mistakes)
        keys = (*memory.created, stored.key if stored else None)
        return mistakes, memory.after(created=keys, stored=memory.keeping(stored) if stored else memory.stored)
    if isinstance(step, List) and isinstance(answer.body, list) and all(isinstance(row, dict) for row in answer.body):
        return _listed_part(memory, step, asked, expected, answer)
    if target is None:
        return mistakes, memory.after()
    if isinstance(step, Delete):
        mistakes += _deleted(memory, target, body)
        return mistakes, memory.without(target.key)
    if isinstance(step, Read):
        mistakes += _disagreements(target.shown, body, (*target.since, memory.steps)) if body else ()
        stored = replace(target, tag=answer.tag)
    elif isinstance(step, Raw):  # what was only careless is taken, and what the server makes may have changed
        resource = memory.collection.resource
        known = {name: value for name, value in target.shown.items() if name != resource.updated_at}
        stored = replace(target, shown={**known, **only(body, resource.server_members)}, tag="")
    else:
        stored = _changed(memory, target, expected, body, mistakes, paused=isinstance(step, Replace) and step.pause)
    return mistakes, memory.after(stored=memory.keeping(stored))


def either(statuses: Sequence[str]) -> str:
    """`400 or 422` in words; a class of statuses by its name."""
    return " or ".join(f"a {CLASSES[status[0]]} ({status})" if status.endswith("XX") else status for status in statuses)


CLASSES = {"1": "provisional answer", "2": "success", "3": "redirection", "4": "client error", "5": "server error"}


def _created(
    memory: Memory, step: Create, expected: Expectation, answer: Answer, mistakes: list[Mistake]
) -> Stored | None:
    resource, now = memory.collection.resource, (memory.steps,)
    identity = answer.body.get(resource.identity) if isinstance(answer.body, dict) else None
    if not isinstance(identity, str | int):
        return None  # the engine has said why
    key = Key(step.below, identity)
    if (other := memory.stored.get(key)) is not None:
        detail = f"must be new, but {show(identity)} was made before"
        mistakes.append(_in_body("identity", detail, (*other.since, *now), resource.identity))
    shown = {**only(answer.body, resource.server_members), **expected.body}
    mistakes += _disagreements(shown, answer.body, (*expected.since, *now))
    has_items = memory.collection.unknown is not None
    if answer.location is not None and has_items and str(identity) not in answer.leads_to[-1:]:
        detail = f"must lead to {show(identity)}, not to {show(answer.location)}"
        mistakes.append(Mistake(Finding("location", "header", detail, name="Location"), now))
    return Stored(key, shown, (*expected.since, *now))


def _changed(
    memory: Memory,
    target: Stored,
    expected: Expectation,
    body: Mapping[str, Json],
    mistakes: list[Mistake],
    *,
    paused: bool,
) -> Stored:
    """`body` is empty where the answer shows nothing."""
    resource, now = memory.collection.resource, (*target.since, memory.steps)
    shown = dict(expected.body)
    for member, rule in ((resource.identity, "identity"), (resource.created_at, "created-at")):
        if member in target.shown and body.get(member, target.shown[member]) != target.shown[member]:
            detail = f"must still be {show(target.shown[member])}, not {show(body[member])}"
            mistakes.append(_in_body(rule, detail, now, member))
            shown[member] = body[member]
    if (member := resource.updated_at) and member in body:
        before, after = instant(target.shown.get(member)), instant(body[member])
        if before and after and _is_not_later(before, after, paused=paused):
            detail = f"must be later than {show(target.shown[member])}, not {show(body[member])}"
            mistakes.append(_in_body("updated-at", detail, now, member))
        shown[member] = body[member]
    if body:
        mistakes += _disagreements(shown, body, now)
    return Stored(target.key, shown, now, former=target.tag or target.former)


def _deleted(memory: Memory, target: Stored, body: Mapping[str, Json]) -> Iterator[Mistake]:
    """What is wrong with the last that is shown of something; `body` is empty where nothing is."""
    resource, now = memory.collection.resource, (*target.since, memory.steps)
    if body and resource.deleted_at in resource.properties and body.get(resource.deleted_at, MISSING) is None:
        yield _in_body("deleted-at", "must say when it was deleted, not null", now, resource.deleted_at)
    if body:
        changing = {resource.updated_at, resource.deleted_at}
        last = {name: value for name, value in target.shown.items() if name not in changing}
        yield from _disagreements(last, body, now)


def _listed_part(
    memory: Memory, step: List, asked: Asked, expected: Expectation, answer: Answer
) -> tuple[list[Mistake], Memory]:
    """What is wrong with one part of a list, and once all of them are there, with the whole."""
    rows = (*(memory.rows if step.after else ()), *answer.body)
    most = next(iter(part_of(memory, step).values()), None)
    after, is_whole = following(memory.collection, step, answer, len(rows), most)
    mistakes = []
    if most is not None and len(answer.body) > most:
        detail = f"must have at most {most} items, as was asked for, not {len(answer.body)}"
        mistakes.append(_in_body("list-part", detail, (memory.steps,)))
    parts = step.number + 1
    if after and parts < PARTS and not any(row in memory.rows for row in (answer.body if step.after else ())):
        return mistakes, memory.after(rows=rows, more=replace(step, after=after, number=parts))
    there = {row.get(memory.collection.resource.identity) for row in rows}
    wanted = [each for each in expected.body if (is_whole and not after) or each.identity in there]
    mistakes += _listed(memory, asked.value, wanted, rows, len(rows) - len(answer.body), step.below)
    total = answer.total or told(answer.whole, TOTALS)
    if str(total).isdecimal() and int(total) < len(wanted):
        detail = f"{total} are said to be there in all, but {len(wanted)} were stored"
        since = tuple(number for each in wanted for number in each.since)
        mistakes.append(_in_body("list-total", detail, (*since, memory.steps)))
    return mistakes, memory.after(rows=rows, more=None, total=len(rows))


def following(
    collection: Collection, step: List, answer: Answer, so_far: int, most: int | None
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """The parameters that ask for what comes after a part of a list, none at its end; and whether that is sure."""
    paging, size = collection.paging, len(answer.body)
    if paging is None or told(answer.whole, MORE) is False:
        return (), True
    is_last = not size or (most is not None and size < most and told(answer.whole, MORE) is not True)
    if paging.cursor:
        cursor = told(answer.whole, NEXT)
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


def _listed(
    memory: Memory,
    filters: Mapping[str, Json],
    wanted: Sequence[Stored],
    rows: Sequence[Mapping[str, Json]],
    start: int,
    below: int,
) -> Iterator[Mistake]:
    """`start` is how many of the rows were in earlier parts of the list, `below` the parent whose list it is."""
    key, now = memory.collection.resource.identity, memory.steps

    def at(index: int, *path: str | int) -> tuple[str | int, ...]:
        return (index - start, *path) if index >= start else ()

    for index, row in enumerate(rows):
        wrong = next((name for name, value in filters.items() if row.get(name, value) != value), None)
        if wrong is not None:
            detail = f"is {show(row[wrong])}, but {show(filters[wrong])} was asked for"
            yield _in_body("list-filter", detail, (*memory.since(row), now), *at(index, wrong))
    ours = [index for index, row in enumerate(rows) if memory.concerns(row)]
    for stored in wanted:
        found = [index for index in ours if rows[index].get(key) == stored.identity]
        if len(found) == 1:
            if found[0] >= start:
                yield from _disagreements(stored.shown, rows[found[0]], (*stored.since, now), *at(found[0]))
        else:
            times = f"there {len(found)} times" if found else "missing"
            detail = f"{show(stored.identity)}, which was stored, is {times}"
            yield _in_body("list-content", detail, (*stored.since, now))
    for index in ours:
        if (why := memory.stranger(Key(below, rows[index].get(key, "")))) is not None:
            detail = f"{show(why.identity)} is in the list, but {why.what}"
            yield _in_body(
                "list-content", detail, (*why.since, now) if why.since else (*range(max(0, now - 1), now), now)
            )
    yield from _disorder(memory, rows, start)


def _disorder(memory: Memory, rows: Sequence[Mapping[str, Json]], start: int) -> Iterator[Mistake]:
    order = memory.collection.resource.order
    if not order or not all(name in row for row in rows for name in order):
        return
    keys = [[instant(row[name]) or row[name] for name in order] for row in rows]
    for index in range(max(1, start), len(keys)):
        if _is_after(keys[index - 1], keys[index]):
            before = json_pointer([index - 1 - start]) if index > start else "the part before"
            detail = f"must come before {before}: the order is by {', then '.join(order)}"
            since = (*memory.since(rows[index - 1]), *memory.since(rows[index]), memory.steps)
            yield _in_body("list-order", detail, since, index - start)
            return


def _is_after(one: list[Any], other: list[Any]) -> bool:
    try:
        return one > other
    except TypeError:  # of different types; the engine has told
        return False


def _is_not_later(before: datetime, after: datetime, *, paused: bool) -> bool:
    try:
        return after < before or (paused and after == before)
    except TypeError:  # only one of them has an offset
        return False


def _in_body(rule: str, detail: str, since: tuple[int, ...], *path: str | int) -> Mistake:
    place: Place = "body"
    return Mistake(Finding(rule, place, detail, json_pointer(path)), since)


def _disagreements(
    expected: Mapping[str, Json], actual: Mapping[str, Json], since: tuple[int, ...], *path: str | int
) -> Iterator[Mistake]:
    for where, wanted, came in differences(expected, actual, path):
        if wanted is REMOVED and came not in (MISSING, None):
            yield _in_body("stored-value", f"must be gone, as a patch removed it; it is {show(came)}", since, *where)
        elif wanted not in (MISSING, REMOVED):
            answered = "it is missing" if came is MISSING else f"not {show(came)}"
            yield _in_body("stored-value", f"must be {show(wanted)}, as it was stored; {answered}", since, *where)


def is_same(_path: Path, one: Json, other: Json) -> bool:
    """Whether two scalars are equal; 1 is not true."""
    is_scalar = not isinstance(one, Mapping | list)
    return is_scalar and bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def differences(
    one: Json, other: Json, path: Path = (), is_alike: Callable[[Path, Json, Json], bool] = is_same
) -> Iterator[tuple[Path, Json, Json]]:
    """Where two JSON values differ: path, the one, the other; MISSING stands for what only one of them has."""
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
