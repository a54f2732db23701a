"""Request bodies made from a schema on purpose: each bound reached, each keyword broken, each rule broken.

The engine is asked about every body before it is used, so nothing here can be wrong about what is valid; what it cannot
make stays a row that the coverage shows as missed.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...contract.formats import FORMAT_EXAMPLES
from ...contract.pattern import Strings, TooHard, outside
from ...contract.references import References
from ...contract.schema import Json, Schema
from ...contract.shape import Member, Path, flattened, members, rules
from ..coverage import general

ABSENT = object()
"""No body at all: the value has no such place."""
ABSENT_MEMBER = object()
"""Stands for a member to leave out."""
MOST_ASSIGNMENTS = 300
"""How many combinations of values are tried to break one rule across members."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request body made on purpose."""

    value: Json
    path: Path = ()
    """The member that it is about; empty for the whole."""
    is_valid: bool = False


class Bodies:
    """The bodies for one request schema."""

    def __init__(self, schema: Mapping[str, Any], resolve: References) -> None:
        self._schema, self._resolve = schema, resolve
        self._judge = Schema(dict(schema), resolve, "request")
        self._members = {member.path: member for member in members(schema, resolve)}

    @cached_property
    def minimal(self) -> Json:
        """What is required and nothing else."""
        return _example(self._schema, self._resolve, full=False)

    @cached_property
    def full(self) -> Json:
        """Every member, with another value than its default, and than the minimum has where that can be."""
        body = _example(self._schema, self._resolve, full=True)
        for path, member in self._members.items():
            if len(path) == 1 and isinstance(body, dict) and body.get(path[0]) == self.minimal.get(path[0]):
                values = (value for value in _accepted_values(member.schema, self._resolve) if value != body[path[0]])
                body = next(filter(self._judge.accepts, ({**body, path[0]: value} for value in values)), body)
        return body

    @cached_property
    def possible(self) -> bool:
        """Whether the engine takes the bodies that everything here is built on."""
        return self._judge.accepts(self.minimal) and self._judge.accepts(self.full)

    @cached_property
    def valid(self) -> list[Body]:
        """The two bases, and for each member each bound, each choice and null."""
        found = [Body(self.minimal, (), True), Body(self.full, (), True)]
        for path, member in self._members.items():
            for value in _accepted_values(member.schema, self._resolve):
                bodies = (_with(base, path, value) for base in (self.full, self.minimal))
                taken = next((body for body in bodies if body is not ABSENT and self._judge.accepts(body)), None)
                if taken is not None and all(taken != body.value for body in found):
                    found.append(Body(taken, path, True))
        return found

    @cached_property
    def invalid(self) -> list[Body]:
        """One for each keyword of each member, and for each way to break a rule; it breaks nothing else if possible."""
        return [*self._broken_keywords(), *self._broken_rules()]

    def _broken_keywords(self) -> Iterator[Body]:
        for path, member in self._members.items():
            present = _at(self.full, path)
            for keyword in member.keywords:
                candidates = (
                    _with(self.full, path, value) for value in _refused_values(keyword, member.schema, present)
                )
                if (body := self._sharpest(candidates, path, keyword)) is not None:
                    yield Body(body, path)
            null = [_with(self.full, path, None)] if path and "type" in member.schema else []
            if (body := self._sharpest(null, path, "type")) is not None:
                yield Body(body, path)

    def _sharpest(self, candidates: Any, path: Path, keyword: str) -> Json | None:
        """The first candidate that breaks the keyword and nothing else, or else the first that breaks it."""
        blunt = None
        for body in candidates:
            if body is ABSENT:
                continue
            findings = self._judge.findings(body, "body")
            broken = {(general(self._members, finding), finding.rule) for finding in findings}
            if (path, keyword) in broken:
                if len(broken) == 1:
                    return body
                blunt = body if blunt is None else blunt
        return blunt

    def _broken_rules(self) -> Iterator[Body]:
        for rule in rules(self._schema, self._resolve):
            name = rule["x-rule"]["id"]
            concerned = [member for member in _named_in(rule) if (member,) in self._members]
            choices = [[ABSENT, *self._choices(self._members[member,])] for member in concerned]
            found: list[Json] = []
            for assignment in itertools.islice(itertools.product(*choices), MOST_ASSIGNMENTS):
                body = deepcopy(self.minimal)
                for member, value in zip(concerned, assignment, strict=True):
                    body.pop(member, None)
                    if value is not ABSENT:
                        body[member] = value
                if {finding.rule for finding in self._judge.findings(body, "body")} == {name}:
                    found.append(body)
            yield from map(Body, found)

    def _choices(self, member: Member) -> list[Json]:
        schema = member.schema
        values = list(schema.get("enum", ())) or ([False, True] if schema.get("type") == "boolean" else [])
        return [*(values or [_example(schema, self._resolve, full=True)]), *([None] if schema.get("nullable") else [])]


def _named_in(rule: Any) -> list[str]:
    """Every member that a rule speaks of."""
    names: dict[str, None] = {}
    if isinstance(rule, dict):
        names |= dict.fromkeys([*rule.get("properties", {}), *rule.get("required", ())])
        for keyword in ("anyOf", "allOf", "oneOf", "not"):
            names |= dict.fromkeys(_named_in(rule.get(keyword, [])))
    elif isinstance(rule, list):
        names |= dict.fromkeys(name for part in rule for name in _named_in(part))
    return list(names)


def _example(schema: Mapping[str, Any], resolve: References, *, full: bool) -> Json:
    """A value of a schema; a full one has every member, and avoids defaults."""
    flat = flattened(schema, resolve)
    if flat.get("type") == "object" or "properties" in flat:
        wanted = flat.get("properties", {}) if full else flat.get("required", ())
        properties = flat.get("properties", {})
        members_made = {
            name: _example(properties[name], resolve, full=full)
            for name in wanted
            if name in properties and not flattened(properties[name], resolve).get("readOnly")
        }
        free = flat.get("additionalProperties")
        if full and not properties and isinstance(free, dict):
            return {"name": _example(free, resolve, full=False)}
        return members_made
    if flat.get("type") == "array":
        return [_example(flat["items"], resolve, full=full)] * max(1 if full else 0, flat.get("minItems", 0))
    if flat.get("type") == "boolean":
        return not flat.get("default", False)
    judge = Schema(flat, resolve, "request")
    default = flat.get("default")
    declared = (*flat.get("enum", ())[::-1], flat.get("example"))
    fitting = (value for value in declared if value not in (None, default) and judge.accepts(value))
    made: Json = next(fitting, None)
    if made is None:
        made = _made(flat)
    return made if made is not None and judge.accepts(made) else default


def _made(schema: Mapping[str, Any]) -> Json:
    kind = schema.get("type", "string")
    if kind in ("integer", "number"):
        bounds = (schema.get("minimum", 0) + 1, schema.get("minimum", 0), schema.get("maximum", 0))
        return next((value for value in bounds if value <= schema.get("maximum", value)), 1)
    if kind != "string":
        return None
    if (name := schema.get("format")) in FORMAT_EXAMPLES:
        return FORMAT_EXAMPLES[name]
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    if "pattern" in schema:
        return _matching(schema["pattern"], shortest, longest)
    return "text".ljust(shortest, "x")[:longest]


def _matching(pattern: str, shortest: int, longest: int) -> str | None:
    """The simplest text that matches a pattern; None where it is not found."""
    try:
        return outside(Strings((pattern,), shortest, longest), None)
    except TooHard:
        return None


def _accepted_values(schema: Mapping[str, Any], resolve: References) -> Iterator[Json]:
    """Values at the bounds of a schema; some may break another keyword or a rule."""
    yield from schema.get("enum", ())
    kind = schema.get("type")
    if kind == "boolean":
        yield from (False, True)
    if kind in ("integer", "number"):
        yield from (schema[bound] for bound in ("minimum", "maximum") if bound in schema)
    if kind == "string" and "enum" not in schema:
        yield from _texts(schema)
    if kind == "array":
        item = _example(schema["items"], resolve, full=True)
        yield []
        yield [item]
        yield from ([_distinct(item, index) for index in range(schema[size])] for size in _sizes(schema, "Items"))
    if kind == "object" and "properties" not in schema:
        yield {}
        yield from ({f"m{index}": "x" for index in range(schema[size])} for size in _sizes(schema, "Properties"))
    if kind is None and not schema.keys() & {"properties", "enum"}:
        yield from (False, 0, "", [], {}, "text", 1.5, [None], {"name": [1]})
    if schema.get("nullable"):
        yield None


def _texts(schema: Mapping[str, Any]) -> Iterator[Json]:
    plain = not schema.keys() & {"pattern", "format"} or schema.get("format") == "password"
    if plain:
        yield from ("é" * schema[size] for size in ("minLength", "maxLength") if size in schema)
        yield 'Ünïcode ✓ 𝄞 "quoted" \\ / \t &<>%'[: schema.get("maxLength")]
    if "minLength" not in schema and plain:
        yield ""


def _sizes(schema: Mapping[str, Any], kind: str) -> list[str]:
    return [size for size in (f"min{kind}", f"max{kind}") if 0 < schema.get(size, 0) <= 1000]


def _refused_values(keyword: str, schema: Mapping[str, Any], present: Json) -> list[Json]:
    """Values that may break a keyword; what the engine says decides. `present` is a value that does not."""
    return list(_REFUSED[keyword](schema.get(keyword), present))


def _items(present: Json, size: int) -> list[Json]:
    item = present[0] if isinstance(present, list) and present else "x"
    return [_distinct(item, index) for index in range(size)]


def _named(size: int) -> dict[str, str]:
    return {f"m{index}": "x" for index in range(size)}


_REFUSED: dict[str, Callable[[Any, Any], Iterable[Json]]] = {
    "required": lambda _limit, _present: [ABSENT_MEMBER],
    "type": lambda _limit, _present: ["text", 1, True, [], {}, 1.5],
    "enum": lambda _limit, _present: ["none-of-them", 0],
    "minimum": lambda limit, _present: [limit, limit - 1],
    "maximum": lambda limit, _present: [limit, limit + 1],
    "multipleOf": lambda limit, _present: [limit / 2],
    "minLength": lambda limit, _present: ["x" * (limit - 1)],
    "maxLength": lambda limit, present: ["x" * (limit + 1), f"{present}".ljust(limit + 1, "0")],
    "pattern": lambda _limit, present: ["none", "", f"{present}x", f"x{present}", f"{present} "],
    "format": lambda _limit, present: ["none", "", f"{present}x"],
    "minItems": lambda limit, present: [_items(present, limit - 1)],
    "maxItems": lambda limit, present: [_items(present, limit + 1)],
    "uniqueItems": lambda _limit, present: [_items(present, 1) * 2],
    "minProperties": lambda limit, _present: [_named(limit - 1)],
    "maxProperties": lambda limit, _present: [_named(limit + 1)],
    "additionalProperties": lambda _limit, present: [{**present, "x-unknown": 1}] if isinstance(present, dict) else [],
}
"""From a keyword's limit, and a value that keeps to it, to values that may not."""


def _distinct(item: Json, index: int) -> Json:
    """An item like this one, and unlike those with another index, where that is easy."""
    if isinstance(item, str):
        return f"{item[:-4]}{index:04}" if item[-4:].isdigit() else f"{item}{index:04}"
    return item + index if isinstance(item, int) and not isinstance(item, bool) else item


def _at(body: Json, path: Path) -> Json:
    for step in path:
        if isinstance(body, list) and step == "*":
            body = body[0] if body else None
        elif isinstance(body, dict):
            body = next(iter(body.values()), None) if step == "*" else body.get(step)
        else:
            return None
    return body


def _with(body: Json, path: Path, value: Json) -> Json:
    """A copy of a body with one member changed, or ABSENT where the body has no such place."""
    if not path:
        return ABSENT if value is ABSENT_MEMBER else value
    changed = deepcopy(body)
    parent = _at(changed, path[:-1])
    step: Any = path[-1]
    if step == "*":
        step = (
            0 if isinstance(parent, list) and parent else next(iter(parent), None) if isinstance(parent, dict) else None
        )
    if step is None or not isinstance(parent, dict | list):
        return ABSENT
    if value is ABSENT_MEMBER:
        if not isinstance(parent, dict) or step not in parent:
            return ABSENT
        del parent[step]
    else:
        parent[step] = value
    return changed
