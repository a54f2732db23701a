"""What a contract declares as its resource (`x-resource`), and which operations create, list and replace it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..contract.document import Contract
from ..contract.operation import Operation
from ..contract.schema import Json, Schema
from .coverage import request_schema


@dataclass(frozen=True)
class Resource:
    """What is stored, and the operations on it."""

    create: Operation
    list: Operation | None
    replace: Operation | None
    identity: str
    unique: tuple[str, ...]
    created_at: str | None
    updated_at: str | None
    order: tuple[str, ...]
    refuses_contradiction: bool
    """Whether an identity in a body must be refused when it is not the one in the path; else it may be ignored."""
    shown: Schema
    """How responses show it."""
    taken: Mapping[str, Schema]
    """How requests give it, by operationId."""

    @classmethod
    def of(cls, contract: Contract, included: Callable[[str], bool]) -> "Resource | None":
        """None where the contract declares no resource, or no operation that creates one.

        A POST on a path without parameters whose success shows the resource creates it, a GET that answers with an
        array of it lists it, and a PUT on a path that ends in its identity replaces it.
        """
        schemas = contract.document.get("components", {}).get("schemas", {})
        declared = next((schema for schema in schemas.values() if "x-resource" in schema), None)
        if declared is None:
            return None
        found: dict[str, Operation] = {}
        for operation in filter(lambda each: included(each.id), contract.operations.values()):
            success = _success_schema(operation, contract)
            item = success.get("items", {}) if success.get("type") == "array" else {}
            has_parameter = "{" in operation.path
            if operation.method == "POST" and not has_parameter and _is(success, declared, contract):
                found.setdefault("create", operation)
            elif operation.method == "GET" and not has_parameter and _is(item, declared, contract):
                found.setdefault("list", operation)
            elif operation.method == "PUT" and operation.path.endswith("}") and _is(success, declared, contract):
                found.setdefault("replace", operation)
        if "create" not in found:
            return None
        resource = declared["x-resource"]
        return cls(
            found["create"],
            found.get("list"),
            found.get("replace"),
            resource["identity"],
            tuple(resource.get("unique", ())),
            resource.get("created_at"),
            resource.get("updated_at"),
            tuple(resource.get("order", ())),
            resource.get("contradicting_identity") == "refused",
            Schema(declared, contract.resolve, "response"),
            {
                operation.id: Schema(schema, contract.resolve, "request")
                for operation in found.values()
                if (schema := request_schema(operation, contract)) is not None
            },
        )

    @property
    def server_members(self) -> set[str]:
        return {name for name in (self.identity, self.created_at, self.updated_at) if name}

    def expected(self, operation: Operation, body: Mapping[str, Json]) -> dict[str, Json]:
        """What is stored and shown of a request: its members, and the defaults of those it left out."""
        filled = self.shown.without_write_only(self.taken[operation.id].fill_defaults(body))
        return {name: value for name, value in filled.items() if name not in self.server_members}


def _is(schema: Mapping[str, Any], declared: Mapping[str, Any], contract: Contract) -> bool:
    return schema is declared or ("$ref" in schema and contract.resolve(schema["$ref"]) is declared)


def _success_schema(operation: Operation, contract: Contract) -> Mapping[str, Any]:
    for status, response in operation.declared["responses"].items():
        if str(status).startswith("2"):
            resolved = contract.dereferenced(response)
            schema: Mapping[str, Any] = resolved.get("content", {}).get("application/json", {}).get("schema", {})
            return schema
    return {}
