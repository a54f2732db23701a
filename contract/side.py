"""A schema as one contract judges values of one direction, whichever version of OpenAPI it is written in."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

from jsonschema_rs import Draft202012Validator

from .finding import Finding, Place, json_pointer
from .formats import FORMATS
from .normal import BY_NAME, OF_MANY, OF_ONE, normal, reachable, reference_to
from .schema import UNSEEN, Direction, Resolve, Schema, dereferenced
from .witness import Values

Json = Any
_BITS = {"int32": 31, "int64": 63}


class Translation:
    """The schemas of one contract in one direction, each translated once; hidden members are not required."""

    def __init__(self, resolve: Resolve, direction: Direction, *, is_31: bool, bodies: Iterable[Json] = ()) -> None:
        """`bodies` are the schemas that are judged together: compiling what they refer to takes long."""
        self.resolve, self.direction, self.is_31 = resolve, direction, is_31
        self._hidden = UNSEEN[direction]
        self._bodies = {str(id(schema)): schema for schema in bodies}
        self.definitions: dict[str, Json] = {}
        self._waiting: list[str] = []
        """References whose definitions are not translated yet."""
        self.values = Values(self.definitions, {})

    def side(self, schema: Json) -> "Side":
        return (Side31 if self.is_31 else Side30)(schema, self)

    def name_of(self, schema: Json) -> str | None:
        """The member of the shared schema that a body's schema is."""
        return str(id(schema)) if str(id(schema)) in self._bodies else None

    @cached_property
    def bodies(self) -> Schema:
        return Schema({"properties": self._bodies}, self.resolve, self.direction)

    def schema(self, schema: Json) -> Json:
        """In the one form of `normal`; what it refers to, however far, is among the definitions."""
        translated = normal(self._translated(schema))
        while self._waiting:
            reference = self._waiting.pop()
            self.definitions[_name(reference)] = normal(self._translated(self.resolve(reference)))
        return translated

    def _translated(self, schema: Json) -> Json:
        if not isinstance(schema, dict):
            return schema
        if (reference := schema.get("$ref")) is not None:
            own = {"$ref": self._definition(reference)}
            beside = {word: value for word, value in schema.items() if word != "$ref"} if self.is_31 else {}
            return {"allOf": [own, self._translated(beside)]} if normal(beside) else own
        translated = dict(schema)
        for word, value in schema.items():
            if word in OF_ONE:
                translated[word] = self._translated(value)
            elif word in OF_MANY:
                translated[word] = [self._translated(each) for each in value]
            elif word in BY_NAME:
                translated[word] = {name: self._translated(each) for name, each in value.items()}
        self._hide(schema, translated)
        if bits := _BITS.get(schema.get("format", "")):
            translated.setdefault("minimum", -(2**bits))
            translated.setdefault("maximum", 2**bits - 1)
        if schema.get("x-utc") and self.direction == "response":
            translated["pattern"] = "Z$"
        if not self.is_31 and schema.get("nullable") and "type" in schema:
            translated["type"] = [schema["type"], "null"]
        return translated

    def _hide(self, schema: Json, translated: dict[str, Json]) -> None:
        hidden = {name for name, each in schema.get("properties", {}).items() if self._is_hidden(each)}
        if hidden:
            translated["required"] = [name for name in schema.get("required", ()) if name not in hidden]
            if self.direction == "response":
                translated["properties"] |= dict.fromkeys(hidden, False)

    def _definition(self, reference: str) -> str:
        name = _name(reference)
        if name not in self.definitions:
            self.definitions[name] = True  # until its turn comes
            self._waiting.append(reference)
        return reference_to(name)

    def _is_hidden(self, schema: Json) -> bool:
        return isinstance(schema, dict) and bool(dereferenced(schema, self.resolve).get(self._hidden, False))


def _name(reference: str) -> str:
    return reference.removeprefix("#/")


class _Side:
    """A schema, what it refers to, and values of it."""

    def __init__(self, schema: Json, translation: Translation) -> None:
        self.schema = translation.schema(schema)
        self.definitions, self.values = translation.definitions, translation.values


class Side30(_Side):
    """A schema of OpenAPI 3.0, judged by the engine itself.

    The bodies of a document share one compiled schema, with a member for each of them.
    """

    is_31 = False

    def __init__(self, schema: Json, translation: Translation) -> None:
        super().__init__(schema, translation)
        self._raw, self._translation = schema, translation
        self._name = translation.name_of(schema)

    @cached_property
    def _engine(self) -> Schema:
        if self._name is not None:
            return self._translation.bodies
        return Schema(self._raw, self._translation.resolve, self._translation.direction)

    def _wrapped(self, value: Json) -> Json:
        return value if self._name is None else {self._name: value}

    def accepts(self, value: Json) -> bool:
        return self._engine.accepts(self._wrapped(value))

    def findings(self, value: Json, place: Place, name: str | None = None) -> list[Finding]:
        found = self._engine.findings(self._wrapped(value), place, name)
        return [replace(each, pointer=_inside(each.pointer)) for each in found] if self._name is not None else found

    def findings_of_part(self, schema: Json, value: Json) -> list[Finding]:
        """In a large document this takes a thousandth of the time."""
        if not isinstance(schema, dict) or not schema.keys() <= _PLAIN or any(schema.get("properties", {}).values()):
            return []
        return Schema(schema, self._translation.resolve, self._translation.direction).findings(value, "body")


_PLAIN = {"type", "enum", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern", "format"}
_PLAIN |= {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required", "properties"}
_PLAIN |= {"additionalProperties"}


def _inside(pointer: str | None) -> str | None:
    """A pointer without its first step."""
    return None if pointer is None else pointer[pointer.find("/", 1) :] if pointer.count("/") > 1 else ""


class Side31(_Side):
    """A schema of OpenAPI 3.1, which is JSON Schema 2020-12."""

    is_31 = True

    @cached_property
    def _engine(self) -> Draft202012Validator:
        whole = reachable(self.schema, self.definitions)
        return Draft202012Validator(whole, formats=FORMATS, validate_formats=True)

    def accepts(self, value: Json) -> bool:
        return self._engine.is_valid(value)

    def findings(self, value: Json, place: Place, name: str | None = None) -> list[Finding]:
        return [
            Finding(error.kind.name, place, error.message, None if name else json_pointer(error.instance_path), name)
            for error in self._engine.iter_errors(value)
        ]

    def findings_of_part(self, _schema: Json, _value: Json) -> list[Finding]:
        return []


Side = Side30 | Side31
