"""A collection of a contract: its resource, the operations on it, and the collection of the parents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...contract.actions import Action, Kind
from ...contract.document import Contract
from ...contract.merge_patch import patched
from ...contract.operation import Operation
from ...contract.paging import Paging
from ...contract.path_template import blank, parameters_of
from ...contract.resource import Resource
from ...contract.schema import Json, Schema
from ...contract.shape import flattened
from ..footprint import Footprint
from ..names import unique_value

MISSING, REMOVED = object(), object()
"""Placeholders for the value of a missing member, and of one that a patch removed, so that it is missing or null."""
WRITING: tuple[Kind, ...] = ("create", "replace", "merge")


@dataclass(frozen=True)
class Collection:
    """A resource, and the operations on it."""

    contract: Contract
    resource: Resource
    operations: Mapping[Kind, Operation]
    parent: "Collection | None"
    """The collection of the parents; None where there are none, or where they are not stored."""
    footprint: Footprint

    @classmethod
    def every(cls, contract: Contract, included: Callable[[str], bool], footprint: Footprint) -> "list[Collection]":
        """The collections of the resources that an operation creates and shows, in the contract's order."""
        found = (cls.of(resource, contract, included, footprint) for resource in contract.resources)
        return [each for each in found if each is not None]

    @classmethod
    def of(
        cls,
        resource: Resource,
        contract: Contract,
        included: Callable[[str], bool],
        footprint: Footprint,
        inside: str = "",
    ) -> "Collection | None":
        """The collection of a resource; None where no operation creates and shows it, or its parents cannot be created.

        For a collection of parents, `inside` is the path of the collection below it.
        """
        mine = [
            (contract.operations[name], action)
            for name, action in contract.actions.items()
            if action.resource is resource
            and included(name)
            and _is_modelled(contract.operations[name], action, contract)
        ]
        create = next((operation for operation, action in mine if action.kind == "create"), None)
        if create is None:
            return None
        place = blank(create.path)
        if inside and not inside.startswith(f"{place}/{{}}/"):
            return None
        places: dict[Kind, str] = {"create": place, "list": place}  # the other paths end in the identity
        found = {
            action.kind: operation
            for operation, action in reversed(mine)
            if blank(operation.path) == places.get(action.kind, f"{place}/{{}}")
        }
        parent = None
        if ancestors := contract.actions[create.id].ancestors:
            parent = cls.of(ancestors[-1][1], contract, included, footprint, place)
            if parent is None:
                return None
        return cls(contract, resource, found, parent, footprint)

    @property
    def create(self) -> Operation:
        return self.operations["create"]

    def action(self, kind: Kind) -> Action:
        return self.contract.actions[self.operations[kind].id]

    @cached_property
    def response_schema(self) -> Schema:
        """The schema of the resource in responses."""
        return Schema(self.resource.schema, self.contract.resolve, "response")

    @cached_property
    def request_schemas(self) -> Mapping[Kind, Schema]:
        """The schemas of request bodies."""
        return {kind: Schema(self.declared_schema(kind), self.contract.resolve, "request") for kind in WRITING}

    @cached_property
    def input_schema(self) -> Schema:
        """The schema of the whole resource in requests."""
        return Schema(self.resource.input, self.contract.resolve, "request")

    def media_type(self, kind: Kind) -> str:
        """The media type of a request body; empty where there is none."""
        found = self.operations[kind].json_body
        return found[0] if found else ""

    def declared_schema(self, kind: Kind) -> Mapping[str, Any]:
        """The schema of a request body; empty where there is none."""
        found = self.operations[kind].json_body if kind in self.operations else None
        return found[1].raw if found else {}

    @cached_property
    def members(self) -> Mapping[Kind, Mapping[str, Any]]:
        """The members of request bodies, each with its schema."""
        return {kind: self._flat(self.declared_schema(kind)).get("properties", {}) for kind in WRITING}

    @cached_property
    def paging(self) -> Paging | None:
        """The paging of the list, where it has one."""
        listing = self.operations.get("list")
        paging = Paging(listing, self.resource.properties) if listing else None
        return paging if paging and (paging.limit or paging.has_next_page) else None

    @cached_property
    def filters(self) -> tuple[str, ...]:
        """The members that are filters of the list, the unique ones first; no other texts, which may match in part."""
        listing = self.operations.get("list")
        queried = {each.name for each in listing.parameters if each.place == "query"} if listing else set()
        properties = self.resource.properties.items()
        plain = [name for name, each in properties if "enum" in each or each.get("type") in ("boolean", "integer")]
        return tuple(name for name in dict.fromkeys([*self.unique, *plain]) if name in queried)

    @cached_property
    def default_filters(self) -> Mapping[str, Json]:
        """The filters of the list that have a default, with it."""
        listing = self.operations.get("list")
        query = [each for each in listing.parameters if each.place == "query"] if listing else []
        members = self.resource.properties
        return {
            each.name: each.declared["default"] for each in query if each.name in members and "default" in each.declared
        }

    @cached_property
    def unique(self) -> tuple[str, ...]:
        """The members of unique combinations, without those that hold a parent, which the path gives."""
        names = dict.fromkeys(name for each in self.resource.combinations for name in each)
        return tuple(
            name for name in names if name in self.members["create"] and name not in self.resource.parents.values()
        )

    @cached_property
    def is_named_by_clients(self) -> bool:
        needed = self._flat(self.declared_schema("create")).get("required", ())
        return self.resource.is_named_by_clients and self.resource.identity in needed

    @property
    def is_below(self) -> bool:
        """Whether the resources belong to a parent."""
        return "{" in self.create.path

    @cached_property
    def free_parameters(self) -> tuple[str, ...]:
        """The parameters of the path for which no parent is stored."""
        names = parameters_of(self.create.path)
        return tuple(names[len(parameters_of(self.parent.create.path)) + 1 if self.parent else 0 :])

    @cached_property
    def is_shared(self) -> bool:
        """Whether a free parameter has so few values that other clients may have used each of them."""
        return not all(self.is_own(name) for name in self.free_parameters)

    def is_own(self, member: str) -> bool:
        """Whether the values that a member, or a free parameter, gets are unique to the run."""
        return self.value_of(member, f"{self.footprint.name}-0-{member}-0", 0)[1]

    @cached_property
    def is_isolated(self) -> bool:
        """Whether the resources of a conversation cannot conflict with those of other clients."""
        if self.parent is not None and not self.parent.is_isolated:
            return False
        if self.is_shared and not (self.footprint.anywhere and "list" in self.operations):
            return False
        own = {name for name in self.unique if self.is_own(name)}
        own |= set(self.resource.parents.values())
        identity = self.resource.identity
        is_new = not self.is_named_by_clients or self.is_below or self.is_own(identity)
        return is_new and all(own.intersection(each) for each in self.resource.combinations)

    @cached_property
    def unknown(self) -> Json:
        """An unused identity."""
        item = next((each.path for each in self.operations.values() if self.is_item(each)), None)
        return None if item is None else self.footprint.unused_identity(item, parameters_of(item)[-1])

    def is_item(self, operation: Operation) -> bool:
        return len(parameters_of(operation.path)) > len(parameters_of(self.create.path))

    @cached_property
    def _value_schemas(self) -> dict[str, tuple[Schema, Mapping[str, Any]]]:
        """The schemas of the members and free parameters that were named, as they are and without references."""
        return {}

    def value_of(self, member: str, key: str, index: int) -> tuple[Json, bool]:
        """The value of a member, or of a free parameter, for a key, as `names.unique_value` makes it."""
        if member not in self._value_schemas:
            declared = {each.name: each.declared for each in self.create.parameters if each.place == "path"}
            schema = declared[member] if member in self.free_parameters else self.members["create"].get(member, {})
            self._value_schemas[member] = Schema(schema, self.contract.resolve, "request"), self._flat(schema)
        return unique_value(key, *self._value_schemas[member], index)

    def accepts(self, member: str, value: Json) -> bool:
        """Whether the schema of a member that was named accepts a value."""
        return self._value_schemas[member][0].accepts(value)

    def _flat(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return flattened(schema, self.contract.resolve)

    def stored(self, kind: Kind, body: Mapping[str, Json]) -> dict[str, Json]:
        """The members that responses show after a request: its own, and the defaults of those it left out."""
        filled = self.response_schema.without_write_only(self.request_schemas[kind].fill_defaults(body))
        by_server = self.resource.server_members - ({self.resource.identity} if self.is_named_by_clients else set())
        otherwise = self._shown_otherwise
        return {
            name: value
            for name, value in filled.items()
            if name not in by_server and (name not in otherwise or otherwise[name].accepts(value))
        }

    @cached_property
    def _shown_otherwise(self) -> Mapping[str, Schema]:
        """The members whose schemas differ between requests and responses, with the latter."""
        return {
            name: Schema(schema, self.contract.resolve, "response")
            for name, schema in self.resource.properties.items()
            if any(
                self._flat(members[name]) != self._flat(schema) for members in self.members.values() if name in members
            )
        }

    def merged(self, shown: Mapping[str, Json], patch: Mapping[str, Json]) -> dict[str, Json] | None:
        """The known members after a patch; None where they would break the contract."""
        by_server = self.resource.server_members
        kept = {name: value for name, value in shown.items() if name not in by_server and value is not REMOVED}
        changes = {name: value for name, value in patch.items() if name not in by_server}
        removed = {name for name, value in changes.items() if value is None}
        # RFC 7396 alone says how a patch changes the members of a nested object.
        is_deep = self.media_type("merge").endswith("merge-patch+json")
        after = patched(kept, changes) if is_deep else {**kept, **changes}
        changed = {name: value for name, value in after.items() if name not in removed}
        if self.input_schema.accepts(kept) and not self.input_schema.accepts(changed):
            return None
        members = self._flat(self.resource.input).get("properties", {})
        gone = {name for name in removed if "default" not in self._flat(members.get(name, {}))}
        known = {name: value for name, value in shown.items() if name not in removed}
        return {**known, **self.response_schema.without_write_only(changed), **dict.fromkeys(gone, REMOVED)}


def _is_modelled(operation: Operation, action: Action, contract: Contract) -> bool:
    """Whether the model knows an operation's effects: not those of a PUT that creates, nor asynchronous ones (202)."""
    if (action.kind == "replace" and "201" in operation.responses) or (action.kind == "create" and not action.shows):
        return False
    body = operation.json_body
    is_known = action.kind not in WRITING or (
        body is not None and not body[0].endswith("json-patch+json") and _accepts_objects(body[1].raw, contract)
    )
    return is_known and "202" not in operation.responses


def _accepts_objects(schema: Mapping[str, Any], contract: Contract) -> bool:
    flat = flattened(schema, contract.resolve)
    return flat.get("type") == "object" or "properties" in flat
