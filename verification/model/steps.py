"""The steps of a conversation, in symbols: which names and identities they get is known when they are taken."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import ClassVar

from ...contract.actions import Kind
from ...contract.interaction import Fields
from ...contract.schema import Json


class Symbol(Enum):
    """A body that every contract has."""

    LEAST = "what is required and nothing else"
    WHOLE = "every member, with another value than its default"


JSON_BODY: Fields = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Create:
    """Create what `body` says, in a scope: the number of a combination of values of the unique members."""

    kind: ClassVar[Kind] = "create"
    body: Json | Symbol
    scope: int = 0
    spared: str = ""
    """A unique member that stays as the body has it."""
    below: int = 0
    """The parent that it belongs to: what the so manieth Create of parents made."""


@dataclass(frozen=True, slots=True)
class Aimed:
    """Concerns what the `target`th Create of the conversation made; what does not exist where there is none."""

    kind: ClassVar[Kind]
    target: int
    _: KW_ONLY
    below: int | None = None
    """The parent through which it is sought, where that is not its own."""
    condition: str = ""
    """Asked only for its `current` version, or for one that is `stale`; read only where it is another one."""


@dataclass(frozen=True, slots=True)
class Read(Aimed):
    """Read it."""

    kind = "read"


@dataclass(frozen=True, slots=True)
class Change(Aimed):
    """Change it by a body whose unique members become those of a scope."""

    body: Json | Symbol
    scope: int = 0
    spared: str = ""
    """A unique member that stays as the body has it."""


@dataclass(frozen=True, slots=True)
class Replace(Change):
    """Replace it."""

    kind = "replace"
    identity: str = ""
    """An identity to put into the body: `same`, `other`, or none."""
    pause: bool = False
    """Wait until the server's clock must have moved."""


@dataclass(frozen=True, slots=True)
class Merge(Change):
    """Change what `body` names (RFC 7396)."""

    kind = "merge"


@dataclass(frozen=True, slots=True)
class Delete(Aimed):
    """Delete it."""

    kind = "delete"


@dataclass(frozen=True, slots=True)
class List:
    """List by some of the members: the unique ones with the values of a scope, others with those of a Create."""

    by: tuple[str, ...] = ()
    scope: int = 0
    change: Callable[[str], str] = str
    """What is done to the values first, so that they match nothing."""
    below: int = 0
    """The parent whose list it is."""
    rest: int = 0
    """How many rows of what was listed before are left for a part of their own, where a list has parts."""
    after: tuple[tuple[str, str], ...] = ()
    """The parameters that ask for what comes after the parts before."""
    number: int = 0
    """How many parts came before."""


@dataclass(frozen=True, slots=True)
class Outer:
    """A step in the collection that parents are in."""

    step: "Step"


def named(member: str) -> str:
    """Stands for the value of a unique member in the body of a Raw step."""
    return f"{{{member}}}"


FIRST = "{first}"


@dataclass(frozen=True, slots=True)
class Raw:
    """A request that needs no memory to be judged, such as one with a wrong media type.

    FIRST at the end of its path is the identity of what the conversation created first; what is `named` in its body
    becomes the value of that unique member.
    """

    method: str
    path: str
    headers: Fields = ()
    query: str = ""
    body: bytes = b""
    or_status: str = ""
    """A status that is right as well."""


Step = Create | Read | Replace | Merge | Delete | List | Outer | Raw
