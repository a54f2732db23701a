"""The expected response to each step, as pure functions of a `ModelState`.

They share no store with the mock, so they do not share its mistakes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from ...contract.actions import Kind
from ...contract.finding import Finding
from ...contract.interaction import Fields
from ...contract.operation import Operation
from ...contract.path_template import filled
from ...contract.resource import HIDDEN
from ...contract.rulebook import ENGINE_RULES
from ...contract.schema import Json, show
from .state import Absence, Key, ModelState, Stored, only
from .steps import (
    FIRST,
    Change,
    Create,
    Delete,
    List,
    Merge,
    ParentStep,
    RawRequest,
    Replace,
    Step,
    TargetedStep,
    placeholder,
)

REFUSALS = {
    **dict.fromkeys(("media-type", "content-coding", "json-charset"), ("415",)),
    "accept": ("406",),
    "credentials": ("401", "403"),
}
INVALID = ("400", "422")
"""The statuses that refuse an invalid request; REFUSALS has those for certain rules."""
CONDITIONS = (("If-Match", "412"), ("If-None-Match", "304"))
"""The conditional header field and the status of a false condition: of a change, and of a read."""
UNKNOWN_TAG = '"of-nothing"'
MAX_PAGE_SIZE = 1000
"""The largest page of a list that is requested, in rows."""
NO_CONFLICT = "the request is valid, and no stored resource conflicts with it"


@dataclass(frozen=True, slots=True)
class StepRequest:
    """The request for a step."""

    method: str
    target: str
    headers: Fields = ()
    body: bytes = b""
    operation: Operation | None = None
    """The operation; None for a RawRequest, whose method and path decide."""
    value: Json = None
    """The value of the body, or the filters of a list."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected response."""

    operation: str
    statuses: tuple[str, ...]
    """The expected statuses, as the contract writes them; none where any status is right."""
    because: str = ""
    evidence: tuple[int, ...] = ()
    """The numbers of the steps from which the expectation follows."""
    body: Json = None
    """The known members of the resource in a success; for a list, its resources."""
    tolerated: tuple[str, ...] = ()
    """Statuses that are accepted too, and not named in a mistake."""
    violations: Sequence[Finding] = ()
    """The errors in the request, all of which a problem may have to name."""

    def accepts(self, status: int) -> bool:
        right = (*self.statuses, *self.tolerated)
        return not self.statuses or str(status) in right or f"{status // 100}XX" in right


def request_for(state: ModelState, step: Step) -> StepRequest:
    """The request for a step. Raises ValueError where the collection has no operation for it."""
    operations = state.collection.operations
    match step:
        case ParentStep() if state.parent:
            return request_for(state.parent, step.step)
        case Create():
            return _operation_request(state, "create", state.path(step.below), value=state.scoped_body(step))
        case TargetedStep() if step.kind in operations:
            return _targeted_request(state, step)
        case List() if "list" in operations:
            request = state.filters(step).items()
            filters = {name: step.change(value) if isinstance(value, str) else value for name, value in request}
            texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in filters.items()}
            query = urlencode({**texts, **page_size(state, step), **dict(step.after)}, quote_via=quote)
            return replace(_operation_request(state, "list", state.path(step.below), query=query), value=filters)
        case RawRequest():
            first = quote(str(state.first.identity if state.first else state.unknown), safe="")
            path = filled(step.path.removesuffix(FIRST), state.path(0)) + (first if step.path.endswith(FIRST) else "")
            body = step.body
            for name, value in state.unique_values(0).items():
                body = body.replace(json.dumps(placeholder(name)).encode(), json.dumps(value).encode())
            return StepRequest(step.method, path + (f"?{step.query}" if step.query else ""), step.headers, body)
    raise ValueError(f"the resource has no operation for {step}")


def _targeted_request(state: ModelState, step: TargetedStep) -> StepRequest:
    key = state.key(step) or Key(step.below or 0, state.unknown)
    body: Json = state.scoped_body(step) if isinstance(step, Change) else None
    if isinstance(step, Replace) and step.identity:
        other = key.identity + 1 if isinstance(key.identity, int) else f"{key.identity}x"
        body = {**body, state.collection.resource.identity: key.identity if step.identity == "same" else other}
    stored = state.target(step)
    tag = _tag(step, stored) if stored else UNKNOWN_TAG
    condition = ((CONDITIONS[step.kind == "read"][0], tag),) if step.condition and tag else ()
    return _operation_request(state, step.kind, [*state.path(key.below), key.identity], condition, body)


def _operation_request(
    state: ModelState, kind: Kind, path: Sequence[Json], headers: Fields = (), value: Json = None, query: str = ""
) -> StepRequest:
    operation = state.collection.operations[kind]
    target = filled(operation.path, path) + (f"?{query}" if query else "")
    if value is None:
        return StepRequest(operation.method, target, headers, operation=operation)
    fields = (("Content-Type", state.collection.media_type(kind)), *headers)
    return StepRequest(
        operation.method, target, fields, json.dumps(value, ensure_ascii=False).encode(), operation, value
    )


def page_size(state: ModelState, step: List) -> dict[str, Json]:
    """The query parameter for the size of a page: the maximum, or all rows of the last list but `step.rest`."""
    paging = state.collection.paging
    if paging is None or paging.limit is None or "maximum" not in paging.limit.declared:
        return {}
    least, most = paging.limit.declared.get("minimum", 1), min(paging.limit.declared["maximum"], MAX_PAGE_SIZE)
    wanted = state.total - step.rest if step.rest else most
    return {paging.limit.name: max(least, min(wanted, most))}


def expect(state: ModelState, step: Step, request: StepRequest, findings: Sequence[Finding]) -> Expectation:
    """The expected response to a step; `findings` are the errors in its request."""
    operation, collection = request.operation, state.collection
    if operation is None:
        raise ValueError("a request on no operation is for `expect_raw`")
    if isinstance(step, ParentStep) and state.parent:
        return expect(state.parent, step.step, request, findings)
    stored = state.target(step) if isinstance(step, TargetedStep) else None
    if findings:
        return _refused(operation, findings, stored.evidence if stored else ())
    if (absence := state.absence(step)) is not None:
        return _absent(operation, absence, may_be_so=isinstance(step, Delete))
    if stored and isinstance(step, TargetedStep):
        return _failed_precondition(operation, step, stored) or _expect_targeted(
            state, step, operation, request.value, stored
        )
    below = step.below if isinstance(step, Create | List) else 0
    made = state.parent.created_key(below) if state.parent else None
    evidence = state.parent.stored[made].evidence if state.parent and made else ()
    if isinstance(step, Create):
        if holder := state.conflicting(request.value, below):
            return _conflict(state, operation, *holder, evidence)
        shown = {**collection.stored("create", request.value), **state.parent_members(below)}
        return _succeeds(operation, evidence, only(shown, collection.resource.properties))
    here = (each for each in state.stored.values() if each.key.below == below)
    usual = {name: value for name, value in collection.default_filters.items() if name not in request.value}
    listed = [
        each
        for each in here
        if only(each.shown, request.value) == request.value
        and all(each.shown.get(name, value) == value for name, value in usual.items())
    ]
    return _succeeds(operation, evidence, listed)


def _expect_targeted(
    state: ModelState, step: TargetedStep, operation: Operation, body: Json, stored: Stored
) -> Expectation:
    if isinstance(step, Replace):
        return _expect_replace(state, step, operation, body, stored)
    if isinstance(step, Merge):
        return _expect_merge(state, operation, body, stored)
    right = _succeeds(operation, stored.evidence, stored.shown)
    # A server may refuse to delete a parent.
    keeps = isinstance(step, Delete) and state.collection.action("delete").below and "409" in operation.responses
    return replace(right, tolerated=("409",)) if keeps else right


def expect_raw(step: RawRequest, found: Operation | Finding, findings: Sequence[Finding]) -> Expectation:
    """The expected response to a RawRequest.

    `found` is its operation, or the finding that there is none: then 404, or 405 with `Allow` (RFC 9110).
    """
    if isinstance(found, Finding):
        status = "404" if found.rule == "undocumented-path" else "405"
        because = f"the path {found.detail}"
        return Expectation(f"{step.method} {step.path}", (status,), because, tolerated=("501",))
    if not findings:
        return _succeeds(found, (), None) if step.is_right else Expectation(found.id, ())
    refused = _refused(found, findings, ())
    also = (step.or_status,) if step.or_status and step.or_status not in refused.statuses else ()
    return replace(refused, statuses=(*refused.statuses, *also))


def _expect_replace(state: ModelState, step: Replace, operation: Operation, body: Json, stored: Stored) -> Expectation:
    collection, resource = state.collection, state.collection.resource
    kept = (resource.server_members - {resource.updated_at}).union(collection.unique) - collection.members[
        "replace"
    ].keys()
    kept |= {resource.identity, resource.created_at}
    shown = {**collection.stored("replace", body), **only(stored.shown, kept)}
    holder = state.conflicting(body, stored.key.below, stored)
    evidence = (*stored.evidence, *(holder[0].evidence if holder else ()))
    if step.identity == "other":
        because = f"the {resource.identity} in the body differs from the one in the path"
        statuses = _documented(operation, INVALID)
        ignored = () if resource.refuses_contradiction else ("2XX",)
        return Expectation(operation.id, (*statuses, *ignored), because, evidence, shown)
    if holder:
        return _conflict(state, operation, *holder, stored.evidence)
    return _succeeds(operation, evidence, shown)


def _expect_merge(state: ModelState, operation: Operation, patch: Json, stored: Stored) -> Expectation:
    shown = state.collection.merged(stored.shown, patch)
    if shown is None:
        because = "its result breaks the contract"
        return Expectation(operation.id, _documented(operation, INVALID), because, stored.evidence)
    if holder := state.conflicting(shown, stored.key.below, stored):
        return _conflict(state, operation, *holder, stored.evidence)
    shown.pop(state.collection.resource.updated_at, None)
    return _succeeds(operation, stored.evidence, shown)


def _tag(step: TargetedStep, stored: Stored) -> str:
    if step.condition == "stale":
        return stored.former or UNKNOWN_TAG
    # A weak entity tag never matches in `If-Match` (RFC 9110, section 13.1.1).
    return "" if step.kind != "read" and stored.tag.startswith("W/") else stored.tag


def _failed_precondition(operation: Operation, step: TargetedStep, stored: Stored) -> Expectation | None:
    """The expected response where the condition of a step is false and documented (RFC 9110, section 13.1)."""
    prevents = "current" if step.kind == "read" else "stale"
    tag = _tag(step, stored)
    if not tag or step.condition != prevents or not supports_condition(operation):
        return None
    because = f"it {'still has' if step.kind == 'read' else 'does not have'} the entity tag {tag}"
    return Expectation(operation.id, (CONDITIONS[step.kind == "read"][1],), because, stored.evidence)


def supports_condition(operation: Operation) -> bool:
    """Whether an operation documents the conditional header field and the status of a false condition."""
    name, status = CONDITIONS[operation.method == "GET"]
    has_field = any(each.place == "header" and each.name.lower() == name.lower() for each in operation.parameters)
    return has_field and status in operation.responses


def _succeeds(operation: Operation, evidence: tuple[int, ...], body: Json) -> Expectation:
    success = tuple(status for status in operation.responses if status.startswith("2"))
    return Expectation(operation.id, success, NO_CONFLICT, evidence, body)


def _refused(operation: Operation, findings: Sequence[Finding], evidence: tuple[int, ...]) -> Expectation:
    wanted = next((REFUSALS[each.rule] for each in findings if each.rule in REFUSALS), INVALID)
    if any(each.place == "path" for each in findings):
        wanted = (*wanted, "404")
    because = f"the request breaks the contract ({findings[0]})"
    # A server may check credentials first.
    first = REFUSALS["credentials"] if any(each.rule == "credentials" for each in findings) else ()
    statuses = _documented(operation, wanted)
    return Expectation(operation.id, statuses, because, evidence, tolerated=first, violations=_certain(findings))


def _certain(findings: Sequence[Finding]) -> Sequence[Finding]:
    """The findings that a right server makes, too.

    What it cannot read it does not judge, nor a rule across members of which one is wrong, or may be named for another.
    """
    read = [each for each in findings if not each.rule.startswith("json-")]
    return [each for each in read if each.rule in ENGINE_RULES] or (read if len(read) == 1 else ())


def _absent(operation: Operation, absence: Absence, *, may_be_so: bool) -> Expectation:
    wanted = ("410",) if absence.was_deleted and "410" in operation.responses else ("404",)
    statuses = _documented(operation, wanted)
    # A deletion of an absent resource may succeed where no 404 is documented.
    also = ("2XX",) if may_be_so and not operation.response(404) else ()
    because = f"{show(absence.identity)} {absence.what}"
    return Expectation(operation.id, (*statuses, *also), because, absence.evidence)


def _conflict(
    state: ModelState, operation: Operation, holder: Stored, combination: Sequence[str], evidence: tuple[int, ...]
) -> Expectation:
    held = {**holder.shown, **state.parent_members(holder.key.below)}
    scope = " and ".join(f"{name.removeprefix(HIDDEN)} {show(held[name])}" for name in combination)
    because = f"{show(holder.identity)} already has {scope}"
    return Expectation(operation.id, _documented(operation, ("409",)), because, (*evidence, *holder.evidence))


def _documented(operation: Operation, wanted: Sequence[str]) -> tuple[str, ...]:
    """The statuses of `wanted` that are documented; `4XX` where none is."""
    return tuple(status for status in wanted if status in operation.responses) or ("4XX",)
