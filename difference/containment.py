"""Containment of schemas, proven, refuted by a value, or undecided: whether one accepts all values of another.

The producer's schema describes the values that are sent, the consumer's the values that are accepted.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from jsonschema_rs import canonical, canonicalize

from ..contract.finding import Finding
from ..contract.normal import reachable
from ..contract.normal_schema import NormalSchema
from ..contract.pointer import json_pointer
from ..contract.schema import Json
from ..contract.strict_json import MAX_DEPTH
from ..contract.witness import ABSENT, SchemaPath, Values
from .change import generalized
from .closed_schemas import ClosedSchemas
from .proof import DRAFT, Proof, ReachablePair, UnprovenPair

MAX_UNPROVEN = 200
"""The number of unproven pairs that are searched for a value, the nearest first."""
MAX_TRIED = 600
"""The number of values that are tried at each unproven pair."""
MAX_DRAWN = 300
"""The number of random values that are tried in addition."""
MAX_TRIED_AFTER_BREAK = 100
"""The number of values that are tried for further reasons after a break."""
MAX_DEFINITIONS = 20
"""The most definitions of a schema that is passed to the library as a whole."""


@dataclass(frozen=True, slots=True)
class Break:
    """A value that the producer's engine accepts and the consumer's refuses."""

    value: Json
    findings: tuple[Finding, ...]
    """The findings of the consumer."""
    reached: ReachablePair
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
        self,
        producer: NormalSchema,
        consumer: NormalSchema,
        unchanged: Callable[[str, str], bool] = lambda _produced, _consumed: False,
    ) -> None:
        """`unchanged` says whether the definitions with two names are the same."""
        self.produced, self.consumed = ClosedSchemas(producer.definitions), consumer.definitions
        self.proof = Proof(
            self.produced.definitions,
            consumer.definitions,
            whole_floats=consumer.is_31,
            unchanged=unchanged,
        )
        self.values = Values(self.produced.definitions, consumer.definitions)
        self.found: dict[UnprovenPair, list[_Found]] = {}
        """The breaks at unproven pairs so far, which other schemas may contain as well."""

    def documents(self, produced: Json, consumed: Json) -> tuple[Json, Json] | None:
        """A pair of schemas as whole documents; None where one of them is too large for the library."""
        one, other = (
            reachable(produced, self.produced.definitions, MAX_DEFINITIONS),
            reachable(consumed, self.consumed, MAX_DEFINITIONS),
        )
        return None if one is None or other is None else (one, other)


def contained(
    producer: NormalSchema,
    consumer: NormalSchema,
    samples: Callable[[], Sequence[Json]] = tuple,
    relation: Relation | None = None,
) -> Containment:
    """Whether `consumer` accepts all values of `producer`; `samples` are known values of it.

    A produced object has only the members that its schema names, unless the schema declares others.
    """
    relation = relation or Relation(producer, consumer)
    try:
        produced = relation.produced.closed(producer.schema)
        places = list(islice(relation.proof.open(produced, consumer.schema), MAX_UNPROVEN))
        if not places:
            return Containment()
        if all(len(each.way) > MAX_DEPTH for each in places):  # no engine reads deeper values
            return Containment(reason=_TOO_DEEP)
        documents = relation.documents(produced, consumer.schema)
        if documents is not None and relation.proof.covers(*reversed(documents)):
            return Containment()
        breaks: dict[_Reasons, Break] = {}
        for reached in (each for each in places if len(each.way) <= MAX_DEPTH):
            found = _broken(producer, consumer, reached, samples(), relation)
            breaks = {_reasons(each.findings): each for each in found} | breaks
        alone = {reason for reasons in breaks if len(reasons) == 1 for reason in reasons}
        values = [each for reasons, each in breaks.items() if len(reasons) == 1 or not reasons & alone]
    except ValueError as error:
        return Containment(reason=f"the schema cannot be compiled: {error}")
    except RecursionError:
        return Containment(reason=_TOO_DEEP)
    return Containment(tuple(values)) if values else Containment(reason=_reason(places))


def example(schema: NormalSchema) -> Json:
    """A simple value that the engine accepts; ABSENT where none was found."""
    values = schema.values.of(schema.schema)
    try:
        return next((value for value in islice(values, MAX_TRIED) if schema.accepts(value)), ABSENT)
    except RecursionError:
        return ABSENT  # too deep in others


_Findings = tuple[Finding, ...]
_Reasons = frozenset[tuple[str, str]]
"""The rules that a value breaks, with the places."""
_Found = tuple[Json, _Findings | None]
"""A value that breaks at a place, with its findings; None where they are only in a value around it."""


def _reasons(findings: Iterable[Finding]) -> _Reasons:
    return frozenset((each.rule, generalized(each)) for each in findings)


def _broken(
    producer: NormalSchema, consumer: NormalSchema, reached: ReachablePair, samples: Sequence[Json], relation: Relation
) -> list[Break]:
    """The breaks at a place, each for another reason."""
    pair, way = reached.pair, reached.way
    here = json_pointer([step for _, step in way])
    candidates = chain(
        islice(relation.values.of(pair.produced, pair.consumed), MAX_TRIED),
        relation.values.drawn(pair.produced, pair.consumed, MAX_DRAWN),
        _of_difference(pair, relation),
    )
    known = relation.found.get(pair)
    found: dict[_Reasons, tuple[Json, Json, _Findings]] = {}
    for number, (inner, nested) in enumerate(known or ((each, None) for each in candidates)):
        for value in _contexts(way, inner, samples, relation.values):
            if consumer.accepts(value) or not producer.accepts(value):
                continue
            nested = nested or tuple(consumer.findings_of_part(pair.consumed, inner))
            findings = _moved(nested, here) if nested else tuple(consumer.findings(value, "body"))
            pointers = [str(each.pointer) for each in findings]
            if all(
                each.startswith(here) or here.startswith(each) for each in pointers
            ):  # inside the place or around it
                found.setdefault(_reasons(findings), (inner, value, findings))
                break
        if found and number >= MAX_TRIED_AFTER_BREAK:
            break
    if known is None:
        relation.found[pair] = [
            (
                inner,
                _moved(nested, "", here) if all(str(each.pointer).startswith(here) for each in nested) else None,
            )
            for inner, _, nested in found.values()
        ]
    return [Break(value, findings, reached) for _, value, findings in found.values()]


def _moved(findings: _Findings, to: str, away: str = "") -> _Findings:
    """The findings in a part of a value, with the pointers of the value around it."""
    return tuple(replace(each, pointer=to + str(each.pointer).removeprefix(away)) for each in findings)


def _contexts(way: SchemaPath, inner: Json, samples: Sequence[Json], values: Values) -> Iterator[Json]:
    """A value inside of others: documented ones, the simplest one, and one with all members."""
    yield from (value for sample in samples[:2] if (value := _placed(sample, way, inner)) is not ABSENT)
    yield values.around(way, inner, full=False)
    if way:
        yield values.around(way, inner, full=True)


def _placed(sample: Json, way: SchemaPath, inner: Json) -> Json:
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


def _of_difference(pair: UnprovenPair, relation: Relation) -> Iterator[Json]:
    """Values of the difference of two schemas, where the library can express it."""
    if (documents := relation.documents(pair.produced, pair.consumed)) is None:
        return
    one, other = (canonicalize(each, draft=DRAFT, validate_formats=True, offline=True) for each in documents)
    try:
        difference: Json = one.subtract(other).to_json_schema()
    except (canonical.UnsupportedResult, canonical.UnsupportedOperand):
        return
    definitions = difference.get("$defs", {}) if isinstance(difference, dict) else {}
    yield from islice(Values(definitions, relation.consumed).of(difference, pair.consumed), MAX_TRIED)


def _reason(places: Sequence[ReachablePair]) -> str:
    where = json_pointer([step for _, step in places[0].way])
    written = repr((places[0].pair.produced, places[0].pair.consumed))
    constructs = " and ".join(words for sign, words in _HARD.items() if sign in written)
    found = f"neither a proof nor a value that breaks was found{f' at {where}' if where else ''}"
    return f"{found}: there are {constructs}" if constructs else found


_TOO_DEEP = "the schema has references too deep to be compared"
_HARD = {"'$ref'": "references", "'pattern'": "patterns", "'format'": "formats", "'not'": "exclusions"}
