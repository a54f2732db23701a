"""A proof that one schema accepts all values of another, or the places where that is unproven.

The library decides pairs without references. Around these, objects, arrays and choices are decomposed. Pairs that
refer to others are the nodes of a graph; a pair holds when no unproven pair can be reached from it (coinduction: a
value that breaks it would have to break another one further inside).
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from jsonschema_rs import CanonicalSchema, Draft202012Validator, canonical, canonicalize

from ..contract.dialect import with_schemas
from ..contract.formats import FORMATS
from ..contract.normal import (
    Definitions,
    conjunction,
    definition_name,
    followed,
    item_of,
    member_of,
    merged,
    reachable,
    refers,
    types,
)
from ..contract.pattern import UndecidablePattern, outside
from ..contract.schema import Json
from ..contract.witness import SchemaPath, strings_of

DRAFT = 20
MAX_PAIRS = 20_000
"""The number of pairs that are decomposed for one; further ones stay open."""
MAX_NESTING = 16
"""The deepest nesting of choices and parts of `allOf` without a member or an item between them."""
_OBJECT = {"type", "properties", "required", "additionalProperties"}
_ARRAY = {"type", "items", "prefixItems"}
_STRING = {"type", "pattern", "minLength", "maxLength"}


@dataclass(frozen=True, eq=False, slots=True)
class UnprovenPair:
    """A pair of schemas at a place inside a value for which containment is not proven."""

    way: SchemaPath
    produced: Json
    consumed: Json


_Definitions = tuple[str, str] | None
"""The names of a definition of the produced schemas, and of one of the consumed ones."""


@dataclass(frozen=True, slots=True)
class ReachablePair:
    """An unproven pair that can be reached from a pair of schemas."""

    pair: UnprovenPair
    way: SchemaPath
    """The path from the whole value."""
    within: _Definitions
    """The pair of definitions around the place, if any."""
    inside: SchemaPath
    """The path from a value of these definitions."""


@dataclass(slots=True)
class _Obligations:
    """The proof obligations of a pair: its unproven pairs, and the pairs inside of it."""

    open: list[UnprovenPair] = field(default_factory=list)
    further: list[tuple[SchemaPath, Json, Json]] = field(default_factory=list)


@lru_cache(maxsize=10_000)
def _covers(consumed: str, produced: str) -> bool:
    """Containment by the library, cached: small schemas recur. The keys are texts, which keep 1 and 1.0 apart."""
    larger, smaller = _canonical(consumed), _canonical(produced)
    return larger.covers(smaller) == canonical.Containment.YES


@lru_cache(maxsize=2_000)
def _canonical(text: str) -> CanonicalSchema:
    return canonicalize(json.loads(text), draft=DRAFT, validate_formats=True, offline=True)


class Proof:
    """Proofs about the definitions of two documents; the results for pairs are cached."""

    def __init__(
        self,
        produced: Definitions,
        consumed: Definitions,
        *,
        whole_floats: bool,
        unchanged: Callable[[str, str], bool] = lambda _produced, _consumed: False,
    ) -> None:
        """`whole_floats`: a consumer of integers accepts 1.0; `unchanged`: a pair of definitions is known to hold."""
        self._produced, self._consumed = produced, consumed
        self._whole_floats, self._unchanged = whole_floats, unchanged
        self._nodes: dict[tuple[str, str], _Obligations] = {}
        self._left = MAX_PAIRS

    def covers(self, consumed: Json, produced: Json) -> bool:
        """Whether the library proves that `consumed` admits all that `produced` admits; both are whole documents."""
        texts = json.dumps(consumed), json.dumps(produced)
        if texts[0] == texts[1]:
            return True
        if not self._whole_floats and '"integer"' in texts[0] and _WHOLE_FLOATS.search(texts[1]):
            return False  # for the library, 1.0 is an integer
        return _covers(*texts)

    def open(self, produced: Json, consumed: Json) -> Iterator[ReachablePair]:
        """The unproven pairs that can be reached, the nearest first; none is a proof."""
        self._left = MAX_PAIRS
        yield from self._reached(_Obligations(further=[((), produced, consumed)]))

    def _reached(self, start: _Obligations) -> Iterator[ReachablePair]:
        seen: set[tuple[str, str]] = set()
        waiting: deque[tuple[SchemaPath, _Definitions, SchemaPath, _Obligations]] = deque([((), None, (), start)])
        while waiting:
            way, within, inside, node = waiting.popleft()
            for each in node.open:
                yield ReachablePair(each, (*way, *each.way), within, (*inside, *each.way))
            for step, produced, consumed in node.further:
                key = _key(produced), _key(consumed)
                if key not in seen:
                    seen.add(key)
                    names = _names(produced, consumed)
                    from_there = () if names else (*inside, *step)
                    waiting.append(((*way, *step), names or within, from_there, self._node(key, produced, consumed)))

    def _node(self, key: tuple[str, str], produced: Json, consumed: Json) -> _Obligations:
        if key not in self._nodes:
            node = self._nodes[key] = _Obligations()  # for a recursive pair
            self._pair(followed(produced, self._produced), followed(consumed, self._consumed), (), node)
        return self._nodes[key]

    def _inside(self, produced: Json, consumed: Json, way: SchemaPath, node: _Obligations) -> None:
        """Add the obligation for a member or an item."""
        if not (refers(produced) or refers(consumed)):
            self._pair(produced, consumed, way, node)
        elif consumed not in (True, {}) and produced is not False:
            names = _names(produced, consumed)
            if names is None or not self._unchanged(*names):
                node.further.append((way, produced, consumed))

    def _pair(self, produced: Json, consumed: Json, way: SchemaPath, node: _Obligations, depth: int = 0) -> None:
        """Add the obligations for a pair at a place to the node."""
        if consumed in (True, {}) or produced is False or self._plain(produced, consumed):
            return
        if _is_reference(produced) and _is_reference(consumed):
            self._inside(produced, consumed, way, node)
            return
        flat, consumed = merged([produced], self._produced), _sealed(followed(consumed, self._consumed), self._consumed)
        if flat is None or consumed in (True, {}):
            return
        self._left -= 1
        if consumed is False or depth > MAX_NESTING or self._left < 0:
            node.open.append(UnprovenPair(way, flat, consumed))
            return
        for part in consumed.get("allOf", ()):
            self._pair(produced, part, way, node, depth + 1)
        rest = {word: value for word, value in consumed.items() if word != "allOf" and not _has(flat, word, value)}
        if rest:
            self._flat_pair(produced, flat, rest, way, node, depth)

    def _flat_pair(
        self,
        produced: Json,
        flat: dict[str, Json],
        consumed: dict[str, Json],
        way: SchemaPath,
        node: _Obligations,
        depth: int,
    ) -> None:
        """Decompose the produced choices first: each branch may be accepted by another branch."""
        if "enum" in flat or "const" in flat:
            self._listed(flat, consumed, way, node)
            return
        for keyword in ("anyOf", "oneOf"):
            if keyword in flat:
                others = {name: value for name, value in flat.items() if name != keyword}
                for branch in flat[keyword]:
                    self._pair(conjunction(others, branch), consumed, way, node, depth + 1)
                return
        for keyword in ("anyOf", "oneOf"):
            if keyword in consumed:
                self._choice(produced, flat, {keyword: consumed.pop(keyword)}, way, node, depth)
        self._each_type(flat, consumed, way, node)

    def _listed(self, flat: dict[str, Json], consumed: Json, way: SchemaPath, node: _Obligations) -> None:
        values = flat["enum"] if "enum" in flat else [flat["const"]]
        if not refers(flat):
            values = list(filter(Draft202012Validator(flat, formats=FORMATS, validate_formats=True).is_valid, values))
        takes = Draft202012Validator(reachable(consumed, self._consumed), formats=FORMATS, validate_formats=True)
        whole = self._whole_floats or not any(isinstance(each, float) and each.is_integer() for each in values)
        if not whole or not all(map(takes.is_valid, values)):
            node.open.append(UnprovenPair(way, flat, consumed))

    def _choice(
        self, produced: Json, flat: dict[str, Json], consumed: Json, way: SchemaPath, node: _Obligations, depth: int
    ) -> None:
        """Match each produced type with one branch of `anyOf` or `oneOf`, for `oneOf` with no other one."""
        ((keyword, branches),) = consumed.items()
        named = _apart(flat)
        for name in named:
            typed = {**flat, "type": name}
            likely = [each for each in branches if not self._disjoint(typed, each)]
            tried = []
            for branch in likely:
                trial = _Obligations()
                self._pair(produced if len(named) == 1 else typed, branch, way, trial, depth + 1)
                tried.append(trial)
                alone = len(likely) == 1
                if alone or (keyword == "anyOf" and not trial.open and next(self._reached(trial), None) is None):
                    break
            else:
                # A break is searched in the nearest branch, then in the choice as a whole.
                trial = min(tried, key=self._distance, default=_Obligations())
                node.open.append(UnprovenPair(way, typed, consumed))
            node.open[:0] = trial.open
            node.further += trial.further

    def _distance(self, node: _Obligations) -> int:
        """The number of unproven pairs, here and directly behind references."""
        behind = (
            self._node((_key(produced), _key(consumed)), produced, consumed) for _, produced, consumed in node.further
        )
        return len(node.open) + sum(len(each.open) for each in behind)

    def _disjoint(self, produced: dict[str, Json], consumed: Json) -> bool:
        flat = merged([consumed], self._consumed)
        if flat is None or not set(types(produced)) & set(types(flat)):
            return True
        asked, own = flat.get("required", ()), produced.get("properties", {})
        if produced.get("type") == "object" and types(flat) == ["object"]:
            if produced.get("additionalProperties", True) is False and not own.keys() >= set(asked):
                return True
            for name in set(produced.get("required", ())) & own.keys() & flat.get("properties", {}).keys():
                sides = (
                    merged([own[name]], self._produced) or {},
                    merged([flat["properties"][name]], self._consumed) or {},
                )
                one, other = (each.get("enum", [each["const"]] if "const" in each else []) for each in sides)
                if one and other and not any(each in other for each in one):
                    return True
        if refers(produced) or refers(flat):
            return False
        common = canonicalize(produced, draft=DRAFT).intersect(canonicalize(flat, draft=DRAFT))
        return bool(common.satisfiability() == canonical.Satisfiability.NO)

    def _each_type(self, flat: dict[str, Json], consumed: dict[str, Json], way: SchemaPath, node: _Obligations) -> None:
        admitted = types(consumed)
        for name in _apart(flat) if consumed else ():
            typed, asked = ({**_about(each, name), "type": name} for each in (flat, consumed))
            if name not in admitted:
                node.open.append(UnprovenPair(way, typed, {"type": consumed["type"]}))
            elif len(asked) == 1 or self._plain(typed, asked):
                continue
            elif name == "object" and not any("patternProperties" in each for each in (typed, asked)):
                self._object(_sealed(typed, self._produced), asked, way, node)
            elif name == "array":
                self._array(typed, asked, way, node)
            elif name != "string" or not asked.keys() <= _STRING or not _has_all_strings(flat, asked):
                node.open.append(UnprovenPair(way, typed, asked))

    def _object(self, flat: dict[str, Json], consumed: dict[str, Json], way: SchemaPath, node: _Obligations) -> None:
        for name in consumed.get("required", ()):
            if name not in flat.get("required", ()):
                node.open.append(UnprovenPair(way, flat, {"type": "object", "required": [name]}))
        known: dict[str, Json] = {name: {} for name in consumed.get("properties", ())}
        for name in {**flat.get("properties", {}), **known}:
            if member_of(consumed, name) is False and name not in known and member_of(flat, name) is not False:
                own = {**flat, "required": [*flat.get("required", ()), name]}
                refused = {"type": "object", "properties": known, "additionalProperties": False}
                node.open.append(UnprovenPair(way, own, refused))
                continue
            self._inside(member_of(flat, name), member_of(consumed, name), (*way, (flat, name)), node)
        free, others = flat.get("additionalProperties", True), consumed.get("additionalProperties", True)
        self._inside(free, others, (*way, (flat, "other")), node)
        asked = {word: value for word, value in consumed.items() if word not in _OBJECT}
        names = conjunction(flat.get("propertyNames", True), {"type": "string"})
        if "propertyNames" in asked and next(self.open(names, asked["propertyNames"]), None) is None:
            del asked["propertyNames"]
        self._of_whole(flat, asked, way, node)

    def _array(self, flat: dict[str, Json], consumed: dict[str, Json], way: SchemaPath, node: _Obligations) -> None:
        first = max(len(each.get("prefixItems", ())) for each in (flat, consumed))
        for index in range(first + 1):
            self._inside(item_of(flat, index), item_of(consumed, index), (*way, (flat, index)), node)
        self._of_whole(flat, {word: value for word, value in consumed.items() if word not in _ARRAY}, way, node)

    def _of_whole(self, flat: dict[str, Json], asked: dict[str, Json], way: SchemaPath, node: _Obligations) -> None:
        """The obligations for an object or an array beside its members or items."""
        asked = {**asked, "type": flat["type"]}
        if len(asked) > 1 and not self._plain(_weakened(flat), asked):
            node.open.append(UnprovenPair(way, flat, asked))

    def _plain(self, produced: Json, consumed: Json) -> bool:
        """Whether neither schema has a reference, and the library proves containment."""
        return (
            not refers(produced) and not refers(consumed) and (produced == consumed or self.covers(consumed, produced))
        )


_WHOLE_FLOATS = re.compile(r'"number"|[0-9]\.0(?![0-9])|"multipleOf"(?!.*"type")')
"""A schema text that may admit 1.0 other than as an integer."""
_NUMERIC = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
_SPEAKS_OF = {
    "object": (_OBJECT - {"type"}) | {"minProperties", "maxProperties", "patternProperties", "propertyNames"},
    "array": (_ARRAY - {"type"}) | {"minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"},
    "string": (_STRING - {"type"}) | {"format"},
    "integer": _NUMERIC,
    "number": _NUMERIC,
    "boolean": set(),
    "null": set(),
}
"""The keywords that apply to values of each type."""
_TYPED = {"type"}.union(*_SPEAKS_OF.values())
_ALONE = {"not", "format", "pattern", "multipleOf", "uniqueItems", "propertyNames", "dependentRequired"}
"""Keywords that do not depend on other ones."""
_POSITIVE = {"properties", "additionalProperties", "items", "prefixItems", "allOf", "anyOf", "patternProperties"}


def _about(schema: Mapping[str, Json], name: str) -> dict[str, Json]:
    """The keywords of a flat schema that apply to one type."""
    return {word: value for word, value in schema.items() if word in _SPEAKS_OF[name] or word not in _TYPED}


def _apart(flat: Mapping[str, Json]) -> list[str]:
    named = types(flat)
    return [name for name in named if name != "integer"] if "number" in named else named


def _has(flat: Mapping[str, Json], keyword: str, value: Json) -> bool:
    """Whether the produced schema has the same keyword with the same value."""
    parts = (flat, *flat.get("allOf", ()))
    return keyword in _ALONE and not refers(value) and any(part.get(keyword) == value for part in parts)


def _has_all_strings(produced: Mapping[str, Json], consumed: Mapping[str, Json]) -> bool:
    try:
        return outside(strings_of(produced), strings_of(consumed)) is None
    except UndecidablePattern:
        return False


def _weakened(schema: Json) -> Json:
    """A weaker schema without references."""
    if not isinstance(schema, dict) or not refers(schema):
        return schema
    if "$ref" in schema:
        return True
    kept = {word: value for word, value in schema.items() if word in _POSITIVE or not refers(value)}
    return with_schemas(kept, _weakened)


def _sealed(schema: Json, definitions: Definitions) -> Json:
    """The schema with `unevaluatedProperties` as `additionalProperties`, where they are equivalent."""
    if not isinstance(schema, dict) or "unevaluatedProperties" not in schema:
        return schema
    flat = merged([schema], definitions)
    if flat is None or flat.keys() & {"allOf", "anyOf", "oneOf", "if", "dependentSchemas", "patternProperties", "$ref"}:
        return schema
    return {"additionalProperties": flat.pop("unevaluatedProperties"), **flat}


def _is_reference(schema: Json) -> bool:
    return isinstance(schema, dict) and "$ref" in schema


def _names(produced: Json, consumed: Json) -> _Definitions:
    """The names of the definitions of two references, without the mode of the produced one."""
    if not (_is_reference(produced) and _is_reference(consumed)):
        return None
    return definition_name(produced["$ref"]).partition(":")[0], definition_name(consumed["$ref"])


def _key(schema: Json) -> str:
    return json.dumps(schema, sort_keys=True)
