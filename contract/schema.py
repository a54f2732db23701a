"""One schema of the contract, compiled: it judges values, fills in defaults, and removes writeOnly members."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cached_property
from itertools import islice
from typing import Any, Literal

import orjson

from .dialect import NEVER, Validator
from .finding import Finding, Place, counted, first_findings
from .formats import FORMAT_EXAMPLES, FORMAT_WORDS, FORMATS
from .normal import definition_name, refers
from .pointer import json_pointer
from .references import References
from .shape import flattened

Direction = Literal["request", "response"]
Json = Any
"""A JSON value."""
Transform = Callable[[Json], Json]
"""Returns a changed copy of a value; never changes its argument."""
_Path = tuple[str | int, ...]
_Violation = tuple[str, _Path, str]
"""The rule, the path, and the detail."""

UNSEEN: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
"""The keyword of the members that a direction does not have."""


def _identity(value: Json) -> Json:
    return value


class Schema:
    """A schema in one direction, compiled when it is first needed.

    A readOnly member is optional in a request, so that a resource that was read can be sent back (OpenAPI 3.0 says
    SHOULD NOT); a writeOnly member must not be in a response, since it is likely a secret.
    """

    def __init__(self, schema: Mapping[str, Any], resolve: References, direction: Direction) -> None:
        self._schema, self._resolve, self._direction = schema, resolve, direction
        self._compiled: dict[tuple[int, str | None], Validator] = {}
        self._patterns: dict[str, Validator] = {}
        self._rests: dict[tuple[int, str], dict[str, Any]] = {}

    @cached_property
    def fill_defaults(self) -> Transform:
        """Returns a copy with the defaults of the contract, and the members in its order."""
        return _Transforms(self._resolve, _filler).of(self._schema) or _identity

    @cached_property
    def without_write_only(self) -> Transform:
        """Returns the value without writeOnly members."""
        return _Transforms(self._resolve, _hider).of(self._schema) or _identity

    @cached_property
    def json_schema(self) -> dict[str, Any]:
        """The schema in its dialect of JSON Schema, with all referenced schemas in `$defs`."""
        return self._resolve.translators[UNSEEN[self._direction]].document(self._schema)

    @cached_property
    def _validator(self) -> Validator:
        return self._made(self.json_schema)

    def _made(self, schema: Mapping[str, Any]) -> Validator:
        validator: Validator = self._resolve.dialect(schema, formats=FORMATS, validate_formats=True)
        return validator

    def compile(self) -> None:
        """Compile now instead of at first use. Raises ValueError for an invalid schema."""
        _ = self._validator, self.fill_defaults, self.without_write_only

    def accepts(self, value: Json) -> bool:
        return self._validator.is_valid(value)

    def findings(self, value: Json, place: Place, name: str | None = None) -> list[Finding]:
        """The `first_findings` in a value. With `name` it is a parameter's or a header's, else the body.

        The search is lazy, part by part, so a value with a million violations costs no more than one with a hundred.
        The items of an array that is too long are not judged.
        """
        if not _is_long(value) and self._validator.is_valid(value):
            return []
        violations = self._violations(self.json_schema, value, ())
        return first_findings(_located(rule, detail, path, place, name) for rule, path, detail in violations)

    def _violations(self, schema: Any, value: Json, path: _Path) -> Iterator[_Violation]:
        """The violations of one schema, with a detail for people."""
        if schema is NEVER:
            yield "writeOnly", path, "is never returned, but was"
        elif schema is False:
            yield "additionalProperties", path, "may not be there"
        elif isinstance(schema, dict):
            if "$ref" in schema:
                name = definition_name(schema["$ref"])
                yield from self._violations(self.json_schema["$defs"][name], value, path)
            yield from self._value_violations(schema, value, path)
            if isinstance(value, dict):
                yield from self._name_violations(schema, value, path)
            yield from self._part_violations(schema, value, path)
            yield from self._applicator_violations(schema, value, path)

    def _value_violations(self, schema: dict[str, Any], value: Json, path: _Path) -> Iterator[_Violation]:
        """The violations of keywords for the whole value."""
        for keyword, detail_of in _DETAILS.items():
            alone = keyword in schema and not (keyword in _RULES and isinstance(schema[keyword], bool))
            if alone and not self._validator_of(schema, keyword).is_valid(value):
                yield _RULES.get(keyword, keyword), path, detail_of(schema, _shown(schema, value))

    def _name_violations(self, schema: dict[str, Any], value: dict[str, Json], path: _Path) -> Iterator[_Violation]:
        """The violations of keywords for the names of members."""
        for name in schema.get("required", ()):
            if name not in value:
                yield "required", (*path, name), "is required and missing"
        for beside, names in schema.get("dependentRequired", {}).items():
            for name in names if beside in value else ():
                if name not in value:
                    yield "required", (*path, name), f"is required beside {show(beside)} and missing"
        names = schema.get("propertyNames", True)
        for name in value:
            for _, _, detail in () if self._fits(names, name) else self._violations(names, name, path):
                yield "additionalProperties", (*path, name), f"has a name that {detail}"

    def _part_violations(self, schema: dict[str, Any], value: Json, path: _Path) -> Iterator[_Violation]:
        """The violations in members and items."""
        for step, part, inside in self._parts(schema, value):
            if part is False and isinstance(step, int):
                yield "maxItems", (*path, step), f"is one item too many; there may be {counted(step, 'item')}"
            elif part is False:
                detail = f"is not a known member{did_you_mean(str(step), schema.get('properties', {}))}"
                yield "additionalProperties", (*path, step), detail
            elif _is_long(inside) or not self._fits(part, inside):
                yield from self._violations(part, inside, (*path, step))

    def _applicator_violations(self, schema: dict[str, Any], value: Json, path: _Path) -> Iterator[_Violation]:
        """The violations of subschemas that apply to the same value."""
        same = list(schema.get("allOf", ()))
        if "if" in schema:
            same.append(schema.get("then" if self._fits(schema["if"], value) else "else", True))
        if isinstance(value, dict):
            same += [part for name, part in schema.get("dependentSchemas", {}).items() if name in value]
        for part in same:
            yield from self._violations(part, value, path)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                yield from self._alternative_violations(keyword, schema[keyword], value, path)
        if "not" in schema and self._fits(schema["not"], value):
            yield from self._rule_violations(schema, value, path)
        for keyword, rule in (("unevaluatedProperties", "additionalProperties"), ("unevaluatedItems", "maxItems")):
            if keyword in schema:
                yield from self._unevaluated_violations(schema, keyword, rule, value, path)

    def _unevaluated_violations(
        self, schema: dict[str, Any], keyword: str, rule: str, value: Json, path: _Path
    ) -> Iterator[_Violation]:
        """The violations of an `unevaluated…` keyword, if there are no others, which would count as unevaluated."""
        if (key := (id(schema), keyword)) not in self._rests:
            self._rests[key] = {name: each for name, each in schema.items() if name != keyword}
        if any(True for _ in self._violations(self._rests[key], value, path)):
            return
        for error in self._validator_of(schema).iter_errors(value):
            if error.kind.name == keyword and not error.instance_path:
                for step in getattr(error.kind, "unexpected", ()):
                    named = step if isinstance(value, dict) else int(step) if str(step).isdecimal() else 0
                    yield rule, (*path, named), "is not a known member" if isinstance(value, dict) else "is not known"

    def _alternative_violations(
        self, keyword: str, alternatives: list[dict[str, Any]], value: Json, path: _Path
    ) -> Iterator[_Violation]:
        fitting = sum(self._fits(each, value) for each in alternatives)
        if fitting > 1 and keyword == "oneOf":
            yield keyword, path, "fits more than one alternative, and must fit exactly one"
        elif fitting == 0:
            branches = [list(islice(self._violations(each, value, path), MAX_NESTED)) for each in alternatives]
            meant = [branch for branch in branches if not _is_of_other_kind(branch, path)]
            if len(meant) == 1 and isinstance(value, dict | list):  # the only alternative for this type
                yield from meant[0]
                return
            # An alternative for another JSON type is the farthest, else the number of violations decides.
            nearest = min(branches, key=lambda branch: (_is_of_other_type(branch, path), len(branch)))
            said = "; ".join(f"{json_pointer(where) or 'it'} {detail}" for _, where, detail in nearest)
            yield keyword, path, f"fits none of {len(branches)} alternatives; the nearest one says: {said}"

    def _rule_violations(self, schema: dict[str, Any], value: Json, path: _Path) -> Iterator[_Violation]:
        """The broken rules across members: the branches of `not: {anyOf: […]}` that the value fits."""
        excluded = schema["not"] if isinstance(schema["not"], dict) else {}
        rules = [rule for rule in excluded.get("anyOf", ()) if isinstance(rule, dict) and "x-rule" in rule]
        broken = [rule for rule in rules if self._validator_of(rule).is_valid(value)]
        for rule in broken:
            yield rule["x-rule"]["id"], (*path, _culprit(rule, value)), rule["description"]
        if not broken and excluded.keys() == {"required"}:
            yield "not", path, f"must not have {' and '.join(map(show, excluded['required']))} beside what it has"
        elif not broken:
            yield "not", path, f"must be something other than {show(_shown(schema, value))}"

    def _validator_of(self, schema: dict[str, Any], keyword: str | None = None) -> Validator:
        """The validator of a part of the schema, or of one of its keywords. Its `is_valid` is faster than errors."""
        key = id(schema), keyword
        if key not in self._compiled:
            judged = schema if keyword is None else {name: schema[name] for name in _with(keyword, schema)}
            # A part without references is compiled without the definitions, which can be thousands.
            definitions = {"$defs": self.json_schema["$defs"]} if refers(judged) else {}
            self._compiled[key] = self._made({**judged, **definitions})
        return self._compiled[key]

    def _fits(self, schema: Any, value: Json) -> bool:
        return schema if isinstance(schema, bool) else self._validator_of(schema).is_valid(value)

    def _parts(self, schema: dict[str, Any], value: Json) -> Iterator[tuple[str | int, Any, Json]]:
        """The members or items of a value: key, schema (False where none is allowed), value."""
        if isinstance(value, dict):
            known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
            patterns = schema.get("patternProperties", {})
            yield from ((name, nested, value[name]) for name, nested in known.items() if name in value)
            for name, nested in value.items() if patterns or others is not True else ():
                matching = [part for pattern, part in patterns.items() if self._matches(pattern, name)]
                yield from ((name, part, nested) for part in matching)
                if not matching and name not in known and others is not True:
                    yield name, others, nested
        elif isinstance(value, list) and len(value) <= schema.get("maxItems", len(value)):
            items = schema.get("items", True)
            first, rest = schema.get("prefixItems", []), items
            if isinstance(items, list):  # before 2020-12
                first, rest = items, schema.get("additionalItems", True)
            yield from ((index, part, item) for index, (part, item) in enumerate(zip(first, value, strict=False)))
            if rest is not True:
                yield from ((index, rest, value[index]) for index in range(len(first), len(value)))

    def _matches(self, pattern: str, name: str) -> bool:
        if pattern not in self._patterns:
            self._patterns[pattern] = self._made({"pattern": pattern})
        return self._patterns[pattern].is_valid(name)


def _is_long(value: Json) -> bool:
    """Whether a value is judged in parts, because a validator holds the interpreter until its end."""
    return isinstance(value, list) and len(value) > CHUNK_ITEMS


def _located(rule: str, detail: str, path: _Path, place: Place, name: str | None) -> Finding:
    if name is None:
        return Finding(rule, place, detail, pointer=json_pointer(path))
    inside = json_pointer(path)
    return Finding(rule, place, f"{inside} {detail}" if inside else detail, name=name)


def _culprit(rule: dict[str, Any], value: Json) -> str:
    """The member that the finding of a broken rule across members points at: the first missing one of the rule."""
    members: list[str] = rule["x-rule"]["members"]
    return next((name for name in members if value.get(name) is None), members[0])


def _is_of_other_type(branch: list[_Violation], path: _Path) -> bool:
    return any(rule == "type" and where == path for rule, where, _ in branch)


def _is_of_other_kind(branch: list[_Violation], path: _Path) -> bool:
    """Whether an alternative is for another JSON type, or for another value of a discriminating member."""
    return _is_of_other_type(branch, path) or any(
        rule == "enum" and len(where) == len(path) + 1 for rule, where, _ in branch
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion, `; did you mean "x"?`, or an empty text; always empty for names of LONGEST_GUESSED or more."""
    near = difflib.get_close_matches(name, known, n=1) if len(name) < LONGEST_GUESSED else []
    return f"; did you mean {show(near[0])}?" if near else ""


LONGEST_GUESSED = 64
LONGEST_SHOWN = 80
CHUNK_ITEMS = 100
"""The number of items of an array that are judged in one call."""
MAX_NESTED = 10
"""The number of violations of an alternative that are reported."""


_SECRET = object()
"""The placeholder for a secret value."""


def _shown(schema: Mapping[str, Any], value: Json) -> Json:
    return _SECRET if schema.get("format") == "password" or schema.get("writeOnly", False) else value


def show(value: Json) -> str:
    """A value for a message: as short JSON; containers by their type, secrets not at all."""
    if value is _SECRET:
        return "the secret that came"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    # orjson does not write integers beyond 64 bits.
    text = str(value) if type(value) is int else orjson.dumps(value).decode()
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _types(limit: Json) -> str:
    return " or ".join(limit) if isinstance(limit, list) else str(limit)


def _format(name: str) -> str:
    example = f", such as {FORMAT_EXAMPLES[name]}" if name in FORMAT_EXAMPLES else ""
    return FORMAT_WORDS.get(name, f"of the format {name}{example}")


def _size(value: Json) -> str:
    return "more" if value is _SECRET else str(len(value))


def _bound(keyword: str, words: str, exclusive: str = "") -> Callable[[Mapping[str, Any], Any], str]:
    def detail(schema: Mapping[str, Any], value: Json) -> str:
        is_exclusive = schema.get(f"exclusive{keyword.capitalize()}") is True
        return f"must be {exclusive if is_exclusive else words} {show(schema[keyword])}, not {show(value)}"

    return detail


def _size_of(keyword: str, noun: str, most: str) -> Callable[[Mapping[str, Any], Any], str]:
    return lambda schema, value: f"must have at {most} {counted(schema[keyword], noun)}, not {_size(value)}"


def _contains(schema: Mapping[str, Any], _value: Json) -> str:
    least, most = schema.get("minContains", 1), schema.get("maxContains")
    bounds = f"at least {counted(least, 'item')}" + (
        f" and at most {counted(most, 'item')}" if most is not None else ""
    )
    return f"must have {bounds} that are valid against `contains`"


_DETAILS: dict[str, Callable[[Mapping[str, Any], Any], str]] = {
    "type": lambda schema, value: f"must be {_types(schema['type'])}, not {show(value)}",
    "enum": lambda schema, value: f"must be one of {', '.join(map(show, schema['enum']))}, not {show(value)}",
    "const": lambda schema, value: f"must be {show(schema['const'])}, not {show(value)}",
    "minimum": _bound("minimum", "at least", "more than"),
    "maximum": _bound("maximum", "at most", "less than"),
    "exclusiveMinimum": _bound("exclusiveMinimum", "more than"),
    "exclusiveMaximum": _bound("exclusiveMaximum", "less than"),
    "multipleOf": _bound("multipleOf", "a multiple of"),
    "minLength": _size_of("minLength", "character", "least"),
    "maxLength": _size_of("maxLength", "character", "most"),
    "pattern": lambda schema, value: f"must match {schema['pattern']}, not {show(value)}",
    "format": lambda schema, value: f"must be {_format(schema['format'])}, not {show(value)}",
    "minItems": _size_of("minItems", "item", "least"),
    "maxItems": _size_of("maxItems", "item", "most"),
    "uniqueItems": lambda _schema, _value: "must not have the same item twice",
    "contains": _contains,
    "minProperties": _size_of("minProperties", "member", "least"),
    "maxProperties": _size_of("maxProperties", "member", "most"),
}
_RULES = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum", "const": "enum"}
"""The rules of keywords that share another keyword's rule."""


def _with(keyword: str, schema: Mapping[str, Any]) -> set[str]:
    """The keywords of a schema that must be judged together with one of them."""
    beside = {"minContains", "maxContains"} if keyword == "contains" else set[str]()
    exclusive = f"exclusive{keyword[0].upper()}{keyword[1:]}"
    if isinstance(schema.get(exclusive), bool):  # in draft 4 a boolean beside `minimum`
        beside.add(exclusive)
    return {keyword} | (beside & schema.keys())


_OfObject = Callable[[dict[str, Mapping[str, Any]], bool], Callable[[dict[str, Json]], dict[str, Json]] | None]
"""Returns the transform of an object by its properties and whether values inside of them change, if any."""


class _Transforms:
    """Makes the transform of a schema's values, which changes objects at any depth.

    Each schema has one transform, shared by all references to it.
    """

    def __init__(self, resolve: References, of_object: _OfObject) -> None:
        self._resolve, self._of_object = resolve, of_object
        self._made: dict[int, Transform | None] = {}

    def of(self, schema: Mapping[str, Any]) -> Transform | None:
        """The transform of a schema; None where no value changes."""
        schema = self._resolve.followed(schema)
        if (key := id(schema)) not in self._made:
            self._made[key] = lambda value: (self._made[key] or _identity)(value)  # for a recursive schema
            self._made[key] = self._of_members(schema)
        return self._made[key]

    def _of_members(self, schema: Mapping[str, Any]) -> Transform | None:
        if "items" in schema:
            if (of_item := self.of(schema["items"])) is None:
                return None
            return lambda value: [of_item(item) for item in value] if isinstance(value, list) else value
        properties = flattened(schema, self._resolve).get("properties", {})
        inside = {name: of for name, nested in properties.items() if (of := self.of(nested))}
        followed = {name: self._resolve.followed(nested) for name, nested in properties.items()}
        if (of_this := self._of_object(followed, bool(inside))) is None:
            return None

        def transform(value: Json) -> Json:
            if not isinstance(value, dict):
                return value
            changed = of_this(value)
            for name, of_member in inside.items():
                if name in value and name in changed:
                    changed[name] = of_member(value[name])
            return changed

        return transform


def _filler(
    properties: dict[str, Mapping[str, Any]], is_needed: bool
) -> Callable[[dict[str, Json]], dict[str, Json]] | None:
    defaults = {name: nested["default"] for name, nested in properties.items() if "default" in nested}
    template = {name: defaults.get(name) for name in properties}  # gives the members their order
    others = [name for name in properties if name not in defaults]
    changeable = [name for name, default in defaults.items() if isinstance(default, dict | list)]

    def fill(value: dict[str, Json]) -> dict[str, Json]:
        filled = {**template, **value}
        for name in others:
            if name not in value:
                del filled[name]
        for name in changeable:
            if name not in value:
                filled[name] = deepcopy(defaults[name])
        return filled

    return fill if defaults or is_needed else None


def _hider(
    properties: dict[str, Mapping[str, Any]], is_needed: bool
) -> Callable[[dict[str, Json]], dict[str, Json]] | None:
    hidden = {name for name, nested in properties.items() if nested.get("writeOnly")}

    def hide(value: dict[str, Json]) -> dict[str, Json]:
        return {name: member for name, member in value.items() if name not in hidden} if hidden else value.copy()

    return hide if hidden or is_needed else None
