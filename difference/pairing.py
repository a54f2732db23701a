"""The parts of two revisions side by side, and the changes made of them."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..contract.finding import Finding
from ..contract.interaction import Fields, Interaction, by_name
from ..contract.normal_schema import NormalSchema
from ..contract.pointer import pointed, steps_of
from ..contract.schema import Direction, Json
from .change import Change, SourceLine, Verdict
from .containment import Break, Containment, Relation, contained
from .example_request import ExampleRequest, request, required_headers
from .revision import Revision, RevisionOperation, Steps

_WORDS = {"description", "summary", "title", "example", "examples", "externalDocs", "tags", "deprecated", "x-groups"}
"""Keywords that do not affect programs."""
MAX_SHOWN = 160
"""Characters of a finding in a sentence."""
_NAMED = {"properties", "patternProperties", "dependentSchemas", "headers", "responses", "content", "schemas"}


class Comparison:
    """OLD and NEW, with the verdicts about their parts; each pair of schemas is decided once."""

    def __init__(self, old: Revision, new: Revision) -> None:
        self.old, self.new = old, new
        self._same: dict[tuple[str, str], list[tuple[str, str]] | None] = {}
        self._different: set[tuple[str, str]] = set()
        self._relations: dict[str, Relation] = {}
        self._verdicts: dict[tuple[str, str, str], tuple[Containment, NormalSchema, NormalSchema]] = {}

    def _same_definition(self, one: str, other: str) -> bool:
        """Whether a definition with the same name in both is unchanged."""
        reference = {"$ref": f"#/{one}"}
        return one == other and self.unchanged(reference, reference)

    def unchanged(self, old: Json, new: Json) -> bool:
        """Whether two parts mean the same to a program, whatever the names of their references."""
        if self.old.resolve.is_31 != self.new.resolve.is_31:
            return False  # the same keywords mean something else
        further: list[tuple[str, str]] = []
        if not self._equal(old, new, further):
            return False
        seen = set(further)
        for pair in further:  # the list grows
            if pair in self._different or (inside := self._inside(pair)) is None:
                self._different.add(pair)
                return False
            more = [each for each in inside if each not in seen]
            seen.update(more)
            further += more
        return True

    def _inside(self, pair: tuple[str, str]) -> list[tuple[str, str]] | None:
        """The pairs of references inside two otherwise equal definitions; None where these differ."""
        if pair not in self._same:
            further: list[tuple[str, str]] = []
            equal = self._equal(self.old.resolve(pair[0]), self.new.resolve(pair[1]), further)
            self._same[pair] = list(dict.fromkeys(further)) if equal else None
        return self._same[pair]

    def _equal(self, old: Json, new: Json, further: list[tuple[str, str]], *, named: bool = False) -> bool:
        """Whether two parts are equal but for references, whose pairs are added to `further`."""
        if isinstance(old, dict) and isinstance(new, dict):
            references = old.get("$ref"), new.get("$ref")
            if not named and all(isinstance(each, str) for each in references):
                further.append((str(references[0]), str(references[1])))
                if not self.old.resolve.is_31:
                    return True  # OpenAPI 3.0 ignores siblings of `$ref`
                old, new = ({k: v for k, v in each.items() if k != "$ref"} for each in (old, new))
            one, other = (each if named else {k: v for k, v in each.items() if _matters(k)} for each in (old, new))
            return one.keys() == other.keys() and all(
                self._equal(one[word], other[word], further, named=word in _NAMED and not named) for word in one
            )
        if isinstance(old, list) and isinstance(new, list):
            return len(old) == len(new) and all(
                self._equal(one, other, further) for one, other in zip(old, new, strict=True)
            )
        return bool(old == new) and type(old) is type(new)

    def decided(
        self, old: Json, new: Json, direction: Direction, samples: Callable[[], Sequence[Json]] = tuple
    ) -> tuple[Containment, NormalSchema, NormalSchema]:
        """The verdict about a pair of schemas, with the sides of OLD and NEW."""
        key = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True), direction)
        if key not in self._verdicts:
            sides = self.old.normal_schema(old, direction), self.new.normal_schema(new, direction)
            producer, consumer = sides if direction == "request" else sides[::-1]
            if direction not in self._relations:
                self._relations[direction] = Relation(producer, consumer, self._same_definition)
            self._verdicts[key] = (contained(producer, consumer, samples, self._relations[direction]), *sides)
        return self._verdicts[key]


def _matters(word: str) -> bool:
    return word not in _WORDS and (not word.startswith("x-") or word == "x-rule")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an operation in both revisions, with its places, which makes changes of it."""

    comparison: Comparison
    old: RevisionOperation
    new: RevisionOperation
    name: str
    old_steps: Steps
    new_steps: Steps

    @classmethod
    def whole(cls, comparison: Comparison, old: RevisionOperation, new: RevisionOperation, name: str = "") -> "Part":
        """The part that is the whole operation."""
        return cls(comparison, old, new, name, old.steps, new.steps)

    def at(self, name: str, old: Steps | None = None, new: Steps | None = None) -> "Part":
        """Another part; without steps it has the same place."""
        return replace(self, name=name, old_steps=old or self.old_steps, new_steps=new or self.new_steps)

    def inside(self, *steps: str, new: Iterable[str] | None = None) -> "Part":
        """The part at further steps; `new` are those of NEW, where they differ."""
        there = steps if new is None else tuple(new)
        return replace(self, old_steps=(*self.old_steps, *steps), new_steps=(*self.new_steps, *there))

    def safe(self, rule: str, detail: str) -> Change:
        return self._change("safe", rule, detail)

    def undecided(self, rule: str, detail: str) -> Change:
        return self._change("undecided", rule, detail)

    def judged(
        self, rule: str, containment: Containment, shown: Callable[[Break], Change], safe: str
    ) -> Iterator[Change]:
        """The changes for a verdict about two schemas: `shown` makes one of a break, `safe` is the detail of none."""
        if containment.is_safe:
            yield self.safe(rule, safe)
        elif containment.reason:
            yield self.undecided(rule, containment.reason)
        else:
            yield from map(shown, containment.breaks)

    def breaking(
        self,
        rule: str,
        detail: str,
        findings: Sequence[Finding],
        responses: tuple[str, str] = ("", ""),
        interactions: tuple[Interaction, ...] = (),
        lines: tuple[SourceLine, SourceLine] | None = None,
    ) -> Change:
        """A breaking change. `responses` are OLD's and NEW's; `lines` are those of the schemas in question."""
        in_schema = lines is not None and findings[0].pointer is not None
        return self._change("breaking", rule, detail, lines, tuple(findings), *responses, interactions, in_schema)

    def request_refused(
        self,
        rule: str,
        detail: str,
        sent: ExampleRequest,
        findings: Sequence[Finding],
        lines: tuple[SourceLine, SourceLine] | None = None,
    ) -> Change:
        """The change for a request that OLD accepts and NEW refuses; undecided where the engines disagree.

        For a body, the engines' schemas have judged before.
        """
        wrong: Sequence[Finding] = ()
        if rule != "request-body":
            meant = {(each.rule, each.pointer) for each in findings}
            wrong = self.old.check_request(sent.request)[1]
            found = self.new.check_request(sent.request)[1]
            as_meant = [each for each in found if (each.rule, each.pointer) in meant]
            findings = as_meant or [each for each in found if each.severity == "error"]
        if wrong or not findings:
            return self._not_shown(rule, detail, "request", wrong)
        responses = response_in_words(sent.interaction), _in_words(findings)
        return self.breaking(rule, detail, findings, responses, (sent.interaction,), lines)

    def response_refused(
        self,
        rule: str,
        detail: str,
        status: int,
        fields: Fields,
        body: bytes,
        findings: Sequence[Finding],
        lines: tuple[SourceLine, SourceLine] | None = None,
    ) -> Change:
        """The change for a response of NEW that OLD's clients refuse; undecided where the engines disagree."""
        given = {name.lower() for name, _ in fields}
        missing = {(each.name or "").lower() for each in findings if each.rule == "required"}
        fields = (*fields, *required_headers(self.new, status, given | missing))
        if rule not in ("response-status", "response-body"):
            wrong = self.new.check_response(status, by_name(fields), body)
            findings = self.old.check_response(status, by_name(fields), body)
            if wrong or not findings:
                return self._not_shown(rule, detail, "response", wrong)
        interaction = replace(request(self.old).interaction, status=status, response_headers=fields, response_body=body)
        responses = _in_words(findings), response_in_words(interaction)
        return self.breaking(rule, detail, findings, responses, (interaction,), lines)

    def _not_shown(self, rule: str, detail: str, what: str, wrong: Sequence[Finding]) -> Change:
        why = f"no {what} was found that breaks it: {wrong[0]}" if wrong else "the engine accepts it"
        return self.undecided(rule, f"{detail}; {why}")

    def _change(
        self, verdict: Verdict, rule: str, detail: str, lines: tuple[SourceLine, SourceLine] | None = None, *shown: Any
    ) -> Change:
        lines = lines or (self.comparison.old.place(self.old_steps), self.comparison.new.place(self.new_steps))
        return Change(verdict, rule, self.old.id, self.name, detail, *lines, *shown)

    def lines(self, broken: Break, direction: Direction) -> tuple[SourceLine, SourceLine]:
        """The lines of OLD and NEW for a break, in the definition that has it."""
        finding, reached = broken.findings[0], broken.reached
        inside = pointed(finding.pointer or "")
        starts = self.old_steps, self.new_steps
        if reached.within is not None:
            inside = inside[len(reached.way) - len(reached.inside) :]
            names = reached.within if direction == "request" else reached.within[::-1]
            starts = tuple(steps_of(f"#/{names[0]}")), tuple(steps_of(f"#/{names[1]}"))
        revisions = self.comparison.old, self.comparison.new
        old, new = (
            each.place_of_value(start, inside, finding.rule) for each, start in zip(revisions, starts, strict=True)
        )
        return old, new


def _in_words(findings: Sequence[Finding]) -> str:
    return "; ".join(map(str, findings[:3]))


def in_short(finding: Finding) -> str:
    """A finding in a body, shortened for a sentence."""
    text = f"{finding.pointer} {finding.detail}".strip()
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def response_in_words(response: Interaction) -> str:
    """A documented response in words: the status, the header fields, and the beginning of the body."""
    text = response.response_body.decode()
    kind = by_name(response.response_headers).get("content-type", "")
    shown = f"{response.status} {kind} {text if len(text) < 200 else text[:199] + '…'}".strip()
    others = (f"; {name}: {value}" for name, value in response.response_headers if name != "Content-Type")
    return shown + "".join(others)
