"""The dialects of JSON Schema in OpenAPI documents, and the translation of a document's schemas to JSON Schema.

OpenAPI 3.0 has JSON Schema draft 4 with `nullable`; OpenAPI 3.1 has 2020-12, or the draft that `jsonSchemaDialect`
names. In both, `readOnly` and `writeOnly` members differ between requests and responses.
"""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from jsonschema_rs import Draft4Validator, Draft6Validator, Draft7Validator, Draft201909Validator, Draft202012Validator

from .formats import INTEGER_BOUNDS
from .grammar import SCHEMAS, SCHEMAS_BY_NAME
from .pointer import fragment

if TYPE_CHECKING:
    from .references import References

Validator = Draft4Validator | Draft6Validator | Draft7Validator | Draft201909Validator | Draft202012Validator

DIALECTS: dict[str, type[Any]] = {
    "https://spec.openapis.org/oas/3.1/dialect/base": Draft202012Validator,
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "http://json-schema.org/draft-06/schema": Draft6Validator,
    "http://json-schema.org/draft-04/schema": Draft4Validator,
}
"""The validator for each `jsonSchemaDialect`."""

NEVER: dict[str, Any] = {"not": {}}
"""The schema that no value fits, such as that of a writeOnly member in a response."""
_LEFT_OUT = {
    "$id", "id", "$schema", "$anchor", "$dynamicAnchor", "$defs", "definitions", "$vocabulary", "contentSchema",
}  # fmt: skip
"""Keywords that identify schemas, which the resolved references do not need; and `contentSchema`, an annotation."""


def is_31(document: Mapping[str, Any]) -> bool:
    """Whether a document is OpenAPI 3.1."""
    return str(document.get("openapi", "")).startswith("3.1")


def dialect_of(document: Mapping[str, Any]) -> type[Any]:
    """The validator for a document's dialect. Raises LookupError for an unknown `jsonSchemaDialect`."""
    if not is_31(document):
        return Draft4Validator
    named = str(document.get("jsonSchemaDialect", "https://spec.openapis.org/oas/3.1/dialect/base")).removesuffix("#")
    if named.startswith("https://spec.openapis.org/oas/3.1/dialect/"):
        return Draft202012Validator
    return DIALECTS[named]


class Translator:
    """Translates the schemas of a document to JSON Schema, for one direction.

    Each `$ref` becomes a reference to a definition, so recursive schemas stay finite; each is translated once.
    `hidden` is the keyword of the members that the direction does not see: `readOnly`, or `writeOnly`. A pattern that
    `judges` refuses is left out.
    """

    def __init__(self, resolve: "References", hidden: str, judges: Callable[[str], bool]) -> None:
        self._resolve, self._hidden, self._judges = resolve, hidden, judges
        self._definitions: dict[str, tuple[Any, list[str]]] = {}
        """The translated definitions, each with the references in it."""
        self._lock = Lock()

    def document(self, schema: Any) -> dict[str, Any]:
        """A translated schema with all definitions that it needs in `$defs`."""
        with self._lock:
            waiting: list[str] = []
            translated = self._schema(schema, waiting)
            definitions: dict[str, Any] = {}
            while waiting:
                reference = waiting.pop()
                if (name := _name(reference)) not in definitions:
                    if name not in self._definitions:
                        inner: list[str] = []
                        self._definitions[name] = self._schema(self._resolve(reference), inner), inner
                    definitions[name], further = self._definitions[name]
                    waiting += further
        if not isinstance(translated, dict):
            translated = {} if translated else {"not": {}}
        return {**translated, "$defs": definitions}

    def _schema(self, schema: Any, references: list[str]) -> Any:
        """A translated schema; adds its references to `references`."""
        if not isinstance(schema, dict):
            return schema  # a boolean
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return self._translated(schema, references)
        references.append(reference)
        here = {"$ref": fragment(("$defs", _name(reference)))}
        beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        return {**here, **self._translated(beside, references)} if self._resolve.is_31 and beside else here

    def _translated(self, schema: dict[str, Any], references: list[str]) -> dict[str, Any]:
        kept = {keyword: value for keyword, value in schema.items() if keyword not in _LEFT_OUT}
        translated = with_schemas(kept, lambda inside: self._schema(inside, references))
        if isinstance(properties := schema.get("properties"), dict):
            never = {name for name, each in properties.items() if self._resolve.followed(each).get(self._hidden)}
            if self._hidden == "writeOnly":
                translated["properties"] |= dict.fromkeys(never, NEVER)
            translated["required"] = [name for name in schema.get("required", ()) if name not in never]
        if isinstance(pattern := schema.get("pattern"), str) and not self._judges(pattern):
            del translated["pattern"]
        if isinstance(patterns := schema.get("patternProperties"), dict) and not all(map(self._judges, patterns)):
            del translated["patternProperties"]
            translated.pop("additionalProperties", None)  # which members are additional is unknown then
        if bounds := INTEGER_BOUNDS.get(schema.get("format", "")):
            translated.setdefault("minimum", bounds[0])
            translated.setdefault("maximum", bounds[1])
        if schema.get("x-utc") and self._hidden == "writeOnly":
            translated["pattern"] = "Z$"  # undeclared: generators stumble over a pattern of a date-time
        if not self._resolve.is_31 and schema.get("nullable") and "type" in schema:
            translated["type"] = [schema["type"], "null"]
        if translated.get("required") == []:
            del translated["required"]  # draft 4 requires at least one name
        return translated


def _name(reference: str) -> str:
    """The name of the definition for a reference in a document."""
    return reference.removeprefix("#/")


def with_schemas(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """A schema with `change` applied to each direct subschema."""
    return {keyword: changed(keyword, value, change) for keyword, value in schema.items()}


def changed(keyword: str, value: Any, change: Callable[[Any], Any]) -> Any:
    """The value of one keyword with `change` applied to each direct subschema."""
    if keyword not in SCHEMAS:
        return value
    if isinstance(value, list):
        return [change(each) for each in value]
    if isinstance(value, dict) and keyword in SCHEMAS_BY_NAME:
        return {name: change(each) for name, each in value.items()}
    return change(value)


def with_bounds(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of draft 4 with the exclusive bounds of later drafts, which are numbers instead of booleans."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(flag := schema.get(exclusive), bool):
            del schema[exclusive]
            if flag and bound in schema:
                schema[exclusive] = schema.pop(bound)
    return schema
