"""Whether one contract takes all that another gives: proven, refuted with a value, or undecided with the reason."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from jsonschema_rs import Draft202012Validator, canonical, canonicalize

from ..contract.finding import Finding
from ..contract.finding import Place as FindingPlace
from ..contract.formats import FORMATS
from .given import Given
from .normal import reachable
from .proof import DRAFT, Proof
from .witness import Values

Json = Any
MOST_TRIED = 4_000
"""How many values are tried before a pair is undecided."""

MOST_AFTER = 1_000
"""How many values are tried after the first that breaks, for other reasons."""
MOST_SUBTRACTED = 20
"""How many definitions a schema may have for the library to write down the difference."""
MOST_SHOWN = 20
"""How many different breaks of one pair are shown."""


@dataclass(frozen=True, slots=True)
class Safe:
    """Proven: everything that is given is taken."""


@dataclass(frozen=True, slots=True)
class Breaking:
    """Values that one engine takes and the other refuses, each for another reason; at least one."""

    values: tuple[Json, ...]

    @property
    def value(self) -> Json:
        return self.values[0]


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither proven nor refuted."""

    reason: str


Verdict = Safe | Breaking | Undecided


class Side(Protocol):
    """A schema of one contract in one direction: what the engine does with it, and what it says."""

    @property
    def schema(self) -> Json:
        """In the one form of this package (`normal`)."""
        ...

    @property
    def is_31(self) -> bool:
        """Whether 1.0 is an integer, as JSON Schema 2020-12 has it and OpenAPI 3.0 has not."""
        ...

    @property
    def definitions(self) -> Mapping[str, Json]:
        """What the schema refers to."""
        ...

    def accepts(self, value: Json) -> bool:
        """What the engine says."""
        ...

    def findings(self, value: Json, place: FindingPlace, name: str | None = None) -> list[Finding]:
        """Why the engine refuses a value."""
        ...


class Direction:
    """All that is given in one direction, and all that is taken: pairs of schemas are decided one after the other."""

    def __init__(self, giver: Side, taker: Side) -> None:
        self.given = Given(giver.definitions)
        self.proof = Proof(self.given.definitions, taker.definitions, whole_floats=taker.is_31)


def contained(
    giver: Side, taker: Side, samples: Callable[[], Sequence[Json]] = tuple, within: Direction | None = None
) -> Verdict:
    """Whether `taker` takes all that `giver` gives; `samples` are values that it is known to give.

    What is given has only the members that the giver's schema names, where it is silent about others.
    """
    within = within or Direction(giver, taker)
    given, definitions = within.given.by(giver.schema), within.given.definitions
    try:
        if within.proof.holds(given, taker.schema):
            return Safe()
        documents = reachable(given, definitions), reachable(taker.schema, taker.definitions)
        gives = Draft202012Validator(documents[0], formats=FORMATS, validate_formats=True)

        def broken(candidates: Iterator[Json]) -> tuple[Json, ...]:
            refused = (
                (number, value)
                for number, value in enumerate(islice(candidates, MOST_TRIED))
                if not taker.accepts(value) and gives.is_valid(value) and giver.accepts(value)
            )
            return _distinct_breaks(refused, taker)

        # What breaks is found in a moment where it is near; the proof with everything that is referred to takes long.
        if values := broken(_near(given, within, taker, samples())):
            return Breaking(values)
        if within.proof.holds_as_a_whole(given, taker.schema):
            return Safe()
        if values := broken(_of_difference(*documents, taker)):
            return Breaking(values)
    except ValueError as error:
        return Undecided(f"the schema cannot be compiled: {error}")
    return Undecided(_reason(*documents))


def _distinct_breaks(refused: Iterator[tuple[int, Json]], taker: Side) -> tuple[Json, ...]:
    """One value for each thing that is found wrong; those that are wrong in one way only, where there are such."""
    alone: dict[tuple[str, str], Json] = {}
    several: dict[frozenset[tuple[str, str]], Json] = {}
    first: int | None = None
    for number, value in refused:
        first = number if first is None else first
        found = taker.findings(value, "body")
        reasons = {(finding.rule, re.sub(r"/[0-9]+(?=/|$)", "/*", finding.pointer or "")) for finding in found}
        if len(reasons) == 1:
            alone.setdefault(next(iter(reasons)), value)
        else:
            several.setdefault(frozenset(reasons), value)
        if len(alone) >= MOST_SHOWN or number > first + MOST_AFTER:
            break
    together = [value for reasons, value in several.items() if not reasons & alone.keys()]
    return (*alone.values(), *together[: 1 if not alone else 0])


def example(side: Side) -> Json | None:
    """A value that the engine takes, a simple one; None where none was found."""
    values = Values(side.definitions, {}).of(side.schema)
    return next((value for value in islice(values, MOST_TRIED) if side.accepts(value)), None)


def _near(given: Json, within: Direction, taker: Side, samples: Sequence[Json]) -> Iterator[Json]:
    """Values at the bounds, samples with one thing changed, and some put together by chance."""
    values = Values(within.given.definitions, taker.definitions, within.proof.holds)
    yield from islice(values.of(given, taker.schema), MOST_TRIED // 4)
    for sample in samples[:2]:
        yield from islice(values.around(sample, given, taker.schema), MOST_TRIED // 4)
    yield from values.drawn(given, taker.schema, MOST_TRIED // 4)


def _of_difference(given: Json, taken: Json, taker: Side) -> Iterator[Json]:
    """Values of the schema that admits exactly what breaks."""
    if max(len(each.get("$defs", ())) for each in (given, taken) if isinstance(each, dict)) < MOST_SUBTRACTED:
        difference = _difference(given, taken)
        if isinstance(difference, dict):
            own = difference.get("$defs", {})
            yield from islice(Values(own, taker.definitions).of(difference, taker.schema), MOST_TRIED // 4)


def _difference(given: Json, taken: Json) -> Json:
    """The schema of exactly what breaks, where the library can write it."""
    one, other = (canonicalize(each, draft=DRAFT, validate_formats=True, offline=True) for each in (given, taken))
    try:
        return one.subtract(other).to_json_schema()
    except (canonical.UnsupportedResult, canonical.UnsupportedOperand):
        return None


def _reason(given: Json, taken: Json) -> str:
    written = repr((given, taken))
    told = [words for sign, words in _HARD.items() if sign in written]
    return f"neither a proof nor a value that breaks was found{': there are ' + ' and '.join(told) if told else ''}"


_HARD = {"'$ref'": "references", "'pattern'": "patterns", "'format'": "formats", "'not'": "exclusions"}
