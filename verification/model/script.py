"""The conversations about one collection: symbols resolved to bodies, and families of conversations by its schema."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import quote

from ...contract.actions import Kind
from ...contract.interaction import Fields
from ...contract.path_template import PARAMETER
from ...contract.schema import Json
from ...contract.witness import ABSENT
from ..footprint import Footprint
from ..result import Result
from .bodies import Bodies
from .collection import WRITING, Collection
from .steps import (
    FIRST,
    JSON_BODY,
    Change,
    Create,
    List,
    Merge,
    ParentStep,
    RawRequest,
    Read,
    Replace,
    Step,
    Symbol,
    placeholder,
)

T = TypeVar("T")
MINIMAL, FULL = Symbol.MINIMAL, Symbol.FULL
TOO_LARGE = 4 << 20
"""Bytes of a body that a server may refuse with 413; one with a larger limit may accept it."""
UNACCEPTABLE = "application/x-nothing-has-this"
ROOM_FOR_NAMES = 1024
"""Bytes of the largest body that are left for the values of the unique members."""
ORDER = [400, 404, 400, 409]
"""The statuses of the checks of a replacement in the order of the model: body, identity, contradiction, scope."""
TIMES = ("2001-02-03T04:05:06Z", "2001-02-03t04:05:06.789+05:30")
DEEP = 10_000
"""Levels of JSON that overflow the stack of a careless reader."""


@dataclass(frozen=True, slots=True)
class StateCheck:
    """A check of the stored state: a list by the unique members of a scope, or else a read of the first resource."""

    scope: int = 0
    below: int = 0


Conversation = Sequence[Step | StateCheck]


@dataclass(frozen=True, slots=True)
class Batch:
    """Conversations with the same beginning and end, which are taken together while they succeed."""

    before: Conversation
    parts: Sequence[Conversation]
    after: Conversation = ()
    is_valid: bool = False
    """Whether all succeed, so that it counts when only all of them together fail."""

    @property
    def combined(self) -> Conversation:
        return [*self.before, *itertools.chain(*self.parts), *self.after]

    @property
    def separate(self) -> Iterator[Conversation]:
        """A conversation for each part, to find the one that fails."""
        return ([*self.before, *part, *self.after] for part in self.parts)


FOUR_CREATES: Conversation = [Create(MINIMAL), Create(FULL, 1), Create(FULL, 2), Create(MINIMAL, 3)]
WRONG_WRITES: dict[str, tuple[Fields, str, Callable[[bytes], bytes]]] = {
    "another media type": ((("Content-Type", "text/plain"),), "", lambda valid: valid),
    "another charset": ((("Content-Type", "application/json; charset=utf-16"),), "", lambda valid: valid),
    "no media type": ((), "", lambda valid: valid),
    "nothing acceptable": ((*JSON_BODY, ("Accept", UNACCEPTABLE)), "", lambda valid: valid),
    "an unknown coding": ((*JSON_BODY, ("Content-Encoding", "x-unknown")), "", lambda valid: valid),
    "an unknown parameter": (JSON_BODY, "x-unknown=1", lambda valid: valid),
    "no body": (JSON_BODY, "", lambda _: b""),
    "a broken object": (JSON_BODY, "", lambda _: b"{"),
    "an array": (JSON_BODY, "", lambda _: b"[]"),
    "null": (JSON_BODY, "", lambda _: b"null"),
    "a text": (JSON_BODY, "", lambda _: b'"text"'),
    "more after the end": (JSON_BODY, "", lambda valid: valid + b"x"),
    "no UTF-8": (JSON_BODY, "", lambda valid: b"\xff" + valid),
    "a member twice": (
        JSON_BODY,
        "",
        lambda valid: valid[:-1] + b", " + valid[1:],
    ),
    "no number": (JSON_BODY, "", lambda valid: valid[:-1] + b', "x": NaN}'),
    "a comma too many": (JSON_BODY, "", lambda valid: valid[:-1] + b",}"),
    "a comment": (JSON_BODY, "", lambda valid: b"/* */" + valid),
}
"""Header fields, query, and the change of a valid body."""


class Script:
    """The conversations about one collection. `possible` is false where no valid body could be made for it."""

    def __init__(self, collection: Collection, *, is_first: bool = True) -> None:
        """The script of the contract's first collection also tries paths outside of collections."""
        self.collection, self.is_first = collection, is_first
        resolve = collection.contract.resolve
        self.bodies = {
            kind: Bodies(collection.declared_schema(kind), resolve, collection.contract.severities)
            for kind in WRITING
            if kind in collection.operations
        }
        self.parent = Script(collection.parent, is_first=False) if collection.parent else None

    @property
    def possible(self) -> bool:
        """Whether there are valid bodies, and names that cannot conflict with other clients."""
        bodies = all(each.minimal is not ABSENT for each in self.bodies.values())
        return bodies and self.collection.is_isolated and (self.parent is None or self.parent.possible)

    def resolved(self, steps: Sequence[Step | StateCheck]) -> list[Step]:
        """Steps with symbols resolved to bodies, after the steps that create the parents."""
        parents: list[Step] = []
        if self.parent is not None:
            most = max((step.below or 0 for step in steps if not isinstance(step, ParentStep | RawRequest)), default=0)
            parents = [
                ParentStep(each) for each in self.parent.resolved([Create(MINIMAL, n) for n in range(min(most, 1) + 1)])
            ]
        return [*parents, *(each for step in steps for each in self.resolved_step(step))]

    def resolved_step(self, step: Step | StateCheck) -> Iterator[Step]:
        """A step with its symbol resolved to a body, a StateCheck to a List or a Read."""
        if isinstance(step, ParentStep) and self.parent is not None:
            yield from map(ParentStep, self.parent.resolved_step(step.step))
        elif isinstance(step, StateCheck):
            if "list" in self.collection.operations:
                yield List(self._filters, step.scope, below=step.below)
            elif "read" in self.collection.operations:
                yield Read(0)
        elif isinstance(step, Create | Change) and isinstance(step.body, Symbol):
            bodies = self.bodies[step.kind]
            yield replace(step, body=bodies.minimal if step.body is Symbol.MINIMAL else bodies.full)
        else:
            yield step

    def free_bodies(self, kind: Kind) -> list[Json]:
        """The valid bodies, without those that test a unique member, whose value the scope gives."""
        return [value for value, _ in self._bodies(kind, valid=True)]

    @property
    def combinations(self) -> list[tuple[str, ...]]:
        """The sets of filters to try: every combination of unique members, and each other filter alone."""
        filters = self._filters
        some = [some for size in range(1, len(filters) + 1) for some in itertools.combinations(filters, size)]
        return [*some, *((name,) for name in self.collection.filters if name not in filters)]

    @property
    def _filters(self) -> tuple[str, ...]:
        """The unique members that are filters of the list."""
        return tuple(name for name in self.collection.filters if name in self.collection.unique)

    @property
    def _scoped(self) -> set[tuple[str, ...]]:
        identity = {self.collection.resource.identity} if self.collection.is_named_by_clients else set()
        return {(name,) for name in identity.union(self.collection.unique)}

    @property
    def _replaceable(self) -> set[str]:
        """The members of the body of a replacement."""
        return set(self.collection.members["replace"])

    # Families

    def contradictions(self) -> Iterator[Conversation]:
        if self.collection.resource.identity in self._replaceable and not self.collection.is_named_by_clients:
            for identity in ("same", "other"):
                yield [Create(MINIMAL), Replace(0, FULL, identity=identity), StateCheck()]

    def client_times(self) -> Iterator[Conversation]:
        resource = self.collection.resource
        times = {resource.created_at, resource.updated_at} & self._replaceable
        for time in TIMES if times else ():
            body = {**self.bodies["replace"].full, **dict.fromkeys(sorted(times), time)}
            yield [Create(MINIMAL), Replace(0, body), StateCheck()]

    def created_times(self) -> Iterator[Conversation]:
        resource, minimal = self.collection.resource, self.bodies["create"].minimal
        for name in sorted({resource.created_at, resource.updated_at} - {"", *self.collection.members["create"]}):
            yield [Create({**minimal, name: TIMES[0]}), StateCheck()]

    def filters(self) -> Iterator[Conversation]:
        yield [*FOUR_CREATES, *(List(by, scope) for by in [(), *self.combinations] for scope in (0, 3))]

    def near_filters(self, change: Callable[[str], str]) -> Iterator[Conversation]:
        """No other value equals the one of a filter, until a resource has it, which conflicts with none.

        No resource gets a value that other clients may use.
        """
        name = self.collection.footprint.name
        texts = {name for name in self._filters if self.collection.resource.properties[name].get("type") == "string"}
        lists = [List(by, 0, change) for by in self.combinations if texts.issuperset(by)]
        is_own = change(f"{name}0").lower().startswith(name.lower())
        near: list[Step] = [Create(MINIMAL, change=change)]
        if "replace" in self.collection.operations:
            near.append(Replace(1, MINIMAL, change=change))
        yield [Create(MINIMAL), *lists, *(near if is_own and texts else ()), *lists[-1:]]

    def many_resources(self, *, change: bool = False) -> Iterator[Conversation]:
        unique = self.collection.unique
        by = tuple(name for name in unique[:-1] or unique if name in self._filters)
        last = max(0, len(unique) - 1)
        made = [Create(MINIMAL, scope << last) for scope in range(6)]
        changed = [Replace(target, FULL, scope << last) for target, scope in ((2, 2), (0, 0))]
        yield [*made, *changed, List(by)] if change else [*made, List(by), List()]

    def raw_lists(self) -> Iterator[Conversation]:
        operation = self.collection.operations["list"]
        yield [RawRequest("GET", operation.path, query="x-unknown=1")]
        yield [RawRequest("GET", operation.path, (("Accept", UNACCEPTABLE),))]
        for parameter in operation.parameters:
            if parameter.place == "query":
                name, longest = parameter.name, parameter.declared.get("maxLength", 0)
                for query in (f"{name}=a&{name}=b", f"{name}=", f"{name}=%FF", f"{name}={'x' * (longest + 1)}"):
                    yield [RawRequest("GET", operation.path, query=query)]

    def raw_writes(self, kind: Kind) -> Iterator[Batch]:
        for steps in _parted(list(self._wrong_writes(kind)), MAX_TOGETHER):
            yield Batch(_before(kind), [[step] for step in steps], [StateCheck()])

    def right_writes(self, kind: Kind) -> Iterator[Conversation]:
        """Requests that only look unusual."""
        for step in self._right_writes(kind):
            yield [*_before(kind), step, StateCheck()]

    def right_lists(self) -> Iterator[Conversation]:
        fields = (("Accept", "text/html, application/json;q=0.9"),)
        yield [RawRequest("GET", self.collection.operations["list"].path, fields, is_right=True)]

    def order_of_checks(self) -> Iterator[Conversation]:
        operation, contract = self.collection.operations["replace"], self.collection.contract
        kinds = [contract.problems.get(each["problem"], {}) for each in operation.declared.get("x-checks", ())]
        if [each.get("status") for each in kinds][-len(ORDER) :] == ORDER:
            yield from ([Replace(0, body.value)] for body in self.bodies["replace"].invalid[:1])
            yield [Replace(0, FULL, identity="other")]
            yield [Create(MINIMAL), Create(FULL, 1), Replace(0, FULL, 1, identity="other")]

    def wrong_paths(self) -> Iterator[Conversation]:
        far = f"{self.collection.footprint.name}-unknown".ljust(300, "x")
        for kind, operation in self.collection.operations.items():
            head, _, rest = operation.path.rpartition("{")
            fields = (("Content-Type", self.collection.media_type(kind)),) if kind in self.bodies else ()
            body = self._scoped_json(kind) if kind in self.bodies else b""
            if head:
                yield [RawRequest(operation.method, head + far + rest.partition("}")[2], fields, body=body)]

    def other_methods(self) -> Iterator[Conversation]:
        contract, footprint = self.collection.contract, self.collection.footprint
        for path in dict.fromkeys(operation.path for operation in contract.operations.values() if self.is_first):
            known, _ = contract.route(path) or ({}, {})
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                if method not in known and (footprint.anywhere or "{" in path or method in ("GET", "POST")):
                    yield [Create(MINIMAL), RawRequest(method, self._path_of_first(path))]
            yield [RawRequest("GET", f"{path.partition('{')[0].rstrip('/') or '/'}-unknown/path")]

    def valid(self, kind: Kind) -> Iterator[Conversation | Batch]:
        bodies, unique = self.free_bodies(kind), self.collection.unique
        last = len(unique) - 1
        is_simple = len(self.collection.resource.combinations) == 1 and set(unique[:-1]).issubset(self._filters)
        if kind == "create" and last > 0 and is_simple:  # one list shows several
            for few in _parted(bodies, FEW_TOGETHER):
                creates = [[Create(body, number << last)] for number, body in enumerate(few)]
                yield Batch([], creates, [List(unique[:-1])], is_valid=True)
            return
        for few in _parted(bodies, FEW_TOGETHER if kind == "replace" else 1):
            yield Batch(_before(kind, FULL), [[self._write(kind, body), StateCheck()] for body in few], is_valid=True)

    def invalid(self, kind: Kind) -> Iterator[Batch]:
        for bodies in _parted(list(self._bodies(kind, valid=False)), MAX_TOGETHER):
            yield Batch(_before(kind), [[self._write(kind, body, kept)] for body, kept in bodies], [StateCheck()])

    def _write(self, kind: Kind, body: Json, kept: str = "") -> Create | Replace | Merge:
        if kind == "create":
            return Create(body, kept=kept)
        return Replace(0, body, kept=kept) if kind == "replace" else Merge(0, body, kept=kept)

    def _bodies(self, kind: Kind, *, valid: bool) -> Iterator[tuple[Json, str]]:
        """Bodies, each with the unique member that it tests, if any, whose value the scope must not replace.

        A patch has the tested member alone.
        """
        bodies = self.bodies[kind]
        for body in bodies.valid if valid else bodies.invalid:
            is_scoped = body.path[:1] in self._scoped
            if is_scoped and valid:
                continue
            value, about = body.value, body.path[0] if body.path else ""
            if kind == "merge" and about and isinstance(value, dict):
                if about not in value:
                    continue
                value = {about: value[about]}
            yield value, about if is_scoped else ""

    def _wrong_writes(self, kind: Kind) -> Iterator[RawRequest]:
        operation, media_type = self.collection.operations[kind], self.collection.media_type(kind)
        path, valid = self._path_of_first(operation.path), self._scoped_json(kind)
        for headers, query, change in WRONG_WRITES.values():
            if ("Accept", UNACCEPTABLE) in headers and operation.response(406) is None:
                continue  # a server that ignores `Accept` would change the resource
            if not (body := change(valid)) and not operation.declared_body.get("required"):
                continue  # a valid request, which would change the resource
            fields = tuple((name, value.replace("application/json", media_type)) for name, value in headers)
            yield RawRequest(operation.method, path, fields, query, body)
        identity = self.collection.resource.identity
        if kind == "create" and identity not in self.collection.members["create"]:
            body = json.dumps({**json.loads(valid), identity: f"{self.collection.footprint.name}-own"}).encode()
            yield RawRequest(operation.method, path, (("Content-Type", media_type),), body=body)
        if "413" in operation.responses:
            yield RawRequest(operation.method, path, JSON_BODY, body=b" " * TOO_LARGE + b"{}", or_status="413")
        if self.collection.contract.severities.of("json-depth") == "error":
            body = valid[:-1] + b', "x": ' + b"[" * DEEP + b"]" * DEEP + b"}"
            yield RawRequest(operation.method, path, (("Content-Type", media_type),), body=body)

    def _right_writes(self, kind: Kind) -> Iterator[RawRequest]:
        operation, media_type = self.collection.operations[kind], self.collection.media_type(kind)
        path, valid = self._path_of_first(operation.path), self._scoped_json(kind)
        for spelled, accept in (
            (f"{media_type}; charset=utf-8", "application/json, text/plain, */*"),
            (f"{media_type.upper()};Charset=UTF-8", "text/html, application/*;q=0.9, */*;q=0.1"),
        ):
            fields = (("Content-Type", spelled), ("Accept", accept))
            yield RawRequest(operation.method, path, fields, body=valid, is_right=True)
        if (largest := operation.declared_body.get("x-max-bytes", 0)) > 0:
            body = valid.ljust(largest - ROOM_FOR_NAMES)
            yield RawRequest(operation.method, path, (("Content-Type", media_type),), body=body, is_right=True)

    def _path_of_first(self, path: str) -> str:
        """The path of the first created resource; where it is not of this collection, a path with unused identities."""
        for operation in self.collection.operations.values():
            if operation.path == path:
                return path.rpartition("{")[0] + FIRST if self.collection.is_item(operation) else path
        unused_identity = self.collection.footprint.unused_identity
        return PARAMETER.sub(lambda found: quote(str(unused_identity(path, found[1])), safe=""), path)

    def _scoped_json(self, kind: Kind) -> bytes:
        bodies = self.bodies[kind]
        return json.dumps({**bodies.minimal, **{name: placeholder(name) for name in self.collection.unique}}).encode()


def testable_scripts(result: Result, included: Callable[[str], bool], footprint: Footprint) -> list[Script]:
    """The scripts of the collections that can be tested; a note tells why another one cannot."""
    collections = Collection.every(result.contract, included, footprint)
    if not collections:
        result.notes.append("no model was tried: the contract has no x-resource with an operation that creates it")
    scripts = [Script(each) for each in collections]
    for script in scripts:
        if not script.collection.is_isolated:
            result.notes.append(
                f"no model was tried of {script.collection.resource.name}: "
                "its resources could conflict with those of other clients"
            )
        elif not script.possible:
            result.notes.append("no model was tried: no valid body could be made from the contract")
    possible = [each for each in scripts if each.possible]
    for each in possible[1:]:
        each.is_first = False
    return possible


MAX_TOGETHER, FEW_TOGETHER = 10, 5
"""The number of refused, or of accepted steps in a Batch: a chain that a person still reads."""


def _before(kind: Kind, body: Symbol = MINIMAL) -> Conversation:
    """The steps that create the target of a write."""
    return [] if kind == "create" else [Create(body)]


def _parted(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (whole[start : start + size] for start in range(0, len(whole), size))
