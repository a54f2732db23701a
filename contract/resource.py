"""The resources of a contract: the `x-resource` of a schema, which no other module reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

TABLE = "configurations"
"""The default table."""
HIDDEN = "x-callconfig-"
"""The prefix of members that are stored with a document, and that no response shows."""


@dataclass(frozen=True)
class Resource:
    """A resource type of a contract, by the names of its members."""

    identity: str
    unique: tuple[str, ...]
    """The members whose combination of values, the scope, is unique."""
    created_at: str
    updated_at: str
    prefix: str = ""
    """The prefix of ids that the server generates."""
    order: tuple[str, ...] = ()
    """The members by which a list is sorted; `-name` is descending."""
    refuses_contradiction: bool = False
    """Whether an identity in a body that differs from the one in the path must be refused; else it may be ignored."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """The schema in responses, which carries the declaration."""
    input: Mapping[str, Any] = field(default_factory=dict)
    """The schema of the whole resource in requests, or a reference to one."""
    deleted_at: str = ""
    """The member with the time of deletion: deleted documents are kept, and neither read nor listed."""
    also_unique: tuple[tuple[str, ...], ...] = ()
    """Further unique combinations of members."""
    name: str = ""
    """The name of the schema."""
    table: str = TABLE
    parents: Mapping[str, str] = field(default_factory=dict)
    """The path parameters of the collection, each with the member that keeps its value, which may be hidden."""
    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The schemas of the members, without references."""
    required: frozenset[str] = frozenset()
    input_members: frozenset[str] = frozenset()
    """The members that a request may have."""
    is_named_by_clients: bool = False
    """Whether a create may have the identity in its body."""

    @classmethod
    def declared(cls, name: str, schema: Mapping[str, Any]) -> "Resource":
        """The resource by its declaration alone; `read_actions` adds what depends on paths and other schemas."""
        declared: Mapping[str, Any] = schema["x-resource"]
        unique, *more = _combinations(declared.get("unique", ()))
        return cls(
            declared["identity"],
            unique,
            declared.get("created_at", ""),
            declared.get("updated_at", ""),
            declared.get("prefix", ""),
            tuple(declared.get("order", ())),
            declared.get("contradicting_identity") == "refused",
            schema,
            {"$ref": declared["input"]} if "input" in declared else schema,
            declared.get("deleted_at", ""),
            tuple(more),
            name,
        )

    @cached_property
    def creation(self) -> str:
        """The member with the time of creation, by which documents are ordered; it may be hidden."""
        return self.created_at or f"{HIDDEN}created-at"

    @cached_property
    def store_members(self) -> frozenset[str]:
        """The members that a store sets."""
        return frozenset({self.identity, self.creation, self.updated_at, self.deleted_at} - {""})

    @cached_property
    def server_members(self) -> frozenset[str]:
        """The members that the server sets, whatever the request has."""
        return self.store_members.union(self.parents.values())

    @cached_property
    def not_in_requests(self) -> frozenset[str]:
        """The stored members that no request may have."""
        return self.server_members.union(self.properties) - self.input_members

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """The stored members that no response shows."""
        kept = (self.creation, self.deleted_at, *self.parents.values())
        return tuple(name for name in kept if name.startswith(HIDDEN))

    @cached_property
    def indexed(self) -> tuple[str, ...]:
        """The members of unique combinations, and those that keep the parents, each once."""
        of_combinations = (name for combination in self.combinations for name in combination)
        return tuple(dict.fromkeys([*of_combinations, *self.parents.values()]))

    @cached_property
    def combinations(self) -> tuple[tuple[str, ...], ...]:
        """Every unique combination of members, beside the identity."""
        return tuple(each for each in (self.unique, *self.also_unique) if each)

    @cached_property
    def positions(self) -> tuple[tuple[int, ...], ...]:
        """Each combination as positions in `indexed`."""
        return tuple(tuple(self.indexed.index(name) for name in each) for each in self.combinations)

    @cached_property
    def optional_indexed(self) -> frozenset[str]:
        """The indexed members that may be absent, null, or no string; a document without one is in no scope."""
        return frozenset(
            name
            for name in self.indexed
            if name.startswith(HIDDEN)
            or (
                name in self.properties
                and (
                    name not in self.required
                    or self.properties[name].get("type") != "string"
                    or self.properties[name].get("nullable")
                )
            )
        )

    @cached_property
    def is_plain(self) -> bool:
        """Whether the identity and the indexed members are always strings, and deleted documents are not kept."""
        return not (
            self.optional_indexed
            or self.has_numeric_identity
            or self.deleted_at
            or (self.is_named_by_clients and self.parents)
        )

    @cached_property
    def is_deleted_at_nullable(self) -> bool:
        """Whether the member with the time of deletion may be null."""
        schema = self.properties.get(self.deleted_at, {})
        return bool(schema.get("nullable")) or "null" in schema.get("type", ())

    @cached_property
    def has_numeric_identity(self) -> bool:
        """Whether the identity is a number."""
        return self.properties.get(self.identity, {}).get("type") in ("integer", "number")

    def unique_values(self, document: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[str | None, ...]]:
        """The unique values of a document: its identity and its scopes, by their members, without incomplete ones."""
        within = self.parents.values() if self.is_named_by_clients else ()
        combinations = ((*within, self.identity), *self.combinations)
        claimed = {names: tuple([member_text(document.get(name)) for name in names]) for names in combinations}
        return {names: texts for names, texts in claimed.items() if None not in texts}

    def key(self, document: Mapping[str, Any]) -> str:
        """The text by which a store identifies a document: its identity, within its parents where clients choose it.

        Raises ValueError when the identity is missing or of another type.
        """
        if self.is_named_by_clients and self.parents:
            return self.key_below(document, document.get(self.identity))
        value = document.get(self.identity)
        if self.has_numeric_identity and isinstance(value, int):
            return str(value)
        return text_member(document, self.identity)

    def key_below(self, parents: Mapping[str, Any], identity: Any) -> str:
        """The key of an identity below the parents, whose values are in `parents`."""
        if self.is_named_by_clients and self.parents:
            # As texts, for a number in a body is a text in a path.
            return orjson.dumps([*(str(parents.get(name)) for name in self.parents.values()), str(identity)]).decode()
        return identity if isinstance(identity, str) else str(identity)

    def identified(self, key: str) -> Any:
        """The identity in a key."""
        return self.typed(orjson.loads(key)[-1] if self.is_named_by_clients and self.parents else key)

    def typed(self, text: str) -> Any:
        """An identity from its text."""
        return int(text) if self.has_numeric_identity and text.isdecimal() else text

    def indexed_text(self, document: Mapping[str, Any], name: str) -> str | None:
        """The text of an indexed member; None where it is in no scope. Raises ValueError where it must be a string."""
        return member_text(document.get(name)) if name in self.optional_indexed else text_member(document, name)


def _combinations(unique: Any) -> list[tuple[str, ...]]:
    """The combinations of `unique`: one for a list of names, several for a list of lists; at least one, maybe empty."""
    if all(isinstance(each, str) for each in unique):
        return [tuple(unique)]
    return [(each,) if isinstance(each, str) else tuple(each) for each in unique]


def member_text(value: Any) -> str | None:
    """A text for a JSON value, distinct for distinct values; None for null."""
    if value is None or (isinstance(value, str) and not value.startswith("\0")):
        return value
    return f"\0{orjson.dumps(value).decode()}"


def text_member(document: Mapping[str, Any], member: str) -> str:
    """The string of a member. Raises ValueError when the document lacks it, or has another type there."""
    value = document.get(member)
    if not isinstance(value, str):
        raise ValueError(f"{member!r} is {'missing' if value is None else 'not a string'}")  # noqa: TRY004
    return value
