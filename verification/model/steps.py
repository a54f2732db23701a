"""The steps of a conversation, as symbols: their names and identities are filled in when they are taken."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import ClassVar

from ...contract.actions import Kind
from ...contract.interaction import Fields
from ...contract.schema import Json


class Symbol(Enum):
    """A body that can be made for every schema."""

    MINIMAL = "what is required and nothing else"
    FULL = "every member, with another value than its default"


JSON_BODY: Fields = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Create:
    """Create a resource in a scope, which is the number of a combination of values of the unique members."""

    kind: ClassVar[Kind] = "create"
    body: Json | Symbol
    scope: int = 0
    kept: str = ""
    """A unique member whose value in the body is kept."""
    below: int = 0
    """The parent, by the number of its Create."""
    change: Callable[[str], str] = str
    """A change of the texts of unique members, where their schemas accept it."""
    at_once: int = 1
    """The number of equal requests that are sent at the same time."""


@dataclass(frozen=True, slots=True)
class TargetedStep:
    """A step on the resource of the Create with the number `target`; on an unknown identity where there is none."""

    kind: ClassVar[Kind]
    target: int
    _: KW_ONLY
    below: int | None = None
    """The parent in the path, where it is not the resource's own."""
    condition: str = ""
    """A condition on the entity tag, `current` or `stale`: `If-Match` of a change, `If-None-Match` of a read."""


@dataclass(frozen=True, slots=True)
class Read(TargetedStep):
    kind = "read"


@dataclass(frozen=True, slots=True)
class Change(TargetedStep):
    """Change the resource by a body whose unique members become those of a scope."""

    body: Json | Symbol
    scope: int = 0
    kept: str = ""
    """A unique member whose value in the body is kept."""
    change: Callable[[str], str] = str
    """A change of the texts of unique members, where their schemas accept it."""


@dataclass(frozen=True, slots=True)
class Replace(Change):
    kind = "replace"
    identity: str = ""
    """The identity to put into the body: `same`, `other`, or none."""
    pause: bool = False
    """Whether to wait until the server's clock must have moved."""


@dataclass(frozen=True, slots=True)
class Merge(Change):
    """Merge `body` into the resource (RFC 7396)."""

    kind = "merge"


@dataclass(frozen=True, slots=True)
class Delete(TargetedStep):
    kind = "delete"


@dataclass(frozen=True, slots=True)
class List:
    """List with filters: unique members with the values of a scope, others with those of a Create."""

    by: tuple[str, ...] = ()
    scope: int = 0
    change: Callable[[str], str] = str
    """A change of the filters' values, so that they match nothing."""
    below: int = 0
    """The parent, by the number of its Create."""
    rest: int = 0
    """The number of rows of the list before that are left for the second page, where the list has pages."""
    after: tuple[tuple[str, str], ...] = ()
    """The query parameters of the next page."""
    number: int = 0
    """The number of pages before."""


@dataclass(frozen=True, slots=True)
class ParentStep:
    """A step in the collection of the parents."""

    step: "Step"


def placeholder(member: str) -> str:
    """The placeholder for the value of a unique member in the body of a RawRequest."""
    return f"{{{member}}}"


FIRST = "{first}"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request that can be judged without the state, such as one with a wrong media type.

    FIRST at the end of its path becomes the identity of the first created resource, a `placeholder` in its body the
    value of the unique member.
    """

    method: str
    path: str
    headers: Fields = ()
    query: str = ""
    body: bytes = b""
    or_status: str = ""
    """A status that is accepted too."""
    is_right: bool = False
    """Whether it must succeed, if the engine finds no error in it."""


Step = Create | Read | Replace | Merge | Delete | List | ParentStep | RawRequest
