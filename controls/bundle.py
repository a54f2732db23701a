"""The contract of the controls: their own file, with what it shares with the API's contract put in its place."""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ..contract.document import BUILT_IN, Contract, read_document
from ..contract.resource import Resource

BASE_PATH = "/_mock"
API = "../openapi.yaml"
"""What the file of the controls calls the contract of the API in its references."""
OTHER = "mocked.yaml"
"""What references to a contract are begun with that is not the one that the file was written for."""
MOST_ITEMS = 100_000
ANY_OBJECT = {"type": "object", "additionalProperties": True}
_FILE = Path(__file__).parent / "controls.yaml"


@lru_cache(maxsize=4)
def load_controls(contract: Contract) -> Contract:
    """The controls of a mock of `contract`. Their problems are the API's, and some of their own.

    What they share with an API is that of the built-in contract where the API's own has not all of it; then the state
    is made of what the API's contract stores, if anything. Their examples come about in the world of the API's, if it
    has one.
    """
    own, api = _own(), contract.document
    if all(name in api.get("components", {}).get(kind, {}) for kind, name in _shared(own)):
        return Contract(_bundled(own, api, contract), BASE_PATH)
    own = _without_examples(own)  # they are about configurations
    own = {**own, "paths": {path: _of_any(item, contract) for path, item in own["paths"].items()}}
    schemas = {**own["components"]["schemas"], **_state(contract)}
    own = {**own, "components": {**own["components"], "schemas": schemas}}
    built_in = read_document(BUILT_IN)
    # The reference of the API does not explain them, that of the controls does.
    problems = _without_examples(built_in["x-problems"], names=True)
    explained = {kind: {"type": f"{BASE_PATH}/docs#{kind}", **each} for kind, each in problems.items()}
    return Contract(_bundled(own, {**built_in, "x-problems": explained}, contract), BASE_PATH)


@cache
def _own() -> Mapping[str, Any]:
    return read_document(_FILE)


_OF_ONE = {"addToState", "replaceInState", "deleteFromState"}
"""Operations on one document of the state."""


def _of_any(item: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    """The operations of a path for what another contract stores."""
    made: dict[str, Any] = {}
    for name, each in item.items():
        if name == "parameters" or each["operationId"] not in _OF_ONE:
            made[name] = each
        elif contract.resources:
            made[name] = _of_one(each, contract.resources)
    return made


def _of_one(operation: Mapping[str, Any], resources: Sequence[Resource]) -> dict[str, Any]:
    """An operation on one document: by the schemas of what is stored, or of the table that the request names."""
    given, shown = (
        _item(resources[0], is_new=is_new) if len(resources) == 1 else ANY_OBJECT for is_new in (True, False)
    )
    table = {
        "name": "table",
        "in": "query",
        "required": True,
        "description": "What it is one of.",
        "schema": {"type": "string", "enum": [each.table for each in resources]},
    }
    made = {**operation, "parameters": [table] if len(resources) > 1 else []}
    if "requestBody" in operation:
        made["requestBody"] = {**operation["requestBody"], "content": {"application/json": {"schema": given}}}
    made["responses"] = {
        status: {**each, "content": {"application/json": {"schema": shown}}} if "content" in each else each
        for status, each in operation["responses"].items()
    }
    return made


def _without_examples(node: Any, *, names: bool = False) -> Any:
    """A node without `example` and `examples`; with `names`, its members are names and no keywords."""
    if isinstance(node, list):
        return [_without_examples(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _without_examples(value, names=name == "properties" and not names)
        for name, value in node.items()
        if names or name not in ("example", "examples", "x-request")
    }


def _state(contract: Contract) -> dict[str, Any]:
    """The schemas of a state: an array of the one thing that is stored, or an object of arrays by table."""
    schemas: dict[str, Any] = {}
    for name, most in (("State", {}), ("NewState", {"maxItems": MOST_ITEMS})):
        arrays = {
            each.table: {"type": "array", **most, "items": _item(each, is_new=name == "NewState")}
            for each in contract.resources
        }
        by_table = {"type": "object", "additionalProperties": False, "properties": arrays}
        schemas[name] = next(iter(arrays.values())) if len(arrays) == 1 else by_table
    return schemas


def _item(resource: Resource, *, is_new: bool) -> dict[str, Any]:
    if resource.beside_input if is_new else resource.hidden:
        # No schema of the contract admits all of it; the handlers judge the rest.
        return ANY_OBJECT
    shown = f"#/components/schemas/{resource.name}"
    return {"$ref": OTHER + (resource.input.get("$ref", shown) if is_new else shown)}


def _shared(node: Any) -> list[tuple[str, str]]:
    """The kind and the name of each component of the API that a node refers to."""
    if isinstance(node, list):
        return [found for item in node for found in _shared(item)]
    if not isinstance(node, dict):
        return []
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith(API):
        _, _, kind, name = reference.split("/")[-4:]
        return [(kind, name)]
    return [found for value in node.values() for found in _shared(value)]


def _bundled(own: Mapping[str, Any], api: Mapping[str, Any], other: Contract) -> dict[str, Any]:
    """One document: each component of the API that the controls refer to becomes a component of theirs."""
    components: dict[str, dict[str, Any]] = {}

    def localized(node: Any, inside: str) -> Any:
        """A node whose references stay inside the document; `inside` is the file that it is from."""
        if isinstance(node, list):
            return [localized(item, inside) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str) and (inside or not reference.startswith("#")):
            file, _, pointer = reference.partition("#")
            file = file or inside
            kind, name = pointer.split("/")[2:] if file == API else ("schemas", _name(pointer))
            if name not in components.setdefault(kind, {}):
                components[kind][name] = {}  # a recursive component meets itself here
                found = api["components"][kind][name] if file == API else other.resolve(f"#{pointer}")
                components[kind][name] = localized(found, file)
            return {"$ref": f"#/components/{kind}/{name}"}
        # What another contract says is stored is no resource of the controls.
        return {
            name: localized(value, inside) for name, value in node.items() if (inside, name) != (OTHER, "x-resource")
        }

    document: dict[str, Any] = localized(own, "")
    for kind, shared in components.items():
        document["components"][kind] = {**shared, **document["components"].get(kind, {})}
    document["x-problems"] = {**api.get("x-problems", {}), **document["x-problems"]}
    document["x-examples"] = {**api.get("x-examples", {}), **document["x-examples"]}
    return document


def _name(pointer: str) -> str:
    """A name that no component of our own has, for what a pointer leads to in another contract."""
    return "Mocked" + re.sub(r"[^A-Za-z0-9_-]", ".", pointer.removeprefix("/components/schemas"))
