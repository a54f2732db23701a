"""Candidate values of a schema, the simplest first, near the bounds of another schema."""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from .formats import FORMAT_EXAMPLES
from .normal import Definitions, Json, conjunction, followed, item_of, matches, member_of, merged, types
from .pattern import Strings, UndecidablePattern, outside
from .strict_json import MAX_DEPTH

MAX_NESTING = 30
PLAIN = "string"
"""The preferred text."""
ABSENT: Any = object()
"""The placeholder for no value."""
MAX_PARTS = 2_000
"""The most values inside of one, which can grow exponentially with the nesting."""
MAX_VARIED = 4
"""The depth to which more than the simplest values are tried."""
MAX_COST = 4_000
"""The number of schemas that are visited for the candidates of one."""
MAX_CANDIDATES = 60
"""The most values of a schema that its object or array tries."""

Step = tuple[Mapping[str, Json], str | int]
"""A flat schema of an object or an array, and the key of a member or an item."""
SchemaPath = tuple[Step, ...]


class Values:
    """Values of the schemas of one contract, with candidates that may not fit those of another."""

    def __init__(self, definitions: Definitions, others: Definitions) -> None:
        self._definitions, self._others = definitions, others
        self._cost = 0
        self._firsts: dict[str, Json] = {}
        self._inside = 0
        """The depth of definitions in the search for a simplest value, which the depth of strict JSON bounds."""
        self._around: dict[tuple[int, bool], tuple[Mapping[str, Json], dict[str, Json]]] = {}

    def of(self, schema: Json, other: Json = True) -> Iterator[Json]:
        """Candidates, most of which fit the schema, up to a bound on the cost."""
        self._cost = 0
        yield from self._of(schema, other)

    def _of(self, schema: Json, other: Json = True, depth: int = 0) -> Iterator[Json]:
        self._cost += 1
        flat = None if depth > MAX_NESTING or self._cost > MAX_COST else merged([schema], self._definitions)
        if flat is None:
            return
        against = merged([other], self._others) or {}
        for keyword in ("anyOf", "oneOf"):
            if keyword in flat:
                rest = {name: value for name, value in flat.items() if name != keyword}
                for branch in flat[keyword]:
                    yield from islice(self._of(conjunction(rest, branch), other, depth + 1), MAX_CANDIDATES)
                return
        for left in flat.get("allOf", ()):
            branches = [branch for keyword in ("anyOf", "oneOf") for branch in left.get(keyword, ())]
            for branch in branches:
                rest = {name: value for name, value in flat.items() if name != "allOf"}
                yield from islice(self._of(conjunction(rest, branch), other, depth + 1), MAX_CANDIDATES)
        for keyword in ("anyOf", "oneOf"):
            for branch in against.get(keyword, ())[:4]:
                yield from islice(self._of(flat, conjunction(branch, True), depth + 2), MAX_CANDIDATES // 4)
        yield from self._flat(flat, against, depth)

    def first(self, schema: Json, depth: int = 0) -> Json:
        """The simplest value of a schema, or ABSENT; that of a definition is cached."""
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if reference is None:
            return next(self._of(schema, True, depth + 1), ABSENT)
        if reference not in self._firsts:
            self._firsts[reference] = ABSENT  # for a recursive schema
            if self._inside < MAX_DEPTH:
                self._inside += 1
                value = next(self._of(schema, True, min(depth + 1, MAX_NESTING)), ABSENT)
                self._inside -= 1
                if _is_small(value):
                    self._firsts[reference] = value
        return self._firsts[reference]

    def around(self, way: SchemaPath, value: Json, *, full: bool) -> Json:
        """A value of an outer schema with the given one inside; `full` adds the optional members around it."""
        for schema, step in reversed(way):
            if isinstance(step, str):
                key = id(schema), full
                if key not in self._around:
                    self._around[key] = schema, self._members(schema, full=full)
                value = {**self._around[key][1], step: value}
            else:
                items = [self.first(item_of(schema, index)) for index in range(step)]
                value = [*items, *[value] * max(1, schema.get("minItems", 0) - step)]
        return value

    def _members(self, schema: Mapping[str, Json], depth: int = 0, *, full: bool = False) -> dict[str, Json]:
        """The required members of an object, with `full` the optional ones, too, each with the simplest value."""
        names = dict.fromkeys([*schema.get("required", ()), *(schema.get("properties", ()) if full else ())])
        found = {name: self.first(member_of(schema, name), depth) for name in names}
        members = {name: value for name, value in found.items() if value is not ABSENT}
        others = iter(schema.get("properties", ()))
        while len(members) < schema.get("minProperties", 0):
            name = next(others, f"other{len(members)}")
            members.setdefault(name, self.first(member_of(schema, name), depth))
        return members

    def _flat(self, schema: dict[str, Json], other: Mapping[str, Json], depth: int) -> Iterator[Json]:
        if "const" in schema:
            yield schema["const"]
            return
        if "enum" in schema:
            taken = other.get("enum", ())
            yield from sorted(schema["enum"], key=lambda value: value in taken)
            return
        for each in _excluded(other):
            yield from each.get("enum", [each["const"]] if "const" in each else ())
        declared = types(schema)
        by_type = {
            "string": self._strings(schema, other),
            "integer": self._numbers(schema, other, whole="number" not in declared),
            "boolean": iter((False, True) if other else (True, False)),
            "object": islice(self._objects(schema, other, depth), 20 * MAX_CANDIDATES),
            "array": islice(self._arrays(schema, other, depth), 4 * MAX_CANDIDATES),
            "null": iter((None,)),
        }
        waiting = deque(values for name, values in by_type.items() if name in declared)
        while waiting:  # in turns, so that the first candidates have all types
            values = waiting.popleft()
            for value in values:
                yield value
                waiting.append(values)
                break

    def _strings(self, schema: Mapping[str, Json], other: Mapping[str, Json]) -> Iterator[str]:
        if example := FORMAT_EXAMPLES.get(schema.get("format", "")):
            yield example
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        plain = PLAIN.ljust(min(least, 100_000), "s")[:most]
        if not other and all(matches(each, plain) for each in _patterns(schema)):
            yield plain
        inner = Strings(tuple(_patterns(schema)), least, most)
        others = [*_patterns(other), *(each["pattern"] for each in _excluded(schema) if "pattern" in each)]
        for outer in (None, *(Strings((each,)) for each in others), strings_of(other)):
            try:
                if (found := outside(inner, outer)) is not None:
                    yield found
            except UndecidablePattern:
                continue
        yield from (FORMAT_EXAMPLES[each["format"]] for each in _parts(other) if each.get("format") in FORMAT_EXAMPLES)
        for length in dict.fromkeys((1, least, most, other.get("minLength", 1) - 1, other.get("maxLength", 0) + 1)):
            if length is not None and least <= length <= 100_000:
                yield "a" * length
        yield from ("", "0", "text", " ", "a b", "é", "A")
        yield from FORMAT_EXAMPLES.values()

    def _numbers(self, schema: Mapping[str, Json], other: Mapping[str, Json], *, whole: bool) -> Iterator[Json]:
        bounds = [each for name in _BOUNDS for each in (schema.get(name), other.get(name)) if each is not None]
        steps = [step for each in (schema, other) if (step := each.get("multipleOf"))]
        steps += [each["multipleOf"] for each in _excluded(schema) if "multipleOf" in each]
        around = [near for each in bounds for near in (each, each + 1, each - 1, each + 0.5, each - 0.5)]
        multiples = [_times(step, factor) for step in steps for factor in (1, 2, 3, 5, 7, 10, 11)]
        beyond = [_times(step, int(each / step) + 1) for each in bounds for step in steps]
        low, high = _bound(schema, "minimum", -float("inf")), _bound(schema, "maximum", float("inf"))
        least = schema.get("minimum", -1)
        first = (0, 1) if other else (least, 1) if least >= 0 else (1, 0)
        for number in dict.fromkeys(
            [*first, *around, *multiples, *beyond, -1, 2, 3, 10, 2**31, 2**63, 0.5, 0.01, -0.5]
        ):
            if not low <= number <= high:
                continue
            if isinstance(number, int) or not whole:
                yield number
            elif number.is_integer():
                yield int(number)
        if not whole:  # 1.0, an integer in some dialects only
            yield from (float(each) for each in (1, *bounds, *steps) if low <= each <= high and each == int(each))

    def _objects(self, schema: Mapping[str, Json], other: Mapping[str, Json], depth: int) -> Iterator[dict[str, Json]]:
        yield (least := self._members(schema, depth))
        most = self._members(schema, depth, full=True)
        bases = [least, most] if len(most) > len(least) else [least]
        yield from bases[1:]
        if depth > MAX_VARIED:
            return
        optional = [name for name in most if name not in least]
        yield from ({each: most[each] for each in most if each != name} for name in optional)
        yield from ({**least, name: most[name]} for name in optional)
        for name in most:
            values = islice(self._member(schema, other, name, depth), MAX_CANDIDATES // 4)
            yield from ({**base, name: value} for value in values for base in bases)
        if schema.get("additionalProperties", True) is not False or "patternProperties" in schema:
            names = [*other.get("properties", {}), *other.get("required", ()), "other", *self._names(schema, other)]
            for name in (each for each in dict.fromkeys(names) if each not in schema.get("properties", {})):
                for value in islice(self._member(schema, other, name, depth), MAX_CANDIDATES // 4):
                    yield {**least, name: value}
            counts = schema.get("maxProperties"), other.get("maxProperties", -1) + 1, other.get("minProperties", 0) - 1
            for count in {each for each in counts if each is not None and 0 < each < 10_000}:
                value = next(self._member(schema, other, "other", depth), None)
                yield dict(islice({**least, **{f"other{index}": value for index in range(count)}}.items(), count))

    def _names(self, schema: Mapping[str, Json], other: Mapping[str, Json]) -> Iterator[str]:
        """Names that fit the patterns of two schemas."""
        for pattern in (*schema.get("patternProperties", {}), *other.get("patternProperties", {})):
            try:
                if (found := outside(Strings((pattern,)), None)) is not None:
                    yield found
            except UndecidablePattern:
                continue
        for each in (schema, other):
            named = followed(each.get("propertyNames", True), self._definitions if each is schema else self._others)
            if isinstance(named, dict):
                yield from islice(self._strings(named if each is schema else {}, {} if each is schema else named), 8)

    def _member(self, schema: Mapping[str, Json], other: Mapping[str, Json], name: str, depth: int) -> Iterator[Json]:
        return self._of(member_of(schema, name), member_of(other, name), depth + 1)

    def _arrays(self, schema: Mapping[str, Json], other: Mapping[str, Json], depth: int) -> Iterator[list[Json]]:
        first = [self.first(each, depth) for each in schema.get("prefixItems", ())]
        several = depth < MAX_VARIED
        for index, each in enumerate(schema.get("prefixItems", ()) if several else ()):
            for value in islice(self._of(each, item_of(other, index), depth + 1), MAX_CANDIDATES):
                yield [*first[:index], value, *first[index + 1 :]]
        theirs = other.get("items", True)
        items = schema.get("items", True)
        contained = [schema["contains"]] if isinstance(schema.get("contains"), dict) else []
        if several:
            values = list(islice(self._of(items, theirs, depth + 1), 1 if items in (True, {}) else MAX_CANDIDATES))
            values = [value for each in contained for value in islice(self._of(each, theirs, depth + 1), 5)] + values
        else:
            simplest = (self.first(each, depth) for each in (*contained, items))
            values = [value for value in simplest if value is not ABSENT]
        patterns = _patterns(merged([items], self._definitions) or {})
        least, most = schema.get("minItems", 0), schema.get("maxItems", 10_000)
        lengths = [least, 1, 2, most, other.get("maxItems", 0) + 1, other.get("minItems", 1) - 1, len(first)]
        for length in dict.fromkeys(lengths):
            if length == 0:
                yield []
            elif least <= length <= most and length < 5_000 and (values or len(first) >= length):
                yield [*first, *([values[0]] * length if values else [])][:length]
                different = [value for index, value in enumerate(values) if value not in values[:index]]
                distinct = [*first, *_matching(patterns, different)]
                if len(distinct) < length and isinstance(sample := (distinct[len(first) :] or [None])[0], str | int):
                    numbers = (f"{sample}{index}" if isinstance(sample, str) else index for index in range(length))
                    distinct = list(dict.fromkeys([*distinct, *_matching(patterns, numbers)]))
                if len(distinct) >= length:
                    yield distinct[:length]
        for value in values[1:]:
            yield [*first, *([value] * max(1, least - len(first)))]
            yield [*first, *([values[0]] * max(0, least - 1 - len(first))), value]

    def drawn(self, schema: Json, other: Json, times: int) -> Iterator[Json]:
        """Random objects, always the same ones."""
        chance = random.Random(0)  # noqa: S311 (the same on every machine)
        objects = [value for value in islice(self._of(schema, other), 400) if isinstance(value, dict)]
        for _ in range(times if len(objects) > 1 else 0):
            one, two = chance.sample(objects, 2)
            yield {name: value for name, value in chain(one.items(), two.items()) if chance.random() < 0.8}


_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def _parts(schema: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """A flat schema, and the schemas in its `allOf`."""
    return chain([schema], schema.get("allOf", ()))


def _patterns(schema: Mapping[str, Json]) -> list[str]:
    return [each["pattern"] for each in _parts(schema) if "pattern" in each]


def _matching(patterns: Sequence[str], values: Iterable[Json]) -> Iterator[Json]:
    """The values without the texts that a pattern refuses."""
    return (each for each in values if not isinstance(each, str) or all(matches(one, each) for one in patterns))


def _excluded(schema: Mapping[str, Json]) -> list[Json]:
    """The schemas in `not` of a flat schema."""
    return [each["not"] for each in _parts(schema) if isinstance(each.get("not"), dict)]


def strings_of(schema: Mapping[str, Json]) -> Strings:
    """The set of strings that the patterns and lengths of a flat schema admit."""
    return Strings(tuple(_patterns(schema)), schema.get("minLength", 0), schema.get("maxLength"))


def _bound(schema: Mapping[str, Json], name: str, without: float) -> Json:
    return schema.get(name, schema.get(f"exclusive{name.capitalize()}", without))


def _times(step: Json, factor: int) -> Json:
    product = step * factor
    return product if isinstance(product, int) else float(f"{product:.12g}")


def _is_small(value: Json) -> bool:
    """Whether a value has MAX_PARTS at most."""
    waiting, parts = [value], 0
    while waiting and parts <= MAX_PARTS:
        part = waiting.pop()
        parts += 1
        if isinstance(part, dict | list):
            waiting += part.values() if isinstance(part, dict) else part
    return parts <= MAX_PARTS
