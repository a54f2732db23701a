"""The conversations that somebody thought of, as a table in the order in which they are played.

The plain ones come first, so that a plain mistake is found at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from .script import LEAST, WHOLE, Look, Refused, Script, Talk
from .steps import Create, List, Replace


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation, or a family of them made from the contract."""

    name: str
    steps: Talk | Callable[[Script], Iterator[Talk | Refused]]
    why: str
    needs: str = ""
    """What it cannot be had without: `replace`, `list`, `unique`."""


BASICS = (
    Row("create the least", [Create(LEAST), Look()], "what was left out has its default"),
    Row("create the whole", [Create(WHOLE), Look()], "every member is kept"),
    Row("add", [Create(LEAST), Replace(0, WHOLE), Look()], "a replacement sets every member", "replace"),
    Row("take away", [Create(WHOLE), Replace(0, LEAST), Look()], "what it leaves out has its default", "replace"),
    Row("later", [Create(LEAST), Replace(0, WHOLE, pause=True), Look()], "the time of change moves on", "replace"),
    Row("replace nothing", [Replace(0, WHOLE), Look()], "what is unknown is not made", "replace"),
    Row("replace another", [Create(LEAST), Replace(1, WHOLE, 1), Look(), Look(1)], "what is known stays", "replace"),
    Row("identity in the body", Script.contradictions, "it never changes", "replace"),
    Row("times in the body", Script.client_times, "they are the server's", "replace"),
)


def _scopes(other: int) -> tuple[Row, ...]:
    second: Talk = [Create(LEAST), Create(WHOLE, other)]
    move: Talk = [Create(LEAST), Replace(0, WHOLE, other)]
    return (
        Row(f"two scopes, {other}", [*second, Look(), Look(other)], "one does not disturb the other", "unique"),
        Row(
            f"move into a scope that is taken, {other}",
            [*second, Replace(1, WHOLE, 0), Look(other), Look()],
            "a conflict changes nothing",
            "unique replace",
        ),
        Row(f"move, {other}", [*move, Look(other), Look()], "it is listed in its new scope only", "unique replace"),
        Row(
            f"move and take the old scope, {other}",
            [*move, Create(WHOLE), Look(), Look(other)],
            "the old scope is free",
            "unique replace",
        ),
        Row(f"move and take the new scope, {other}", [*move, Create(WHOLE, other)], "it is taken", "unique replace"),
    )


SCOPES = (
    Row("the same scope twice", [Create(LEAST), Create(WHOLE), Look()], "the first one stays", "unique"),
    *(row for other in (1, 2, 3) for row in _scopes(other)),
)
CHANGES: dict[str, Callable[[str], str]] = {
    "shorter": lambda text: text[:-1],
    "longer": lambda text: f"{text}x",
    "in capitals": str.upper,
    "with a wildcard of SQL": lambda text: f"{text[:-1]}%",
    "a wildcard": lambda _: "*",
}
LISTS = (
    Row("everything", [List()], "a list needs no filter", "list"),
    Row("by every filter", Script.filters, "it has what equals all of them", "list unique"),
    *(
        Row(
            f"by a value that is {name}",
            partial(Script.near, change=change),
            "equal is equal",
            "list unique",
        )
        for name, change in CHANGES.items()
    ),
    Row("several", Script.several, "they are all there, in order", "list unique"),
    Row("several, changed", partial(Script.several, change=True), "a change moves nothing", "list unique replace"),
)
PROTOCOL = (
    Row("wrong lists", Script.raw_lists, "a wrong query is refused", "list"),
    Row("wrong creates", Script.raw_creates, "what is not of the contract is refused"),
    Row("wrong replacements", Script.raw_replacements, "and changes nothing", "replace"),
    Row("other methods and paths", Script.elsewhere, "405 with Allow, and 404"),
)
VALUES = (
    Row("bounds", Script.creates, "every bound can be reached"),
    Row("beyond", Script.refused_creates, "every keyword is minded"),
    Row("bounds, replacing", Script.replacements, "as in a create", "replace"),
    Row("beyond, replacing", Script.refused_replacements, "and changes nothing", "replace"),
)
TABLE = (*BASICS, *SCOPES, *LISTS, *PROTOCOL, *VALUES)


def deliberate(script: Script) -> Iterator[Talk | Refused]:
    """The conversations of the table that a contract can have."""
    collection = script.collection
    has = {"replace": collection.replace, "list": collection.list, "unique": collection.resource.unique}
    for row in TABLE:
        if all(has[need] for need in row.needs.split()):
            yield from row.steps(script) if callable(row.steps) else [row.steps]
