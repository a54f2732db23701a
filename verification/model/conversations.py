"""The table of the deliberate conversations, in the order in which they are played: the simplest first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from .collection import Collection
from .expectation import minds_condition
from .script import FOUR, LEAST, WHOLE, Look, Refused, Script, Talk
from .steps import Aimed, Create, Delete, List, Merge, Outer, Read, Replace, Step


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation, or a family of them made from the contract."""

    why: str
    """The behaviour that it tests."""
    steps: Talk | Callable[[Script], Iterator[Talk | Refused]]
    needs: str = ""
    """The features that it needs, as in `having`, beside the operations of its steps."""


CREATED: Talk = [Create(LEAST)]
SEEN: Talk = [Create(LEAST), Read(0)]
DELETED: Talk = [Create(LEAST), Delete(0)]
TWO: Talk = [Create(LEAST), Create(WHOLE, 1)]
APART: Talk = [Create(LEAST), Create(WHOLE, 1, below=1)]
ON_IT: tuple[Read | Replace | Merge | Delete, ...] = (Read(0), Replace(0, WHOLE), Merge(0, WHOLE), Delete(0))

BASICS = (
    Row("what a create leaves out has its default", [Create(LEAST), Look()]),
    Row("every member is kept", [Create(WHOLE), Look()]),
    Row("a replacement sets every member", [Create(LEAST), Replace(0, WHOLE), Look()]),
    Row("what a replacement leaves out has its default", [Create(WHOLE), Replace(0, LEAST), Look()]),
    Row("the time of change moves on", [Create(LEAST), Replace(0, WHOLE, pause=True), Look()]),
    Row("what is unknown is not made by a replacement", [Replace(0, WHOLE), Look()]),
    Row("what is known stays", [Create(LEAST), Replace(1, WHOLE, 1), Look(), Look(1)]),
    Row("it is shown as it is stored", [Create(WHOLE), Read(0)]),
    Row("what is unknown is not found", [Read(0)]),
    Row("what was replaced is shown", [Create(LEAST), Replace(0, WHOLE), Read(0)]),
    Row("the identity never changes", Script.contradictions, "replace"),
    Row("the times are the server's", Script.client_times, "replace"),
)
MERGES = (
    Row("a patch sets what it names", [Create(LEAST), Merge(0, WHOLE), Look()]),
    Row("a patch leaves the rest", [Create(WHOLE), Merge(0, LEAST), Look()]),
    Row("a patch leaves defaults", [Create(LEAST), Merge(0, LEAST), Look()]),
    Row("each member can be changed alone, and null removes it", partial(Script.valid, kind="merge"), "merge"),
    Row("every keyword is minded in a patch", partial(Script.invalid, kind="merge"), "merge"),
    Row("what is unknown is not made by a patch", [Merge(0, WHOLE), Look()]),
    Row("a patch into a scope that is taken changes nothing", [*TWO, Merge(1, WHOLE), Look(1), Look()], "unique"),
)
DELETIONS = (
    Row("what is deleted is not listed", [*DELETED, Look()]),
    Row("a deletion leaves the others", [*TWO, Delete(0), Look(1), List()]),
    Row("what is unknown is not deleted", [Delete(0)]),
    *(Row(f"what is deleted is gone for a {step.kind}", [*DELETED, step, Look()]) for step in ON_IT),
    Row("the unique values of what is deleted are free", [*DELETED, Create(WHOLE), Look()]),
)
VERSIONS = (
    Row("what a client has is not sent again", [*SEEN, Read(0, condition="current")]),
    *(
        Row(f"after a {step.kind} it is another version", [*SEEN, step, Read(0), Read(0, condition="stale")])
        for step in ON_IT[1:3]
    ),
    *(
        Row(f"a {step.kind} of the current version is done", [*SEEN, replace(step, condition="current"), Look()])
        for step in ON_IT[1:]
    ),
    *(
        Row(f"a {step.kind} of another version is not", [*SEEN, replace(step, condition="stale"), Look()])
        for step in ON_IT[1:]
    ),
)
PARENTS = (
    Row("each parent has its own", [*APART, Look(), Look(1, below=1)]),
    Row("each parent lists all of its own", [*APART, List(), List(below=1)]),
    Row("what is unique below one may be below another", [Create(LEAST), Create(LEAST, below=1), Look()]),
    *(Row(f"another parent has none for a {step.kind}", [*APART, replace(step, below=1), Look()]) for step in ON_IT),
    Row("nothing is created below nothing", [Create(LEAST, below=9)], "outer"),
    Row("nothing is listed below nothing", [List(below=9)], "outer"),
    *(
        Row(f"nothing is there for a {step.kind} below nothing", [*CREATED, replace(step, below=9)], "outer")
        for step in ON_IT
    ),
    *(
        Row(f"after its parent it is gone for a {kind}", [*CREATED, Outer(Delete(0)), step])
        for kind, step in (("list", List()), ("read", Read(0)), ("create", Create(LEAST)))
    ),
)


def _scopes(other: int) -> tuple[Row, ...]:
    needs = "unique" if other == 1 else "combined"
    two: Talk = [Create(LEAST), Create(WHOLE, other)]
    move: Talk = [Create(LEAST), Replace(0, WHOLE, other)]
    return (
        Row(f"a scope does not disturb another, {other}", [*two, Look(), Look(other)], needs),
        Row(f"a conflict changes nothing, {other}", [*two, Replace(1, WHOLE, 0), Look(other), Look()], needs),
        Row(f"what moves is listed in its new scope only, {other}", [*move, Look(other), Look()], needs),
        Row(f"what moves leaves its scope free, {other}", [*move, Create(WHOLE), Look(), Look(other)], needs),
        Row(f"what moves takes its new scope, {other}", [*move, Create(WHOLE, other), Look(), Look(other)], needs),
    )


SCOPES = (
    Row("the first one in a scope stays", [Create(LEAST), Create(WHOLE), Look()], "unique"),
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
    Row("a list needs no filter", [List()]),
    Row("a list has what equals all of its filters", Script.filters, "list"),
    *(
        Row(f"a value that is {name} equals nothing", partial(Script.near, change=change), "list")
        for name, change in CHANGES.items()
    ),
    Row("the parts of a list are the whole, in order", [*FOUR, List(), List(rest=2), List(rest=1)], "parts"),
    Row("several are all there, in order", Script.several, "list"),
    Row("a change moves nothing", partial(Script.several, change=True), "list replace"),
)
PROTOCOL = (
    Row("a wrong query is refused", Script.raw_lists, "list"),
    Row("what is not of the contract is refused", partial(Script.raw_writes, kind="create")),
    Row("a wrong replacement changes nothing", partial(Script.raw_writes, kind="replace"), "replace"),
    Row("a wrong patch changes nothing", partial(Script.raw_writes, kind="merge"), "merge"),
    Row("a wrong parameter of a path is refused", Script.wrong_paths),
    Row("another method gets 405 with Allow, another path 404", Script.elsewhere),
)
VALUES = (
    Row("every bound can be reached", partial(Script.valid, kind="create")),
    Row("every keyword is minded", partial(Script.invalid, kind="create")),
    Row("every bound can be reached by a replacement", partial(Script.valid, kind="replace"), "replace"),
    Row("every keyword is minded in a replacement", partial(Script.invalid, kind="replace"), "replace"),
)
TABLE = (*BASICS, *MERGES, *DELETIONS, *VERSIONS, *PARENTS, *SCOPES, *LISTS, *PROTOCOL, *VALUES)


def having(collection: Collection) -> set[str]:
    """The features of a collection on which conversations depend."""
    has = {
        "unique": bool(collection.unique),
        "combined": len(collection.unique) > 1,
        "below": collection.is_below,
        "outer": collection.outer is not None,
        "parts": collection.paging is not None and collection.paging.goes_on and collection.paging.limit is not None,
        **{f"{kind} if": minds_condition(operation) for kind, operation in collection.operations.items()},
    }
    outer = having(collection.outer) if collection.outer else ()
    return {
        *collection.operations,
        *(name for name, is_so in has.items() if is_so),
        *(f"outer {each}" for each in outer),
    }


def _needed(step: Step | Look) -> Iterator[str]:
    if isinstance(step, Outer):
        yield from (f"outer {each}" for each in _needed(step.step))
    elif isinstance(step, Aimed):
        yield f"{step.kind} if" if step.condition else step.kind
    elif isinstance(step, List):
        yield "list"
    if not isinstance(step, Outer) and getattr(step, "below", 0) == 1:
        yield "below"


def deliberate(script: Script) -> Iterator[Talk | Refused]:
    """The conversations of the table whose needs a collection meets."""
    has = having(script.collection)
    for row in TABLE:
        needed = [] if callable(row.steps) else [each for step in row.steps for each in _needed(step)]
        if has.issuperset([*row.needs.split(), *needed]):
            yield from row.steps(script) if callable(row.steps) else [row.steps]
