"""The dialects of JSON Schema that OpenAPI documents are written in, and a document's schemas in one of them.

OpenAPI 3.0 is JSON Schema draft 4 with `nullable`. OpenAPI 3.1 is JSON Schema 2020-12, unless `jsonSchemaDialect` says
another draft. In both, one direction of the traffic sees some members differently than the other.
"""

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any
from urllib.parse import quote, unquote

from jsonschema_rs import (
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
)

from .formats import INTEGER_BOUNDS
from .grammar import SCHEMAS, SCHEMAS_BY_NAME

Validator = Draft4Validator | Draft6Validator | Draft7Validator | Draft201909Validator | Draft202012Validator

DIALECTS: dict[str, type[Any]] = {
    "https://spec.openapis.org/oas/3.1/dialect/base": Draft202012Validator,
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "http://json-schema.org/draft-06/schema": Draft6Validator,
    "http://json-schema.org/draft-04/schema": Draft4Validator,
}
"""What judges by each `jsonSchemaDialect`."""

NEVER: dict[str, Any] = {"not": {}}
"""What a writeOnly member is in a response."""
_LEFT_OUT = {
    "$id",
    "id",
    "$schema",
    "$anchor",
    "$dynamicAnchor",
    "$defs",
    "definitions",
    "$vocabulary",
    "contentSchema",
}
"""Keywords that say where schemas are: references are JSON Pointers by now. `contentSchema` judges nothing."""


def is_31(document: Mapping[str, Any]) -> bool:
    """Whether it is of OpenAPI 3.1, whose schemas are others than those of 3.0."""
    return str(document.get("openapi", "")).startswith("3.1")


def dialect_of(document: Mapping[str, Any]) -> type[Any]:
    """The validator of a document's schemas. Raises LookupError for a `jsonSchemaDialect` that is not known."""
    if not is_31(document):
        return Draft4Validator
    named = str(document.get("jsonSchemaDialect", "https://spec.openapis.org/oas/3.1/dialect/base")).removesuffix("#")
    if named.startswith("https://spec.openapis.org/oas/3.1/dialect/"):
        return Draft202012Validator
    return DIALECTS[named]


class Translator:
    """From the schemas of a document to JSON Schema, as one direction sees them.

    Each `$ref` becomes a definition, so recursive schemas stay finite; each is translated once, for all.
    `followed` gives what a schema is behind its references, `hidden` is what the direction does not see: `readOnly`,
    or `writeOnly`. A pattern that `judges` is not true of is left out.
    """

    def __init__(
        self,
        resolve: Callable[[str], Any],
        followed: Callable[[Any], Mapping[str, Any]],
        hidden: str,
        judges: Callable[[str], bool],
        *,
        is_31: bool,
    ) -> None:
        self._resolve, self._followed, self._hidden, self._is_31 = resolve, followed, hidden, is_31
        self._judges = judges
        self._definitions: dict[str, Any] = {}
        self._leads_to: dict[str, set[str]] = {}
        self._lock = RLock()

    def document(self, schema: Any) -> dict[str, Any]:
        """A schema with the definitions that it leads to."""
        with self._lock:
            names: set[str] = set()
            translated = self._schema(schema, names)
            definitions: dict[str, Any] = {}
            while names:
                name = names.pop()
                definitions[name] = self._definitions[name]
                names |= self._leads_to[name] - definitions.keys()
        if not isinstance(translated, dict):
            translated = {} if translated else {"not": {}}
        return {**translated, "definitions": definitions}

    def _schema(self, schema: Any, names: set[str]) -> Any:
        """A schema translated; the definitions that it refers to are added to `names`."""
        if not isinstance(schema, dict):
            return schema  # a boolean
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return self._translated(schema, names)
        name = reference.removeprefix("#/")
        names.add(name)
        if name not in self._definitions:
            self._definitions[name], inner = {}, set[str]()  # a recursive schema meets itself here
            self._definitions[name] = self._schema(self._resolve(reference), inner)
            self._leads_to[name] = inner
        here = {"$ref": f"#/definitions/{escape(name)}"}
        beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        return {**here, **self._translated(beside, names)} if self._is_31 and beside else here

    def _translated(self, schema: dict[str, Any], names: set[str]) -> dict[str, Any]:
        translated = {
            keyword: self._inside(keyword, value, names) if keyword in SCHEMAS else value
            for keyword, value in schema.items()
            if keyword not in _LEFT_OUT
        }
        if isinstance(properties := schema.get("properties"), dict):
            never = {name for name, each in properties.items() if self._is_hidden(each)}
            if self._hidden == "writeOnly":
                translated["properties"] |= dict.fromkeys(never, NEVER)
            translated["required"] = [name for name in schema.get("required", ()) if name not in never]
        if isinstance(pattern := schema.get("pattern"), str) and not self._judges(pattern):
            del translated["pattern"]
        if isinstance(patterns := schema.get("patternProperties"), dict) and not all(map(self._judges, patterns)):
            del translated["patternProperties"]
            translated.pop("additionalProperties", None)  # nobody knows then which are others
        if bounds := INTEGER_BOUNDS.get(schema.get("format", "")):
            translated.setdefault("minimum", bounds[0])
            translated.setdefault("maximum", bounds[1])
        if schema.get("x-utc") and self._hidden == "writeOnly":
            translated["pattern"] = "Z$"  # of our own making: generators stumble over a pattern beside a date-time
        if not self._is_31 and schema.get("nullable") and "type" in schema:
            translated["type"] = [schema["type"], "null"]
        if translated.get("required") == []:
            del translated["required"]  # draft 4 wants at least one
        return translated

    def _inside(self, keyword: str, value: Any, names: set[str]) -> Any:
        if isinstance(value, list):
            return [self._schema(each, names) for each in value]
        if isinstance(value, dict) and keyword in SCHEMAS_BY_NAME:
            return {name: self._schema(each, names) for name, each in value.items()}
        return self._schema(value, names)

    def _is_hidden(self, schema: Any) -> bool:
        return bool(self._followed(schema).get(self._hidden, False))


def escape(name: str) -> str:
    """A name as a step of a JSON Pointer in a URI fragment (RFC 6901, section 6)."""
    return quote(name.replace("~", "~0").replace("/", "~1"))


def unescape(step: str) -> str:
    return unquote(step).replace("~1", "/").replace("~0", "~")
