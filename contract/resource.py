"""What a contract says is stored: the `x-resource` of a schema, read here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

TABLE = "configurations"
"""Where documents are kept when nothing says where."""
HIDDEN = "x-callconfig-"
"""What the names of members begin with that are kept beside a document, and that no response shows."""


@dataclass(frozen=True)
class Resource:
    """One kind of thing that a contract keeps, by the names of its members."""

    identity: str
    unique: tuple[str, ...]
    """The scope: no two have all these members in common."""
    created_at: str
    updated_at: str
    prefix: str = ""
    """What the ids that the server makes begin with."""
    order: tuple[str, ...] = ()
    """What a list is sorted by; `-name` is the other way round."""
    refuses_contradiction: bool = False
    """Whether an identity in a body must be refused when it is not the one in the path; else it may be ignored."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """As responses show it: the schema that carries the declaration."""
    input: Mapping[str, Any] = field(default_factory=dict)
    """As a request gives the whole of it: a schema, or a reference to one."""
    deleted_at: str = ""
    """When it was deleted: what has it is kept, and neither read nor listed."""
    also_unique: tuple[tuple[str, ...], ...] = ()
    """Further combinations that no two have in common."""
    name: str = ""
    """Of the schema."""
    table: str = TABLE
    parents: Mapping[str, str] = field(default_factory=dict)
    """The member that keeps the value of each parameter in the path of the collection; it may be hidden."""
    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The schemas of its members, without references."""
    required: frozenset[str] = frozenset()
    input_members: frozenset[str] = frozenset()
    """What a request may give of it."""
    is_named_by_clients: bool = False
    """Whether a request that creates one may bring its identity."""

    @classmethod
    def declared(cls, name: str, schema: Mapping[str, Any]) -> "Resource":
        """What the declaration in a schema says by itself; what paths and other schemas say is added by others."""
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
        """The member with the time of creation, by which what is stored is ordered; it may be hidden."""
        return self.created_at or f"{HIDDEN}created-at"

    @cached_property
    def made_by_store(self) -> frozenset[str]:
        """What a store makes, whatever it is given."""
        return frozenset({self.identity, self.creation, self.updated_at, self.deleted_at} - {""})

    @cached_property
    def server_members(self) -> frozenset[str]:
        """What the server makes, whatever a request says."""
        return self.made_by_store.union(self.parents.values())

    @cached_property
    def beside_input(self) -> frozenset[str]:
        """What is kept of it and no request may give."""
        return self.server_members.union(self.properties) - self.input_members

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """Members that are kept, and that no response shows."""
        kept = (self.creation, self.deleted_at, *self.parents.values())
        return tuple(name for name in kept if name.startswith(HIDDEN))

    @cached_property
    def indexed(self) -> tuple[str, ...]:
        """The members that are unique in some combination, and those that keep the parents: each once."""
        of_combinations = (name for combination in self.combinations for name in combination)
        return tuple(dict.fromkeys([*of_combinations, *self.parents.values()]))

    @cached_property
    def combinations(self) -> tuple[tuple[str, ...], ...]:
        """Every combination that no two have in common, beside the identity."""
        return tuple(each for each in (self.unique, *self.also_unique) if each)

    @cached_property
    def positions(self) -> tuple[tuple[int, ...], ...]:
        """Each combination as places in `indexed`."""
        return tuple(tuple(self.indexed.index(name) for name in each) for each in self.combinations)

    @cached_property
    def loose(self) -> frozenset[str]:
        """The indexed members that may be absent, null, or no text; what lacks one is in no scope."""
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
        """Whether its identity and its indexed members are texts that are always there, and nothing is remembered."""
        return not (self.loose or self.has_number or self.deleted_at or (self.is_named_by_clients and self.parents))

    @cached_property
    def shows_that_it_is_not_deleted(self) -> bool:
        """Whether the member with the time of deletion may be null."""
        schema = self.properties.get(self.deleted_at, {})
        return bool(schema.get("nullable")) or "null" in schema.get("type", ())

    @cached_property
    def has_number(self) -> bool:
        """Whether the identity is a number."""
        return self.properties.get(self.identity, {}).get("type") in ("integer", "number")

    def claims(self, document: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[str | None, ...]]:
        """What no other document may have: its identity and its scopes, each by its members, without those it lacks."""
        within = self.parents.values() if self.is_named_by_clients else ()
        combinations = ((*within, self.identity), *self.combinations)
        claimed = {names: tuple([member_text(document.get(name)) for name in names]) for names in combinations}
        return {names: texts for names, texts in claimed.items() if None not in texts}

    def key(self, document: Mapping[str, Any]) -> str:
        """The text by which a store knows a document: its identity, within its parents where clients choose it.

        Raises ValueError when the document lacks one, or has something else there.
        """
        if self.is_named_by_clients and self.parents:
            return self.key_below(document, document.get(self.identity))
        value = document.get(self.identity)
        if self.has_number and isinstance(value, int):
            return str(value)
        return text_member(document, self.identity)

    def key_below(self, parents: Mapping[str, Any], identity: Any) -> str:
        """The key of what has this identity; `parents` has the members that keep those."""
        if self.is_named_by_clients and self.parents:
            # As texts, for a path may have as a text what a body has as a number.
            return orjson.dumps([*(str(parents.get(name)) for name in self.parents.values()), str(identity)]).decode()
        return identity if isinstance(identity, str) else str(identity)

    def identified(self, key: str) -> Any:
        """The identity in a key."""
        return self.typed(orjson.loads(key)[-1] if self.is_named_by_clients and self.parents else key)

    def typed(self, text: str) -> Any:
        """An identity from its text."""
        return int(text) if self.has_number and text.isdecimal() else text

    def indexed_text(self, document: Mapping[str, Any], name: str) -> str | None:
        """The text of an indexed member; None for one that is in no scope. Raises ValueError where it must be text."""
        return member_text(document.get(name)) if name in self.loose else text_member(document, name)


def _combinations(unique: Any) -> list[tuple[str, ...]]:
    """One combination where it is a list of names, several where it is a list of those; at least one, maybe empty."""
    if all(isinstance(each, str) for each in unique):
        return [tuple(unique)]
    return [(each,) if isinstance(each, str) else tuple(each) for each in unique]


def member_text(value: Any) -> str | None:
    """A text for any JSON value, another for each; None for null."""
    if value is None or (isinstance(value, str) and not value.startswith("\0")):
        return value
    return f"\0{orjson.dumps(value).decode()}"


def text_member(document: Mapping[str, Any], member: str) -> str:
    """Raises ValueError when the document lacks `member`, or has something else than text there."""
    value = document.get(member)
    if not isinstance(value, str):
        raise ValueError(f"{member!r} is {'missing' if value is None else 'not a string'}")  # noqa: TRY004
    return value
