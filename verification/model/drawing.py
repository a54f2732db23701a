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
from .conversations import table_conversations
from .player import Player, isolated
from .script import Batch, Script, StateCheck, testable_scripts
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

    Raises MaxFailuresReached, DeadlineExceeded.
    """
    scripts = testable_scripts(result, included, footprint)
    judges = [Judge.of_url(result.contract, client.url) for client in clients]
    names = (f"{footprint.name}-{number}" for number in itertools.count(1))

    def record(verdict: Verdict, interaction: Interaction) -> None:
        result.record(part, verdict, interaction)

    def player_of(collection: Collection) -> Play:
        def players(name: str) -> Sequence[Player]:
            each = zip(clients, judges, strict=True)
            return [Player(collection, client, judge, name, record) for client, judge in each]

        def play(steps: Sequence[Step]) -> list[Failure]:
            found = isolated(players, names)
            return next(filter(None, (take(found, step) for step in steps)), [])

        return play

    if scripts:
        on_part(part)
    for script in scripts:
        converse(script, player_of(script.collection), result, max_examples)
    return bool(scripts)


def converse(script: Script, play: Play, result: Result, max_examples: int) -> None:
    """Play all conversations about a collection. Raises MaxFailuresReached.

    A drawn one that fails is shrunk, then drawing goes on for other failures.
    """
    _play_table(script, play, result)
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
            raise _ConversationFailed

    for _ in range(MAX_DRAWN_FAILURES):
        try:
            draw()
        except (_ConversationFailed, Flaky):
            result.add(*shown)
        else:
            return


def _play_table(script: Script, play: Play, result: Result) -> None:
    for conversation in table_conversations(script):
        if not isinstance(conversation, Batch):
            result.add(*play(script.resolved(conversation)))
        elif together := play(script.resolved(conversation.combined)):
            for each in conversation.separate:
                if failures := play(script.resolved(each)):
                    together = []
                result.add(*failures)
            if conversation.is_valid:
                result.add(*together)


def drawn(script: Script) -> st.SearchStrategy[Sequence[Step]]:
    """A strategy for conversations: up to eight steps, then a StateCheck."""
    collection = script.collection
    # A target that was not created is an unknown identity.
    scope, target, below = st.integers(0, 3), st.integers(0, 3), st.integers(0, int(collection.is_below))
    steps: list[st.SearchStrategy[Step]] = [
        st.builds(Create, _one_of(script.free_bodies("create")), scope, below=below),
    ]
    writing: tuple[type[Replace | Merge], ...] = (Replace, Merge)
    permitted_parameters: tuple[type[Read | Delete], ...] = (Read, Delete)
    steps += [
        st.builds(step, target, _one_of(script.free_bodies(step.kind)), scope)
        for step in writing
        if step.kind in collection.operations
    ]
    steps += [st.builds(step, target) for step in permitted_parameters if step.kind in collection.operations]
    if "list" in collection.operations and script.combinations:
        steps.append(st.builds(List, _one_of(script.combinations), scope, below=below))
    return st.lists(st.one_of(steps), min_size=1, max_size=8).map(lambda steps: script.resolved([*steps, StateCheck()]))


class _ConversationFailed(Exception):
    """A drawn conversation failed."""


def _one_of(choices: Sequence[T]) -> st.SearchStrategy[T]:
    """As sampled_from, whose errors would print all choices."""
    return st.integers(0, len(choices) - 1).map(choices.__getitem__)
