"""The model's state in a conversation: the resources that its requests so far must have stored."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...contract.schema import Json
from .collection import REMOVED, Collection
from .steps import FIRST, Change, Create, List, Merge, RawRequest, Step, TargetedStep

Identity = str | int


class Key(NamedTuple):
    """The key of a resource: the number of its parent, and its identity."""

    below: int
    identity: Identity


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource that the server must have stored."""

    key: Key
    shown: Mapping[str, Json]
    """The known members, as responses show them."""
    evidence: tuple[int, ...]
    """The numbers of the steps that created and changed it."""
    tag: str = ""
    """The entity tag of the current version, where a read has shown it."""
    former: str = ""
    """The entity tag of an earlier version."""

    @property
    def identity(self) -> Identity:
        return self.key.identity


@dataclass(frozen=True, slots=True)
class Absence:
    """The reason why the target of a request does not exist."""

    identity: Identity
    what: str
    evidence: tuple[int, ...] = ()
    was_deleted: bool = False


@dataclass(frozen=True, slots=True)
class ModelState:
    """The model's state in a conversation, whose `namespace` makes its names unique."""

    collection: Collection
    namespace: str
    parent: "ModelState | None" = None
    """The state for the collection of the parents."""
    created: tuple[Key | None, ...] = ()
    """The keys of the created resources, by the number of their Create; None where it was refused."""
    stored: Mapping[Key, Stored] = field(default_factory=dict)
    deleted: Mapping[Key, tuple[int, ...]] = field(default_factory=dict)
    """The deleted resources, each with the numbers of the steps up to its deletion."""
    steps: int = 0
    """The number of steps taken, which is the number of the next one."""
    rows: tuple[Json, ...] = ()
    """The rows of the last list, of all its pages so far."""
    total: int = 0
    """The number of rows of the last complete list."""
    more: List | None = None
    """The step that requests the next page of the list, if any."""

    @classmethod
    def of(cls, collection: Collection, namespace: str) -> "ModelState":
        parent = cls.of(collection.parent, namespace) if collection.parent else None
        return cls(collection, namespace, parent)

    # Keys and paths

    def created_key(self, number: int | None) -> Key | None:
        """The key of the resource that a Create made, by the number of the Create."""
        return self.created[number] if number is not None and 0 <= number < len(self.created) else None

    def key(self, step: TargetedStep) -> Key | None:
        """The key in the request of a step; None where its target was never created."""
        key = self.created_key(step.target)
        return key if key is None or step.below is None else Key(step.below, key.identity)

    def target(self, step: TargetedStep) -> Stored | None:
        """The stored target of a step, if it exists."""
        key = self.key(step)
        return self.stored.get(key) if key else None

    def path(self, below: int) -> list[Json]:
        """The values of the parameters in the collection's path, for the parent with this number."""
        free = [
            self.collection.value_of(name, f"{self.namespace}-{name}-{below}", below)[0]
            for name in self.collection.free_parameters
        ]
        if self.parent is None:
            return free
        parent = self.parent.created_key(below) or Key(0, self.parent.unknown)
        return [*self.parent.path(parent.below), parent.identity, *free]

    def absence(self, step: Step) -> Absence | None:
        """The reason why the target of a step, or a parent, does not exist; None where they do."""
        if not isinstance(step, TargetedStep):
            return self._without_parent(step.below if isinstance(step, Create | List) else 0)
        key = self.key(step)
        return self._without_parent(key.below if key else step.below or 0) or self.absence_of(key)

    def _without_parent(self, below: int) -> Absence | None:
        return self.parent.absence_of(self.parent.created_key(below)) if self.parent else None

    def absence_of(self, key: Key | None) -> Absence | None:
        """The reason why no resource has a key; None where one has."""
        if key is None:
            return Absence(self.unknown, "was never created")
        return self._without_parent(key.below) or self.absence_below(key)

    def absence_below(self, key: Key) -> Absence | None:
        """The reason why an existing parent has no resource with a key; None where it has."""
        if key in self.stored:
            return None
        if key in self.deleted:
            return Absence(key.identity, "was deleted", self.deleted[key], was_deleted=True)
        other = next((each for each in self.stored.values() if each.identity == key.identity), None)
        if other is None:
            return Absence(key.identity, "was never created")
        return Absence(key.identity, "belongs to another parent", other.evidence)

    def raw_target(self, step: Step) -> Stored | None:
        """The target of a RawRequest that may have changed it, if the server accepted a wrong request."""
        may_be = isinstance(step, RawRequest) and step.path.endswith(FIRST) and step.method not in ("GET", "HEAD")
        return self.stored.get(self.first) if self.first and may_be else None

    @property
    def first(self) -> Key | None:
        """The key of the first resource that was created."""
        return next(filter(None, self.created), None)

    @property
    def unknown(self) -> Identity:
        identity: Identity = self.collection.unknown
        return identity

    # Names

    def unique_values(self, scope: int, change: Callable[[str], str] = str) -> dict[str, Json]:
        """The values of the unique members in a scope; scopes of a conversation share some of the values.

        Texts are changed where their schemas accept that.
        """
        unique = self.collection.unique
        last = len(unique) - 1
        found = {}
        for index, member in enumerate(unique):
            number = scope >> index if index == last else (scope >> index) & 1
            value = self.collection.value_of(member, f"{self.namespace}-{member}-{number}", number)[0]
            changed = change(value) if isinstance(value, str) else value
            found[member] = changed if self.collection.accepts(member, changed) else value
        return found

    def scoped_body(self, step: Create | Change) -> Json:
        """The body of a step with the unique members of its scope, and with an identity where clients choose it."""
        if not isinstance(step.body, dict):
            return step.body
        unique_values = self.unique_values(step.scope, step.change)
        identity, body = self.collection.resource.identity, step.body
        if self.collection.is_named_by_clients:
            key = self.key(step) if isinstance(step, TargetedStep) else None
            number = len(self.created)
            new, _ = self.collection.value_of(identity, f"{self.namespace}-{number}", number)
            unique_values[identity] = key.identity if key else new
        elif isinstance(step, Create):  # a server may use an identity in the body
            body = {name: value for name, value in body.items() if name != identity}
        known = () if isinstance(step, Merge) else self.collection.members[step.kind]
        wanted = {*body, *known} - {step.kept}
        return {**body, **only(unique_values, [name for name in unique_values if name in wanted])}

    def filters(self, step: List) -> dict[str, Json]:
        """The filters of a list, with their values."""
        created = self.stored.get(self.created_key(step.scope) or Key(0, ""))
        shown = created.shown if created else {}
        values = {**only(shown, self.collection.filters), **self.unique_values(step.scope)}
        return {name: value for name, value in values.items() if name in step.by and value is not REMOVED}

    # Stored resources

    def parent_members(self, below: int) -> dict[str, Json]:
        """The members that hold the parents, with their values."""
        return dict(zip(self.collection.resource.parents.values(), self.path(below), strict=False))

    def conflicting(self, body: Json, below: int, but: Stored | None = None) -> tuple[Stored, tuple[str, ...]] | None:
        """The resource, other than `but`, that conflicts with a body in a unique combination, and the combination."""
        if not isinstance(body, Mapping):
            return None
        whole = {**body, **self.parent_members(below)}
        for combination in self.collection.resource.combinations:
            scope = only(whole, combination)
            if len(scope) < len(combination) or any(each in (None, REMOVED) for each in scope.values()):
                continue  # without all members there is no conflict
            for each in self.stored.values():
                if (
                    each is not but
                    and only({**each.shown, **self.parent_members(each.key.below)}, combination) == scope
                ):
                    return each, combination
        return None

    def owns(self, row: Json) -> bool:
        """Whether a row of a list belongs to this conversation, on a server with other clients."""
        if not isinstance(row, Mapping):
            return False
        ours = (str(row.get(name, "")).startswith(f"{self.namespace}-") for name in self.collection.unique)
        identity = row.get(self.collection.resource.identity)
        return any(key.identity == identity for key in (*self.stored, *self.deleted)) or any(ours)

    def evidence(self, row: Mapping[str, Json]) -> tuple[int, ...]:
        """The numbers of the steps that created and changed the resource of a row."""
        identity = row.get(self.collection.resource.identity)
        return next((each.evidence for each in self.stored.values() if each.identity == identity), ())

    def after(self, **changes: object) -> "ModelState":
        """The state after one more step, with changed attributes."""
        return replace(self, steps=self.steps + 1, **{"more": None, **changes})  # type: ignore[arg-type]

    def with_deletion(self, key: Key) -> "ModelState":
        """The state after a step that deleted a resource."""
        rest = {each: stored for each, stored in self.stored.items() if each != key}
        evidence = (*self.stored[key].evidence, self.steps)
        return self.after(stored=rest, deleted={**self.deleted, key: evidence})

    def with_stored(self, stored: Stored) -> Mapping[Key, Stored]:
        return {**self.stored, stored.key: stored}


def only(values: Mapping[str, Json], unique_values: Iterable[str]) -> dict[str, Json]:
    return {name: values[name] for name in unique_values if name in values}
