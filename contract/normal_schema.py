"""The schemas of one contract in one direction: in normal form, and compiled."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from .dialect import Translator
from .finding import Finding, Place
from .normal import merged, normal
from .references import References
from .schema import UNSEEN, Direction, Json, Schema
from .shape import KEYWORDS
from .witness import Values

_PLAIN = {*KEYWORDS, "required", "properties", "additionalProperties"}


class NormalSchemas:
    """Makes the normal schemas of one contract; referenced schemas are normalized once."""

    def __init__(self, resolve: References, direction: Direction, bodies: Iterable[Json] = ()) -> None:
        """`bodies` are schemas that are compiled together, because compiling their references is slow."""
        self.resolve, self.direction = resolve, direction
        # A pattern that the engine does not support stays, because a proof must not ignore it.
        self._translator = Translator(resolve, UNSEEN[direction], lambda _: True)
        self._bodies = {str(id(schema)): schema for schema in bodies}
        self.definitions: dict[str, Json] = {}
        self.values = Values(self.definitions, {})

    def of(self, schema: Json) -> "NormalSchema":
        name = str(id(schema))
        return NormalSchema(schema, self, name if name in self._bodies else None)

    @cached_property
    def bodies(self) -> Schema:
        return Schema({"properties": self._bodies}, self.resolve, self.direction)

    def normal(self, schema: Json) -> Json:
        """A schema in normal form; adds all referenced schemas to the definitions."""
        document = self._translator.document(schema)
        for name, definition in document.pop("$defs").items():
            if name not in self.definitions:
                self.definitions[name] = normal(definition)
        return normal(document)


class NormalSchema:
    """One schema: its normal form, its definitions, its values, and the engine.

    The bodies of a document share one compiled schema, in which `name` is the member for this one.
    """

    def __init__(self, schema: Json, schemas: NormalSchemas, name: str | None) -> None:
        self.schema, self.definitions, self.values = schemas.normal(schema), schemas.definitions, schemas.values
        self.is_31 = schemas.resolve.is_31
        """Whether 1.0 is an integer: in JSON Schema 2020-12, but not in OpenAPI 3.0."""
        self._raw, self._normal_schemas, self._name = schema, schemas, name

    @cached_property
    def flat(self) -> dict[str, Json]:
        """All that the schema asks, in one; empty where nothing fits it."""
        return merged([self.schema], self.definitions) or {}

    @cached_property
    def _engine(self) -> Schema:
        if self._name is not None:
            return self._normal_schemas.bodies
        return Schema(self._raw, self._normal_schemas.resolve, self._normal_schemas.direction)

    def _wrapped(self, value: Json) -> Json:
        return value if self._name is None else {self._name: value}

    def accepts(self, value: Json) -> bool:
        return self._engine.accepts(self._wrapped(value))

    def findings(self, value: Json, place: Place, name: str | None = None) -> list[Finding]:
        """The findings of the engine in a value."""
        found = self._engine.findings(self._wrapped(value), place, name)
        return [replace(each, pointer=_inside(each.pointer)) for each in found] if self._name is not None else found

    def findings_of_part(self, schema: Json, value: Json) -> list[Finding]:
        """The findings in a part of a body by a part of the schema, if that has simple keywords alone; else none.

        In a large document this takes a thousandth of the time.
        """
        if not isinstance(schema, dict) or not schema.keys() <= _PLAIN or any(schema.get("properties", {}).values()):
            return []
        if not isinstance(schema.get("additionalProperties", True), bool):  # it may refer to other schemas
            return []
        return Schema(schema, self._normal_schemas.resolve, self._normal_schemas.direction).findings(value, "body")


def _inside(pointer: str | None) -> str | None:
    """A pointer without its first reference token."""
    return None if pointer is None else pointer[pointer.find("/", 1) :] if pointer.count("/") > 1 else ""
