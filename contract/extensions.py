"""Our own `x-` members in an OpenAPI document, held against `extensions.schema.json`. Those of other tools pass."""

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NoReturn, get_args

import orjson

from .finding import Level, json_pointer
from .rulebook import RULES
from .schema import Schema

Path = tuple[str | int, ...]
Place = tuple[str, Path, Mapping[str, Any]]
"""The kind of an object of OpenAPI, where it is, and the object."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_COMPONENTS = {
    "schemas": "schema",
    "responses": "response",
    "requestBodies": "requestBody",
    "examples": "example",
    "securitySchemes": "securityScheme",
    "parameters": "parameter",
    "headers": "parameter",
}


@cache
def _vocabulary() -> dict[str, dict[str, Schema]]:
    """The judge of each member by its name, by the kind of object that it belongs to."""
    declared = orjson.loads((files(__package__) / "extensions.schema.json").read_bytes())["definitions"]
    severity = declared["document"]["properties"]["x-severity"]
    severity["properties"] = {rule: {"type": "string", "enum": list(get_args(Level))} for rule in RULES}
    return {
        kind: {name: Schema(member, _no_references, "request") for name, member in each["properties"].items()}
        for kind, each in declared.items()
    }


def _no_references(reference: str) -> NoReturn:
    raise AssertionError(reference)


def extensions(document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with `x-` members of ours, in words: one that is misspelt, or that has not its shape."""
    for kind, path, node in _objects(document):
        known = _vocabulary().get(kind, {})
        for name, value in node.items():
            if name in known:
                for finding in known[name].findings(value, "body"):
                    yield f"{json_pointer((*path, name))}{finding.pointer} {finding.detail}"
            elif name.startswith("x-") and (near := difflib.get_close_matches(name, known, 1, 0.8)):
                yield f'{json_pointer((*path, name))} is not a known member; did you mean "{near[0]}"?'


def _objects(document: Mapping[str, Any]) -> Iterator[Place]:
    """Every object of a document that a member of ours may stand in."""
    yield "document", (), document
    open_at: list[Place] = [
        (_COMPONENTS[kind], ("components", kind, name), each)
        for kind, named in document.get("components", {}).items()
        if kind in _COMPONENTS
        for name, each in named.items()
    ]
    open_at += [("pathItem", ("paths", path), item) for path, item in document["paths"].items()]
    while open_at:
        kind, path, node = open_at.pop(0)
        if isinstance(node, dict) and "$ref" not in node:
            yield kind, path, node
            open_at += [(inner, (*path, *steps), each) for inner, steps, each in _inside(kind, node)]


def _inside(kind: str, node: Mapping[str, Any]) -> Iterator[Place]:
    if kind == "pathItem":
        yield from (("operation", (method,), node[method]) for method in _METHODS if method in node)
    if kind in ("pathItem", "operation"):
        yield from (("parameter", ("parameters", at), each) for at, each in enumerate(node.get("parameters", ())))
    if kind == "operation":
        yield "requestBody", ("requestBody",), node.get("requestBody", {})
        yield from (("response", ("responses", str(at)), each) for at, each in node.get("responses", {}).items())
    if kind in ("requestBody", "response"):
        yield from (("content", ("content", name), each) for name, each in node.get("content", {}).items())
    if kind == "response":
        yield from (("parameter", ("headers", name), each) for name, each in node.get("headers", {}).items())
    if kind in ("content", "parameter"):
        yield "schema", ("schema",), node.get("schema", {})
        yield from (("example", ("examples", name), each) for name, each in node.get("examples", {}).items())
    if kind == "schema":
        yield from (("schema", ("properties", name), each) for name, each in node.get("properties", {}).items())
        for word in ("allOf", "anyOf", "oneOf"):
            yield from (("schema", (word, at), each) for at, each in enumerate(node.get(word, ())))
        yield from (
            ("schema", (word,), node[word]) for word in ("items", "not", "additionalProperties") if word in node
        )
