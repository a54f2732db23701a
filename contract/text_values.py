"""Texts as JSON values: a text has no type of its own, so the schema decides."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from .references import References
from .schema import Json, Schema
from .shape import flattened

SCALARS = ("integer", "number", "boolean", "string", "null")
MAX_ALTERNATIVES = 50
"""The number of alternatives of a schema that are searched for types."""
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NAMES = {bool: "boolean", int: "integer", float: "number", type(None): "null", list: "array", dict: "object"}

Tree = str | list[Any] | dict[str, Any]
"""Nested texts, such as `a[b][]=c` as `{"a": {"b": ["c"]}}`."""


def primitive(text: str, expected: str) -> Json:
    """A text as a JSON value of a type; the text itself where it is none."""
    if expected == "boolean" and text in ("true", "false"):
        return text == "true"
    if expected in ("integer", "number") and _NUMBER.fullmatch(text) and len(text) < 400:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    if expected == "null" and text in ("", "null"):
        return None
    return text


def forms(schema: Any, resolve: References) -> list[Mapping[str, Any]]:
    """The schema, or each of its alternatives, flattened."""
    return list(islice(_forms(schema, resolve, 0), MAX_ALTERNATIVES))


def _forms(schema: Any, resolve: References, depth: int) -> Iterator[Mapping[str, Any]]:
    if not isinstance(schema, dict):
        yield {}
        return
    flat = flattened(schema, resolve)
    alternatives = flat.get("oneOf") or flat.get("anyOf")
    if not alternatives or depth == MAX_ALTERNATIVES:
        yield flat
        return
    rest = {keyword: value for keyword, value in flat.items() if keyword not in ("oneOf", "anyOf", "allOf")}
    for each in alternatives:
        yield from _forms({"allOf": [rest, each]} if isinstance(each, dict) else rest, resolve, depth + 1)


def types_of(form: Mapping[str, Any]) -> list[str]:
    """The JSON types of a form; string where it declares none."""
    declared = form.get("type")
    if isinstance(declared, list):
        return declared
    if declared is not None:
        return [declared, "null"] if form.get("nullable") else [declared]
    if values := form.get("enum") or ([form["const"]] if "const" in form else []):
        return list(dict.fromkeys(_NAMES.get(type(value), "string") for value in values))
    if "properties" in form or "additionalProperties" in form:
        return ["object"]
    return ["array"] if "items" in form else ["string"]


class Reader:
    """Reads the texts of one schema."""

    def __init__(self, schema: Any, resolve: References) -> None:
        self._resolve = resolve
        self.forms = forms(schema, resolve)
        self.types = list(dict.fromkeys(name for form in self.forms for name in types_of(form)))
        self.only = self.types[0] if len(self.types) == 1 and self.types[0] in SCALARS else None
        """The type, where there is only one and it is a scalar."""
        self.schema = Schema(schema, resolve, "request")
        self._members: dict[str, Reader] = {}

    @property
    def is_scalar(self) -> bool:
        return all(name in SCALARS for name in self.types)

    def scalar(self, text: str) -> Json:
        """The first value that fits the schema, of the possible values of a text."""
        if self.only is not None:
            return primitive(text, self.only)
        read = (primitive(text, name) for name in SCALARS if name in self.types and name != "string")
        values = [*(value for value in read if not isinstance(value, str)), text]
        return next((value for value in values if self.schema.accepts(value)), values[0])

    def build(self, tree: Tree) -> Json:
        """The value of nested texts."""
        if isinstance(tree, str):
            is_items = "array" in self.types and not any(name in SCALARS for name in self.types if name != "null")
            return [self.items.build(tree)] if is_items else self.scalar(tree)
        if isinstance(tree, list):
            return [self.items.build(each) for each in tree]
        if "array" in self.types and "object" not in self.types:  # a[]=1&a[]=2, and a[0]=1&a[1]=2
            inside = (each if isinstance(each, list) else [each] for each in tree.values())
            return [self.items.build(each) for several in inside for each in several]
        return {name: self.member(name).build(each) for name, each in tree.items()}

    @cached_property
    def items(self) -> "Reader":
        return Reader(next((form["items"] for form in self.forms if "items" in form), {}), self._resolve)

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """The properties of every alternative."""
        return {name: nested for form in self.forms for name, nested in form.get("properties", {}).items()}

    @cached_property
    def is_open(self) -> bool:
        """Whether an object may have members other than the properties."""
        return any("object" in types_of(form) and form.get("additionalProperties", True) for form in self.forms)

    def member(self, name: str) -> "Reader":
        if name not in self._members:
            if (nested := self.properties.get(name)) is None:
                free = (form.get("additionalProperties") for form in self.forms)
                nested = next((each for each in free if isinstance(each, dict)), {})
                name = ""  # one reader for all unknown names, which are unbounded
            self._members.setdefault(name, Reader(nested, self._resolve))
        return self._members[name]


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A tree of texts by names such as `a`, `a][b` and `a][`, without the outermost brackets."""
    tree: dict[str, Any] = {}
    for name, text in pairs:
        node, (*above, last) = tree, name.split("][", MAX_LEVELS)
        for step in above:
            inner = node.setdefault(step, {})
            if not isinstance(inner, dict):  # a=1 beside a[b]=2
                inner = node[step] = {}
            node = inner
        if last in node:
            before = node[last]
            node[last] = [*before, text] if isinstance(before, list) else [before, text]
        else:
            node[last] = text
    return tree


MAX_LEVELS = 20
"""The deepest nesting of names."""
