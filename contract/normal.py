"""The normal form of translated schemas: JSON Schema 2020-12 without annotations, so that two can be compared."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

from .dialect import NEVER, with_bounds, with_schemas
from .formats import UNCHECKED_FORMATS
from .grammar import SCHEMAS
from .pointer import steps_of
from .shape import KEYWORDS

Json = Any
Definitions = Mapping[str, Json]

_KEYWORDS = {
    *(SCHEMAS - {"additionalItems"}),
    *(*KEYWORDS, "const", "exclusiveMaximum", "exclusiveMinimum"),
    *("maxContains", "minContains", "required", "dependentRequired"),
}


def normal(schema: Json) -> Json:
    """A translated schema in normal form: without annotations, and with the bounds of 2020-12."""
    if not isinstance(schema, dict):
        return schema
    if schema == NEVER:
        return False
    if "$ref" in schema:
        reference = {"$ref": schema["$ref"]}
        beside = normal({keyword: value for keyword, value in schema.items() if keyword != "$ref"})
        return {"allOf": [reference, beside]} if beside else reference
    kept = with_schemas({keyword: value for keyword, value in schema.items() if keyword in _KEYWORDS}, normal)
    if kept.get("format") in UNCHECKED_FORMATS:
        del kept["format"]
    return with_bounds(kept)


def definition_name(reference: str) -> str:
    return steps_of(reference)[-1]


def references(schema: Json) -> Iterator[str]:
    """The names of the definitions that a schema refers to directly."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield definition_name(schema["$ref"])
        for nested in schema.values():
            yield from references(nested)
    elif isinstance(schema, list):
        for nested in schema:
            yield from references(nested)


def refers(schema: Json) -> bool:
    """Whether there is a reference in a schema, at any depth."""
    return any(True for _ in references(schema))


def reachable(schema: Json, definitions: Definitions, most: int | None = None) -> Json:
    """A schema with the definitions that it needs in `$defs`; None where they are more than `most`."""
    needed: dict[str, Json] = {}
    waiting = list(references(schema))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = definitions[name]
            waiting += references(definitions[name])
            if most is not None and len(needed) > most:
                return None
    return {"allOf": [schema], "$defs": needed} if needed else schema


def followed(schema: Json, definitions: Definitions) -> Json:
    """The schema itself, or the target of its `$ref`."""
    seen = set()
    while isinstance(schema, dict) and "$ref" in schema and schema["$ref"] not in seen:
        seen.add(schema["$ref"])
        schema = definitions[definition_name(schema["$ref"])]
    return schema


def merged(schemas: Iterable[Json], definitions: Definitions) -> dict[str, Json] | None:
    """The conjunction of schemas in one; parts that cannot be joined stay in `allOf`. None where it is `false`."""
    joined: dict[str, Json] = {}
    left: list[Json] = []
    waiting = list(schemas)
    rounds = 0
    while waiting and (rounds := rounds + 1) < 500:
        part = followed(waiting.pop(0), definitions)
        if part is False:
            return None
        if part is True:
            continue
        waiting = [*part.get("allOf", ()), *waiting]
        own = {keyword: value for keyword, value in part.items() if keyword != "allOf"}
        if rest := _join(joined, own):
            left.append(rest)
    return {**joined, "allOf": left} if left else joined


_STRICTER = {"minimum": max, "exclusiveMinimum": max, "minLength": max, "minItems": max, "minProperties": max}
_STRICTER |= {"maximum": min, "exclusiveMaximum": min, "maxLength": min, "maxItems": min, "maxProperties": min}
_MEMBERS = {"properties", "additionalProperties", "patternProperties", "unevaluatedProperties"}
"""Keywords that depend on one another."""


def _join(joined: dict[str, Json], part: Mapping[str, Json]) -> dict[str, Json]:
    """Joins the keywords of `part` into `joined` where possible, and returns the others."""
    rest = {}
    members = [{word: each[word] for word in _MEMBERS & each.keys()} for each in (joined, part)]
    if all(members) and members[0] != members[1]:
        part = {word: value for word, value in part.items() if word not in _MEMBERS}
        if members[0].keys() | members[1].keys() <= {"properties", "additionalProperties"}:
            joined |= _conjoined(*members)
        else:
            rest = members[1]
    for keyword, value in part.items():
        if keyword not in joined or joined[keyword] == value:
            joined[keyword] = value
        elif keyword in _STRICTER:
            joined[keyword] = _STRICTER[keyword](joined[keyword], value)
        elif keyword == "required":
            joined[keyword] = list(dict.fromkeys([*joined[keyword], *value]))
        elif keyword == "type":
            joined[keyword] = [name for name in types(joined) if name in types(part)]
        elif keyword == "enum":
            joined[keyword] = [each for each in joined[keyword] if each in value]
        else:
            rest[keyword] = value
    return rest


def _conjoined(one: Mapping[str, Json], other: Mapping[str, Json]) -> dict[str, Json]:
    """The conjunction of two objects' members."""
    names = dict.fromkeys([*one.get("properties", {}), *other.get("properties", {})])
    properties = {name: conjunction(member_of(one, name), member_of(other, name)) for name in names}
    free = conjunction(one.get("additionalProperties", True), other.get("additionalProperties", True))
    return {"properties": properties} | ({} if free is True else {"additionalProperties": free})


def conjunction(one: Json, other: Json) -> Json:
    """The conjunction of two schemas."""
    if False in (one, other):
        return False
    if one in (True, {}) or one == other:
        return other
    return one if other in (True, {}) else {"allOf": [one, other]}


def member_of(schema: Mapping[str, Json], name: str) -> Json:
    """The schema of a member in a flat schema."""
    if name in schema.get("properties", {}):
        return schema["properties"][name]
    for pattern, nested in schema.get("patternProperties", {}).items():
        if matches(pattern, name):
            return nested
    return schema.get("additionalProperties", True)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text; false for one that the engine does not support."""
    try:
        return Draft202012Validator({"pattern": pattern}).is_valid(text)
    except ValueError:
        return False


def item_of(schema: Mapping[str, Json], index: int) -> Json:
    """The schema of an item in a flat schema."""
    first = schema.get("prefixItems", ())
    return first[index] if index < len(first) else schema.get("items", True)


ALL_TYPES = ("null", "boolean", "number", "string", "array", "object")


def types(schema: Mapping[str, Json]) -> list[str]:
    """The JSON types that a schema admits; a number may be an integer."""
    declared = schema.get("type", ALL_TYPES)
    named = [declared] if isinstance(declared, str) else list(declared)
    return [*named, "integer"] if "number" in named and "integer" not in named else named
