"""An answer held against what was expected of it: what is wrong, and what is known afterwards."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from ...contract.finding import Finding, Place, json_pointer
from ...contract.schema import Json, show
from .expectation import Asked, Expectation
from .memory import Memory, Stored, only
from .steps import FIRST, Create, List, Raw, Replace, Step

MISSING = object()
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Json = None
    location: str | None = None
    leads_to: tuple[str, ...] = ()
    """The path parameters of `location`, where it is a resource of the collection."""
    has_allow: bool = False


class Mistake(NamedTuple):
    """What is wrong with an answer, and the numbers of the steps that led to it."""

    finding: Finding
    since: tuple[int, ...]


def learn(
    memory: Memory, step: Step, asked: Asked, expected: Expectation, answer: Answer
) -> tuple[list[Mistake], Memory]:
    """The mistakes in an answer, and the memory after it."""
    mistakes: list[Mistake] = []
    first = memory.stored.get(memory.first) if isinstance(step, Raw) and FIRST in step.path else None
    now = (*expected.since, *(first.since if first else ()), memory.steps)
    succeeded = 200 <= answer.status < 300
    if answer.status and not expected.admits(answer.status):
        detail = f"must be {either(expected.statuses)}, because {expected.because}; it is {answer.status}"
        mistakes.append(Mistake(Finding("expected-status", "status", detail), now))
        succeeded = False
    match step:
        case Create():
            stored = _created(memory, expected, answer, mistakes) if succeeded else None
            if stored is None:
                return mistakes, memory.after(created=(*memory.created, None))
            return mistakes, memory.after(created=(*memory.created, stored.identity), stored=memory.keeping(stored))
        case Replace() if succeeded and (target := memory.target(step.target)) and isinstance(answer.body, dict):
            stored = _replaced(memory, target, expected, answer, mistakes, paused=step.pause)
            return mistakes, memory.after(stored=memory.keeping(stored))
        case List() if succeeded and isinstance(answer.body, list):
            if all(isinstance(row, dict) for row in answer.body):
                mistakes += _listed(memory, asked.value, expected.body, answer.body)
        case Raw(method="PUT") if succeeded and first is not None and isinstance(answer.body, dict):
            # What was only careless is taken, and what the server makes may have changed.
            shown = {**first.shown, **only(answer.body, memory.collection.resource.server_members)}
            return mistakes, memory.after(stored=memory.keeping(replace(first, shown=shown)))
        case Raw() if answer.status == 405 and "405" in expected.statuses and not answer.has_allow:
            mistakes.append(Mistake(Finding("allow", "header", "is required in a 405 and missing", name="Allow"), now))
    return mistakes, memory.after()


def either(statuses: Sequence[str]) -> str:
    """`400 or 422` in words; a class of statuses by its name."""
    return " or ".join(f"a {CLASSES[status[0]]} ({status})" if status.endswith("XX") else status for status in statuses)


CLASSES = {"1": "provisional answer", "2": "success", "3": "redirection", "4": "client error", "5": "server error"}


def _created(memory: Memory, expected: Expectation, answer: Answer, mistakes: list[Mistake]) -> Stored | None:
    resource, now = memory.collection.resource, (memory.steps,)
    identity = answer.body.get(resource.identity) if isinstance(answer.body, dict) else None
    if not isinstance(identity, str | int):
        return None  # the engine has said why
    if (other := memory.stored.get(identity)) is not None:
        detail = f"must be new, but {show(identity)} was made before"
        mistakes.append(_in_body("identity", detail, (*other.since, *now), resource.identity))
    shown = {**expected.body, **only(answer.body, resource.server_members)}
    mistakes += _disagreements(shown, answer.body, now)
    if answer.location is not None and memory.collection.replace and str(identity) not in answer.leads_to:
        detail = f"must lead to {show(identity)}, not to {show(answer.location)}"
        mistakes.append(Mistake(Finding("location", "header", detail, name="Location"), now))
    return Stored(identity, shown, now)


def _replaced(
    memory: Memory, target: Stored, expected: Expectation, answer: Answer, mistakes: list[Mistake], *, paused: bool
) -> Stored:
    resource, now = memory.collection.resource, (*target.since, memory.steps)
    shown = dict(expected.body)
    for member, rule in ((resource.identity, "identity"), (resource.created_at, "created-at")):
        if member in target.shown and answer.body.get(member, target.shown[member]) != target.shown[member]:
            detail = f"must still be {show(target.shown[member])}, not {show(answer.body[member])}"
            mistakes.append(_in_body(rule, detail, now, member))
            shown[member] = answer.body[member]
    if (member := resource.updated_at) and member in answer.body:
        before, after = instant(target.shown.get(member)), instant(answer.body[member])
        if before and after and _is_not_later(before, after, paused=paused):
            detail = f"must be later than {show(target.shown[member])}, not {show(answer.body[member])}"
            mistakes.append(_in_body("updated-at", detail, now, member))
        shown[member] = answer.body[member]
    mistakes += _disagreements(shown, answer.body, now)
    return Stored(target.identity, shown, now)


def _listed(
    memory: Memory, filters: Mapping[str, str], wanted: Sequence[Stored], rows: Sequence[Mapping[str, Json]]
) -> Iterator[Mistake]:
    key, now = memory.collection.resource.identity, memory.steps
    for index, row in enumerate(rows):
        wrong = next((name for name, value in filters.items() if row.get(name, value) != value), None)
        if wrong is not None:
            detail = f"is {show(row[wrong])}, but {show(filters[wrong])} was asked for"
            yield _in_body("list-filter", detail, (*memory.since(row), now), index, wrong)
    ours = [index for index, row in enumerate(rows) if memory.concerns(row)]
    for stored in wanted:
        found = [index for index in ours if rows[index].get(key) == stored.identity]
        if len(found) == 1:
            yield from _disagreements(stored.shown, rows[found[0]], (*stored.since, now), *found)
        else:
            times = f"there {len(found)} times" if found else "missing"
            detail = f"{show(stored.identity)}, which was stored, is {times}"
            yield _in_body("list-content", detail, (*stored.since, now))
    for index in ours:
        if rows[index].get(key) not in memory.stored:
            detail = f"{show(rows[index].get(key))} is in the list, but was never stored"
            yield _in_body("list-content", detail, (*range(max(0, now - 1), now), now))
    yield from _disorder(memory, rows)


def _disorder(memory: Memory, rows: Sequence[Mapping[str, Json]]) -> Iterator[Mistake]:
    order = memory.collection.resource.order
    if not order or not all(name in row for row in rows for name in order):
        return
    keys = [[instant(row[name]) or row[name] for name in order] for row in rows]
    for index in range(1, len(keys)):
        if _is_after(keys[index - 1], keys[index]):
            detail = f"must come before {json_pointer([index - 1])}: the order is by {', then '.join(order)}"
            since = (*memory.since(rows[index - 1]), *memory.since(rows[index]), memory.steps)
            yield _in_body("list-order", detail, since, index)
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
        if wanted is not MISSING:
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
