"""The contract of the controls: their own file, with what it shares with the API's contract put in its place."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ..contract.document import BUILT_IN, Contract, read_document
from ..contract.references import Bundle
from ..contract.resource import Resource

BASE_PATH = "/_mock"
_SHARED = re.compile(r"\.\./openapi\.yaml#/components/(\w+)/(\w+)")
"""The components of an API that the file of the controls refers to."""
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
    own, api = _read(_FILE), contract.document
    if all(name in api.get("components", {}).get(kind, {}) for kind, name in _SHARED.findall(_FILE.read_text())):
        return Contract(_bundled(deepcopy(own), api, contract), BASE_PATH)
    own = _without_examples(own)  # they are about configurations
    own["paths"] = {path: _of_any(item, contract) for path, item in own["paths"].items()}
    own["components"]["schemas"] |= _state(contract)
    built_in = _read(BUILT_IN)
    # The reference of the API does not explain them, that of the controls does.
    problems = _without_examples(built_in["x-problems"], names=True)
    explained = {kind: {"type": f"{BASE_PATH}/docs#{kind}", **each} for kind, each in problems.items()}
    return Contract(_bundled(own, {**built_in, "x-problems": explained}, contract), BASE_PATH)


@cache
def _read(path: Path) -> dict[str, Any]:
    """A document of this package, which is not changed."""
    return read_document(path)


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


def _bundled(document: dict[str, Any], api: Mapping[str, Any], other: Contract) -> dict[str, Any]:
    """One document: each component of the API that the controls refer to becomes a component of theirs."""
    mocked = _FILE.with_name(OTHER)
    for reference, (file, _) in Bundle(document, _FILE, known={BUILT_IN: api, mocked: other.document}).origins.items():
        if file == mocked:  # what another contract says is stored is no resource of the controls
            document["components"]["schemas"][reference.rpartition("/")[2]].pop("x-resource", None)
    document["x-problems"] = {**api.get("x-problems", {}), **document["x-problems"]}
    document["x-examples"] = {**api.get("x-examples", {}), **document["x-examples"]}
    return document
