"""What one schema of a contract says, in words for people; it sees through `$ref` and `allOf`."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..contract.document import Contract
from ..contract.schema import Json

Node = Mapping[str, Any]
Fact = tuple[str, str]
"""A word, and what it means here, in Markdown."""

SCHEMAS = "#/components/schemas/"
_DEEPEST = 5
"""How many arrays inside arrays, or parts of parts, are followed; some contracts never end."""
_ENDS = {2**31 - 1, -(2**31), 2**63 - 1, -(2**63)}
"""The ends of the integer formats, which tell a reader nothing."""


class Schemas:
    """The schemas of a contract, as a reader asks for them."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.named: Mapping[str, Node] = contract.document.get("components", {}).get("schemas") or {}

    def title(self, name: str) -> str:
        return str(self.named[name].get("title", name))

    def resolved(self, schema: Node) -> Node:
        """A schema without its `$ref`, and with what the parts of its `allOf` say of a value merged into it."""
        if "$ref" in schema:
            schema = self._contract.resolve(schema["$ref"])
        merged: dict[str, Any] = {}
        for part in schema.get("allOf", ()):
            resolved = self._contract.dereferenced(part)
            if not {"properties", "allOf", "x-rule"} & resolved.keys():
                merged |= resolved
        return {**merged, **schema} if merged else schema

    def properties(self, schema: Node, depth: int = 0) -> dict[str, Node]:
        """The properties of a schema, those of its `allOf` parts included."""
        resolved = self.resolved(schema)
        found: dict[str, Node] = {}
        for part in resolved.get("allOf", ()) if depth < _DEEPEST else ():
            found |= self.properties(part, depth + 1)
        return found | dict(resolved.get("properties", {}))

    def required(self, schema: Node) -> set[str]:
        resolved = self.resolved(schema)
        inherited = (name for part in resolved.get("allOf", ()) for name in self.resolved(part).get("required", ()))
        return {*inherited, *resolved.get("required", ())}

    def is_object(self, schema: Node) -> bool:
        """Whether there is more to tell of its values than one line: members, or alternatives."""
        resolved = self.resolved(schema)
        alternatives = ("oneOf" in resolved or "anyOf" in resolved) and "x-rule" not in resolved
        return bool(self.properties(resolved)) or alternatives

    def items(self, schema: Node) -> Node | None:
        """What an array holds; None for what is no array."""
        resolved = self.resolved(schema)
        items: Node | None = resolved.get("items") if resolved.get("type") == "array" else None
        return items

    def innermost(self, schema: Node) -> Node:
        """The schema itself, or what the innermost of its arrays hold."""
        for _ in range(_DEEPEST):
            if (items := self.items(schema)) is None:
                break
            schema = items
        return schema

    def type(self, schema: Node, depth: int = 0) -> str:
        resolved = self.resolved(schema)
        if depth < _DEEPEST and (items := self.items(schema)) is not None:
            return f"array of {self.type(items, depth + 1)}"
        kind = str(resolved.get("type", "object" if self.is_object(schema) else "any"))
        more = resolved.get("additionalProperties")
        if kind == "object" and isinstance(more, dict) and "properties" not in resolved:
            return f"map of {name_of(more) or self.type(more)}"
        if kind == "object" and (name := name_of(schema)):
            return self.title(name)
        return f"{kind} ({resolved['format']})" if "format" in resolved else kind

    def facts(self, schema: Node, depth: int = 0) -> Iterator[Fact]:
        """What a value has to be, and what it is when it is not there."""
        resolved = self.resolved(schema)
        for word, tell in _FACTS.items():
            if fact := tell(resolved):
                yield word, fact
        items = self.items(schema)
        if items is not None and depth < _DEEPEST and not self.is_object(items):
            yield from ((f"Each item: {word.lower()}", fact) for word, fact in self.facts(items, depth + 1))


def name_of(schema: Node) -> str | None:
    """The name that a `$ref` has among the contract's schemas."""
    reference = str(schema.get("$ref", ""))
    name = reference.removeprefix(SCHEMAS)
    return name if reference.startswith(SCHEMAS) and "/" not in name else None


def literal(text: str) -> str:
    """Markdown for a text in code, whatever backticks it has (CommonMark, section 6.1)."""
    fence = "`" * (longest_run(text) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def longest_run(text: str) -> int:
    """How many backticks stand in a row, at most."""
    return max(map(len, re.findall("`+", text)), default=0)


def value(shown: Json) -> str:
    """Markdown for a JSON value."""
    return literal(json.dumps(shown, ensure_ascii=False))


def _between(low: str, high: str) -> Callable[[Node], str]:
    return lambda schema: _bounds(schema.get(low), schema.get(high))


def _bounds(low: Any, high: Any, least: str = "at least", most: str = "at most") -> str:
    low, high = (None if bound in _ENDS else bound for bound in (low, high))
    if low is not None and high is not None and (least, most) == ("at least", "at most"):
        return f"{low:,}" if low == high else f"{low:,} to {high:,}"
    parts = (f"{word} {bound:,}" for word, bound in ((least, low), (most, high)) if bound is not None)
    return ", ".join(parts)


def _range(schema: Node) -> str:
    least = "more than" if schema.get("exclusiveMinimum") else "at least"
    most = "less than" if schema.get("exclusiveMaximum") else "at most"
    bounds = _bounds(schema.get("minimum"), schema.get("maximum"), least, most)
    return f"{bounds} {schema.get('x-unit', '')}".strip() if bounds else ""


def _unit(schema: Node) -> str:
    return "" if _range(schema) else str(schema.get("x-unit", ""))


def _yes(keyword: str) -> Callable[[Node], str]:
    return lambda schema: "yes" if schema.get(keyword) else ""


_FACTS: dict[str, Callable[[Node], str]] = {
    "Default": lambda schema: value(schema["default"]) if "default" in schema else "",
    "Nullable": _yes("nullable"),
    "One of": lambda schema: ", ".join(map(value, schema.get("enum", ()))),
    "Range": _range,
    "Unit": _unit,
    "Multiple of": lambda schema: str(schema.get("multipleOf", "")),
    "Characters": _between("minLength", "maxLength"),
    "Items": _between("minItems", "maxItems"),
    "Members": _between("minProperties", "maxProperties"),
    "Unique items": _yes("uniqueItems"),
    "Pattern": lambda schema: literal(schema["pattern"]) if "pattern" in schema else "",
    "Write-only": _yes("writeOnly"),
    "Deprecated": _yes("deprecated"),
    "Example": lambda schema: value(schema["example"]) if "example" in schema else "",
}
