"""What a contract says is stored: the `x-resource` of a schema, read here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Resource:
    """The one thing that a contract keeps, by the names of its members."""

    identity: str
    unique: tuple[str, ...]
    """The scope: no two have all these members in common."""
    created_at: str
    updated_at: str
    prefix: str = ""
    """What the ids that the server makes begin with."""
    order: tuple[str, ...] = ()
    """What a list is sorted by."""
    refuses_contradiction: bool = False
    """Whether an identity in a body must be refused when it is not the one in the path; else it may be ignored."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """As responses show it: the schema that carries the declaration."""
    input: Mapping[str, Any] = field(default_factory=dict)
    """As a request gives the whole of it: a schema, or a reference to one."""

    @cached_property
    def server_members(self) -> frozenset[str]:
        """What the server makes, whatever a request says."""
        return frozenset({self.identity, self.created_at, self.updated_at})

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Resource | None":
        """None where no schema of an OpenAPI document declares one."""
        schemas: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
        schema = next((each for each in schemas.values() if "x-resource" in each), None)
        if schema is None:
            return None
        declared = schema["x-resource"]
        return cls(
            declared["identity"],
            tuple(declared.get("unique", ())),
            declared.get("created_at", ""),
            declared.get("updated_at", ""),
            declared.get("prefix", ""),
            tuple(declared.get("order", ())),
            declared.get("contradicting_identity") == "refused",
            schema,
            {"$ref": declared["input"]} if "input" in declared else schema,
        )
