"""The table of the deliberate conversations, in the order in which they are played: the simplest first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from .collection import Collection
from .expectation import supports_condition
from .script import FOUR_CREATES, FULL, MINIMAL, Batch, Conversation, Script, StateCheck
from .steps import Create, Delete, List, Merge, ParentStep, Read, Replace, Step, TargetedStep


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation, or a family of them made from the contract."""

    why: str
    """The behaviour that it tests."""
    steps: Conversation | Callable[[Script], Iterator[Conversation | Batch]]
    needs: str = ""
    """The features that it needs, as in `features`, beside the operations of its steps."""


CREATED: Conversation = [Create(MINIMAL)]
SEEN: Conversation = [Create(MINIMAL), Read(0)]
DELETED: Conversation = [Create(MINIMAL), Delete(0)]
TWO: Conversation = [Create(MINIMAL), Create(FULL, 1)]
APART: Conversation = [Create(MINIMAL), Create(FULL, 1, below=1)]
ITEM_STEPS: tuple[Read | Replace | Merge | Delete, ...] = (Read(0), Replace(0, FULL), Merge(0, FULL), Delete(0))

BASICS = (
    Row("what a create leaves out has its default", [Create(MINIMAL), StateCheck()]),
    Row("every member is kept", [Create(FULL), StateCheck()]),
    Row("a replacement sets every member", [Create(MINIMAL), Replace(0, FULL), StateCheck()]),
    Row("what a replacement leaves out has its default", [Create(FULL), Replace(0, MINIMAL), StateCheck()]),
    Row("a replacement can be repeated", [Create(MINIMAL), Replace(0, FULL), Replace(0, FULL), StateCheck()]),
    Row("the time of change moves on", [Create(MINIMAL), Replace(0, FULL, pause=True), StateCheck()]),
    Row("what is unknown is not made by a replacement", [Replace(0, FULL), StateCheck()]),
    Row("what is known stays", [Create(MINIMAL), Replace(1, FULL, 1), StateCheck(), StateCheck(1)]),
    Row("it is shown as it is stored", [Create(FULL), Read(0)]),
    Row("what is unknown is not found", [Read(0)]),
    Row("what was replaced is shown", [Create(MINIMAL), Replace(0, FULL), Read(0)]),
    Row("the identity never changes", Script.contradictions, "replace"),
    Row("the times are the server's", Script.client_times, "replace"),
    Row("a create cannot set the times", Script.created_times),
)
MERGES = (
    Row("a patch sets what it names", [Create(MINIMAL), Merge(0, FULL), StateCheck()]),
    Row("a patch leaves the rest", [Create(FULL), Merge(0, MINIMAL), StateCheck()]),
    Row("a patch leaves defaults", [Create(MINIMAL), Merge(0, MINIMAL), StateCheck()]),
    Row("each member can be changed alone, and null removes it", partial(Script.valid, kind="merge"), "merge"),
    Row("every keyword is minded in a patch", partial(Script.invalid, kind="merge"), "merge"),
    Row("what is unknown is not made by a patch", [Merge(0, FULL), StateCheck()]),
    Row(
        "a patch into a scope that is taken changes nothing",
        [*TWO, Merge(1, FULL), StateCheck(1), StateCheck()],
        "unique",
    ),
)
DELETIONS = (
    Row("what is deleted is not listed", [*DELETED, StateCheck()]),
    Row("a deletion leaves the others", [*TWO, Delete(0), StateCheck(1), List()]),
    Row("what is unknown is not deleted", [Delete(0)]),
    *(Row(f"what is deleted is gone for a {step.kind}", [*DELETED, step, StateCheck()]) for step in ITEM_STEPS),
    Row("the unique values of what is deleted are free", [*DELETED, Create(FULL), StateCheck()]),
)
VERSIONS = (
    Row("what a client has is not sent again", [*SEEN, Read(0, condition="current")]),
    *(
        Row(f"after a {step.kind} it is another version", [*SEEN, step, Read(0), Read(0, condition="stale")])
        for step in ITEM_STEPS[1:3]
    ),
    *(
        Row(f"a {step.kind} of the current version is done", [*SEEN, replace(step, condition="current"), StateCheck()])
        for step in ITEM_STEPS[1:]
    ),
    *(
        Row(f"a {step.kind} of another version is not", [*SEEN, replace(step, condition="stale"), StateCheck()])
        for step in ITEM_STEPS[1:]
    ),
)
PARENTS = (
    Row("each parent has its own", [*APART, StateCheck(), StateCheck(1, below=1)]),
    Row("each parent lists all of its own", [*APART, List(), List(below=1)]),
    Row("what is unique below one may be below another", [Create(MINIMAL), Create(MINIMAL, below=1), StateCheck()]),
    *(
        Row(f"another parent has none for a {step.kind}", [*APART, replace(step, below=1), StateCheck()])
        for step in ITEM_STEPS
    ),
    Row("nothing is created below nothing", [Create(MINIMAL, below=9)], "parent"),
    Row("nothing is listed below nothing", [List(below=9)], "parent"),
    *(
        Row(f"nothing is there for a {step.kind} below nothing", [*CREATED, replace(step, below=9)], "parent")
        for step in ITEM_STEPS
    ),
    *(
        Row(f"after its parent it is gone for a {kind}", [*CREATED, ParentStep(Delete(0)), step])
        for kind, step in (("list", List()), ("read", Read(0)), ("create", Create(MINIMAL)))
    ),
)


def _scopes(other: int) -> tuple[Row, ...]:
    needs = "unique" if other == 1 else "combined"
    two: Conversation = [Create(MINIMAL), Create(FULL, other)]
    move: Conversation = [Create(MINIMAL), Replace(0, FULL, other)]
    return (
        Row(f"a scope does not disturb another, {other}", [*two, StateCheck(), StateCheck(other)], needs),
        Row(
            f"a conflict changes nothing, {other}", [*two, Replace(1, FULL, 0), StateCheck(other), StateCheck()], needs
        ),
        Row(f"what moves is listed in its new scope only, {other}", [*move, StateCheck(other), StateCheck()], needs),
        Row(
            f"what moves leaves its scope free, {other}", [*move, Create(FULL), StateCheck(), StateCheck(other)], needs
        ),
        Row(
            f"what moves takes its new scope, {other}",
            [*move, Create(FULL, other), StateCheck(), StateCheck(other)],
            needs,
        ),
    )


SCOPES = (
    Row("the first one in a scope stays", [Create(MINIMAL), Create(FULL), StateCheck()], "unique"),
    Row("of several at once there is one", [Create(MINIMAL, at_once=4), StateCheck()], "unique"),
    *(row for other in (1, 2, 3) for row in _scopes(other)),
)
CHANGES: dict[str, Callable[[str], str]] = {
    "shorter": lambda text: text[:-1],
    "longer": lambda text: f"{text}x",
    "in capitals": str.upper,
    "with a wildcard of SQL": lambda text: f"{text[:-1]}%",
    "with a quote of SQL": lambda text: f"{text}'",
    "percent-encoded twice": lambda text: f"{text[:-1]}%{ord(text[-1]):02X}",
    "a wildcard": lambda _: "*",
    "followed by a space": lambda text: f"{text} ",
    "of odd characters": lambda text: f'{text}+é ✓𝄞&#/;=?\\"',
    "as long as can be": lambda text: text.ljust(255, "é"),
}
LISTS = (
    Row("a list needs no filter", [List()]),
    Row("a list has what equals all of its filters", Script.filters, "list"),
    *(
        Row(f"a value that is {name} equals nothing", partial(Script.near_filters, change=change), "list")
        for name, change in CHANGES.items()
    ),
    Row("the parts of a list are the whole, in order", [*FOUR_CREATES, List(), List(rest=2), List(rest=1)], "parts"),
    Row("several are all there, in order", Script.many_resources, "list"),
    Row("a change moves nothing", partial(Script.many_resources, change=True), "list replace"),
)
PROTOCOL = (
    Row("a wrong query is refused", Script.raw_lists, "list"),
    Row("an unusual list is answered", Script.right_lists, "list"),
    Row("an unusual create is done", partial(Script.right_writes, kind="create")),
    Row("an unusual replacement is done", partial(Script.right_writes, kind="replace"), "replace"),
    Row("the checks have their order", Script.order_of_checks, "replace"),
    Row("what is not of the contract is refused", partial(Script.raw_writes, kind="create")),
    Row("a wrong replacement changes nothing", partial(Script.raw_writes, kind="replace"), "replace"),
    Row("a wrong patch changes nothing", partial(Script.raw_writes, kind="merge"), "merge"),
    Row("a wrong parameter of a path is refused", Script.wrong_paths),
    Row("another method gets 405 with Allow, another path 404", Script.other_methods),
)
VALUES = (
    Row("every bound can be reached", partial(Script.valid, kind="create")),
    Row("every keyword is minded", partial(Script.invalid, kind="create")),
    Row("every bound can be reached by a replacement", partial(Script.valid, kind="replace"), "replace"),
    Row("every keyword is minded in a replacement", partial(Script.invalid, kind="replace"), "replace"),
    Row("a long list has the last one, too", [Create(MINIMAL), List()]),
)
TABLE = (*BASICS, *MERGES, *DELETIONS, *VERSIONS, *PARENTS, *SCOPES, *LISTS, *PROTOCOL, *VALUES)


def features(collection: Collection) -> set[str]:
    """The features of a collection on which conversations depend."""
    has = {
        "unique": bool(collection.unique),
        "combined": len(collection.unique) > 1,
        "below": collection.is_below,
        "parent": collection.parent is not None,
        "parts": collection.paging is not None
        and collection.paging.has_next_page
        and collection.paging.limit is not None,
        **{f"{kind} if": supports_condition(operation) for kind, operation in collection.operations.items()},
    }
    parent = features(collection.parent) if collection.parent else ()
    return {
        *collection.operations,
        *(name for name, is_so in has.items() if is_so),
        *(f"parent {each}" for each in parent),
    }


def _needed(step: Step | StateCheck) -> Iterator[str]:
    if isinstance(step, ParentStep):
        yield from (f"parent {each}" for each in _needed(step.step))
    elif isinstance(step, TargetedStep):
        yield f"{step.kind} if" if step.condition else step.kind
    elif isinstance(step, List):
        yield "list"
    if not isinstance(step, ParentStep) and getattr(step, "below", 0) == 1:
        yield "below"


def table_conversations(script: Script) -> Iterator[Conversation | Batch]:
    """The conversations of the table whose needs a collection meets."""
    has = features(script.collection)
    for row in TABLE:
        needed = [] if callable(row.steps) else [each for step in row.steps for each in _needed(step)]
        if has.issuperset([*row.needs.split(), *needed]):
            yield from row.steps(script) if callable(row.steps) else [row.steps]
