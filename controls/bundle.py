"""The contract of the controls: their own file, bundled with components of the API's contract."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ..contract.document import BUILT_IN, Contract, read_document
from ..contract.grammar import objects
from ..contract.references import Bundle
from ..contract.resource import Resource

BASE_PATH = "/_mock"
_SHARED = re.compile(r"\.\./openapi\.yaml#/components/(\w+)/(\w+)")
"""The references of the controls' file to components of an API."""
OTHER = "mocked.yaml"
"""The file name in references to a contract other than the built-in one."""
MAX_ITEMS = 100_000
ANY_OBJECT = {"type": "object", "additionalProperties": True}
_FILE = (Path(__file__).parent / "controls.yaml").resolve()


@lru_cache(maxsize=4)
def load_controls(contract: Contract) -> Contract:
    """The contract of the controls of a mock of `contract`. Its problems are the API's, and some of its own.

    Where the API's contract lacks a shared component, all of them are those of the built-in contract, and the schemas
    of the state are made of the API's resources, if any. The examples have the `x-examples` of the API, if it has them.
    """
    shared = _SHARED.findall(_FILE.read_text("utf-8"))  # raises OSError in a zip
    own, api = deepcopy(_read(_FILE)), contract.document
    if all(name in api.get("components", {}).get(kind, {}) for kind, name in shared):
        return Contract(_bundled(own, api, contract), BASE_PATH)
    for _, _, node in objects(own):  # the examples are about configurations
        for name in ("example", "examples", "x-request"):
            node.pop(name, None)
    own["paths"] = {path: _of_any(item, contract) for path, item in own["paths"].items()}
    own["components"]["schemas"] |= _state(contract)
    built_in = _read(BUILT_IN)
    # The reference of the controls explains these problems, that of the API does not.
    explained = {
        kind: {"type": f"{BASE_PATH}/docs#{kind}", **{name: each[name] for name in each if name != "x-request"}}
        for kind, each in built_in["x-problems"].items()
    }
    return Contract(_bundled(own, {**built_in, "x-problems": explained}, contract), BASE_PATH)


@cache
def _read(path: Path) -> dict[str, Any]:
    """A document of this package, which is not changed."""
    return read_document(path)


_OF_ONE = {"addToState", "replaceInState", "deleteFromState"}
"""The operations on one document of the state."""


def _of_any(item: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    """The operations of a path for the resources of another contract."""
    made: dict[str, Any] = {}
    for name, each in item.items():
        if name == "parameters":
            made[name] = each
        elif each["operationId"] == "makeConfiguration" and len(contract.resources) > 1:
            made[name] = {**each, "parameters": [_table(contract.resources, required=False)]}
        elif each["operationId"] not in _OF_ONE:
            made[name] = each
        elif contract.resources:
            made[name] = _of_one(each, contract.resources)
    return made


def _of_one(operation: Mapping[str, Any], resources: Sequence[Resource]) -> dict[str, Any]:
    """An operation on one document, with the schema of the resource, or with a parameter for its table."""
    given, shown = (
        _item(resources[0], is_new=is_new) if len(resources) == 1 else ANY_OBJECT for is_new in (True, False)
    )
    made = {**operation, "parameters": [_table(resources, required=True)] if len(resources) > 1 else []}
    if "requestBody" in operation:
        made["requestBody"] = {**operation["requestBody"], "content": {"application/json": {"schema": given}}}
    made["responses"] = {
        status: {**each, "content": {"application/json": {"schema": shown}}} if "content" in each else each
        for status, each in operation["responses"].items()
    }
    return made


def _table(resources: Sequence[Resource], *, required: bool) -> dict[str, Any]:
    return {
        "name": "table",
        "in": "query",
        "required": required,
        "description": f"What it is one of{'' if required else '; the first that has a create, if it is absent'}.",
        "schema": {"type": "string", "enum": [each.table for each in resources]},
    }


def _state(contract: Contract) -> dict[str, Any]:
    """The schemas of a state: an array of the one resource, or an object of arrays by table."""
    schemas: dict[str, Any] = {}
    for name, most in (("State", {}), ("NewState", {"maxItems": MAX_ITEMS})):
        arrays = {
            each.table: {"type": "array", **most, "items": _item(each, is_new=name == "NewState")}
            for each in contract.resources
        }
        by_table = {"type": "object", "additionalProperties": False, "properties": arrays}
        schemas[name] = next(iter(arrays.values())) if len(arrays) == 1 else by_table
    return schemas


def _item(resource: Resource, *, is_new: bool) -> dict[str, Any]:
    if resource.not_in_requests if is_new else resource.hidden:
        # The contract's schemas lack some stored members, which the handlers judge.
        return ANY_OBJECT
    shown = f"#/components/schemas/{resource.name}"
    return {"$ref": OTHER + (resource.input.get("$ref", shown) if is_new else shown)}


def _bundled(document: dict[str, Any], api: Mapping[str, Any], other: Contract) -> dict[str, Any]:
    """One document: each component of the API that the controls refer to becomes one of the controls."""
    mocked = _FILE.with_name(OTHER)
    for reference, (file, _) in Bundle(document, _FILE, known={BUILT_IN: api, mocked: other.document}).origins.items():
        if file == mocked:  # another contract's resource is none of the controls
            document["components"]["schemas"][reference.rpartition("/")[2]].pop("x-resource", None)
    document["x-problems"] = {**api.get("x-problems", {}), **document["x-problems"]}
    document["x-examples"] = {**api.get("x-examples", {}), **document["x-examples"]}
    return document
