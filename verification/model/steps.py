"""The steps of a conversation, in symbols: which names and identities they get is known when they are taken."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

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

    body: Json | Symbol
    scope: int = 0
    spared: str = ""
    """A unique member that stays as the body has it."""


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace what the `target`th Create of the conversation made; what does not exist where there is none."""

    target: int
    body: Json | Symbol
    scope: int = 0
    spared: str = ""
    """A unique member that stays as the body has it."""
    identity: str = ""
    """An identity to put into the body: `same`, `other`, or none."""
    pause: bool = False
    """Wait until the server's clock must have moved."""


@dataclass(frozen=True, slots=True)
class List:
    """List by some of the unique members, with the values of a scope."""

    by: tuple[str, ...] = ()
    scope: int = 0
    change: Callable[[str], str] = str
    """What is done to the values first, so that they match nothing."""


def named(member: str) -> str:
    """Stands for the value of a unique member in the body of a Raw step."""
    return f"{{{member}}}"


FIRST, UNKNOWN = "{first}", "{unknown}"


@dataclass(frozen=True, slots=True)
class Raw:
    """A request that needs no memory to be judged, such as one with a wrong media type.

    FIRST in its path is the identity of what the conversation created first, UNKNOWN one that nobody has; what is
    `named` in its body becomes the value of that unique member.
    """

    method: str
    path: str
    headers: Fields = ()
    query: str = ""
    body: bytes = b""
    or_status: str = ""
    """A status that is right as well."""


Step = Create | Replace | List | Raw
