"""Conversations to have with a server: those that somebody thought of, and those that Hypothesis draws and shortens."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from ..contract.document import Contract
from ..contract.operation import Operation
from ..contract.schema import Json
from ..contract.shape import flattened
from .bodies import Bodies
from .coverage import request_schema
from .resource import Resource
from .result import Failure, Result
from .steps import FIRST, JSON_BODY, Create, List, Raw, Replace, Step

TOO_LARGE = 4 << 20
"""Bytes of a body that a server may find too large; one that takes it has a larger limit, which is no mistake."""
MOST_DRAWN_FAILURES = 5
"""How often conversations are drawn anew after one of them showed a failure."""
UNACCEPTABLE = "application/x-nothing-has-this"


T = TypeVar("T")


class Script:
    """The conversations about one resource. `possible` is false where no valid body could be made for it."""

    def __init__(self, resource: Resource, contract: Contract) -> None:
        self._resource, self._contract = resource, contract
        self._create = self._bodies(resource.create)
        self._replace = self._bodies(resource.replace) if resource.replace else None

    def _bodies(self, operation: Operation) -> Bodies:
        return Bodies(request_schema(operation, self._contract) or {}, self._contract.resolve)

    @property
    def possible(self) -> bool:
        return self._create.possible and (self._replace is None or self._replace.possible)

    def deliberate(self) -> Iterator[Sequence[Step]]:
        """Those that somebody thought of: first the plain ones, so that a plain mistake is found at once."""
        yield from self._basics()
        yield from self._scopes()
        yield from self._lists()
        yield from self._protocol()
        yield from self._values()

    def drawn(self) -> st.SearchStrategy[Sequence[Step]]:
        """Those that Hypothesis draws."""
        scope = st.integers(0, 3)
        steps: list[st.SearchStrategy[Step]] = [st.builds(Create, _one_of(self._valid_creates()), scope)]
        if self._replace is not None:
            # A target that was not created is one that is unknown.
            bodies = _one_of([body.value for body in self._replace.valid])
            steps.append(st.builds(Replace, st.integers(0, 3), bodies, scope))
        if self._resource.list is not None and self._resource.unique:
            steps.append(st.builds(List, _one_of(_some(self._resource.unique)), scope))
        return st.lists(st.one_of(steps), min_size=1, max_size=8).map(lambda drawn: [*drawn, *self._look()])

    def _look(self, scope: int = 0) -> list[Step]:
        """See what is stored in a scope."""
        return [List(self._resource.unique, scope)] if self._resource.list else []

    def _valid_creates(self) -> list[Json]:
        return [body.value for body in self._create.valid if body.path[:1] not in self._scoped_paths]

    @property
    def _scoped_paths(self) -> set[tuple[str, ...]]:
        return {(name,) for name in self._resource.unique}

    def _basics(self) -> Iterator[Sequence[Step]]:
        minimal, full = self._create.minimal, self._create.full
        yield [Create(minimal), *self._look()]
        yield [Create(full), *self._look()]
        if self._replace is None or self._resource.replace is None:
            return
        small, whole = self._replace.minimal, self._replace.full
        yield [Create(minimal), Replace(0, whole), *self._look()]
        yield [Create(full), Replace(0, small), *self._look()]
        yield [Create(minimal), Replace(0, whole, pause=True), *self._look()]
        yield [Replace(0, whole), *self._look()]
        yield [Create(minimal), Replace(1, whole, 1), *self._look(), *self._look(1)]
        properties = self._properties(self._resource.replace)
        if self._resource.identity in properties:
            yield [Create(minimal), Replace(0, whole, identity="same"), *self._look()]
            yield [Create(minimal), Replace(0, whole, identity="other"), *self._look()]
        ignored = {
            name: "2001-02-03T04:05:06Z"
            for name in (self._resource.created_at, self._resource.updated_at)
            if name in properties
        }
        if ignored:
            yield [Create(minimal), Replace(0, {**whole, **ignored}), *self._look()]

    def _properties(self, operation: Operation) -> set[str]:
        schema = request_schema(operation, self._contract) or {}
        return set(flattened(schema, self._contract.resolve).get("properties", {}))

    def _scopes(self) -> Iterator[Sequence[Step]]:
        if not self._resource.unique:
            return
        minimal, full = self._create.minimal, self._create.full
        yield [Create(minimal), Create(full), *self._look()]
        for other in (1, 2, 3):
            yield [Create(minimal), Create(full, other), *self._look(), *self._look(other)]
            if self._replace is not None:
                whole = self._replace.full
                yield [Create(minimal), Create(full, other), Replace(1, whole, 0), *self._look(other), *self._look()]
                yield [Create(minimal), Replace(0, whole, other), *self._look(other), *self._look()]
                yield [Create(minimal), Replace(0, whole, other), Create(full), *self._look(), *self._look(other)]
                yield [Create(minimal), Replace(0, whole, other), Create(full, other)]

    def _lists(self) -> Iterator[Sequence[Step]]:
        if self._resource.list is None:
            return
        yield [List()]
        unique = self._resource.unique
        if not unique:
            return
        minimal, full = self._create.minimal, self._create.full
        four: list[Step] = [Create(minimal), Create(full, 1), Create(full, 2), Create(minimal, 3)]
        combinations = [(), *_some(unique)]
        yield [*four, *(List(by, scope) for by in combinations for scope in (0, 3))]
        for change in (
            lambda text: text[:-1],
            lambda text: f"{text}x",
            str.upper,
            lambda text: f"{text[:-1]}%",
            lambda _: "*",
        ):
            yield [*four, *(List(by, 0, change) for by in combinations[1:])]
        several: list[Step] = [Create(minimal, scope << len(unique) - 1) for scope in range(6)]
        yield [*several, List(unique[:-1] or unique), List()]
        if self._replace is not None:
            changed = [
                Replace(target, self._replace.full, scope << len(unique) - 1) for target, scope in ((2, 2), (0, 0))
            ]
            yield [*several, *changed, List(unique[:-1] or unique)]

    def _protocol(self) -> Iterator[Sequence[Step]]:
        """What is wrong whatever is stored."""
        if self._resource.list is not None:
            yield from ([step] for step in self._raw_lists(self._resource.list))
        first = Create(self._create.minimal)
        yield from ([step] for step in self._raw_writes(self._resource.create, self._create))
        if self._resource.replace is not None and self._replace is not None:
            path = self._resource.replace.path
            yield from (
                [first, step, *self._look()] for step in self._raw_writes(self._resource.replace, self._replace)
            )
            yield [Raw("PUT", path.rpartition("{")[0] + "x" * 300, JSON_BODY, body=_encoded(self._replace.minimal))]
        for path in dict.fromkeys(operation.path for operation in self._contract.operations.values()):
            operations = self._contract.route(path)
            known = operations[0] if operations else {}
            place = path.rpartition("{")[0] + FIRST if "{" in path else path
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                if method not in known:
                    yield [first, Raw(method, place)]
            yield [Raw("GET", f"{path.partition('{')[0].rstrip('/')}-unknown/path")]

    def _raw_lists(self, operation: Operation) -> Iterator[Raw]:
        path = operation.path
        yield Raw("GET", path, query="x-unknown=1")
        yield Raw("GET", path, (("Accept", UNACCEPTABLE),))
        for parameter in operation.parameters:
            if parameter.place == "query":
                name, longest = parameter.name, parameter.declared.get("maxLength", 0)
                for query in (f"{name}=a&{name}=b", f"{name}=", f"{name}=%FF", f"{name}={'x' * (longest + 1)}"):
                    yield Raw("GET", path, query=query)

    def _raw_writes(self, operation: Operation, bodies: Bodies) -> Iterator[Raw]:
        path = operation.path if "{" not in operation.path else operation.path.rpartition("{")[0] + FIRST
        valid, method = _encoded(bodies.minimal), operation.method
        yield Raw(method, path, (("Content-Type", "text/plain"),), body=valid)
        yield Raw(method, path, (("Content-Type", "application/json; charset=utf-16"),), body=valid)
        yield Raw(method, path, body=valid)
        yield Raw(method, path, (*JSON_BODY, ("Accept", UNACCEPTABLE)), body=valid)
        yield Raw(method, path, (*JSON_BODY, ("Content-Encoding", "x-unknown")), body=valid)
        yield Raw(method, path, JSON_BODY, query="x-unknown=1", body=valid)
        name = next(iter(bodies.minimal), "name").encode()
        twice = b'{"' + name + b'": "a", ' + valid[1:]
        for text in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'"text"',
            valid + b"x",
            b"\xff" + valid,
            twice,
            valid[:-1] + b', "x": NaN}',
        ):
            yield Raw(method, path, JSON_BODY, body=text)
        if "413" in operation.responses:
            yield Raw(method, path, JSON_BODY, body=b" " * TOO_LARGE + b"{}", or_status="413")

    def _values(self) -> Iterator[Sequence[Step]]:
        """Every bound reached and every keyword broken, by a create and by a replace."""
        for body in self._create.valid:
            if body.path[:1] not in self._scoped_paths:
                yield [Create(body.value), *self._look()]
        for body in self._create.invalid:
            yield [Create(body.value, self._scope_of(body.path, body.value)), *self._look()]
        if self._replace is None:
            return
        full, minimal = self._create.full, self._create.minimal
        for body in self._replace.valid:
            if body.path[:1] not in self._scoped_paths:
                yield [Create(full), Replace(0, body.value), *self._look()]
        for body in self._replace.invalid:
            scope = self._scope_of(body.path, body.value)
            yield [Create(minimal), Replace(0, body.value, scope), *self._look()]

    def _scope_of(self, path: tuple[str, ...], body: Json) -> int | None:
        """No scope where it would mend what is broken."""
        return None if path[:1] in self._scoped_paths or not isinstance(body, dict) else 0


Play = Callable[[Sequence[Step]], list[Failure]]
"""Has a conversation and returns what was wrong with it; it ends with the first step that is wrong."""


def converse(script: Script, play: Play, result: Result, max_examples: int) -> None:
    """Have all the conversations.

    A drawn one that shows a failure is shortened, then the drawing goes on without it.
    """
    for steps in script.deliberate():
        for failure in play(steps):
            result.add(failure)
    shown: list[Failure] = []

    @with_seed(result.seed)
    @settings(
        max_examples=max_examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(script.drawn())
    def draw(steps: Sequence[Step]) -> None:
        if new := [failure for failure in play(steps) if failure.fingerprint not in result.failures]:
            shown[:] = new  # the last one that Hypothesis tries is the shortest
            raise _Shown

    for _ in range(MOST_DRAWN_FAILURES):
        try:
            draw()
        except (_Shown, Flaky):
            for failure in shown:
                result.add(failure)
        else:
            return


class _Shown(Exception):
    """A drawn conversation showed a failure."""


def _encoded(body: Json) -> bytes:
    return json.dumps(body).encode()


def _one_of(choices: Sequence[T]) -> st.SearchStrategy[T]:
    """Like sampled_from, without telling all of them whenever something goes wrong."""
    return st.integers(0, len(choices) - 1).map(choices.__getitem__)


def _some(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Every choice of one or more of the names."""
    return [some for size in range(1, len(names) + 1) for some in itertools.combinations(names, size)]
