"""The actions of operations on resources, inferred from their methods, their paths and their responses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from .operation import Operation
from .path_template import PARAMETER, blank, parameters_of
from .references import InvalidContract, References
from .resource import HIDDEN, Resource
from .schema import did_you_mean
from .shape import flattened

Kind = Literal["create", "list", "read", "replace", "merge", "delete"]
KINDS: Mapping[str, tuple[Kind | None, Kind | None]] = {
    "POST": ("create", None),
    "GET": ("list", "read"),
    "PUT": ("replace", "replace"),
    "PATCH": (None, "merge"),
    "DELETE": (None, "delete"),
}
"""The kinds of action by method: on a collection, and on an item, whose path ends in its identity."""


@dataclass(frozen=True)
class Action:
    """The action of one operation on one resource."""

    kind: Kind
    resource: Resource
    parameter: str
    """The path parameter with the identity; empty on a collection, where the body of a replacement has the identity."""
    parents: Mapping[str, str]
    """The path parameters that identify parents, each with the member that keeps its value."""
    ancestors: tuple[tuple[str, Resource], ...]
    """The parents that must exist, each with the path parameter of its identity, the outermost first."""
    envelope: str
    """The member of the response body that holds the resource; empty where the body is the resource."""
    item_path: str
    """The path template of a created item; empty where there is none."""
    below: tuple[tuple[Resource, str], ...] = ()
    """The resources that are deleted with this one, each with the member that keeps this one's identity."""
    shows: bool = False
    """Whether the success response shows the resource."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """The form in which an operation's success response shows a resource."""

    is_list: bool
    envelope: str


def read_actions(
    document: Mapping[str, Any], operations: Mapping[str, Operation], resolve: References
) -> tuple[list[Resource], dict[str, Action]]:
    """The resources of a document in its order, and the actions by operationId."""
    schemas: Mapping[str, Mapping[str, Any]] = document.get("components", {}).get("schemas", {})
    declared = {name: schema for name, schema in schemas.items() if "x-resource" in schema}
    places = {name: ResourcePaths(schema, operations) for name, schema in declared.items()}
    resources: dict[str, Resource] = {}
    for name, schema in declared.items():
        table = places[name].table or name.lower()
        taken = any(each.table == table for each in resources.values())
        resources[name] = _resource(name, schema, f"{table}_{name.lower()}" if taken else table, places[name], resolve)
    by_item = {path: name for name, place in places.items() for path in place.identified}
    below: dict[str, list[tuple[Resource, str]]] = {name: [] for name in places}
    for name, place in places.items():
        for path, parameter in _parent_paths(place.collection_path):
            if path in by_item:
                below[by_item[path]].append((resources[name], resources[name].parents[parameter]))
    actions: dict[str, Action] = {}
    for name, place in places.items():
        for operation, kind in place.kinds.items():
            names = parameters_of(operation.path)
            own = names.pop() if blank(operation.path) in place.items else ""
            if kind == "replace" and not own and not _accepts_identity(operation, resources[name].identity):
                continue
            actions[operation.id] = Action(
                kind,
                resources[name],
                own,
                {each: resources[name].parents[each] for each in names if each in resources[name].parents},
                tuple(
                    (parameter, resources[by_item[path]])
                    for path, parameter in _parent_paths(operation.path)
                    if parameter != own and path in by_item
                ),
                place.shown[operation].envelope if operation in place.shown else "",
                next((each for each in place.item_paths if blank(each).startswith(blank(operation.path))), "")
                or next(iter(place.item_paths), ""),
                tuple(below[name]),
                operation in place.shown,
            )
    return list(resources.values()), actions


class ResourcePaths:
    """The operations on a resource, and the paths of its collections and items, with blank parameters."""

    def __init__(self, schema: Mapping[str, Any], operations: Mapping[str, Operation]) -> None:
        self.shown: dict[Operation, _Shown] = {}
        for operation in operations.values():
            if (shown := _shown(operation, schema)) is not None:
                self.shown[operation] = shown
        listed = [
            operation.path for operation, shown in self.shown.items() if operation.method == "GET" and shown.is_list
        ]
        self.collections = [
            operation.path
            for operation, shown in self.shown.items()
            if operation.path in listed
            or (operation.method == "POST" and not shown.is_list and not operation.path.endswith("}"))
        ]
        of_collections = {f"{blank(path)}/{{}}" for path in self.collections}
        self.items = {
            blank(operation.path)
            for operation in operations.values()
            if operation.path.endswith("}")
            and operation.path not in listed
            and (
                blank(operation.path) in of_collections
                or (operation in self.shown and not self.shown[operation].is_list)
            )
        }
        self.identified = of_collections | self.items
        """The prefixes of paths that end in the identity, with or without an operation."""
        self.item_paths = list(
            dict.fromkeys(operation.path for operation in operations.values() if blank(operation.path) in self.items)
        )
        self.kinds = dict(self._kinds(operations))

    def _kinds(self, operations: Mapping[str, Operation]) -> Iterator[tuple[Operation, Kind]]:
        for operation in operations.values():
            at_collection, at_item = KINDS.get(operation.method, (None, None))
            shown = self.shown.get(operation)
            shows_other = shown is None and operation.method == "GET" and bool(operation.shown)
            if at_item is not None and blank(operation.path) in self.items:
                if not shows_other and not (shown and shown.is_list):
                    yield operation, at_item
            elif at_collection is not None and operation.path in self.collections:
                fits = shown.is_list == (at_collection == "list") if shown else at_collection == "create"
                if fits and all(body.get("type") != "array" for body in _bodies(operation)):
                    yield operation, at_collection

    @property
    def collection_path(self) -> str:
        """The path of the collection: that of the create, or the deepest."""
        making = [operation.path for operation, kind in self.kinds.items() if kind == "create"]
        items = [path.rpartition("/")[0] for path in self.item_paths]
        return next(iter([*making, *sorted(self.collections, key=len, reverse=True), *items]), "")

    @property
    def table(self) -> str:
        return "_".join(part for part in self.collection_path.strip("/").split("/") if part and "{" not in part)


def _resource(name: str, schema: Mapping[str, Any], table: str, places: ResourcePaths, resolve: References) -> Resource:
    resource = Resource.declared(name, schema)
    flat = flattened(schema, resolve)
    properties = {each: resolve.followed(nested) for each, nested in flat.get("properties", {}).items()}
    given: Mapping[str, str] = schema["x-resource"].get("parents", {})
    parents = {
        parameter: given.get(parameter) or (parameter if parameter in properties else f"{HIDDEN}{parameter}")
        for parameter in parameters_of(places.collection_path)
    }

    def kept(combination: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(parents.get(each, each) for each in combination)

    for member in _named(resource, schema["x-resource"]):
        if member not in properties and member not in parents:
            near = did_you_mean(member, properties)
            raise InvalidContract(f"{name}: x-resource names {member!r}, which is no member of it{near}")
    tells_deleted = any("410" in operation.responses for operation in places.kinds)
    return replace(
        resource,
        unique=kept(resource.unique),
        also_unique=tuple(map(kept, resource.also_unique)),
        deleted_at=resource.deleted_at or (f"{HIDDEN}deleted-at" if tells_deleted else ""),
        table=table,
        parents=parents,
        properties=properties,
        required=frozenset(flat.get("required", ())),
        input_members=frozenset(flattened(resource.input, resolve).get("properties", {})),
        is_named_by_clients=any(
            _creates_with_identity(operation, kind, resource.identity) for operation, kind in places.kinds.items()
        ),
    )


def _named(resource: Resource, declared: Mapping[str, Any]) -> list[str]:
    """The members that a declaration names."""
    times = (resource.created_at, resource.updated_at, resource.deleted_at)
    combinations = [name for each in resource.combinations for name in each]
    order = [name.removeprefix("-") for name in resource.order]
    given = declared.get("parents", {}).values()
    return [name for name in (resource.identity, *times, *combinations, *order, *given) if name]


def _creates_with_identity(operation: Operation, kind: Kind, identity: str) -> bool:
    """Whether a request of the operation creates a resource with an identity of the client's choice."""
    if kind == "replace":
        return "201" in operation.responses
    is_needed = any(identity in body.get("required", ()) for body in _bodies(operation))
    # Where no conflict is documented, an identity in the body is no choice of the client.
    may_conflict = not operation.responses.keys().isdisjoint(("409", "4XX", "DEFAULT"))
    return kind == "create" and (is_needed or may_conflict) and _accepts_identity(operation, identity)


def _accepts_identity(operation: Operation, identity: str) -> bool:
    """Whether a request may have the identity in its body."""
    members = (each.get("properties", {}).get(identity, {"readOnly": True}) for each in _bodies(operation))
    return any(not operation.resolve.followed(member).get("readOnly") for member in members)


def _bodies(operation: Operation) -> list[dict[str, Any]]:
    """The schemas of an operation's request bodies, flattened."""
    return [flattened(each.raw, operation.resolve) for each in operation.request_body.contents.values()]


def _shown(operation: Operation, schema: Mapping[str, Any]) -> _Shown | None:
    """The form in which an operation's success response shows a schema: alone, in an array, or in an envelope."""
    resolve = operation.resolve
    if (answer := operation.shown) is None:
        return None
    if (is_list := _is_list(answer, schema, resolve)) is not None:
        return _Shown(is_list, "")
    found = [
        _Shown(is_list, member)
        for member, nested in flattened(answer, resolve).get("properties", {}).items()
        if (is_list := _is_list(nested, schema, resolve)) is not None
    ]
    # Another resource with this one as a member is no envelope.
    whole = "x-resource" not in resolve.followed(answer)
    return found[0] if len(found) == 1 and whole else None


def _is_list(shown: Mapping[str, Any], schema: Mapping[str, Any], resolve: References) -> bool | None:
    """True for an array of the schema, False for the schema itself, None for any other."""
    if _is_or_extends(shown, schema, resolve):
        return False
    items = resolve.followed(shown).get("items")
    return True if items is not None and _is_or_extends(items, schema, resolve) else None


def _is_or_extends(shown: Mapping[str, Any], schema: Mapping[str, Any], resolve: References) -> bool:
    """Whether `shown` is the schema, or extends it by optional members."""
    found = resolve.followed(shown)
    if found is schema:
        return True
    if not any(_is_or_extends(part, schema, resolve) for part in found.get("allOf", ())):
        return False
    needed, known = flattened(found, resolve).get("required", ()), flattened(schema, resolve).get("properties", {})
    return all(name in known for name in needed)


def _parent_paths(path: str) -> Iterator[tuple[str, str]]:
    """The prefixes of a path that end in a parameter, with blank parameters, each with the last parameter."""
    for match in PARAMETER.finditer(path):
        yield blank(path[: match.end()]), match[1]
