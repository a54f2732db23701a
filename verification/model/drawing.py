"""The run of all conversations: those of the table, then those that Hypothesis draws and shrinks."""

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from ...contract.interaction import Interaction
from ..client import Client
from ..footprint import Footprint
from ..judge import Judge, Verdict
from ..result import Failure, Result
from .collection import Collection
from .conversations import deliberate
from .player import Player, alone
from .script import Look, Refused, Script, modelled
from .steps import Create, Delete, List, Merge, Read, Replace, Step

MAX_DRAWN_FAILURES = 5
"""The number of failures that ends the drawing of conversations."""

T = TypeVar("T")
Play = Callable[[Sequence[Step]], list[Failure]]
"""Plays a conversation up to its first failing step, and returns the failures."""
Take = Callable[[Sequence[Player], Step], list[Failure]]
"""Takes a step with each server, and returns the failures."""


def converse_with(
    clients: Sequence[Client],
    result: Result,
    included: Callable[[str], bool],
    max_examples: int,
    footprint: Footprint,
    take: Take = lambda players, step: players[0].play(step),
    part: str = "model",
    on_part: Callable[[str], None] = lambda _part: None,
) -> bool:
    """Play the conversations of the model with one server or several, and return whether there were any.

    Raises EnoughFailures, OutOfTime.
    """
    scripts = modelled(result, included, footprint)
    judges = [Judge.of_url(result.contract, client.url) for client in clients]
    names = (f"{footprint.name}-{number}" for number in itertools.count(1))

    def record(verdict: Verdict, interaction: Interaction) -> None:
        result.record(part, verdict, interaction)

    def talking(collection: Collection) -> Play:
        def players(name: str) -> Sequence[Player]:
            each = zip(clients, judges, strict=True)
            return [Player(collection, client, judge, name, record) for client, judge in each]

        def play(steps: Sequence[Step]) -> list[Failure]:
            found = alone(players, names)
            return next(filter(None, (take(found, step) for step in steps)), [])

        return play

    if scripts:
        on_part(part)
    for script in scripts:
        converse(script, talking(script.collection), result, max_examples)
    return bool(scripts)


def converse(script: Script, play: Play, result: Result, max_examples: int) -> None:
    """Play all conversations about a collection. Raises EnoughFailures.

    A drawn one that fails is shrunk, then drawing goes on for other failures.
    """
    for talk in deliberate(script):
        if not isinstance(talk, Refused):
            result.add_each(play(script.spoken(talk)))
        elif play(script.spoken(talk.together)):
            for each in talk.apart:
                result.add_each(play(script.spoken(each)))
    shown: list[Failure] = []

    @with_seed(result.seed)
    @settings(
        max_examples=max_examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(drawn(script))
    def draw(steps: Sequence[Step]) -> None:
        if new := [failure for failure in play(steps) if failure.fingerprint not in result.failures]:
            shown[:] = new  # the last conversation that Hypothesis tries is the shortest
            raise _Shown

    for _ in range(MAX_DRAWN_FAILURES):
        try:
            draw()
        except (_Shown, Flaky):
            result.add_each(shown)
        else:
            return


def drawn(script: Script) -> st.SearchStrategy[Sequence[Step]]:
    """A strategy for conversations: up to eight steps, then a Look."""
    collection = script.collection
    # A target that was not created is an unknown identity.
    scope, target, below = st.integers(0, 3), st.integers(0, 3), st.integers(0, int(collection.is_below))
    steps: list[st.SearchStrategy[Step]] = [
        st.builds(Create, _one_of(script.free("create")), scope, below=below),
    ]
    writing: tuple[type[Replace | Merge], ...] = (Replace, Merge)
    aimed: tuple[type[Read | Delete], ...] = (Read, Delete)
    steps += [
        st.builds(step, target, _one_of(script.free(step.kind)), scope)
        for step in writing
        if step.kind in collection.operations
    ]
    steps += [st.builds(step, target) for step in aimed if step.kind in collection.operations]
    if "list" in collection.operations and script.combinations:
        steps.append(st.builds(List, _one_of(script.combinations), scope, below=below))
    return st.lists(st.one_of(steps), min_size=1, max_size=8).map(lambda steps: script.spoken([*steps, Look()]))


class _Shown(Exception):
    """A drawn conversation failed."""


def _one_of(choices: Sequence[T]) -> st.SearchStrategy[T]:
    """As sampled_from, whose errors would print all choices."""
    return st.integers(0, len(choices) - 1).map(choices.__getitem__)
