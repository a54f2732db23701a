"""What a conversation has said so far, and what must be stored because of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...contract.schema import Json
from .collection import Collection
from .steps import Create, Replace


@dataclass(frozen=True, slots=True)
class Stored:
    """What must be stored."""

    identity: str | int
    shown: Mapping[str, Json]
    since: tuple[int, ...]
    """The numbers of the steps that made it what it is."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A conversation whose names nobody used before."""

    collection: Collection
    namespace: str
    created: tuple[str | int | None, ...] = ()
    """Identities, in the order of the Creates; None for those that were refused."""
    stored: Mapping[str | int, Stored] = field(default_factory=dict)
    """By identity."""
    steps: int = 0
    """How many were taken; the number of the next one."""

    def target(self, index: int) -> Stored | None:
        """What a Create made, by its index; None where it made nothing."""
        identity = self.created[index] if 0 <= index < len(self.created) else None
        return self.stored[identity] if identity is not None else None

    @property
    def first(self) -> str | int:
        """The identity of what was created first, or one that is unknown."""
        return next((identity for identity in self.created if identity), self.unknown)

    @property
    def unknown(self) -> str:
        return f"{self.namespace}-unknown"

    def names(self, scope: int) -> dict[str, str]:
        """The values of the unique members in a scope; the scopes of a conversation share some of them."""
        unique = self.collection.resource.unique
        last = len(unique) - 1
        return {
            member: f"{self.namespace}-{member}-{scope >> index if index == last else (scope >> index) & 1}"
            for index, member in enumerate(unique)
        }

    def scoped(self, step: Create | Replace) -> Json:
        """The body of a step in its scope."""
        if not isinstance(step.body, dict):
            return step.body
        return {**step.body, **{name: value for name, value in self.names(step.scope).items() if name != step.spared}}

    def holder(self, body: Json) -> Stored | None:
        """What already has the values that a body has in all the unique members."""
        unique = self.collection.resource.unique
        if not unique or not isinstance(body, Mapping) or not all(name in body for name in unique):
            return None
        scope = only(body, unique)
        return next((each for each in self.stored.values() if only(each.shown, unique) == scope), None)

    def concerns(self, row: Json) -> bool:
        """Whether a row of a list is of this conversation, on a server that others use as well."""
        if not isinstance(row, Mapping):
            return False
        ours = (str(row.get(name, "")).startswith(f"{self.namespace}-") for name in self.collection.resource.unique)
        return self._identity(row) in self.stored or any(ours)

    def since(self, row: Mapping[str, Json]) -> tuple[int, ...]:
        """The steps that made what a row shows."""
        known = self.stored.get(self._identity(row))
        return known.since if known else ()

    def _identity(self, row: Mapping[str, Json]) -> str | int:
        identity = row.get(self.collection.resource.identity)
        return identity if isinstance(identity, int) else str(identity)

    def after(self, **changes: object) -> "Memory":
        """The memory after one more step."""
        return replace(self, steps=self.steps + 1, **changes)  # type: ignore[arg-type]

    def keeping(self, stored: Stored) -> Mapping[str | int, Stored]:
        return {**self.stored, stored.identity: stored}


def only(values: Mapping[str, Json], names: Iterable[str]) -> dict[str, Json]:
    return {name: values[name] for name in names if name in values}
