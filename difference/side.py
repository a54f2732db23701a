"""A schema as one contract judges values of one direction, whichever version of OpenAPI it is written in."""

from functools import cached_property
from typing import Any

from jsonschema_rs import Draft202012Validator

from ..contract.finding import Finding, Place, json_pointer
from ..contract.formats import FORMATS
from ..contract.schema import Direction, Resolve, Schema, dereferenced
from .normal import BY_NAME, OF_MANY, OF_ONE, normal, reachable, reference_to

Json = Any
_BITS = {"int32": 31, "int64": 63}
_HIDDEN: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}


class Translation:
    """The schemas of one contract in one direction, each translated once; hidden members are not required."""

    def __init__(self, resolve: Resolve, direction: Direction, *, is_31: bool) -> None:
        self.resolve, self.direction, self.is_31 = resolve, direction, is_31
        self._hidden = _HIDDEN[direction]
        self.definitions: dict[str, Json] = {}

    def side(self, schema: Json) -> "Side":
        return (Side31 if self.is_31 else Side30)(schema, self)

    def schema(self, schema: Json) -> Json:
        """In the one form of this package; what it refers to is among the definitions."""
        return normal(self._translated(schema))

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
        name = reference.removeprefix("#/")
        if name not in self.definitions:
            self.definitions[name] = True  # a recursive schema meets itself here
            self.definitions[name] = self.schema(self.resolve(reference))
        return reference_to(name)

    def _is_hidden(self, schema: Json) -> bool:
        return isinstance(schema, dict) and bool(dereferenced(schema, self.resolve).get(self._hidden, False))


class Side30:
    """A schema of OpenAPI 3.0, judged by the engine itself."""

    is_31 = False

    def __init__(self, schema: Json, translation: Translation) -> None:
        self._raw, self.translation = schema, translation
        self.schema = translation.schema(schema)
        self.definitions = translation.definitions

    @cached_property
    def engine(self) -> Schema:
        return Schema(self._raw, self.translation.resolve, self.translation.direction)

    def accepts(self, value: Json) -> bool:
        return self.engine.accepts(value)

    def findings(self, value: Json, place: Place, name: str | None = None) -> list[Finding]:
        return self.engine.findings(value, place, name)


class Side31:
    """A schema of OpenAPI 3.1, which is JSON Schema 2020-12."""

    is_31 = True

    def __init__(self, schema: Json, translation: Translation) -> None:
        self.translation = translation
        self.schema = translation.schema(schema)
        self.definitions = translation.definitions

    @cached_property
    def engine(self) -> Draft202012Validator:
        whole = reachable(self.schema, self.definitions)
        return Draft202012Validator(whole, formats=FORMATS, validate_formats=True)

    def accepts(self, value: Json) -> bool:
        return self.engine.is_valid(value)

    def findings(self, value: Json, place: Place, name: str | None = None) -> list[Finding]:
        return [
            Finding(error.kind.name, place, error.message, None if name else json_pointer(error.instance_path), name)
            for error in self.engine.iter_errors(value)
        ]


Side = Side30 | Side31
