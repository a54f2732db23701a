"""Whether one contract takes all that another gives: proven, refuted with a value, or undecided with the reason."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Protocol

from jsonschema_rs import canonical, canonicalize

from ..contract.finding import Finding
from ..contract.finding import Place as FindingPlace
from .change import generalized
from .given import Given
from .normal import reachable
from .proof import DRAFT, Open, Proof
from .witness import ABSENT, Values, Way

Json = Any
MOST_TRIED = 600
"""How many values are tried at each open place."""
MOST_DRAWN = 300
"""How many more are put together by chance."""
MOST_AFTER = 100
"""How many values are tried where some break, for other reasons."""
MOST_SUBTRACTED = 20
"""How many definitions a schema may have for the library to write down the difference."""


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

    @property
    def values(self) -> Values:
        """Values of the schema alone."""
        ...

    def accepts(self, value: Json) -> bool:
        """What the engine says."""
        ...

    def findings(self, value: Json, place: FindingPlace, name: str | None = None) -> list[Finding]:
        """Why the engine refuses a value."""
        ...


class Direction:
    """All that is given in one direction, and all that is taken: pairs of schemas are decided one after the other."""

    def __init__(
        self, giver: Side, taker: Side, unchanged: Callable[[str, str], bool] = lambda _given, _taken: False
    ) -> None:
        """`unchanged` says of the names of two definitions that nothing changed between them."""
        self.given = Given(giver.definitions)
        self.proof = Proof(
            self.given.definitions,
            taker.definitions,
            whole_floats=taker.is_31,
            unchanged=lambda given, taken: unchanged(given.partition(":")[0], taken),
        )
        self.values = Values(self.given.definitions, taker.definitions)
        self.found: dict[Open, list[Json]] = {}
        """Values that broke at an open place before: it is met again in other schemas."""


def contained(
    giver: Side, taker: Side, samples: Callable[[], Sequence[Json]] = tuple, within: Direction | None = None
) -> Verdict:
    """Whether `taker` takes all that `giver` gives; `samples` are values that it is known to give.

    What is given has only the members that the giver's schema names, where it is silent about others.
    """
    within = within or Direction(giver, taker)
    given = within.given.by(giver.schema)
    try:
        places = list(within.proof.open(given, taker.schema))
        if not places:
            return Safe()
        documents = reachable(given, within.given.definitions), reachable(taker.schema, taker.definitions)
        small = all(len(each.get("$defs", ())) < MOST_SUBTRACTED for each in documents if isinstance(each, dict))
        if small and within.proof.covers(*reversed(documents)):
            return Safe()
        breaks: dict[_Reasons, Json] = {}
        for way, place in places:
            breaks = _broken(giver, taker, (*way, *place.way), place, samples(), within) | breaks
        alone = {reason for reasons in breaks if len(reasons) == 1 for reason in reasons}
        values = [value for reasons, value in breaks.items() if len(reasons) == 1 or not reasons & alone]
        if not values and small:
            values = _of_difference(giver, taker, *documents)
    except ValueError as error:
        return Undecided(f"the schema cannot be compiled: {error}")
    return Breaking(tuple(values)) if values else Undecided(_reason(*documents))


def example(side: Side) -> Json | None:
    """A value that the engine takes, a simple one; None where none was found."""
    values = side.values.of(side.schema)
    return next((value for value in islice(values, MOST_TRIED) if side.accepts(value)), None)


_Reasons = frozenset[tuple[str, str]]
"""The rules that a value breaks, with the places where."""


def _broken(
    giver: Side, taker: Side, way: Way, place: Open, samples: Sequence[Json], within: Direction
) -> dict[_Reasons, Json]:
    """Values that break at a place, by what is found wrong."""
    tried = within.found.get(place) or chain(
        islice(within.values.of(place.given, place.taken), MOST_TRIED),
        within.values.drawn(place.given, place.taken, MOST_DRAWN),
    )
    here = "".join("/*" if isinstance(step, int) else f"/{step}" for _, step in way)
    found: dict[_Reasons, tuple[Json, Json]] = {}
    for number, inner in enumerate(tried):
        for value in _contexts(way, inner, samples, within.values):
            if not taker.accepts(value) and giver.accepts(value):
                reasons = frozenset((each.rule, generalized(each)) for each in taker.findings(value, "body"))
                if all(where.startswith(here) or here.startswith(where) for _, where in reasons):
                    found.setdefault(reasons, (inner, value))
                    break
        if found and number >= MOST_AFTER:
            break
    within.found.setdefault(place, [inner for inner, _ in found.values()])
    return {reasons: value for reasons, (_, value) in found.items()}


def _contexts(way: Way, inner: Json, samples: Sequence[Json], values: Values) -> Iterator[Json]:
    """A value inside others: a documented one, the simplest one, and one with everything in it."""
    yield from (value for sample in samples[:2] if (value := _placed(sample, way, inner)) is not ABSENT)
    yield values.around(way, inner, full=False)
    if way:
        yield values.around(way, inner, full=True)


def _placed(sample: Json, way: Way, inner: Json) -> Json:
    """A sample with one thing in it replaced, or ABSENT where it is not so deep."""
    if not way:
        return ABSENT
    (_, step), rest = way[0], way[1:]
    if isinstance(sample, dict) and isinstance(step, str) and (step in sample or not rest):
        nested = _placed(sample[step], rest, inner) if rest else inner
        return ABSENT if nested is ABSENT else {**sample, step: nested}
    if isinstance(sample, list) and isinstance(step, int) and step < len(sample):
        nested = _placed(sample[step], rest, inner) if rest else inner
        return ABSENT if nested is ABSENT else [*sample[:step], nested, *sample[step + 1 :]]
    return ABSENT


def _of_difference(giver: Side, taker: Side, given: Json, taken: Json) -> list[Json]:
    """A value of the schema that admits exactly what breaks, where the library can write it."""
    one, other = (canonicalize(each, draft=DRAFT, validate_formats=True, offline=True) for each in (given, taken))
    try:
        difference: Json = one.subtract(other).to_json_schema()
    except (canonical.UnsupportedResult, canonical.UnsupportedOperand):
        return []
    definitions = difference.get("$defs", {}) if isinstance(difference, dict) else {}
    candidates = islice(Values(definitions, taker.definitions).of(difference, taker.schema), MOST_TRIED)
    return list(islice((each for each in candidates if not taker.accepts(each) and giver.accepts(each)), 1))


def _reason(given: Json, taken: Json) -> str:
    written = repr((given, taken))
    told = [words for sign, words in _HARD.items() if sign in written]
    return f"neither a proof nor a value that breaks was found{': there are ' + ' and '.join(told) if told else ''}"


_HARD = {"'$ref'": "references", "'pattern'": "patterns", "'format'": "formats", "'not'": "exclusions"}
