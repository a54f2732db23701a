"""The grammar of an OpenAPI document: the objects of the specification, 3.0 and 3.1, and the objects inside of each.

One table for every search (of references, `x-` members, duplicates), which then covers the whole document, and never
takes data of the API, such as an example with a member `$ref`, for a part of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
LocatedObject = tuple[str, Path, dict[str, Any]]
"""The kind of an object, its path, and the object, which may be a reference to one of its kind."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

COMPONENTS = {
    "schemas": "schema",
    "responses": "response",
    "parameters": "parameter",
    "examples": "example",
    "requestBodies": "requestBody",
    "headers": "header",
    "securitySchemes": "securityScheme",
    "links": "link",
    "callbacks": "callback",
    "pathItems": "pathItem",
}
"""The kinds of the components, by member of `components`."""

SCHEMAS_BY_NAME = {"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"}
_LISTS_OF_SCHEMAS = {"allOf", "anyOf", "oneOf", "prefixItems"}
SCHEMAS = SCHEMAS_BY_NAME | _LISTS_OF_SCHEMAS | {
    "items", "additionalItems", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
}  # fmt: skip
"""The keywords of JSON Schema that hold schemas: one, a list of them, or several by name."""

_ONE, _MANY = "one", "many"
_GRAMMAR: dict[str, dict[str, tuple[str, str]]] = {
    "document": {
        "paths": (_MANY, "pathItem"),
        "webhooks": (_MANY, "pathItem"),
        "components": (_ONE, "components"),
    },
    "components": {member: (_MANY, kind) for member, kind in COMPONENTS.items()},
    "pathItem": {"parameters": (_MANY, "parameter"), **dict.fromkeys(METHODS, (_ONE, "operation"))},
    "operation": {
        "parameters": (_MANY, "parameter"),
        "requestBody": (_ONE, "requestBody"),
        "responses": (_MANY, "response"),
        "callbacks": (_MANY, "callback"),
    },
    "parameter": {"schema": (_ONE, "schema"), "examples": (_MANY, "example"), "content": (_MANY, "content")},
    "requestBody": {"content": (_MANY, "content")},
    "response": {"headers": (_MANY, "header"), "content": (_MANY, "content"), "links": (_MANY, "link")},
    "content": {"schema": (_ONE, "schema"), "examples": (_MANY, "example"), "encoding": (_MANY, "encoding")},
    "encoding": {"headers": (_MANY, "header")},
    "schema": {
        keyword: (_MANY if keyword in SCHEMAS_BY_NAME | _LISTS_OF_SCHEMAS else _ONE, "schema") for keyword in SCHEMAS
    },
}
_GRAMMAR["header"] = _GRAMMAR["parameter"]
_EXTENSIBLE = ("paths", "responses")
"""Objects with free names that have extensions beside them."""


def is_container(kind: str, member: str) -> bool:
    """Whether a member holds objects by name or in a list, and is no such object itself."""
    known = _GRAMMAR.get(kind, {})
    return (
        known[member][0] is _MANY if member in known else kind == "document" and member in ("info", "tags", "servers")
    )


def inside(kind: str, node: Mapping[str, Any]) -> Iterator[LocatedObject]:
    """The objects directly inside of one."""
    if kind == "callback":
        for name, value in node.items():
            if isinstance(value, dict) and not name.startswith("x-"):
                yield "pathItem", (name,), value
        return
    known = _GRAMMAR.get(kind)
    if known is None:
        return
    for member, value in node.items():
        if member not in known:
            continue
        many, inner = known[member]
        if isinstance(value, list):
            yield from ((inner, (member, at), each) for at, each in enumerate(value) if isinstance(each, dict))
        elif isinstance(value, dict) and many is _ONE:
            yield inner, (member,), value
        elif isinstance(value, dict):
            yield from (
                (inner, (member, name), each)
                for name, each in value.items()
                if isinstance(each, dict) and not (member in _EXTENSIBLE and name.startswith("x-"))
            )


def objects(document: dict[str, Any]) -> Iterator[LocatedObject]:
    """Every object of a document, the document first, each before the objects inside of it."""
    waiting: list[LocatedObject] = [("document", (), document)]
    while waiting:
        kind, path, node = waiting.pop()
        yield kind, path, node
        found = [(inner, (*path, *steps), each) for inner, steps, each in inside(kind, node)]
        waiting += reversed(found)
