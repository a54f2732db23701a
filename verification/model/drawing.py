"""Having conversations: those of the table, then those that Hypothesis draws and shortens."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from ..result import Failure, Result
from .conversations import deliberate
from .script import Look, Refused, Script
from .steps import Create, List, Replace, Step

MOST_DRAWN_FAILURES = 5
"""How often conversations are drawn anew after one of them showed a failure."""

T = TypeVar("T")
Play = Callable[[Sequence[Step]], list[Failure]]
"""Has a conversation and returns what was wrong with it; it ends with the first step that is wrong."""


def converse(script: Script, play: Play, result: Result, max_examples: int) -> None:
    """Have all the conversations. Raises EnoughFailures.

    A drawn one that shows a failure is shortened, then the drawing goes on without it.
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
            shown[:] = new  # the last one that Hypothesis tries is the shortest
            raise _Shown

    for _ in range(MOST_DRAWN_FAILURES):
        try:
            draw()
        except (_Shown, Flaky):
            result.add_each(shown)
        else:
            return


def drawn(script: Script) -> st.SearchStrategy[Sequence[Step]]:
    """Up to eight steps, and a look at what is stored."""
    scope = st.integers(0, 3)
    steps: list[st.SearchStrategy[Step]] = [st.builds(Create, _one_of(script.free(script.create.valid)), scope)]
    if script.replace is not None:
        # A target that was not created is one that is unknown.
        bodies = _one_of([body.value for body in script.replace.valid])
        steps.append(st.builds(Replace, st.integers(0, 3), bodies, scope))
    if script.collection.list is not None and script.combinations:
        steps.append(st.builds(List, _one_of(script.combinations), scope))
    look = script.spoken([Look()])
    return st.lists(st.one_of(steps), min_size=1, max_size=8).map(lambda steps: [*steps, *look])


class _Shown(Exception):
    """A drawn conversation showed a failure."""


def _one_of(choices: Sequence[T]) -> st.SearchStrategy[T]:
    """Like sampled_from, without telling all of them whenever something goes wrong."""
    return st.integers(0, len(choices) - 1).map(choices.__getitem__)
