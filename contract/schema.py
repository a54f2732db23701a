"""One schema of the contract, compiled: what it finds in a value, the defaults it fills in, the members it hides."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import quote

import orjson
from jsonschema_rs import Draft4Validator, ValidationError, ValidationErrorKind

from .finding import Finding, Place, json_pointer

Direction = Literal["request", "response"]
Json = Any
"""A JSON value as Python has it."""
Transform = Callable[[Json], Json]
"""From a value to the value to use instead; it never changes what it is given."""
Resolve = Callable[[str], dict[str, Any]]
"""From a local `$ref` to what it refers to."""

_OTHER_DIRECTION: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
_NEVER: dict[str, Any] = {"not": {}}  # what a writeOnly member is in a response
_INTEGER_BITS = {"int32": 31, "int64": 63}
_ABSENT = object()


@cache
def time_zones() -> frozenset[str]:
    """The IANA time zone names of the tzdata package, so that the answer is the same on every machine."""
    return frozenset((files("tzdata") / "zones").read_text().split())


FORMATS: dict[str, Callable[[str], bool]] = {"iana-time-zone": lambda name: name in time_zones()}
"""Formats that JSON Schema does not define."""
_FORMAT_WORDS = {"iana-time-zone": "an IANA time zone name", "date-time": "an RFC 3339 date-time"}


def _identity(value: Json) -> Json:
    return value


class Schema:
    """A schema as one direction sees it.

    A readOnly member is not required in a request but may be there, so that what was read can be sent back (OpenAPI
    3.0 says SHOULD NOT); a writeOnly member must not be in a response, since it is likely a secret.
    """

    def __init__(self, schema: Mapping[str, Any], resolve: Resolve, direction: Direction) -> None:
        translator = _Translator(resolve, direction)
        self._translated = translator.document(schema)
        self._validator = Draft4Validator(self._translated, formats=FORMATS, validate_formats=True)
        self._rules: dict[int, Draft4Validator] = {}
        self.fill_defaults: Transform = _transform(schema, resolve, _filler) or _identity
        """A copy with every default of the contract in its place, members in the contract's order."""
        self.without_write_only: Transform = _transform(schema, resolve, _hider) or _identity
        """The value without the members that are never returned."""

    @property
    def json_schema(self) -> Mapping[str, Any]:
        """The schema in JSON Schema draft 4, with every schema that it refers to among its `definitions`."""
        return self._translated

    def accepts(self, value: Json) -> bool:
        return self._validator.is_valid(value)

    def findings(self, value: Json, place: Place, name: str | None = None) -> list[Finding]:
        """Every violation. With `name` the value is a parameter's or a header's, else it is the body."""
        if self._validator.is_valid(value):
            return []
        return [
            finding
            for error in self._validator.iter_errors(value)
            for finding in self._explain(error, value, place, name)
        ]

    def _explain(self, error: ValidationError, value: Json, place: Place, name: str | None) -> Iterator[Finding]:
        """One finding or more for an error, in words for people rather than for the keyword that failed."""
        keyword, schema = self._origin(error)
        path = error.instance_path
        kind = error.kind
        if isinstance(kind, ValidationErrorKind.Not) and (broken := self._broken_rules(schema["not"], error.instance)):
            for rule in broken:
                culprit = [*path, _culprit(rule, error.instance)]
                yield self._located(rule["x-rule"]["id"], rule["description"], culprit, place, name)
            return
        if isinstance(kind, ValidationErrorKind.AdditionalProperties):
            known = schema.get("properties", {})
            for unexpected in kind.unexpected:
                detail = f"is not a known member{did_you_mean(unexpected, known)}"
                yield self._located(keyword, detail, [*path, unexpected], place, name)
        elif isinstance(kind, ValidationErrorKind.Required):
            yield self._located(keyword, "is required and missing", [*path, kind.property], place, name)
        elif isinstance(kind, ValidationErrorKind.AnyOf | ValidationErrorKind.OneOfNotValid):
            branch = min(kind.context, key=_distance)
            nearest = "; ".join(
                f"{finding.pointer or 'it'} {finding.detail}"
                for nested in branch
                for finding in self._explain(nested, value, place, None)
            )
            detail = f"fits none of {len(kind.context)} alternatives; the nearest one says: {nearest}"
            yield self._located(keyword, detail, path, place, name)
        elif schema is _NEVER:
            yield self._located("writeOnly", "is never returned, but was", path, place, name)
        else:
            secret = schema.get("format") == "password" or schema.get("writeOnly", False)
            detail_of = _DETAILS.get(keyword, lambda limit, _: f"breaks {keyword} {show(limit)}")
            instance = _SECRET if secret else error.instance
            yield self._located(keyword, detail_of(schema.get(keyword), instance), path, place, name)

    def _origin(self, error: ValidationError) -> tuple[str, dict[str, Any]]:
        """The keyword that failed, and the schema it stands in."""
        node: Any = self._translated
        schema = node
        for step in error.schema_path[:-1]:
            node = node[int(step) if isinstance(node, list) else step]
            if isinstance(node, dict):
                schema = node
        return str(error.schema_path[-1]), schema

    def _broken_rules(self, forbidden: dict[str, Any], value: Json) -> list[dict[str, Any]]:
        """The rules across members that a value breaks: the branches of `not: {anyOf: […]}` that it fits."""
        rules = [branch for branch in forbidden.get("anyOf", ()) if "x-rule" in branch]
        return [rule for rule in rules if self._compiled(rule).is_valid(value)]

    def _compiled(self, rule: dict[str, Any]) -> Draft4Validator:
        if id(rule) not in self._rules:
            document = {**rule, "definitions": self._translated["definitions"]}
            self._rules[id(rule)] = Draft4Validator(document, formats=FORMATS, validate_formats=True)
        return self._rules[id(rule)]

    @staticmethod
    def _located(rule: str, detail: str, path: list[str | int], place: Place, name: str | None) -> Finding:
        if name is None:
            return Finding(rule, place, detail, pointer=json_pointer(path))
        inside = json_pointer(path)
        return Finding(rule, place, f"{inside} {detail}" if inside else detail, name=name)


def _culprit(rule: dict[str, Any], value: Json) -> str:
    """The member that a broken rule across members points at: the first of its members that is missing."""
    members: list[str] = rule["x-rule"]["members"]
    return next((name for name in members if value.get(name) is None), members[0])


def _distance(branch: list[ValidationError]) -> tuple[bool, int]:
    """How far a value is from an alternative: another JSON type is farthest, then the number of errors counts."""
    return any(error.kind.name == "type" and not error.instance_path for error in branch), len(branch)


def did_you_mean(name: str, known: Any) -> str:
    """`; did you mean "x"?` when there is something near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {show(near[0])}?" if near else ""


class _Secret:
    """Stands for a value that must not be shown."""


_SECRET = _Secret()


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
    "format": lambda limit, value: f"must be {_FORMAT_WORDS.get(limit, limit)}, not {show(value)}",
    "minItems": lambda limit, value: f"must have at least {_count(limit, 'item')}, not {len(value)}",
    "maxItems": lambda limit, value: f"must have at most {_count(limit, 'item')}, not {len(value)}",
    "uniqueItems": lambda _limit, _value: "must not have the same item twice",
    "minProperties": lambda limit, value: f"must have at least {_count(limit, 'member')}, not {len(value)}",
    "maxProperties": lambda limit, value: f"must have at most {_count(limit, 'member')}, not {len(value)}",
    "oneOf": lambda _limit, _value: "fits more than one alternative, and must fit exactly one",
    "not": lambda _limit, value: f"must be something else than {show(value)}",
}


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
        if bits := _INTEGER_BITS.get(schema.get("format", "")):
            translated.setdefault("minimum", -(2**bits))
            translated.setdefault("maximum", 2**bits - 1)
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


def dereferenced(node: Mapping[str, Any], resolve: Resolve) -> Mapping[str, Any]:
    """The node itself, or what its `$ref` refers to."""
    while "$ref" in node:
        node = resolve(node["$ref"])
    return node


_OfObject = Callable[[dict[str, Mapping[str, Any]], dict[str, Transform]], Callable[[dict[str, Json]], Json] | None]
"""From an object's properties, and the transforms that apply inside them, to the object's own transform."""


def _transform(
    schema: Mapping[str, Any], resolve: Resolve, of_object: _OfObject, above: frozenset[str] = frozenset()
) -> Transform | None:
    """The transform of a schema's values that changes its objects, at any depth, or None where none is needed."""
    if (reference := schema.get("$ref")) is not None:
        if reference in above:
            return None  # a recursive schema is followed once around
        return _transform(resolve(reference), resolve, of_object, above | {reference})
    parts = {part["$ref"] for part in schema.get("allOf", ()) if "$ref" in part}
    if parts & above:
        return None
    above |= parts
    if "items" in schema:
        if (of_item := _transform(schema["items"], resolve, of_object, above)) is None:
            return None
        return lambda value: [of_item(item) for item in value] if isinstance(value, list) else value
    properties = _properties(schema, resolve)
    inside = {name: of for name, nested in properties.items() if (of := _transform(nested, resolve, of_object, above))}
    of_this = of_object({name: dereferenced(nested, resolve) for name, nested in properties.items()}, inside)
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
