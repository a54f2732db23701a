"""Containment of schemas, proven, refuted by a value, or undecided: whether one accepts all values of another.

The giver's schema describes the values that are sent, the taker's the values that are accepted.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from jsonschema_rs import canonical, canonicalize

from ..contract.finding import Finding
from ..contract.normal import reachable
from ..contract.pointer import json_pointer
from ..contract.schema import Json
from ..contract.side import Side
from ..contract.strict_json import MAX_DEPTH
from ..contract.witness import ABSENT, Values, Way
from .change import generalized
from .given import Given
from .proof import DRAFT, Open, Proof, Reached

MAX_PLACES = 200
"""The number of open places that are searched for a value, the nearest first."""
MAX_TRIED = 600
"""The number of values that are tried at each open place."""
MAX_DRAWN = 300
"""The number of random values that are tried in addition."""
MAX_TRIED_AFTER_BREAK = 100
"""The number of values that are tried for further reasons after a break."""
MAX_DEFINITIONS = 20
"""The most definitions of a schema that is passed to the library as a whole."""


@dataclass(frozen=True, slots=True)
class Break:
    """A value that the giver's engine accepts and the taker's refuses."""

    value: Json
    findings: tuple[Finding, ...]
    """The findings of the taker."""
    reached: Reached
    """The place where the schemas differ."""


@dataclass(frozen=True, slots=True)
class Containment:
    """The verdict about two schemas: proven without breaks and without a reason."""

    breaks: tuple[Break, ...] = ()
    """The breaks, each for another reason."""
    reason: str = ""
    """The reason why containment is neither proven nor refuted."""

    @property
    def is_safe(self) -> bool:
        return not self.breaks and not self.reason


class Relation:
    """The schemas of both sides in one direction, whose pairs are decided one after the other."""

    def __init__(
        self, giver: Side, taker: Side, unchanged: Callable[[str, str], bool] = lambda _given, _taken: False
    ) -> None:
        """`unchanged` says whether the definitions with two names are the same."""
        self.given, self.taken = Given(giver.definitions), taker.definitions
        self.proof = Proof(
            self.given.definitions,
            taker.definitions,
            whole_floats=taker.is_31,
            unchanged=unchanged,
        )
        self.values = Values(self.given.definitions, taker.definitions)
        self.found: dict[Open, list[_Found]] = {}
        """The breaks at open places so far, which other schemas may contain as well."""

    def documents(self, given: Json, taken: Json) -> tuple[Json, Json] | None:
        """A pair of schemas as whole documents; None where one of them is too large for the library."""
        one, other = (
            reachable(given, self.given.definitions, MAX_DEFINITIONS),
            reachable(taken, self.taken, MAX_DEFINITIONS),
        )
        return None if one is None or other is None else (one, other)


def contained(
    giver: Side, taker: Side, samples: Callable[[], Sequence[Json]] = tuple, within: Relation | None = None
) -> Containment:
    """Whether `taker` accepts all values of `giver`; `samples` are known values of it.

    A given object has only the members that the giver's schema names, unless the schema declares others.
    """
    within = within or Relation(giver, taker)
    try:
        given = within.given.by(giver.schema)
        places = list(islice(within.proof.open(given, taker.schema), MAX_PLACES))
        if not places:
            return Containment()
        if all(len(each.way) > MAX_DEPTH for each in places):  # no engine reads deeper values
            return Containment(reason=_TOO_DEEP)
        documents = within.documents(given, taker.schema)
        if documents is not None and within.proof.covers(*reversed(documents)):
            return Containment()
        breaks: dict[_Reasons, Break] = {}
        for reached in (each for each in places if len(each.way) <= MAX_DEPTH):
            found = _broken(giver, taker, reached, samples(), within)
            breaks = {_reasons(each.findings): each for each in found} | breaks
        alone = {reason for reasons in breaks if len(reasons) == 1 for reason in reasons}
        values = [each for reasons, each in breaks.items() if len(reasons) == 1 or not reasons & alone]
    except ValueError as error:
        return Containment(reason=f"the schema cannot be compiled: {error}")
    except RecursionError:
        return Containment(reason=_TOO_DEEP)
    return Containment(tuple(values)) if values else Containment(reason=_reason(places))


def example(side: Side) -> Json:
    """A simple value that the engine accepts; ABSENT where none was found."""
    values = side.values.of(side.schema)
    try:
        return next((value for value in islice(values, MAX_TRIED) if side.accepts(value)), ABSENT)
    except RecursionError:
        return ABSENT  # too deep in others


_Findings = tuple[Finding, ...]
_Reasons = frozenset[tuple[str, str]]
"""The rules that a value breaks, with the places."""
_Found = tuple[Json, _Findings | None]
"""A value that breaks at a place, with its findings; None where they are only in a value around it."""


def _reasons(findings: Iterable[Finding]) -> _Reasons:
    return frozenset((each.rule, generalized(each)) for each in findings)


def _broken(giver: Side, taker: Side, reached: Reached, samples: Sequence[Json], within: Relation) -> list[Break]:
    """The breaks at a place, each for another reason."""
    place, way = reached.place, reached.way
    here = json_pointer([step for _, step in way])
    candidates = chain(
        islice(within.values.of(place.given, place.taken), MAX_TRIED),
        within.values.drawn(place.given, place.taken, MAX_DRAWN),
        _of_difference(place, within),
    )
    known = within.found.get(place)
    found: dict[_Reasons, tuple[Json, Json, _Findings]] = {}
    for number, (inner, within_part) in enumerate(known or ((each, None) for each in candidates)):
        for value in _contexts(way, inner, samples, within.values):
            if taker.accepts(value) or not giver.accepts(value):
                continue
            within_part = within_part or tuple(taker.findings_of_part(place.taken, inner))
            findings = _moved(within_part, here) if within_part else tuple(taker.findings(value, "body"))
            pointers = [str(each.pointer) for each in findings]
            if all(
                each.startswith(here) or here.startswith(each) for each in pointers
            ):  # inside the place or around it
                found.setdefault(_reasons(findings), (inner, value, findings))
                break
        if found and number >= MAX_TRIED_AFTER_BREAK:
            break
    if known is None:
        within.found[place] = [
            (
                inner,
                _moved(within_part, "", here)
                if all(str(each.pointer).startswith(here) for each in within_part)
                else None,
            )
            for inner, _, within_part in found.values()
        ]
    return [Break(value, findings, reached) for _, value, findings in found.values()]


def _moved(findings: _Findings, to: str, away: str = "") -> _Findings:
    """The findings in a part of a value, with the pointers of the value around it."""
    return tuple(replace(each, pointer=to + str(each.pointer).removeprefix(away)) for each in findings)


def _contexts(way: Way, inner: Json, samples: Sequence[Json], values: Values) -> Iterator[Json]:
    """A value inside of others: documented ones, the simplest one, and one with all members."""
    yield from (value for sample in samples[:2] if (value := _placed(sample, way, inner)) is not ABSENT)
    yield values.around(way, inner, full=False)
    if way:
        yield values.around(way, inner, full=True)


def _placed(sample: Json, way: Way, inner: Json) -> Json:
    """A sample with the value at a place replaced, or ABSENT where it has no such place."""
    if not way:
        return ABSENT
    (_, step), rest = way[0], way[1:]
    is_member = isinstance(sample, dict) and isinstance(step, str) and (step in sample or not rest)
    if not is_member and not (isinstance(sample, list) and isinstance(step, int) and step < len(sample)):
        return ABSENT
    nested = _placed(sample[step], rest, inner) if rest else inner
    if nested is ABSENT:
        return ABSENT
    changed = sample.copy()
    changed[step] = nested
    return changed


def _of_difference(place: Open, within: Relation) -> Iterator[Json]:
    """Values of the difference of two schemas, where the library can express it."""
    if (documents := within.documents(place.given, place.taken)) is None:
        return
    one, other = (canonicalize(each, draft=DRAFT, validate_formats=True, offline=True) for each in documents)
    try:
        difference: Json = one.subtract(other).to_json_schema()
    except (canonical.UnsupportedResult, canonical.UnsupportedOperand):
        return
    definitions = difference.get("$defs", {}) if isinstance(difference, dict) else {}
    yield from islice(Values(definitions, within.taken).of(difference, place.taken), MAX_TRIED)


def _reason(places: Sequence[Reached]) -> str:
    where = json_pointer([step for _, step in places[0].way])
    written = repr((places[0].place.given, places[0].place.taken))
    within_part = " and ".join(words for sign, words in _HARD.items() if sign in written)
    found = f"neither a proof nor a value that breaks was found{f' at {where}' if where else ''}"
    return f"{found}: there are {within_part}" if within_part else found


_TOO_DEEP = "the schema leads to others too deep to be compared"
_HARD = {"'$ref'": "references", "'pattern'": "patterns", "'format'": "formats", "'not'": "exclusions"}
