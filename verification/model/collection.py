"""The operations of a contract that create, list and replace what it declares as its resource."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...contract.document import Contract
from ...contract.operation import Operation
from ...contract.resource import Resource
from ...contract.schema import Json, Schema
from ..coverage import request_schema


@dataclass(frozen=True)
class Collection:
    """What is stored, and the operations on it."""

    resource: Resource
    create: Operation
    list: Operation | None
    replace: Operation | None
    shown: Schema
    """How responses show the resource."""
    taken: Mapping[str, Schema]
    """How requests give it, by operationId."""

    @classmethod
    def of(cls, contract: Contract, included: Callable[[str], bool]) -> "Collection | None":
        """None where the contract declares no resource, or no operation that creates one.

        A POST on a path without parameters whose success shows the resource creates it, a GET that answers with an
        array of it lists it, and a PUT on a path that ends in its identity replaces it.
        """
        if (resource := contract.resource) is None:
            return None
        found: dict[str, Operation] = {}
        for operation in filter(lambda each: included(each.id), contract.operations.values()):
            success = _success_schema(operation, contract)
            item = success.get("items", {}) if success.get("type") == "array" else {}
            has_parameter = "{" in operation.path
            if operation.method == "POST" and not has_parameter and _is(success, resource, contract):
                found.setdefault("create", operation)
            elif operation.method == "GET" and not has_parameter and _is(item, resource, contract):
                found.setdefault("list", operation)
            elif operation.method == "PUT" and operation.path.endswith("}") and _is(success, resource, contract):
                found.setdefault("replace", operation)
        if "create" not in found:
            return None
        taken = {
            operation.id: Schema(schema, contract.resolve, "request")
            for operation in found.values()
            if (schema := request_schema(operation, contract)) is not None
        }
        shown = Schema(resource.schema, contract.resolve, "response")
        return cls(resource, found["create"], found.get("list"), found.get("replace"), shown, taken)

    def stored(self, operation: Operation, body: Mapping[str, Json]) -> dict[str, Json]:
        """What is stored and shown of a request: its members, and the defaults of those it left out."""
        filled = self.shown.without_write_only(self.taken[operation.id].fill_defaults(body))
        return {name: value for name, value in filled.items() if name not in self.resource.server_members}


def _is(schema: Mapping[str, Any], resource: Resource, contract: Contract) -> bool:
    return schema is resource.schema or ("$ref" in schema and contract.resolve(schema["$ref"]) is resource.schema)


def _success_schema(operation: Operation, contract: Contract) -> Mapping[str, Any]:
    for status, response in operation.declared["responses"].items():
        if str(status).startswith("2"):
            content = contract.dereferenced(response).get("content", {})
            schema: Mapping[str, Any] = content.get("application/json", {}).get("schema", {})
            return schema
    return {}
