"""Conversations spoken: symbols become the bodies of a contract, and families of conversations are made from it."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...contract.document import Contract
from ...contract.interaction import Fields
from ...contract.operation import Operation
from ...contract.path_template import PARAMETER
from ...contract.schema import Json
from ...contract.shape import flattened
from ..coverage import request_schema
from .bodies import Bodies, Body
from .collection import Collection
from .steps import FIRST, JSON_BODY, UNKNOWN, Create, List, Raw, Replace, Step, Symbol, named

LEAST, WHOLE = Symbol.LEAST, Symbol.WHOLE
TOO_LARGE = 4 << 20
"""Bytes of a body that a server may find too large; one that takes it has a larger limit, which is no mistake."""
UNACCEPTABLE = "application/x-nothing-has-this"


@dataclass(frozen=True, slots=True)
class Look:
    """List by all the unique members, with the values of a scope; nothing where nothing can be listed."""

    scope: int = 0


Talk = Sequence[Step | Look]


@dataclass(frozen=True, slots=True)
class Refused:
    """Steps that must change nothing, so that they can be taken together, with one look at the end."""

    before: Talk
    steps: Sequence[Step]

    @property
    def together(self) -> Talk:
        return [*self.before, *self.steps, Look()]

    @property
    def apart(self) -> Iterator[Talk]:
        """Each on its own, where one of them was not refused."""
        return ([*self.before, step, Look()] for step in self.steps)


FOUR: Talk = [Create(LEAST), Create(WHOLE, 1), Create(WHOLE, 2), Create(LEAST, 3)]
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
    "a member twice": (JSON_BODY, "", lambda valid: b'{"' + _first_name(valid) + b'": "a", ' + valid[1:]),
    "no number": (JSON_BODY, "", lambda valid: valid[:-1] + b', "x": NaN}'),
}
"""Header fields, query, and what becomes of a valid body."""


class Script:
    """The conversations about one collection. `possible` is false where no valid body could be made for it."""

    def __init__(self, collection: Collection, contract: Contract, *, anywhere: bool) -> None:
        """`anywhere` says that methods which are not documented may be tried on what others have as well."""
        self.collection, self._contract, self._anywhere = collection, contract, anywhere
        self.create = self._bodies(collection.create)
        self.replace = self._bodies(collection.replace) if collection.replace else None

    def _bodies(self, operation: Operation) -> Bodies:
        return Bodies(request_schema(operation, self._contract) or {}, self._contract.resolve)

    @property
    def possible(self) -> bool:
        return self.create.possible and (self.replace is None or self.replace.possible)

    def spoken(self, steps: Talk) -> list[Step]:
        """Steps with bodies in the place of symbols."""
        spoken: list[Step] = []
        for step in steps:
            if isinstance(step, Look):
                spoken += [List(self._filters, step.scope)] if self.collection.list else []
            elif isinstance(step, Create | Replace) and isinstance(step.body, Symbol):
                bodies = self.replace if isinstance(step, Replace) and self.replace else self.create
                spoken.append(replace(step, body=bodies.minimal if step.body is Symbol.LEAST else bodies.full))
            else:
                spoken.append(step)
        return spoken

    def free(self, bodies: Sequence[Body]) -> list[Json]:
        """The values of those that are not about a unique member, which belongs to the scope."""
        return [body.value for body in bodies if body.path[:1] not in self._scoped]

    @property
    def combinations(self) -> list[tuple[str, ...]]:
        """Every choice of one or more of the unique members that a list can be asked for."""
        filters = self._filters
        return [some for size in range(1, len(filters) + 1) for some in itertools.combinations(filters, size)]

    @property
    def _filters(self) -> tuple[str, ...]:
        """The unique members that a list can be asked for."""
        listing = self.collection.list
        asked = {each.name for each in listing.parameters if each.place == "query"} if listing else set()
        return tuple(name for name in self.collection.resource.unique if name in asked)

    @property
    def _scoped(self) -> set[tuple[str, ...]]:
        return {(name,) for name in self.collection.resource.unique}

    @property
    def _replaceable(self) -> set[str]:
        operation = self.collection.replace
        schema = request_schema(operation, self._contract) if operation else None
        return set(flattened(schema or {}, self._contract.resolve).get("properties", {}))

    # Families

    def contradictions(self) -> Iterator[Talk]:
        if self.collection.resource.identity in self._replaceable:
            for identity in ("same", "other"):
                yield [Create(LEAST), Replace(0, WHOLE, identity=identity), Look()]

    def client_times(self) -> Iterator[Talk]:
        resource = self.collection.resource
        times = {resource.created_at, resource.updated_at} & self._replaceable
        if times and self.replace:
            body = {**self.replace.full, **dict.fromkeys(sorted(times), "2001-02-03T04:05:06Z")}
            yield [Create(LEAST), Replace(0, body), Look()]

    def filters(self) -> Iterator[Talk]:
        yield [*FOUR, *(List(by, scope) for by in [(), *self.combinations] for scope in (0, 3))]

    def near(self, change: Callable[[str], str]) -> Iterator[Talk]:
        yield [*FOUR, *(List(by, 0, change) for by in self.combinations)]

    def several(self, *, change: bool = False) -> Iterator[Talk]:
        unique = self.collection.resource.unique
        by = tuple(name for name in unique[:-1] or unique if name in self._filters)
        last = len(unique) - 1
        made = [Create(LEAST, scope << last) for scope in range(6)]
        changed = [Replace(target, WHOLE, scope << last) for target, scope in ((2, 2), (0, 0))]
        yield [*made, *changed, List(by)] if change else [*made, List(by), List()]

    def raw_lists(self) -> Iterator[Talk]:
        operation = self.collection.list
        if operation is None:
            return
        yield [Raw("GET", operation.path, query="x-unknown=1")]
        yield [Raw("GET", operation.path, (("Accept", UNACCEPTABLE),))]
        for parameter in operation.parameters:
            if parameter.place == "query":
                name, longest = parameter.name, parameter.declared.get("maxLength", 0)
                for query in (f"{name}=a&{name}=b", f"{name}=", f"{name}=%FF", f"{name}={'x' * (longest + 1)}"):
                    yield [Raw("GET", operation.path, query=query)]

    def raw_creates(self) -> Iterator[Talk]:
        for step in self._wrong_writes(self.collection.create, self.create):
            yield [step]

    def raw_replacements(self) -> Iterator[Talk]:
        operation = self.collection.replace
        if operation is None or self.replace is None:
            return
        for step in self._wrong_writes(operation, self.replace):
            yield [Create(LEAST), step, Look()]
        beyond = operation.path.rpartition("{")[0] + UNKNOWN + "x" * 300
        yield [Raw("PUT", beyond, JSON_BODY, body=self._scoped_json(self.replace))]

    def elsewhere(self) -> Iterator[Talk]:
        for path in dict.fromkeys(operation.path for operation in self._contract.operations.values()):
            known, _ = self._contract.route(path) or ({}, {})
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                if method not in known and (self._anywhere or "{" in path or method in ("GET", "POST")):
                    yield [Create(LEAST), Raw(method, self._of_ours(path))]
            yield [Raw("GET", f"{path.partition('{')[0].rstrip('/')}-unknown/path")]

    def creates(self) -> Iterator[Talk]:
        for body, spared in self._spared(self.create.valid):
            yield [Create(body, spared=spared), Look()]

    def replacements(self) -> Iterator[Talk]:
        for body, spared in self._spared(self.replace.valid if self.replace else []):
            yield [Create(WHOLE), Replace(0, body, spared=spared), Look()]

    def refused_creates(self) -> Iterator[Refused]:
        bodies = self._spared(self.create.invalid)
        yield from _together([], [Create(body, spared=spared) for body, spared in bodies])

    def refused_replacements(self) -> Iterator[Refused]:
        bodies = self._spared(self.replace.invalid if self.replace else [])
        yield from _together([Create(LEAST)], [Replace(0, body, spared=spared) for body, spared in bodies])

    def _spared(self, bodies: Sequence[Body]) -> Iterator[tuple[Json, str]]:
        """Bodies, and the unique member that its scope would mend, as it is broken on purpose."""
        for body in bodies:
            is_scoped = body.path[:1] in self._scoped
            if not (is_scoped and body.is_valid):
                yield body.value, body.path[0] if is_scoped else ""

    def _wrong_writes(self, operation: Operation, bodies: Bodies) -> Iterator[Raw]:
        path, valid = self._of_ours(operation.path), self._scoped_json(bodies)
        for headers, query, change in WRONG_WRITES.values():
            if ("Accept", UNACCEPTABLE) in headers and operation.response(406) is None:
                continue  # it may be minded or not, and then it changes what is stored
            yield Raw(operation.method, path, headers, query, change(valid))
        if "413" in operation.responses:
            yield Raw(operation.method, path, JSON_BODY, body=b" " * TOO_LARGE + b"{}", or_status="413")

    def _of_ours(self, path: str) -> str:
        """The path of what the conversation created; of what does not exist, where it is another kind of thing."""
        item = self.collection.replace.path if self.collection.replace else ""
        return path.rpartition("{")[0] + FIRST if path == item else PARAMETER.sub(UNKNOWN, path)

    def _scoped_json(self, bodies: Bodies) -> bytes:
        return json.dumps(
            {**bodies.minimal, **{name: named(name) for name in self.collection.resource.unique}}
        ).encode()


def _first_name(valid: bytes) -> bytes:
    members: dict[str, Any] = json.loads(valid)
    return next(iter(members), "name").encode()


MOST_TOGETHER = 10
"""How many refusals are asked for before a look: a chain that a person still reads."""


def _together(before: Talk, steps: Sequence[Step]) -> Iterator[Refused]:
    for start in range(0, len(steps), MOST_TOGETHER):
        yield Refused(before, steps[start : start + MOST_TOGETHER])
