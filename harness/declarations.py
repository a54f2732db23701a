"""What the controls take and answer, as types: the schemas of `controls.yaml`, member by member."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Required, TypedDict

Json = Any
"""A JSON value as Python has it."""

Absent = TypedDict("Absent", {"$absent": Literal[True]})
AnyOf = TypedDict("AnyOf", {"$any_of": Sequence[Json]})
Pattern = TypedDict("Pattern", {"$pattern": str})
Matcher = Absent | AnyOf | Pattern

absent: Absent = {"$absent": True}
"""In the place of a value: there is none."""


def any_of(*values: Json) -> AnyOf:
    """In the place of a value: one of these."""
    return {"$any_of": values}


def pattern(regular_expression: str) -> Pattern:
    """In the place of a value: a string in which this is found; `^` and `$` are its ends."""
    return {"$pattern": regular_expression}


class Match(TypedDict, total=False):
    """What a request must have to match."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str | Matcher]
    headers: Mapping[str, str | Matcher]
    body: Json
    status: int
    valid: bool


class Answer(TypedDict, total=False):
    """A documented answer, or one of your own that the contract judges."""

    status: Required[int]
    example: str
    headers: Mapping[str, str]
    body: Json


class Delay(TypedDict, total=False):
    """How long a request waits."""

    milliseconds: Required[float]
    distribution: Literal["fixed", "uniform", "lognormal"]
    jitter: float


class Effect(TypedDict, total=False):
    """What a rule may say, whether it is new or in force."""

    match: Match
    answer: int | Answer
    answers: Sequence[int | Answer]
    delay: Delay
    fault: Literal["empty", "reset", "malformed", "truncated", "dribble"]
    times: int
    until: str


class NewRule(Effect, total=False):
    """What matching requests get instead of the usual answer."""

    off_contract: bool
    probability: float
    seed: int


class Rule(Effect):
    """A rule that is in force: how many requests matched it, and how many of them it answered."""

    id: str
    matched: int
    answered: int
    off_contract: bool
    probability: float
    seed: int


class NewClock(TypedDict, total=False):
    """The time to begin with; a clock stands still unless it says otherwise."""

    now: str
    frozen: bool


class Ids(TypedDict, total=False):
    """The ids of what is created next: those given, then those of the seed."""

    next: Sequence[str]
    seed: int


class Scenario(TypedDict, total=False):
    """A world to begin with."""

    state: Sequence[Mapping[str, Json]] | Mapping[str, Sequence[Mapping[str, Json]]]
    rules: Sequence[NewRule]
    clock: NewClock
    ids: Ids
