"""The comparison of a response with its expectation: the mistakes, and the state after it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from ...contract.finding import Finding
from ...contract.paging import MORE, NEXT, TOTALS, first_value
from ...contract.pointer import json_pointer
from ...contract.schema import Json, show
from .collection import MISSING, REMOVED, Collection
from .expectation import Expectation, StepRequest, page_size
from .state import Key, ModelState, Stored, only
from .steps import Create, Delete, List, ParentStep, RawRequest, Read, Replace, Step, TargetedStep

MAX_PAGES = 20
"""The number of pages of a list that are requested; a list with more is not judged as a whole."""
MAX_OFFSET = 14
"""The largest offset of a local time from UTC, in hours."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ParsedResponse:
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
    sent: datetime | None = None
    """The time of the request by our clock."""
    leads_to: tuple[str, ...] = ()
    """The path parameters of `Location`, where it leads to a resource of the collection."""


class Mistake(NamedTuple):
    """A finding in a response, with the numbers of the steps that led to it."""

    finding: Finding
    evidence: tuple[int, ...]


def compare_response(
    state: ModelState, step: Step, request: StepRequest, expected: Expectation, response: ParsedResponse
) -> tuple[list[Mistake], ModelState]:
    """The mistakes in a response, and the state after it."""
    if isinstance(step, ParentStep) and state.parent:
        mistakes, parent = compare_response(
            replace(state.parent, steps=state.steps), step.step, request, expected, response
        )
        return mistakes, state.after(parent=parent)
    comparison = _ResponseComparison(state, request, expected, response)
    after = comparison.state_after(step)
    return comparison.mistakes, after


def one_of(statuses: Sequence[str]) -> str:
    """Statuses in words, such as `400 or 422`; a class by its name."""
    return " or ".join(f"a {CLASSES[status[0]]} ({status})" if status.endswith("XX") else status for status in statuses)


CLASSES = {"1": "informational response", "2": "success", "3": "redirection", "4": "client error", "5": "server error"}


class _ResponseComparison:
    """The comparison of one response, which collects mistakes."""

    def __init__(
        self, state: ModelState, request: StepRequest, expected: Expectation, response: ParsedResponse
    ) -> None:
        self.state, self.request, self.expected, self.response = state, request, expected, response
        self.resource = state.collection.resource
        self.body: Mapping[str, Json] = response.body if isinstance(response.body, dict) else {}
        """The members of the resource; empty where the response shows none."""
        self.mistakes: list[Mistake] = []

    def add_in_body(self, rule: str, detail: str, evidence: Sequence[int], *path: str | int) -> None:
        """Add a mistake in the body."""
        pointer = json_pointer((*self.response.envelope, *path))
        self.add(Finding(rule, "body", detail, pointer), evidence)

    def add(self, finding: Finding, evidence: Sequence[int]) -> None:
        self.mistakes.append(Mistake(finding, (*evidence, self.state.steps)))

    def state_after(self, step: Step) -> ModelState:
        """The state after the step."""
        state, expected, status = self.state, self.expected, self.response.status
        touched = state.raw_target(step)
        evidence = (*expected.evidence, *(touched.evidence if touched else ()))
        if status and not expected.accepts(status):
            detail = f"must be {one_of(expected.statuses)}, because {expected.because}; it is {status}"
            self.add(Finding("expected-status", "status", detail), evidence)
        elif status == 405 and "405" in expected.statuses and (wrong := self._wrong_allow()):
            self.add(Finding("allow", "header", wrong, name="Allow"), evidence)
        elif unnamed := self._unnamed_violation():
            self.add(unnamed, evidence)
        elif 200 <= status < 300:
            return self._succeeded(step, state.target(step) if isinstance(step, TargetedStep) else touched)
        return state.after(created=(*state.created, None)) if isinstance(step, Create) else state.after()

    def _wrong_allow(self) -> str:
        """What is wrong with `Allow` in a 405; empty if nothing is."""
        if (allow := self.response.headers.get("allow")) is None:
            return "is required in a 405 and missing"
        allowed = {each.strip() for each in allow.split(",")}
        known, _ = self.state.collection.contract.route(self.request.target.partition("?")[0]) or ({}, {})
        if self.request.method not in allowed and allowed.issuperset(known):
            return ""
        return f"must have {' and '.join(known)}, and not {self.request.method}; it is {show(allow)}"

    def _unnamed_violation(self) -> Finding | None:
        """The finding on the first violation that the problem does not name, where the contract promises all."""
        problems = self.state.collection.contract.problems.values()
        members = (
            each["violations"] for each in problems if each["status"] == self.response.status and "violations" in each
        )
        if not self.expected.violations or (member := next(members, None)) is None:
            return None
        named = self.response.whole.get(member, ()) if isinstance(self.response.whole, dict) else ()
        for wrong in self.expected.violations:
            if not any(_names(each, wrong) for each in named):
                place = f"{wrong.place} {wrong.pointer or wrong.name or ''}".rstrip()
                return Finding("violations", "body", f"must name {place}, which {wrong.detail}", json_pointer([member]))
        return None

    def _succeeded(self, step: Step, target: Stored | None) -> ModelState:
        state, rows = self.state, self.response.body
        if isinstance(step, Create):
            stored = self._created(step)
            keys = (*state.created, stored.key if stored else None)
            return state.after(created=keys, stored=state.with_stored(stored) if stored else state.stored)
        if isinstance(step, List) and isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return self._list_page(step, rows)
        if target is None:
            identity = self.body.get(self.resource.identity)
            if self.expected.operation != state.collection.create.id or not isinstance(identity, str | int):
                return state.after()
            stored = Stored(Key(0, identity), self.body, (state.steps,))  # of a RawRequest, so nothing else is known
            return state.after(stored=state.with_stored(stored))
        if isinstance(step, Delete):
            self._deleted(target)
            return state.with_deletion(target.key)
        if isinstance(step, Read):
            if self.body:
                self._compare_members(target.shown, self.body, target.evidence)
            stored = replace(target, tag=self.response.headers.get("etag", ""))
        elif isinstance(step, RawRequest):  # the server accepted it, so members that it sets itself may have changed
            known = {name: value for name, value in target.shown.items() if name != self.resource.updated_at}
            stored = replace(target, shown={**known, **only(self.body, self.resource.server_members)}, tag="")
        else:
            stored = self._changed(target, paused=isinstance(step, Replace) and step.pause)
        return state.after(stored=state.with_stored(stored))

    def _created(self, step: Create) -> Stored | None:
        state, evidence = self.state, self.expected.evidence
        identity = self.body.get(self.resource.identity)
        if not isinstance(identity, str | int):
            return None  # the engine has reported it
        key = Key(step.below, identity)
        if (other := state.stored.get(key)) is not None:
            detail = f"must be new, but {show(identity)} was created before"
            self.add_in_body("identity", detail, other.evidence, self.resource.identity)
        shown = {**only(self.body, self.resource.server_members), **self.expected.body}
        self._compare_members(shown, self.body, evidence)
        if offset := self._offset_of(self.body.get(self.resource.created_at)):
            detail = f"must be the time in UTC, not one with {offset} hours more"
            self.add_in_body("created-at", detail, (), self.resource.created_at)
        location, has_items = self.response.headers.get("location"), state.collection.unknown is not None
        if location is not None and has_items and str(identity) not in self.response.leads_to[-1:]:
            detail = f"must refer to {show(identity)}, not to {show(location)}"
            self.add(Finding("location", "header", detail, name="Location"), ())
        return Stored(key, shown, (*evidence, state.steps))

    def _offset_of(self, time: Json) -> float:
        """The offset in hours of a local time that claims to be in UTC, to a quarter; 0 if it is in UTC."""
        made, sent = instant(time), self.response.sent
        if made is None or made.tzinfo is None or sent is None:
            return 0
        seconds = (made - sent).total_seconds()
        quarters = round(seconds / 900)
        return quarters / 4 if abs(quarters) <= MAX_OFFSET * 4 and abs(seconds - quarters * 900) < 60 else 0

    def _changed(self, target: Stored, *, paused: bool) -> Stored:
        resource, body, shown = self.resource, self.body, dict(self.expected.body)
        for member, rule in ((resource.identity, "identity"), (resource.created_at, "created-at")):
            if member in target.shown and body.get(member, target.shown[member]) != target.shown[member]:
                detail = f"must still be {show(target.shown[member])}, not {show(body[member])}"
                self.add_in_body(rule, detail, target.evidence, member)
                shown[member] = body[member]
        if (member := resource.updated_at) and member in body:
            before, after = instant(target.shown.get(member)), instant(body[member])
            if before and after and _is_not_later(before, after, paused=paused):
                detail = f"must be later than {show(target.shown[member])}, not {show(body[member])}"
                self.add_in_body("updated-at", detail, target.evidence, member)
            shown[member] = body[member]
        if body:
            self._compare_members(shown, body, target.evidence)
        return Stored(target.key, shown, (*target.evidence, self.state.steps), former=target.tag or target.former)

    def _deleted(self, target: Stored) -> None:
        """Compare the body of a deletion, where it has one."""
        resource, body = self.resource, self.body
        if body and resource.deleted_at in resource.properties and body.get(resource.deleted_at, MISSING) is None:
            self.add_in_body(
                "deleted-at", "must have the time of the deletion, not null", target.evidence, resource.deleted_at
            )
        if body:
            changing = {resource.updated_at, resource.deleted_at}
            last = {name: value for name, value in target.shown.items() if name not in changing}
            self._compare_members(last, body, target.evidence)

    def _list_page(self, step: List, part: Sequence[Mapping[str, Json]]) -> ModelState:
        """Compare one page of a list, and after the last one the whole list."""
        state, response = self.state, self.response
        rows = (*(state.rows if step.after else ()), *part)
        most = next(iter(page_size(state, step).values()), None)
        after, is_whole = next_page(state.collection, step, response, len(rows), most)
        if most is not None and len(part) > most:
            self.add_in_body("list-part", f"must have at most {most} items, as requested, not {len(part)}", ())
        parts = step.number + 1
        if after and parts < MAX_PAGES and not any(row in state.rows for row in (part if step.after else ())):
            return state.after(rows=rows, more=replace(step, after=after, number=parts))
        there = {row.get(self.resource.identity) for row in rows}
        wanted = [each for each in self.expected.body if (is_whole and not after) or each.identity in there]
        self._listed(wanted, rows, len(rows) - len(part), step.below)
        total = next(
            (value for name, value in response.headers.items() if name in TOTALS), first_value(response.whole, TOTALS)
        )
        if str(total).isdecimal() and int(total) < len(wanted):
            detail = f"the total is {total}, but {len(wanted)} were stored"
            self.add_in_body("list-total", detail, [number for each in wanted for number in each.evidence])
        return state.after(rows=rows, more=None, total=len(rows))

    def _listed(self, wanted: Sequence[Stored], rows: Sequence[Mapping[str, Json]], start: int, below: int) -> None:
        """Compare a list. `start` is the number of rows in earlier pages, `below` the number of the parent."""
        state, key = self.state, self.resource.identity

        def at(index: int, *path: str | int) -> Path:
            return (index - start, *path) if index >= start else ()

        filters: Mapping[str, Json] = self.request.value
        for index, row in enumerate(rows):
            wrong = next((name for name, value in filters.items() if row.get(name, value) != value), None)
            if wrong is not None:
                detail = f"is {show(row[wrong])}, but the filter is {show(filters[wrong])}"
                self.add_in_body("list-filter", detail, state.evidence(row), *at(index, wrong))
        ours = [index for index, row in enumerate(rows) if state.owns(row)]
        for stored in wanted:
            found = [index for index in ours if rows[index].get(key) == stored.identity]
            if len(found) != 1:
                times = f"listed {len(found)} times" if found else "missing"
                self.add_in_body(
                    "list-content", f"{show(stored.identity)}, which was stored, is {times}", stored.evidence
                )
            elif found[0] >= start:
                self._compare_members(stored.shown, rows[found[0]], stored.evidence, *at(found[0]))
        for index in ours:
            if (why := state.absence_below(Key(below, rows[index].get(key, "")))) is not None:
                detail = f"{show(why.identity)} is in the list, but {why.what}"
                self.add_in_body("list-content", detail, why.evidence or range(max(0, state.steps - 1), state.steps))
        self._check_order(rows, start)

    def _check_order(self, rows: Sequence[Mapping[str, Json]], start: int) -> None:
        order = self.resource.order
        if not order or not all(name in row for row in rows for name in order):
            return
        keys = [[instant(row[name]) or row[name] for name in order] for row in rows]
        for index in range(max(1, start), len(keys)):
            if _is_after(keys[index - 1], keys[index]):
                before = json_pointer([index - 1 - start]) if index > start else "the previous page"
                detail = f"must come before {before}: the order is by {', then '.join(order)}"
                evidence = (*self.state.evidence(rows[index - 1]), *self.state.evidence(rows[index]))
                self.add_in_body("list-order", detail, evidence, index - start)
                return

    def _compare_members(
        self, expected: Mapping[str, Json], actual: Mapping[str, Json], evidence: Sequence[int], *path: str | int
    ) -> None:
        for where, wanted, actual_value in differences(expected, actual, path):
            if wanted is REMOVED and actual_value not in (MISSING, None):
                self.add_in_body(
                    "stored-value",
                    f"must be absent, as a patch removed it; it is {show(actual_value)}",
                    evidence,
                    *where,
                )
            elif wanted not in (MISSING, REMOVED):
                found = "it is missing" if actual_value is MISSING else f"not {show(actual_value)}"
                self.add_in_body("stored-value", f"must be {show(wanted)}, as it was stored; {found}", evidence, *where)


def _names(named: Mapping[str, Json], wrong: Finding) -> bool:
    """Whether a problem's violation has the place of a finding, or one around or inside it."""
    if wrong.pointer is None:
        return str(named.get("name", "")).lower() == (wrong.name or "").lower()
    one, other = sorted((f"{named.get('pointer', '')}/", f"{wrong.pointer}/"), key=len)
    return other.startswith(one) if one != "/" else one == other


def next_page(
    collection: Collection, step: List, response: ParsedResponse, so_far: int, most: int | None
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """The query parameters for the next page of a list, none after the last; and whether that is certain."""
    paging, size = collection.paging, len(response.body)
    if paging is None or first_value(response.whole, MORE) is False:
        return (), True
    is_last = not size or (most is not None and size < most and first_value(response.whole, MORE) is not True)
    if paging.cursor:
        cursor = first_value(response.whole, NEXT)
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


def is_equal(_path: Path, one: Json, other: Json) -> bool:
    """Whether two scalars are equal; 1 is not true."""
    is_scalar = not isinstance(one, Mapping | list)
    return is_scalar and bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def differences(
    one: Json, other: Json, path: Path = (), is_alike: Callable[[Path, Json, Json], bool] = is_equal
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
