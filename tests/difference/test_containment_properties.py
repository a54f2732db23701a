"""Verdicts about random pairs of schemas, checked on a small universe of values."""

from functools import cached_property
from itertools import product
from typing import Any

from callconfig.contract.normal import reachable
from callconfig.contract.normal_schema import NormalSchema, NormalSchemas
from callconfig.contract.references import References
from callconfig.difference.closed_schemas import ClosedSchemas
from callconfig.difference.containment import contained
from hypothesis import example, given, settings
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
FEW = st.integers(0, 2)
REFERENCE = st.just({"$ref": "#/components/schemas/N"})
ENUMS = st.fixed_dictionaries({"enum": st.lists(st.sampled_from(SCALARS[:11]), min_size=1, max_size=3, unique_by=repr)})
NUMBER = {"minimum": FEW, "maximum": st.integers(1, 3), "multipleOf": st.sampled_from([1, 2, 0.5])}
STRING = {
    "minLength": FEW,
    "maxLength": st.integers(1, 3),
    "pattern": st.sampled_from(["^a", "^a+$", "^a*b?$", "b", "^[ab]{2}$"]),
    "format": st.sampled_from(["date", "password"]),
}
Strategy = st.SearchStrategy[Any]
Pair = tuple[Any, Any, Any, Any]
"""Two schemas, and the definition `N` of each."""


class OpenApi30:
    """Schemas of OpenAPI 3.0."""

    @property
    def leaves(self) -> Strategy:
        nullable = {"nullable": st.just(True)}
        numbers = st.fixed_dictionaries(
            {"type": st.sampled_from(["integer", "number"])}, optional={**NUMBER, **nullable}
        )
        strings = st.fixed_dictionaries({"type": st.just("string")}, optional={**STRING, **nullable})
        return st.one_of(numbers, strings, ENUMS, st.just({}), REFERENCE)

    def containers(self, inner: Strategy) -> Strategy:
        return st.one_of(
            st.fixed_dictionaries({"type": st.just("object")}, optional=self.of_objects(inner)),
            st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional=self.of_arrays(inner)),
        )

    def of_objects(self, inner: Strategy) -> dict[str, Strategy]:
        return {
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, min_size=1, max_size=2, unique=True),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "minProperties": FEW,
            "maxProperties": st.integers(0, 3),
        }

    def of_arrays(self, _inner: Strategy) -> dict[str, Strategy]:
        return {"minItems": FEW, "maxItems": FEW, "uniqueItems": st.booleans()}

    def around(self, inner: Strategy) -> Strategy:
        several = st.lists(inner, min_size=1, max_size=3)
        composed = st.one_of(*(st.fixed_dictionaries({word: several}) for word in ("allOf", "anyOf", "oneOf")))
        return st.one_of(self.containers(inner), composed, st.fixed_dictionaries({"not": inner}))

    @cached_property
    def schemas(self) -> Strategy:
        return st.recursive(self.leaves, self.around, max_leaves=6)

    @cached_property
    def nodes(self) -> Strategy:
        """What `N` may be."""
        return self.containers(self.leaves)


class OpenApi31(OpenApi30):
    """Schemas of OpenAPI 3.1: the keywords of JSON Schema 2020-12 that 3.0 lacks, or spells otherwise."""

    @property
    def leaves(self) -> Strategy:
        types = st.lists(
            st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"]),
            min_size=1,
            max_size=3,
            unique=True,
        )
        exclusive = {"exclusiveMinimum": FEW, "exclusiveMaximum": st.integers(1, 3)}
        scalars = st.fixed_dictionaries({"type": types}, optional={**NUMBER, **exclusive, **STRING})
        constants = st.fixed_dictionaries({"const": st.sampled_from([*SCALARS, [0], {"a": 0}, 1.0])})
        beside = st.fixed_dictionaries({"$ref": st.just("#/components/schemas/N")}, optional={"minProperties": FEW})
        return st.one_of(scalars, constants, ENUMS, st.booleans(), REFERENCE, beside)

    def of_objects(self, inner: Strategy) -> dict[str, Strategy]:
        return {
            **super().of_objects(inner),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$", "."]), inner, min_size=1, max_size=2),
            "propertyNames": st.sampled_from([{"pattern": "^[ab]"}, {"enum": ["a", "c"]}, {"maxLength": 0}]),
            "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
            "dependentSchemas": st.dictionaries(NAMES, inner, max_size=2),
            "unevaluatedProperties": st.one_of(st.booleans(), inner),
        }

    def of_arrays(self, inner: Strategy) -> dict[str, Strategy]:
        return {
            **super().of_arrays(inner),
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "contains": inner,
            "minContains": FEW,
            "maxContains": FEW,
            "unevaluatedItems": st.one_of(st.booleans(), inner),
        }

    def around(self, inner: Strategy) -> Strategy:
        chosen = st.fixed_dictionaries({"if": inner}, optional={"then": inner, "else": inner})
        return st.one_of(super().around(inner), chosen)


OF_30, OF_31 = OpenApi30(), OpenApi31()


@st.composite
def pairs(draw: st.DrawFn, version: OpenApi30) -> Pair:
    """Two schemas, usually with common parts."""
    schemas, nodes = version.schemas, version.nodes
    old, node = draw(schemas), draw(nodes)
    new = draw(st.one_of(schemas, st.just(old), changed(old, schemas), changed(old, schemas)))
    return old, new, node, draw(st.one_of(st.just(node), nodes))


def changed(schema: Any, schemas: Strategy) -> Strategy:
    """The schema without one keyword, or with those of another one, at any depth."""
    if not isinstance(schema, dict) or not schema or "$ref" in schema:
        return schemas
    less = st.sampled_from(sorted(schema)).map(lambda word: {key: schema[key] for key in schema if key != word})
    more = schemas.map(lambda other: {**schema, **other} if isinstance(other, dict) and "$ref" not in other else schema)
    members = schema.get("properties", {})
    inside = [
        inside_of(schema, word, schemas)
        for word in ("items", "not", "additionalProperties", "contains", "if", "then")
        if isinstance(schema.get(word), dict)
    ]
    inside += [
        inside_of(members, name, schemas).map(lambda changed_members: {**schema, "properties": changed_members})
        for name in members
    ]
    return st.one_of(less, more, *inside)


def inside_of(owner: dict[str, Any], key: str, schemas: Strategy) -> Strategy:
    """The owner with the schema behind one of its keys changed."""
    return st.deferred(lambda: changed(owner[key], schemas)).map(lambda nested: {**owner, key: nested})


def side(schema: Any, node: Any, direction: Any, version: str) -> NormalSchema:
    document = {"openapi": version, "components": {"schemas": {"N": node}}}
    return NormalSchemas(References(document), direction).of(schema)


def refuses_nothing(pair: Pair, direction: Any, version: str) -> None:
    """Assert that for a safe pair the consumer accepts each value of the universe that the producer admits."""
    old, new, old_node, new_node = pair
    producer, consumer = side(old, old_node, direction, version), side(new, new_node, direction, version)
    if contained(producer, consumer).is_safe:
        what = ClosedSchemas(producer.definitions)
        gives = Draft202012Validator(reachable(what.closed(producer.schema), what.definitions))
        for value in UNIVERSE:
            if gives.is_valid(value) and producer.accepts(value):
                assert consumer.accepts(value), value


DIRECTIONS = st.sampled_from(["request", "response"])
_N = {"$ref": "#/components/schemas/N"}
REFERENCE_IN_FREE_MEMBERS: Pair = (
    {"allOf": [{"const": None}]},
    _N,
    {"type": "object"},
    {"type": "object", "additionalProperties": _N},
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pairs(OF_30), DIRECTIONS)
def test_what_is_safe_refuses_nothing_that_is_given(pair: Pair, direction: Any) -> None:
    refuses_nothing(pair, direction, "3.0.3")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pairs(OF_31), DIRECTIONS)
@example(REFERENCE_IN_FREE_MEMBERS, "request")
def test_what_is_safe_in_openapi_3_1_refuses_nothing_that_is_given(pair: Pair, direction: Any) -> None:
    refuses_nothing(pair, direction, "3.1.0")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(OF_30.schemas, OF_30.nodes, DIRECTIONS)
def test_a_translated_schema_takes_what_the_engine_takes(schema: Any, node: Any, direction: Any) -> None:
    judge = side(schema, node, direction, "3.0.3")
    translated = Draft202012Validator(reachable(judge.schema, judge.definitions), validate_formats=True)
    for value in UNIVERSE:
        assert translated.is_valid(value) == judge.accepts(value), value
