"""Values made from a schema, with the contract's own examples where it has some; the same for the same draw."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from .normal_schema import NormalSchema, NormalSchemas
from .references import References
from .schema import Direction, Json
from .shape import flattened
from .witness import ABSENT, PLAIN, Values

MAX_TRIED = 500
"""The number of candidates that are tried before NoValue."""
CHOICES = 16
"""The number of values of a schema from which `draw` chooses."""
MAX_NESTING = 8


class Generator:
    """Makes values of the schemas of one contract, for one direction."""

    def __init__(self, resolve: References, direction: Direction) -> None:
        self._resolve = resolve
        self._normal_schemas = NormalSchemas(resolve, direction)
        self._made: dict[int, tuple[Any, list[Json]]] = {}

    def value(self, schema: Mapping[str, Any], draw: int = 0, *, otherwise: Any = None) -> Any:
        """A value that the engine accepts; `otherwise` where none was found."""
        if id(schema) not in self._made:
            normal = self._normal_schemas.of(schema)
            self._made[id(schema)] = schema, self._choices(schema, normal)  # keeps the schema, and with it its id
        choices = self._made[id(schema)][1]
        return choices[draw % len(choices)] if choices else otherwise

    def simplest(self, schema: Any) -> Json:
        """The simplest candidate, which the engine has not judged; None where there is none."""
        normal = self._normal_schemas.of(schema)
        value = next(Values(normal.definitions, {}).of(normal.schema), ABSENT)
        return None if value is ABSENT else self._illustrated(schema, value)

    def _choices(self, schema: Mapping[str, Any], normal: NormalSchema) -> list[Json]:
        found: list[Json] = []
        known = flattened(schema, self._resolve).get("properties", {})
        for value in islice(Values(normal.definitions, {}).of(normal.schema), MAX_TRIED):
            if found and known and isinstance(value, dict) and value.keys() - known.keys():
                continue  # undeclared members illustrate nothing
            illustrated = self._illustrated(schema, value)
            for each in (illustrated, value):
                if normal.accepts(each):
                    found += [each] if each not in found else []
                    break
            if len(found) == CHOICES:
                break
        return found

    def _illustrated(self, schema: Mapping[str, Any], value: Json, depth: int = 0) -> Json:
        """A value with the schema's examples, or its defaults, in the place of generated values."""
        flat = flattened(schema, self._resolve)
        for word in ("example", "default"):
            if word in flat:
                return flat[word]
        if depth > MAX_NESTING:
            return value
        if flat.get("format") == "password" and value == PLAIN:
            return "secret"
        if isinstance(value, dict):
            properties = {name: self._resolve.followed(each) for name, each in self._properties(flat, value).items()}
            shown = {name for name, each in properties.items() if "example" in each}
            return {
                name: self._illustrated(properties[name], value.get(name), depth + 1)
                if name in properties
                else value[name]
                for name in (*properties, *(each for each in value if each not in properties))
                if name in value or name in shown
            }
        if isinstance(value, list) and "items" in flat:
            return [self._illustrated(flat["items"], item, depth + 1) for item in value]
        return value

    def _properties(self, flat: Mapping[str, Any], value: Mapping[str, Json]) -> Mapping[str, Any]:
        """The properties of a schema, and those of the first alternative that has all members of the value."""
        own: Mapping[str, Any] = flat.get("properties", {})
        for each in (*flat.get("oneOf", ()), *flat.get("anyOf", ())):
            named = flattened(each, self._resolve).get("properties", {})
            if value.keys() <= named.keys() | own.keys():
                return {**named, **own}
        return own
