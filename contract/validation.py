"""The validation of a contract: OpenAPI 3.0 or 3.1, references without loops, valid `x-` members.

The engine judges by the published schemas of OpenAPI, which takes milliseconds, and reports the innermost invalid
object.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft4Validator, Draft202012Validator

from .extensions import extensions
from .grammar import LocatedObject, objects
from .path_template import parameters_of
from .pointer import json_pointer, pointed
from .references import InvalidContract, References
from .schema import Schema, show

MAX_NESTING = 900
_SAME_VALUE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
"""Keywords whose subschemas apply to the same value."""
_KINDS_30 = {
    "components": "Components", "pathItem": "PathItem", "operation": "Operation", "parameter": "Parameter",
    "header": "Header", "requestBody": "RequestBody", "response": "Response", "content": "MediaType",
    "encoding": "Encoding", "schema": "Schema", "example": "Example", "link": "Link", "callback": "Callback",
    "securityScheme": "SecurityScheme",
}  # fmt: skip
_KINDS_31 = {
    "pathItem": "path-item", "requestBody": "request-body", "content": "media-type", "callback": "callbacks",
    "securityScheme": "security-scheme",
}  # fmt: skip
"""The definitions in the published schemas by kind of object; in 3.1 most have the same name."""


def judge(document: dict[str, Any]) -> None:
    """Raises InvalidContract for a self-contained document that is no valid contract."""
    resolve = References(document)
    of_specification = resolve.dialect in (Draft4Validator, Draft202012Validator)
    _check_shape(document, ("3.1" if of_specification else _OTHER) if resolve.is_31 else "3.0")
    every = list(objects(document))
    referring = [each for each in every if isinstance(each[2].get("$ref"), str)]
    for _, path, node in referring:
        try:
            resolve(node["$ref"])
        except InvalidContract as error:
            raise InvalidContract(str(error), path) from error
        except RecursionError as error:
            raise InvalidContract("has an endless chain of references", path) from error
    _check_loops({node["$ref"]: resolve(node["$ref"]) for _, _, node in referring})
    _check_identities(every, resolve)
    if (wrong := next(extensions(every), None)) is not None:
        raise InvalidContract(wrong[1], wrong[0])
    _check_patterns(every, resolve)
    if not of_specification:
        _check_schemas(every, resolve)


_OTHER = "3.1 with schemas of another dialect"


def _check_shape(document: dict[str, Any], version: str) -> None:
    """Raises InvalidContract for a document that the published schema does not allow."""
    if _specification(version, "").accepts(document):
        return
    # Inner objects come last.
    for kind, path, node in reversed(list(objects(document))):
        definition = "" if kind == "document" else _KINDS_30[kind] if version == "3.0" else _KINDS_31.get(kind, kind)
        if "$ref" in node and kind != "pathItem" and (kind != "schema" or version == "3.0"):
            definition = "Reference" if version == "3.0" else "reference"
        findings = _specification(version, definition).findings(node, "body")
        if findings:
            at = *path, *pointed(findings[0].pointer or "")
            has_no_slash = at[:-1] == ("paths",) and not str(at[-1]).startswith(("/", "x-"))
            raise InvalidContract("must begin with a slash" if has_no_slash else findings[0].detail[:200], at)
    raise InvalidContract("is not valid by the specification of OpenAPI")


@cache
def _specification(version: str, definition: str) -> Schema:
    """The published schema of OpenAPI for one kind of object; for a whole document without a definition."""
    document, resolve = _published(version)
    inner = {"$ref": f"#/{'definitions' if version == '3.0' else '$defs'}/{definition}"} if definition else document
    return Schema(inner, resolve, "request")


@cache
def _published(version: str) -> tuple[dict[str, Any], References]:
    published = _without_formats(_resource("openapi_spec_validator", f"resources/schemas/v{version[:3]}/schema.json"))
    if version == _OTHER:
        published["openapi"], published["$defs"]["schema"] = "3.1.0", {"type": ["object", "boolean"]}
    elif version == "3.1":
        vocabularies = [
            _without_formats(_resource("jsonschema_specifications", f"schemas/draft202012/vocabularies/{name}"))
            for name in ("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content")
        ]
        published["openapi"] = "3.1.0"  # so that its own schemas are judged as 2020-12
        published["$defs"]["schema"] = {
            "type": ["object", "boolean"],
            "properties": {name: each for one in vocabularies for name, each in one["properties"].items()},
        }
        published["$defs"] |= {name: each for one in vocabularies for name, each in one.get("$defs", {}).items()}
    return published, References(published)


def _resource(package: str, name: str) -> Any:
    """A JSON file of a package, read without the slow import of the package."""
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations is not None, package  # noqa: S101, PT018
    return json.loads((Path(next(iter(spec.submodule_search_locations))) / name).read_bytes())


def _without_formats(node: Any) -> Any:
    """A published schema without formats, some of which are wrong, and with its dynamic references resolved."""
    if isinstance(node, list):
        return [_without_formats(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("$dynamicRef") == "#meta":
        return {"$ref": "#/$defs/schema"}
    return {
        name: _without_formats(each) for name, each in node.items() if name != "format" or not isinstance(each, str)
    }


def _check_identities(every: list[LocatedObject], resolve: References) -> None:
    """Raises InvalidContract for duplicates, and for undeclared parameters of a path."""
    ids: dict[str, str] = {}
    of_items: dict[tuple[str | int, ...], set[str]] = {}
    for kind, path, node in every:
        if kind == "pathItem":
            of_items[path] = _path_parameters(node, path, resolve)
        elif kind == "operation" and path[0] != "components":  # those in components are in `paths` as well
            here, name = json_pointer(path), node.get("operationId", "")
            if name and ids.setdefault(name, here) != here:
                raise InvalidContract(f"is {show(name)}, as is that of {ids[name]}", (*path, "operationId"))
            declared = _path_parameters(node, path, resolve)
            if path[0] == "paths" and len(path) == 3:
                for name in parameters_of(str(path[1])):
                    if name not in declared | of_items[path[:-1]]:
                        raise InvalidContract(f"has no parameter for {{{name}}} of its path", path)


def _path_parameters(owner: Mapping[str, Any], path: tuple[str | int, ...], resolve: References) -> set[str]:
    """The names of an object's path parameters. Raises InvalidContract for a duplicate parameter."""
    seen: set[tuple[Any, Any]] = set()
    for at, each in enumerate(map(resolve.followed, owner.get("parameters", ()))):
        key = each.get("name"), each.get("in")
        if key in seen:
            raise InvalidContract(f"{key[0]} in {key[1]} is declared twice", (*path, "parameters", at))
        seen.add(key)
    return {name for name, place in seen if place == "path"}


def _check_patterns(every: list[LocatedObject], resolve: References) -> None:
    """Raises InvalidContract for a pattern that neither the engine nor Python supports."""
    for kind, path, node in every:
        if kind == "schema" and isinstance(pattern := node.get("pattern"), str) and not resolve.judges(pattern):
            try:
                re.compile(pattern)
            except re.error as error:
                raise InvalidContract(f"is no regular expression: {error}", (*path, "pattern")) from error


def _check_schemas(every: list[LocatedObject], resolve: References) -> None:
    """Raises InvalidContract for a schema that is invalid in its dialect."""
    for kind, path, node in every:
        if kind == "schema":
            try:
                Schema(node, resolve, "request").compile()
            except ValueError as error:
                raise InvalidContract(str(error).splitlines()[0][:200], path) from error


def _check_loops(targets: Mapping[str, Any]) -> None:
    """Raises InvalidContract for a schema that applies itself to the same value, or nests more than MAX_NESTING."""
    made_of = {reference: set(_same_value(target)) for reference, target in targets.items()}
    depths: dict[str, int] = {}
    try:
        for reference in TopologicalSorter(made_of).static_order():
            depths[reference] = 1 + max((depths[each] for each in made_of.get(reference, ())), default=0)
    except CycleError as error:
        raise InvalidContract(f"{min(error.args[1])}: refers to itself") from error
    if max(depths.values(), default=0) > MAX_NESTING:
        raise InvalidContract("its references form an endless chain")


def _same_value(schema: Any) -> Iterator[str]:
    """The references of a schema to schemas that apply to the same value."""
    if isinstance(schema, list):
        for each in schema:
            yield from _same_value(each)
    elif isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference
        for keyword in _SAME_VALUE:
            yield from _same_value(schema.get(keyword))
