"""One schema of the contract, compiled: what it finds in a value, the defaults it fills in, the members it hides."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cached_property
from itertools import islice
from typing import Any, Literal
from urllib.parse import quote, unquote

import orjson
from jsonschema_rs import Draft4Validator

from .finding import Finding, Place, json_pointer, told
from .formats import FORMAT_WORDS, FORMATS, INTEGER_BOUNDS

Direction = Literal["request", "response"]
Json = Any
"""A JSON value as Python has it."""
Transform = Callable[[Json], Json]
"""From a value to the value to use instead; it never changes what it is given."""
_Path = tuple[str | int, ...]
_Violation = tuple[str, _Path, str]
"""The rule, where, and the detail."""
Resolve = Callable[[str], dict[str, Any]]
"""From a local `$ref` to what it refers to."""

_OTHER_DIRECTION: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
_NEVER: dict[str, Any] = {"not": {}}  # what a writeOnly member is in a response
_ABSENT = object()


def _identity(value: Json) -> Json:
    return value


class Schema:
    """A schema as one direction sees it, compiled when it is first needed.

    A readOnly member is not required in a request but may be there, so that what was read can be sent back (OpenAPI
    3.0 says SHOULD NOT); a writeOnly member must not be in a response, since it is likely a secret.
    """

    def __init__(self, schema: Mapping[str, Any], resolve: Resolve, direction: Direction) -> None:
        self._schema, self._resolve, self._direction = schema, resolve, direction
        self._compiled: dict[tuple[int, str | None], Draft4Validator] = {}

    @cached_property
    def fill_defaults(self) -> Transform:
        """A copy with every default of the contract in its place, members in the contract's order."""
        return _Transforms(self._resolve, _filler).of(self._schema) or _identity

    @cached_property
    def without_write_only(self) -> Transform:
        """The value without the members that are never returned."""
        return _Transforms(self._resolve, _hider).of(self._schema) or _identity

    @cached_property
    def _translated(self) -> dict[str, Any]:
        return _Translator(self._resolve, self._direction).document(self._schema)

    @cached_property
    def _validator(self) -> Draft4Validator:
        return Draft4Validator(self._translated, formats=FORMATS, validate_formats=True)

    def compile(self) -> None:
        """Do now what is otherwise done when it is first needed. Raises ValueError for what cannot be compiled."""
        _ = self._validator, self.fill_defaults, self.without_write_only

    @property
    def json_schema(self) -> Mapping[str, Any]:
        """The schema in JSON Schema draft 4, with every schema that it refers to among its `definitions`."""
        return self._translated

    def accepts(self, value: Json) -> bool:
        return self._validator.is_valid(value)

    def findings(self, value: Json, place: Place, name: str | None = None) -> list[Finding]:
        """The violations, as many as `told` keeps. With `name` the value is a parameter's or a header's, else the body.

        They are looked for part by part and only as long as they are wanted, so a value of a million mistakes costs no
        more than one of a hundred. An array that is too long is told to be so, and its items are not judged.
        """
        if not _is_long(value) and self._validator.is_valid(value):
            return []
        violations = self._violations(self._translated, value, ())
        return told(_located(rule, detail, path, place, name) for rule, path, detail in violations)

    def _violations(self, schema: dict[str, Any], value: Json, path: _Path) -> Iterator[_Violation]:
        """The violations of one schema, in words for people rather than for the keyword that failed."""
        if "$ref" in schema:
            schema = self._translated["definitions"][_unescape(schema["$ref"].removeprefix("#/definitions/"))]
        if schema is _NEVER:
            yield "writeOnly", path, "is never returned, but was"
            return
        yield from self._of_value(schema, value, path)
        for step, part, inside in _parts(schema, value):
            if part is False:
                detail = f"is not a known member{did_you_mean(str(step), schema.get('properties', {}))}"
                yield "additionalProperties", (*path, step), detail
            elif _is_long(inside) or not self._of(part).is_valid(inside):
                yield from self._violations(part, inside, (*path, step))
        for part in schema.get("allOf", ()):
            yield from self._violations(part, value, path)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                yield from self._of_alternatives(keyword, schema[keyword], value, path)
        if "not" in schema and self._of(schema["not"]).is_valid(value):
            yield from self._of_not(schema, value, path)

    def _of_value(self, schema: dict[str, Any], value: Json, path: _Path) -> Iterator[_Violation]:
        """Those of the value as a whole."""
        for keyword, detail_of in _DETAILS.items():
            if keyword in schema and not self._of(schema, keyword).is_valid(value):
                yield keyword, path, detail_of(schema[keyword], _shown(schema, value))
        if isinstance(value, dict):
            for name in schema.get("required", ()):
                if name not in value:
                    yield "required", (*path, name), "is required and missing"

    def _of_alternatives(
        self, keyword: str, alternatives: list[dict[str, Any]], value: Json, path: _Path
    ) -> Iterator[_Violation]:
        fitting = sum(self._of(each).is_valid(value) for each in alternatives)
        if fitting > 1 and keyword == "oneOf":
            yield keyword, path, "fits more than one alternative, and must fit exactly one"
        elif fitting == 0:
            branches = [list(islice(self._violations(each, value, path), MOST_NESTED)) for each in alternatives]
            meant = [branch for branch in branches if not _is_of_other_type(branch, path)]
            if len(meant) == 1 and isinstance(value, dict | list):  # nothing else can have been meant
                yield from meant[0]
                return
            nearest = min(branches, key=lambda branch: _distance(branch, path))
            said = "; ".join(f"{json_pointer(where) or 'it'} {detail}" for _, where, detail in nearest)
            yield keyword, path, f"fits none of {len(branches)} alternatives; the nearest one says: {said}"

    def _of_not(self, schema: dict[str, Any], value: Json, path: _Path) -> Iterator[_Violation]:
        """Each rule across members that is broken: those of the branches of `not: {anyOf: […]}` that the value fits."""
        rules = [rule for rule in schema["not"].get("anyOf", ()) if "x-rule" in rule]
        broken = [rule for rule in rules if self._of(rule).is_valid(value)]
        for rule in broken:
            yield rule["x-rule"]["id"], (*path, _culprit(rule, value)), rule["description"]
        if not broken:
            yield "not", path, f"must be something else than {show(_shown(schema, value))}"

    def _of(self, schema: dict[str, Any], keyword: str | None = None) -> Draft4Validator:
        """The validator of a part of the schema, or of one of its keywords. Unlike errors, a yes or no costs little."""
        key = id(schema), keyword
        if key not in self._compiled:
            judged = schema if keyword is None else {name: schema[name] for name in schema if name in _WITH[keyword]}
            document = {**judged, "definitions": self._translated["definitions"]} if keyword is None else judged
            self._compiled[key] = Draft4Validator(document, formats=FORMATS, validate_formats=True)
        return self._compiled[key]


def _parts(schema: dict[str, Any], value: Json) -> Iterator[tuple[str | int, Any, Json]]:
    """What is inside a value: its step, the schema it has to fit, False where nothing may be, and the part itself."""
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        yield from ((name, nested, value[name]) for name, nested in known.items() if name in value)
        if others is not True:
            yield from ((name, others, nested) for name, nested in value.items() if name not in known)
    elif isinstance(value, list) and "items" in schema and len(value) <= schema.get("maxItems", len(value)):
        yield from ((index, schema["items"], item) for index, item in enumerate(value))


def _is_long(value: Json) -> bool:
    """Whether a value is judged part by part from the start: a validator lets no other thread go on before its end."""
    return isinstance(value, list) and len(value) > MOST_AT_ONCE


def _located(rule: str, detail: str, path: _Path, place: Place, name: str | None) -> Finding:
    if name is None:
        return Finding(rule, place, detail, pointer=json_pointer(path))
    inside = json_pointer(path)
    return Finding(rule, place, f"{inside} {detail}" if inside else detail, name=name)


def _culprit(rule: dict[str, Any], value: Json) -> str:
    """The member that a broken rule across members points at: the first of its members that is missing."""
    members: list[str] = rule["x-rule"]["members"]
    return next((name for name in members if value.get(name) is None), members[0])


def _distance(branch: list[_Violation], path: _Path) -> tuple[bool, int]:
    """How far a value is from an alternative: another JSON type is farthest, then the number of violations counts."""
    return _is_of_other_type(branch, path), len(branch)


def _is_of_other_type(branch: list[_Violation], path: _Path) -> bool:
    return any(rule == "type" and where == path for rule, where, _ in branch)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` when there is something near; nothing is near to a name of LONGEST_GUESSED or more."""
    near = difflib.get_close_matches(name, known, n=1) if len(name) < LONGEST_GUESSED else []
    return f"; did you mean {show(near[0])}?" if near else ""


LONGEST_GUESSED = 64
MOST_AT_ONCE = 100
"""Items of an array that are judged in one go."""
MOST_NESTED = 10
"""How many violations of an alternative are told."""


class _Secret:
    """Stands for a value that must not be shown."""


_SECRET = _Secret()


def _shown(schema: Mapping[str, Any], value: Json) -> Json:
    return _SECRET if schema.get("format") == "password" or schema.get("writeOnly", False) else value


def show(value: Json, longest: int = 80) -> str:
    """A value as a message shows it: as JSON and not too long; containers by their kind, secrets not at all."""
    if isinstance(value, _Secret):
        return "the secret that came"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    # orjson does not write integers beyond 64 bits.
    text = str(value) if type(value) is int else orjson.dumps(value).decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _types(limit: Json) -> str:
    return " or ".join(limit) if isinstance(limit, list) else str(limit)


def _count(limit: int, noun: str) -> str:
    return f"{limit} {noun}" if limit == 1 else f"{limit} {noun}s"


def _size(value: Json) -> str:
    return "more" if isinstance(value, _Secret) else str(len(value))


_DETAILS: dict[str, Callable[[Any, Any], str]] = {
    "type": lambda limit, value: f"must be {_types(limit)}, not {show(value)}",
    "enum": lambda limit, value: f"must be one of {', '.join(map(show, limit))}, not {show(value)}",
    "minimum": lambda limit, value: f"must be at least {show(limit)}, not {show(value)}",
    "maximum": lambda limit, value: f"must be at most {show(limit)}, not {show(value)}",
    "multipleOf": lambda limit, value: f"must be a multiple of {show(limit)}, not {show(value)}",
    "minLength": lambda limit, value: f"must have at least {_count(limit, 'character')}, not {_size(value)}",
    "maxLength": lambda limit, value: f"must have at most {_count(limit, 'character')}, not {_size(value)}",
    "pattern": lambda limit, value: f"must match {limit}, not {show(value)}",
    "format": lambda limit, value: f"must be {FORMAT_WORDS.get(limit, limit)}, not {show(value)}",
    "minItems": lambda limit, value: f"must have at least {_count(limit, 'item')}, not {len(value)}",
    "maxItems": lambda limit, value: f"must have at most {_count(limit, 'item')}, not {len(value)}",
    "uniqueItems": lambda _limit, _value: "must not have the same item twice",
    "minProperties": lambda limit, value: f"must have at least {_count(limit, 'member')}, not {len(value)}",
    "maxProperties": lambda limit, value: f"must have at most {_count(limit, 'member')}, not {len(value)}",
}
_WITH = {keyword: {keyword, f"exclusive{keyword[0].upper()}{keyword[1:]}"} for keyword in _DETAILS}
"""The keywords that a keyword is judged with."""


class _Translator:
    """From an OpenAPI 3.0 schema to JSON Schema draft 4, the draft that OpenAPI 3.0 is derived from.

    What differs is `nullable`, the two directions, and the integer formats, which are bounds. Each `$ref` becomes a
    definition, so recursive schemas stay finite.
    """

    def __init__(self, resolve: Resolve, direction: Direction) -> None:
        self._resolve = resolve
        self._other_direction = _OTHER_DIRECTION[direction]
        self._definitions: dict[str, Any] = {}

    def document(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._schema(schema), "definitions": self._definitions}

    def _schema(self, schema: Any) -> Any:
        if not isinstance(schema, dict):
            return schema  # additionalProperties may be a boolean
        if (reference := schema.get("$ref")) is not None:
            name = reference.removeprefix("#/")
            if name not in self._definitions:
                self._definitions[name] = {}  # a recursive schema meets itself here
                self._definitions[name] = self._schema(self._resolve(reference))
            return {"$ref": f"#/definitions/{_escape(name)}"}
        translated = {keyword: self._keyword(keyword, value) for keyword, value in schema.items()}
        if "properties" in schema:
            translated |= self._object(schema["properties"], schema.get("required", []))
        if bounds := INTEGER_BOUNDS.get(schema.get("format", "")):
            translated.setdefault("minimum", bounds[0])
            translated.setdefault("maximum", bounds[1])
        if schema.get("x-utc") and self._other_direction == "writeOnly":
            translated["pattern"] = "Z$"  # of our own making: generators stumble over a pattern beside a date-time
        if schema.get("nullable") and "type" in schema:
            translated["type"] = [schema["type"], "null"]
        if translated.get("required") == []:
            del translated["required"]  # draft 4 wants at least one
        return translated

    def _keyword(self, keyword: str, value: Any) -> Any:
        if keyword in ("allOf", "anyOf", "oneOf"):
            return [self._schema(nested) for nested in value]
        return self._schema(value) if keyword in ("items", "not", "additionalProperties") else value

    def _object(self, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
        return {
            "properties": {name: self._property(nested) for name, nested in properties.items()},
            "required": [name for name in required if not self._is_of_other_direction(properties.get(name))],
        }

    def _property(self, schema: Any) -> Any:
        never = self._other_direction == "writeOnly" and self._is_of_other_direction(schema)
        return _NEVER if never else self._schema(schema)

    def _is_of_other_direction(self, schema: Any) -> bool:
        return bool(dereferenced(schema or {}, self._resolve).get(self._other_direction, False))


def _escape(name: str) -> str:
    """A name as a step of a JSON Pointer in a URI fragment (RFC 6901, section 6)."""
    return quote(name.replace("~", "~0").replace("/", "~1"))


def _unescape(step: str) -> str:
    return unquote(step).replace("~1", "/").replace("~0", "~")


def dereferenced(node: Mapping[str, Any], resolve: Resolve) -> Mapping[str, Any]:
    """The node itself, or what its `$ref` refers to."""
    while "$ref" in node:
        node = resolve(node["$ref"])
    return node


_OfObject = Callable[[dict[str, Mapping[str, Any]], dict[str, Transform]], Callable[[dict[str, Json]], Json] | None]
"""From an object's properties, and the transforms that apply inside them, to the object's own transform."""


class _Transforms:
    """Makes the transform of a schema's values that changes its objects, at any depth.

    Each schema has one transform, so schemas that refer to one another cost what they say, not what they come to.
    """

    def __init__(self, resolve: Resolve, of_object: _OfObject) -> None:
        self._resolve, self._of_object = resolve, of_object
        self._made: dict[int, Transform | None] = {}

    def of(self, schema: Mapping[str, Any]) -> Transform | None:
        """None where none is needed."""
        schema = dereferenced(schema, self._resolve)
        if (key := id(schema)) not in self._made:
            self._made[key] = lambda value: (self._made[key] or _identity)(value)  # a recursive schema meets itself
            self._made[key] = self._of_members(schema)
        return self._made[key]

    def _of_members(self, schema: Mapping[str, Any]) -> Transform | None:
        if "items" in schema:
            if (of_item := self.of(schema["items"])) is None:
                return None
            return lambda value: [of_item(item) for item in value] if isinstance(value, list) else value
        properties = _properties(schema, self._resolve)
        inside = {name: of for name, nested in properties.items() if (of := self.of(nested))}
        of_this = self._of_object(
            {name: dereferenced(nested, self._resolve) for name, nested in properties.items()}, inside
        )
        if of_this is None:
            return None
        return lambda value: of_this(value) if isinstance(value, dict) else value


def _properties(schema: Mapping[str, Any], resolve: Resolve) -> dict[str, Any]:
    """The properties of a schema, those of its `allOf` parts included."""
    parts = (_properties(dereferenced(part, resolve), resolve) for part in schema.get("allOf", []))
    return {name: nested for part in (*parts, schema.get("properties", {})) for name, nested in part.items()}


def _filler(
    properties: dict[str, Mapping[str, Any]], inside: dict[str, Transform]
) -> Callable[[dict[str, Json]], Json] | None:
    defaults = {name: nested["default"] for name, nested in properties.items() if "default" in nested}
    if not defaults and not inside:
        return None
    template = {name: defaults.get(name, _ABSENT) for name in properties}
    changeable = [name for name, default in defaults.items() if isinstance(default, dict | list)]

    def fill(value: dict[str, Json]) -> Json:
        filled = {**template, **value}
        for name in changeable:
            if name not in value:
                filled[name] = deepcopy(defaults[name])
        for name, fill_inside in inside.items():
            if name in value:
                filled[name] = fill_inside(value[name])
        return {name: member for name, member in filled.items() if member is not _ABSENT}

    return fill


def _hider(
    properties: dict[str, Mapping[str, Any]], inside: dict[str, Transform]
) -> Callable[[dict[str, Json]], Json] | None:
    hidden = {name for name, nested in properties.items() if nested.get("writeOnly")}
    if not hidden and not inside:
        return None

    def hide(value: dict[str, Json]) -> Json:
        shown = {name: member for name, member in value.items() if name not in hidden} if hidden else value
        for name, hide_inside in inside.items():
            if (member := value.get(name)) is not None:
                shown = {**shown, name: hide_inside(member)}
        return shown

    return hide
