"""What a server must answer, and why, given what it was told before: functions of a `Memory`, without any client.

They share no store with the mock, so they do not share its mistakes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from ...contract.finding import Finding
from ...contract.interaction import Fields
from ...contract.operation import Operation
from ...contract.schema import Json, show
from .memory import Memory, Stored, only
from .steps import FIRST, JSON_BODY, UNKNOWN, Create, List, Raw, Replace, Step, named

REFUSALS = {
    **dict.fromkeys(("media-type", "content-coding", "json-charset"), ("415",)),
    "accept": ("406",),
    "credentials": ("401", "403"),
}
INVALID = ("400", "422")
"""The documented statuses that refuse a request, by what is wrong with it."""
NOTHING_IN_ITS_WAY = "the request keeps to the contract, and nothing that is stored is in its way"


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that a step becomes."""

    method: str
    target: str
    headers: Fields = ()
    body: bytes = b""
    operation: Operation | None = None
    """None for a Raw step, whose path decides."""
    value: Json = None
    """Of the body, or the filters of a list."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The answer that is right."""

    operation: str
    statuses: tuple[str, ...]
    """As the contract writes them; none where any status is right."""
    because: str = ""
    since: tuple[int, ...] = ()
    """The numbers of the steps that it follows from."""
    body: Json = None
    """The members that a success shows, as far as they are known."""
    silently: tuple[str, ...] = ()
    """Statuses that are right as well, without being asked for."""

    def admits(self, status: int) -> bool:
        right = (*self.statuses, *self.silently)
        return not self.statuses or str(status) in right or f"{status // 100}XX" in right


def ask(memory: Memory, step: Step) -> Asked:
    """Raises ValueError where the collection has no operation for the step."""
    collection = memory.collection
    match step:
        case Create():
            return _writing(collection.create, collection.create.path, memory.scoped(step))
        case Replace() if collection.replace:
            stored = memory.target(step.target)
            identity = stored.identity if stored else memory.unknown
            body = memory.scoped(step)
            if step.identity:
                other = identity + 1 if isinstance(identity, int) else f"{identity}x"
                said = identity if step.identity == "same" else other
                body = {**body, collection.resource.identity: said}
            path = collection.replace.path.rpartition("{")[0] + quote(str(identity), safe="")
            return _writing(collection.replace, path, body)
        case List() if collection.list:
            values = memory.names(step.scope)
            filters = {name: step.change(value) for name, value in values.items() if name in step.by}
            query = urlencode(filters, quote_via=quote)
            target = collection.list.path + (f"?{query}" if query else "")
            return Asked(collection.list.method, target, operation=collection.list, value=filters)
        case Raw():
            path, body = step.path, step.body
            for symbol, identity in ((FIRST, memory.first), (UNKNOWN, memory.unknown)):
                path = path.replace(symbol, quote(str(identity), safe=""))
            for name, value in memory.names(0).items():
                body = body.replace(named(name).encode(), value.encode())
            return Asked(step.method, path + (f"?{step.query}" if step.query else ""), step.headers, body)
    raise ValueError(f"the resource has no operation for {step}")


def expect(memory: Memory, step: Step, asked: Asked, findings: Sequence[Finding]) -> Expectation:
    """`findings` are what breaks the contract in the request."""
    operation = asked.operation
    if operation is None:
        raise ValueError("a request on no operation is for `expect_raw`")
    if findings:
        target = memory.target(step.target) if isinstance(step, Replace) else None
        return _refused(operation, findings, target.since if target else ())
    if isinstance(step, Create):
        if holder := memory.holder(asked.value):
            return _taken(memory, operation, holder, ())
        return _succeeds(operation, (), memory.collection.stored(operation, asked.value))
    if isinstance(step, Replace):
        return _expect_replace(memory, step, operation, asked.value)
    return _succeeds(operation, (), [each for each in memory.stored.values() if _matches(each, asked.value)])


def expect_raw(step: Raw, found: Operation | Finding, findings: Sequence[Finding]) -> Expectation:
    """`found` is the operation of the path, or why there is none: then 404, or 405 with `Allow` (RFC 9110)."""
    if isinstance(found, Finding):
        status = "404" if found.rule == "undocumented-path" else "405"
        because = f"the path {found.detail}"
        return Expectation(f"{step.method} {step.path}", (status,), because, silently=("501",))
    if not findings:
        return Expectation(found.id, ())
    refused = _refused(found, findings, ())
    also = (step.or_status,) if step.or_status and step.or_status not in refused.statuses else ()
    return Expectation(found.id, (*refused.statuses, *also), refused.because)


def _expect_replace(memory: Memory, step: Replace, operation: Operation, body: Json) -> Expectation:
    resource = memory.collection.resource
    stored = memory.target(step.target)
    if stored is None:
        because = f"{show(memory.unknown)} was never created"
        return Expectation(operation.id, _documented(operation, ("404",)), because)
    kept = only(stored.shown, (resource.identity, resource.created_at))
    shown = {**memory.collection.stored(operation, body), **kept}
    holder = memory.holder(body)
    since = (*stored.since, *(holder.since if holder and holder != stored else ()))
    if step.identity == "other":
        because = f"the {resource.identity} in the body is another one than in the path"
        statuses = _documented(operation, INVALID)
        ignored = () if resource.refuses_contradiction else ("2XX",)
        return Expectation(operation.id, (*statuses, *ignored), because, since, shown)
    if holder and holder != stored:
        return _taken(memory, operation, holder, stored.since)
    return _succeeds(operation, since, shown)


def _writing(operation: Operation, target: str, value: Json) -> Asked:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Asked(operation.method, target, JSON_BODY, body, operation, value)


def _succeeds(operation: Operation, since: tuple[int, ...], body: Json) -> Expectation:
    success = tuple(status for status in operation.responses if status.startswith("2"))
    return Expectation(operation.id, success, NOTHING_IN_ITS_WAY, since, body)


def _refused(operation: Operation, findings: Sequence[Finding], since: tuple[int, ...]) -> Expectation:
    wanted = next((REFUSALS[each.rule] for each in findings if each.rule in REFUSALS), INVALID)
    if any(each.place == "path" for each in findings):
        wanted = (*wanted, "404")
    because = f"the request breaks the contract ({findings[0]})"
    return Expectation(operation.id, _documented(operation, wanted), because, since)


def _taken(memory: Memory, operation: Operation, holder: Stored, since: tuple[int, ...]) -> Expectation:
    scope = " and ".join(f"{name} {show(holder.shown[name])}" for name in memory.collection.resource.unique)
    because = f"{show(holder.identity)} already has {scope}"
    return Expectation(operation.id, _documented(operation, ("409",)), because, (*since, *holder.since))


def _matches(stored: Stored, filters: Mapping[str, str]) -> bool:
    return only(stored.shown, filters) == filters


def _documented(operation: Operation, wanted: Sequence[str]) -> tuple[str, ...]:
    """The documented ones of some statuses; any client error where the contract has none of them."""
    return tuple(status for status in wanted if status in operation.responses) or ("4XX",)
