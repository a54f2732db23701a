"""A schema in words: its type and its facts, with `$ref` and `allOf` resolved, for 3.0 and 3.1."""

import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from ..contract.document import Contract
from ..contract.schema import Json
from ..contract.shape import flattened

Node = Mapping[str, Any]
Result = TypeVar("Result")
Fact = tuple[str, str]
"""A label, and its text in Markdown."""

_DEEPEST = 5
"""The depth to which nested arrays are followed; some contracts are recursive."""
_WRAPPING = frozenset(("allOf", "anyOf", "oneOf"))
_ENDS = {2**31 - 1, -(2**31), 2**63 - 1, -(2**63)}
"""The bounds of the integer formats, which tell a reader nothing."""


def resolved(contract: Contract, schema: Any) -> dict[str, Any]:
    """A schema as one object: its parts merged, `nullable` for every way to allow null, `enum` for `const`.

    `true` and `false` become empty schemas.
    """
    if not isinstance(schema, Mapping):
        return {}
    try:
        flat = flattened(schema, contract.resolve)
        for keyword in ("anyOf", "oneOf"):
            some = [
                each for each in flat.get(keyword, ()) if not isinstance(each, Mapping) or each.get("type") != "null"
            ]
            if len(some) < len(flat.get(keyword, ())):
                flat |= {"nullable": True, keyword: some}
            if len(some) == 1:
                del flat[keyword]
                flat = {**resolved(contract, some[0]), **flat}
    except RecursionError:
        return {}  # a circular schema
    if isinstance(kinds := flat.get("type"), list):
        flat["type"] = " or ".join(kind for kind in kinds if kind != "null")
        flat["nullable"] = "null" in kinds
    return flat if "const" not in flat else {"enum": [flat["const"]], **flat}


def reference_of(schema: Any) -> str | None:
    """The `$ref` of a schema, or of the only schema that it wraps, such as one that may also be null."""
    if not isinstance(schema, Mapping) or "properties" in schema:
        return None
    if "$ref" in schema:
        return str(schema["$ref"])
    if _WRAPPING.isdisjoint(schema):
        return None
    parts = [each for word in _WRAPPING for each in schema.get(word, ()) if isinstance(each, Mapping)]
    parts = [each for each in parts if each.get("type") != "null"]
    return str(parts[0]["$ref"]) if len(parts) == 1 and "$ref" in parts[0] else None


def name_of(reference: str) -> str:
    return reference.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def is_object(flat: Node) -> bool:
    """Whether a resolved schema has members, or alternatives."""
    return bool(flat.get("properties") or ("x-rule" not in flat and (flat.get("oneOf") or flat.get("anyOf"))))


def _cached_by_schema(describe: Callable[["Schemas", Any], Result]) -> Callable[["Schemas", Any], Result]:
    """A cache by schema."""

    @wraps(describe)
    def cached(self: "Schemas", schema: Any) -> Result:
        key = describe, id(schema)
        if key not in self.known:
            self.known[key] = describe(self, schema), schema  # with the schema, so that its id is not reused
        result: Result = self.known[key][0]
        return result

    return cached


class Schemas:
    """The schemas of a contract in words."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.known: dict[tuple[Any, int], tuple[Any, Any]] = {}

    @_cached_by_schema
    def resolved(self, schema: Any) -> dict[str, Any]:
        return resolved(self._contract, schema)

    @_cached_by_schema
    def innermost(self, schema: Any) -> Any:
        """The schema itself, or that of the items of the innermost of its arrays and maps."""
        for _ in range(_DEEPEST):
            flat = self.resolved(schema)
            inside = flat.get("items") if flat.get("type") == "array" else flat.get("additionalProperties")
            if not isinstance(inside, Mapping) or flat.get("properties"):
                break
            schema = inside
        return schema

    @_cached_by_schema
    def type(self, schema: Any) -> str:
        return self._type(schema)

    def _type(self, schema: Any, depth: int = 0) -> str:
        flat = self.resolved(schema)
        if flat.get("type") == "array" and depth < _DEEPEST:
            tuple_of = flat["items"] if isinstance(flat.get("items"), list) else flat.get("prefixItems", ())
            first = ", ".join(self._type(each, depth + 1) for each in tuple_of)
            rest = self._type(flat["items"], depth + 1) if isinstance(flat.get("items"), Mapping) else ""
            return f"array of {' then '.join(filter(None, (first, rest))) or 'any'}"
        kind = str(flat.get("type") or ("object" if is_object(flat) else "any"))
        more = flat.get("additionalProperties")
        if "patternProperties" in flat and not isinstance(more, Mapping):
            more = next(iter(flat["patternProperties"].values()), None)
        if kind == "object" and isinstance(more, Mapping) and "properties" not in flat and depth < _DEEPEST:
            named = reference_of(more)
            return f"map of {name_of(named) if named else self._type(more, depth + 1)}"
        if kind == "object" and (reference := reference_of(schema)):
            return self.title(reference)
        return f"{kind} ({flat['format']})" if "format" in flat else kind

    def title(self, reference: str) -> str:
        return str(self._contract.resolve(reference).get("title") or name_of(reference))

    @_cached_by_schema
    def facts(self, schema: Any) -> list[Fact]:
        """The constraints of a value, its default and its examples."""
        return self._constraints(self.resolved(schema))

    def _constraints(self, flat: Node, depth: int = 0) -> list[Fact]:
        found = [] if _DESCRIBED_KEYWORDS.isdisjoint(flat) else [
            (word, fact)
            for word, (keywords, describe) in _FACTS.items()
            if not keywords.isdisjoint(flat) and (fact := describe(flat))
        ]  # fmt: skip
        items = flat.get("items") if flat.get("type") == "array" else None
        if isinstance(items, Mapping) and depth < _DEEPEST and not is_object(each := self.resolved(items)):
            found += [(f"Each item: {word.lower()}", fact) for word, fact in self._constraints(each, depth + 1)]
        return found


def literal(text: str) -> str:
    """A Markdown code span that may contain backticks (CommonMark, section 6.1)."""
    fence = "`" * (longest_run(text) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def longest_run(text: str) -> int:
    """The length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


_to_json = json.JSONEncoder(ensure_ascii=False).encode


def value(shown: Json) -> str:
    """Markdown for a JSON value."""
    return literal(_to_json(shown))


def phrase(status: str) -> str:
    """The reason phrase of a status (RFC 9110)."""
    if status == "413":
        return "Content Too Large"  # older Pythons have the phrase of an older RFC
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:
        return ""  # a class such as 4XX, or the default


def _between(low: str, high: str) -> Callable[[Node], str]:
    return lambda schema: _bounds(schema.get(low), schema.get(high))


def _bounds(low: Any, high: Any, least: str = "at least", most: str = "at most") -> str:
    low, high = (None if bound in _ENDS else bound for bound in (low, high))
    if low is not None and high is not None and (least, most) == ("at least", "at most"):
        return f"{low:,}" if low == high else f"{low:,} to {high:,}"
    parts = (f"{word} {bound:,}" for word, bound in ((least, low), (most, high)) if bound is not None)
    return ", ".join(parts)


_RANGE = "minimum exclusiveMinimum maximum exclusiveMaximum"


def _range(schema: Node) -> str:
    bounds = []
    for keyword, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        bound = schema.get(exclusive)
        is_number = isinstance(bound, int | float) and not isinstance(bound, bool)  # a number in 3.1
        bounds.append((bound if is_number else schema.get(keyword), bool(is_number or bound)))
    (low, above), (high, below) = bounds
    words = "more than" if above else "at least", "less than" if below else "at most"
    shown = _bounds(low, high, *words)
    unit = str(schema.get("x-unit", ""))
    return f"{shown} {unit.removesuffix('s') if shown.endswith(' 1') else unit}".strip() if shown else ""


def _yes(keyword: str) -> Callable[[Node], str]:
    return lambda schema: "yes" if schema.get(keyword) else ""


def _examples(schema: Node) -> str:
    shown = [schema["example"]] if "example" in schema else schema.get("examples", ())
    return ", ".join(map(value, shown if isinstance(shown, list) else ()))


_FACTS: dict[str, tuple[frozenset[str], Callable[[Node], str]]] = {
    word: (frozenset(keywords.split()), describe)
    for word, keywords, describe in (
        ("Default", "default", lambda schema: value(schema["default"])),
        ("Nullable", "nullable", _yes("nullable")),
        ("One of", "enum", lambda schema: ", ".join(map(value, schema["enum"]))),
        ("Range", _RANGE, _range),
        ("Unit", "x-unit", lambda schema: "" if _range(schema) else str(schema["x-unit"])),
        ("Multiple of", "multipleOf", lambda schema: str(schema["multipleOf"])),
        ("Characters", "minLength maxLength", _between("minLength", "maxLength")),
        ("Items", "minItems maxItems", _between("minItems", "maxItems")),
        ("Members", "minProperties maxProperties", _between("minProperties", "maxProperties")),
        ("Unique items", "uniqueItems", _yes("uniqueItems")),
        ("Written", "x-notation", lambda schema: str(schema["x-notation"])),
        ("Names", "patternProperties", lambda schema: ", ".join(map(literal, schema["patternProperties"]))),
        ("Pattern", "pattern", lambda schema: literal(schema["pattern"])),
        ("Write-only", "writeOnly", _yes("writeOnly")),
        ("Deprecated", "deprecated", _yes("deprecated")),
        ("Example", "example examples", _examples),
    )
}
"""The facts by label: the keywords that each needs, and the function that words it."""
_DESCRIBED_KEYWORDS = frozenset().union(*(keywords for keywords, _ in _FACTS.values()))
