"""A proof that one schema takes all that another gives, where schemas are recursive or strings have patterns.

The library decides what has neither. Around it, objects and arrays are taken apart, and a pair of definitions that is
met again inside itself is assumed to hold (coinduction): a value that broke it would have to break it further inside.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonschema_rs import CanonicalSchema, Draft202012Validator, canonical, canonicalize

from ..contract.formats import FORMATS
from .normal import Definitions, definition_name, merged, reachable, references, types
from .pattern import TooHard, outside
from .witness import strings_of

Json = Any
DRAFT = 20
MOST_DEFINITIONS = 200
"""How many definitions the library is given at once."""
_OBJECT = {"type", "properties", "required", "additionalProperties"}
_ARRAY = {"type", "items", "minItems", "maxItems", "uniqueItems"}
_STRING = {"type", "pattern", "minLength", "maxLength"}


@lru_cache(maxsize=50_000)
def _covers(taken: str, given: str) -> bool:
    """The same small schemas meet again and again; a text is a key that has no second spelling of a number."""
    larger, smaller = _canonical(taken), _canonical(given)
    return larger.covers(smaller) == canonical.Containment.YES


@lru_cache(maxsize=10_000)
def _canonical(text: str) -> CanonicalSchema:
    return canonicalize(json.loads(text), draft=DRAFT, validate_formats=True, offline=True)


class Proof:
    """Proofs about the definitions of two documents; what is proven once is remembered."""

    def __init__(self, given: Definitions, taken: Definitions, *, whole_floats: bool) -> None:
        """`whole_floats` says that who takes an integer takes 1.0."""
        self._given, self._taken, self._whole_floats = given, taken, whole_floats
        self._thorough = False
        self._proven: set[tuple[str, str]] = set()
        self._refused: set[tuple[str, str]] = set()
        self._assumed: dict[tuple[str, str], int] = {}

    def covers(self, taken: Json, given: Json) -> bool:
        """Whether the library proves that `taken` admits all that `given` admits; both are whole documents."""
        texts = json.dumps(taken), json.dumps(given)
        if texts[0] == texts[1]:
            return True
        if not self._whole_floats and '"integer"' in texts[0] and _WHOLE_FLOATS.search(texts[1]):
            return False  # to the library, 1.0 is an integer
        return _covers(*texts)

    def holds_as_a_whole(self, given: Json, taken: Json) -> bool:
        """As `holds`, with the library's word about definitions and all that they refer to, which takes long."""
        self._thorough, refused = True, self._refused
        self._refused = set()
        found = self.holds(given, taken) or self._whole(given, taken)
        self._thorough, self._refused = False, refused
        return found

    def holds(self, given: Json, taken: Json, depth: int = 0) -> bool:
        """Whether it is proven; False proves nothing. `depth` is how far inside the value it is."""
        if taken is True or taken == {} or given is False:
            return True
        if depth > 40 or taken is False:
            return False
        given_name, taken_name = _reference(given), _reference(taken)
        if given_name is None and taken_name is None:
            return self._parts(given, taken, depth)
        pair = (given_name or repr(given), taken_name or repr(taken))
        if pair in self._proven:
            return True
        if pair in self._refused:
            return False
        if pair in self._assumed:
            return depth > self._assumed[pair]
        self._assumed[pair] = depth
        before = self._proven.copy()
        one = given if given_name is None else self._given[given_name]
        other = taken if taken_name is None else self._taken[taken_name]
        if found := self.holds(one, other, depth):
            self._proven.add(pair)
        else:
            self._proven = before  # what was proven inside may have leant on this
            found = self._thorough and self._whole(given, taken)
            (self._proven if found else self._refused).add(pair)
        del self._assumed[pair]
        return found

    def _whole(self, given: Json, taken: Json) -> bool:
        """Whether the library proves it with everything that the two refer to."""
        documents = reachable(taken, self._taken), reachable(given, self._given)
        return len(documents[0].get("$defs", ())) < MOST_DEFINITIONS and self.covers(*documents)

    def _parts(self, given: Json, taken: Json, depth: int) -> bool:
        if self._plain(given, taken):
            return True
        flat = merged([given], self._given)
        if flat is None:
            return True
        if "enum" in flat or "const" in flat:
            values = flat["enum"] if "enum" in flat else [flat["const"]]
            validator = Draft202012Validator(reachable(taken, self._taken), formats=FORMATS, validate_formats=True)
            whole = self._whole_floats or not any(isinstance(each, float) and each.is_integer() for each in values)
            return whole and all(map(validator.is_valid, values))
        for keyword in ("anyOf", "oneOf"):
            if keyword in flat:
                rest = {name: value for name, value in flat.items() if name != keyword}
                return all(self.holds(_both(rest, branch), taken, depth) for branch in flat[keyword])
        return self._conjunction(flat, taken, depth)

    def _conjunction(self, flat: dict[str, Json], taken: Json, depth: int) -> bool:
        if not isinstance(taken, dict):
            return taken is True
        if "$ref" in taken:
            return self.holds(flat, taken, depth)
        parts = [*taken.get("allOf", ())]
        rest = {keyword: value for keyword, value in taken.items() if keyword != "allOf"}
        if parts:
            return all(self.holds(flat, part, depth) for part in (*parts, rest))
        if "anyOf" in rest:
            others = {keyword: value for keyword, value in rest.items() if keyword != "anyOf"}
            return self._each_type(flat, others, depth) and self._some(flat, rest["anyOf"], depth)
        if "oneOf" in rest:
            others = {keyword: value for keyword, value in rest.items() if keyword != "oneOf"}
            return self._each_type(flat, others, depth) and self._one(flat, rest["oneOf"], depth)
        if "not" in rest and any(part.get("not") == rest["not"] for part in (flat, *flat.get("allOf", ()))):
            del rest["not"]
        return self._each_type(flat, rest, depth)

    def _some(self, flat: dict[str, Json], branches: list[Json], depth: int) -> bool:
        """Each type of what is given fits one of the branches."""
        return all(any(self.holds({**flat, "type": name}, each, depth) for each in branches) for name in _apart(flat))

    def _one(self, flat: dict[str, Json], branches: list[Json], depth: int) -> bool:
        """Each type of what is given fits one of the branches, and has nothing in common with the others."""
        return all(
            any(
                self.holds(own, each, depth)
                and all(self._disjoint(own, other) for other in branches if other is not each)
                for each in branches
            )
            for own in ({**flat, "type": name} for name in _apart(flat))
        )

    def _disjoint(self, given: Json, taken: Json) -> bool:
        if _refers(given):
            flat = merged([taken], self._taken)
            return flat is None or not set(types(given)) & set(types(flat))
        sides = [canonicalize(reachable(each, of), draft=DRAFT) for each, of in ((given, {}), (taken, self._taken))]
        return bool(sides[0].intersect(sides[1]).satisfiability() == canonical.Satisfiability.NO)

    def _each_type(self, flat: dict[str, Json], taken: dict[str, Json], depth: int) -> bool:
        if not taken:
            return True
        admitted = types(taken)
        return all(name in admitted and self._of_type(name, flat, taken, depth) for name in _apart(flat))

    def _of_type(self, name: str, flat: dict[str, Json], taken: dict[str, Json], depth: int) -> bool:
        typed, asked = ({**_about(each, name), "type": name} for each in (flat, taken))
        if len(asked) == 1 or self._plain(typed, asked):
            return True
        if name == "object" and asked.keys() <= _OBJECT:
            return self._object(flat, asked, depth)
        if name == "array" and asked.keys() <= _ARRAY:
            counted = [
                {keyword: value for keyword, value in each.items() if keyword != "items"} for each in (typed, asked)
            ]
            inside = flat.get("items", True), asked.get("items", True)
            return self._plain(*counted) and self.holds(*inside, depth + 1)
        if name == "string" and asked.keys() <= _STRING:
            try:
                return outside(strings_of(flat), strings_of(asked)) is None
            except TooHard:
                return False
        return False

    def _object(self, flat: Mapping[str, Json], taken: Mapping[str, Json], depth: int) -> bool:
        if not set(taken.get("required", ())) <= set(flat.get("required", ())):
            return False
        own, theirs = flat.get("properties", {}), taken.get("properties", {})
        free, others = flat.get("additionalProperties", True), taken.get("additionalProperties", True)
        if "patternProperties" in flat:
            return False
        names = {**own, **theirs}
        return self.holds(free, others, depth + 1) and all(
            self.holds(own.get(name, free), theirs.get(name, others), depth + 1) for name in names
        )

    def _plain(self, given: Json, taken: Json) -> bool:
        """Whether neither has a reference, and the library proves it."""
        return not _refers(given) and not _refers(taken) and self.covers(taken, given)


_WHOLE_FLOATS = re.compile(r'"number"|[0-9]\.0(?![0-9])|"multipleOf"(?!.*"type")')
"""What may give 1.0 as something else than an integer."""
_NUMERIC = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
_SPEAKS_OF = {
    "object": (_OBJECT - {"type"}) | {"minProperties", "maxProperties", "patternProperties", "propertyNames"},
    "array": _ARRAY - {"type"},
    "string": (_STRING - {"type"}) | {"format"},
    "integer": _NUMERIC,
    "number": _NUMERIC,
    "boolean": set(),
    "null": set(),
}
"""The keywords that can refuse a value of each type."""
_TYPED = {"type"}.union(*_SPEAKS_OF.values())


def _about(schema: Mapping[str, Json], name: str) -> dict[str, Json]:
    """What a flat schema says about values of one type."""
    return {word: value for word, value in schema.items() if word in _SPEAKS_OF[name] or word not in _TYPED}


def _apart(flat: Mapping[str, Json]) -> list[str]:
    named = types(flat)
    return [name for name in named if name != "integer"] if "number" in named else named


def _both(one: Json, other: Json) -> Json:
    return {"allOf": [one, other]} if one else other


def _reference(schema: Json) -> str | None:
    return definition_name(schema["$ref"]) if isinstance(schema, dict) and "$ref" in schema else None


def _refers(schema: Json) -> bool:
    return next(references(schema), None) is not None
