"""The shape of a schema: its members with their schemas, and its rules across members."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .formats import UNCHECKED_FORMATS
from .pointer import json_pointer
from .references import References
from .strict_json import MAX_DEPTH

Path = tuple[str, ...]
"""The path of a member: names of members, with `*` for every item and for every member with a free name."""

KEYWORDS = (
    "type", "enum", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern", "format",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip
MAX_MEMBERS = 10_000


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a body, or a parameter; the whole body has an empty path."""

    path: Path
    schema: Mapping[str, Any]
    required: bool

    @property
    def pointer(self) -> str:
        return json_pointer(self.path)

    @property
    def keywords(self) -> list[str]:
        """The rules of the keywords that a value can break."""
        present = [
            keyword
            for keyword in KEYWORDS
            if keyword in self.schema
            and self.schema[keyword] is not False
            and not (keyword == "format" and self.schema["format"] in UNCHECKED_FORMATS)
            and not (keyword in ("minLength", "minItems", "minProperties") and self.schema[keyword] == 0)
        ]
        if self.schema.get("additionalProperties") is False:
            present.append("additionalProperties")
        return [*present, "required"] if self.required else present


def members(schema: Mapping[str, Any], resolve: References, required: bool = True) -> list[Member]:
    """The members of a schema, the schema itself first; a recursive schema is followed once.

    They are MAX_MEMBERS at most, because paths through schemas that refer to one another grow exponentially.
    """
    return list(islice(_members(schema, resolve, (), required, frozenset()), MAX_MEMBERS))


def rules(schema: Mapping[str, Any], resolve: References) -> list[Mapping[str, Any]]:
    """The rules across members (`x-rule`) that hold for a schema, each once, from its `not: {anyOf: […]}`.

    The `anyOf` of a rule has the ways to break it: a value that fits one of them breaks the rule.
    """
    schema = resolve.followed(schema)
    own: dict[str, dict[str, Any]] = {}
    for branch in resolve.followed(schema.get("not", {})).get("anyOf", ()):
        if isinstance(branch, Mapping) and "x-rule" in branch:
            declared = {key: branch[key] for key in ("x-rule", "description")}
            own.setdefault(branch["x-rule"]["id"], {**declared, "anyOf": []})["anyOf"].append(branch)
    return [*own.values(), *(rule for part in schema.get("allOf", ()) for rule in rules(part, resolve))]


def flattened(schema: Mapping[str, Any], resolve: References) -> dict[str, Any]:
    """A schema without its `$ref`, with the keywords of its `allOf` parts merged into it."""
    schema = resolve.followed(schema)
    if "allOf" not in schema:
        return dict(schema)
    if id(schema) not in resolve.flat:
        flat: dict[str, Any] = {}
        for part in schema["allOf"]:
            flat = _merged(flat, {key: value for key, value in flattened(part, resolve).items() if key != "allOf"})
        resolve.flat[id(schema)] = schema, _merged(flat, schema)
    return dict(resolve.flat[id(schema)][1])


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**one, **other}
    if "properties" in one and "properties" in other:
        merged["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        merged["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    return merged


def _members(schema: Any, resolve: References, path: Path, required: bool, above: frozenset[str]) -> Iterator[Member]:
    if len(path) > MAX_DEPTH:
        return  # no body is read so deep
    if isinstance(schema, Mapping) and (reference := schema.get("$ref")) is not None:
        if reference in above:
            return
        above |= {reference}
    flat = flattened(schema, resolve)
    if flat.get("readOnly") and path:
        return  # set by the server, whatever the request has
    yield Member(path, flat, required)
    for name, nested in flat.get("properties", {}).items():
        yield from _members(nested, resolve, (*path, name), name in flat.get("required", ()), above)
    free = flat.get("additionalProperties")
    for nested in (flat.get("items"), free if isinstance(free, dict) else None):
        if isinstance(nested, Mapping) and nested:
            yield from _members(nested, resolve, (*path, "*"), False, above)
