"""The schemas of `controls.yaml` as types, member by member."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Required, TypedDict

Json = Any
"""A JSON value."""

Absent = TypedDict("Absent", {"$absent": Literal[True]})
AnyOf = TypedDict("AnyOf", {"$any_of": Sequence[Json]})
Pattern = TypedDict("Pattern", {"$pattern": str})
Matcher = Absent | AnyOf | Pattern

absent: Absent = {"$absent": True}
"""A matcher in the place of a value: no value."""


def any_of(*values: Json) -> AnyOf:
    """A matcher in the place of a value: one of these values."""
    return {"$any_of": values}


def pattern(regular_expression: str) -> Pattern:
    """A matcher in the place of a value: a string in which the expression is found; `^` and `$` are its ends."""
    return {"$pattern": regular_expression}


class Match(TypedDict, total=False):
    """The criteria of a matching request."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str | Matcher]
    headers: Mapping[str, str | Matcher]
    body: Json
    status: int
    valid: bool


class Answer(TypedDict, total=False):
    """A documented response, or one of your own that the contract judges."""

    status: Required[int]
    example: str
    headers: Mapping[str, str]
    body: Json


class Delay(TypedDict, total=False):
    """A delay before the response, in milliseconds."""

    milliseconds: Required[float]
    distribution: Literal["fixed", "uniform", "lognormal"]
    jitter: float


class Effect(TypedDict, total=False):
    """The members of a rule, new or in force."""

    match: Match
    answer: int | Answer
    answers: Sequence[int | Answer]
    delay: Delay
    fault: Literal["empty", "reset", "malformed", "truncated", "dribble"]
    times: int
    until: str


class NewRule(Effect, total=False):
    """A rule to add: the response to matching requests in place of the usual one."""

    off_contract: bool
    probability: float
    seed: int


class Rule(Effect):
    """A rule in force, with the numbers of requests that matched it and that it answered."""

    id: str
    matched: int
    answered: int
    off_contract: bool
    probability: float
    seed: int


class NewClock(TypedDict, total=False):
    """The initial time of a clock; the clock stands still unless `frozen` is false."""

    now: str
    frozen: bool


class Ids(TypedDict, total=False):
    """The ids of the next created resources: those in `next`, then those of the seed."""

    next: Sequence[str]
    seed: int


class Scenario(TypedDict, total=False):
    """The initial state, rules, clock and ids of a session."""

    state: Sequence[Mapping[str, Json]] | Mapping[str, Sequence[Mapping[str, Json]]]
    rules: Sequence[NewRule]
    clock: NewClock
    ids: Ids
