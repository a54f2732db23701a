"""Verdicts about pairs of schemas put together by chance, held against a small universe of values."""

from collections.abc import Callable
from itertools import product
from typing import Any

from callconfig.contract.normal import reachable
from callconfig.contract.side import Translation
from callconfig.difference.containment import Safe, contained
from callconfig.difference.given import Given
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

SCALARS: list[Any] = [None, True, 0, 1, 2, 3, 0.5, "", "a", "b", "ab", "aab", "2026-01-31"]
ARRAYS = [list(items) for length in range(3) for items in product([0, 1, "a", None], repeat=length)]
OBJECTS: list[Any] = [
    {name: value for name, value in zip("abc", values, strict=True) if value != "absent"}
    for values in product(["absent", None, 0, 2, "a", {}, {"a": 0}, {"b": "a"}], repeat=3)
]
UNIVERSE = [*SCALARS, *ARRAYS, *OBJECTS, [[0]], [{"a": 0}]]

NAMES = st.sampled_from("abc")
INTEGERS = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={
        "minimum": st.integers(0, 2),
        "maximum": st.integers(1, 3),
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        "nullable": st.just(True),
    },
)
STRINGS = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(1, 3),
        "pattern": st.sampled_from(["^a", "^a+$", "^a*b?$", "b", "^[ab]{2}$"]),
        "format": st.sampled_from(["date", "password"]),
        "nullable": st.just(True),
    },
)
ENUMS = st.fixed_dictionaries({"enum": st.lists(st.sampled_from(SCALARS[:11]), min_size=1, max_size=3, unique_by=repr)})
LEAVES = st.one_of(INTEGERS, STRINGS, ENUMS, st.just({}), st.just({"$ref": "#/components/schemas/N"}))


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.fixed_dictionaries(
        {"type": st.just("object")},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, min_size=1, max_size=2, unique=True),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "minProperties": st.integers(0, 2),
            "maxProperties": st.integers(0, 3),
        },
    )
    arrays = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={"minItems": st.integers(0, 2), "maxItems": st.integers(0, 2), "uniqueItems": st.booleans()},
    )
    return st.one_of(objects, arrays)


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    composed = st.one_of(*(st.fixed_dictionaries({word: several}) for word in ("allOf", "anyOf", "oneOf")))
    return st.one_of(containers(inner), composed, st.fixed_dictionaries({"not": inner}))


SCHEMAS = st.recursive(LEAVES, around, max_leaves=6)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    """Two schemas that have something in common more often than not, and what `N` is in each of the two."""
    old, node = draw(SCHEMAS), draw(containers(LEAVES))
    new = draw(st.one_of(SCHEMAS, st.just(old), changed(old), changed(old)))
    return old, new, node, draw(st.one_of(st.just(node), containers(LEAVES)))


def changed(schema: Any) -> st.SearchStrategy[Any]:
    """The schema with one keyword less, or with those of another one, here or further inside."""
    if not isinstance(schema, dict) or not schema or "$ref" in schema:
        return SCHEMAS
    less = st.sampled_from(sorted(schema)).map(lambda word: {key: schema[key] for key in schema if key != word})
    more = SCHEMAS.map(lambda other: {**schema, **other} if "$ref" not in other else schema)
    words = [word for word in ("items", "not", "additionalProperties") if isinstance(schema.get(word), dict)]
    inside = [later(changed_inside, schema, word) for word in words]
    inside += [later(changed_member, schema, name) for name in schema.get("properties", {})]
    return st.one_of(less, more, *inside)


def later(make: Callable[[Any, str], st.SearchStrategy[Any]], schema: Any, name: str) -> st.SearchStrategy[Any]:
    def made() -> st.SearchStrategy[Any]:
        return make(schema, name)

    return st.deferred(made)


def changed_inside(schema: Any, word: str) -> st.SearchStrategy[Any]:
    return changed(schema[word]).map(lambda nested: {**schema, word: nested})


def changed_member(schema: Any, name: str) -> st.SearchStrategy[Any]:
    members = schema["properties"]
    return changed(members[name]).map(lambda nested: {**schema, "properties": {**members, name: nested}})


@settings(max_examples=300, deadline=None)
@given(pairs(), st.sampled_from(["request", "response"]))
def test_what_is_safe_refuses_nothing_that_is_given(pair: tuple[Any, Any, Any, Any], direction: Any) -> None:
    old, new, old_node, new_node = pair
    giver = Translation(lambda _: old_node, direction, is_31=False).side(old)
    taker = Translation(lambda _: new_node, direction, is_31=False).side(new)
    if isinstance(contained(giver, taker), Safe):
        what = Given(giver.definitions)
        gives = Draft202012Validator(reachable(what.by(giver.schema), what.definitions))
        for value in UNIVERSE:
            if gives.is_valid(value) and giver.accepts(value):
                assert taker.accepts(value), value


@settings(max_examples=200, deadline=None)
@given(SCHEMAS, containers(LEAVES), st.sampled_from(["request", "response"]))
def test_a_translated_schema_takes_what_the_engine_takes(schema: Any, node: Any, direction: Any) -> None:
    side = Translation(lambda _: node, direction, is_31=False).side(schema)
    translated = Draft202012Validator(reachable(side.schema, side.definitions), validate_formats=True)
    for value in UNIVERSE:
        assert translated.is_valid(value) == side.accepts(value), value
