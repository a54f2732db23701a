"""Two revisions side by side: the parts that both have, what was found out about them, and what changes are made of."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..contract.finding import Finding
from ..contract.interaction import Fields, Interaction, by_name
from ..contract.schema import Direction
from .change import Change, Place, Verdict
from .containment import Direction as Within
from .containment import Side, contained
from .containment import Verdict as Answer
from .defaults import Defaults
from .example_request import Sent, request, required_headers
from .revision import Declared, Revision, Steps

Json = Any
_WORDS = {"description", "summary", "title", "example", "examples", "externalDocs", "tags", "deprecated", "x-groups"}
"""What says nothing to a program."""
_NAMED = {"properties", "patternProperties", "dependentSchemas", "headers", "responses", "content", "schemas"}


class Comparison:
    """OLD and NEW, and what was found out about their parts; the same pair of schemas is decided once."""

    def __init__(self, old: Revision, new: Revision) -> None:
        self.old, self.new = old, new
        self.defaults = Defaults(old.resolve, new.resolve, self.unchanged)
        self._same: dict[tuple[str, str], None] = {}
        self._different: set[tuple[str, str]] = set()
        self._directions: dict[str, Within] = {}
        self._answers: dict[tuple[str, str, str], tuple[Answer, Side, Side]] = {}

    def _same_definition(self, one: str, other: str) -> bool:
        """Whether a definition that both have did not change."""
        reference = {"$ref": f"#/{one}"}
        return one == other and self.unchanged(reference, reference)

    def unchanged(self, old: Json, new: Json) -> bool:
        """Whether two parts say the same to a program, whatever their references are called."""
        if self.old.is_31 != self.new.is_31:
            return False  # the same words mean something else
        before = len(self._same)
        if self._equal(old, new, named=False):
            return True
        while len(self._same) > before:  # what was assumed on the way may have leant on what is not so
            self._same.popitem()
        return False

    def _equal(self, old: Json, new: Json, *, named: bool) -> bool:
        if isinstance(old, dict) and isinstance(new, dict):
            references = old.get("$ref"), new.get("$ref")
            if not named and all(isinstance(each, str) for each in references):
                return self._equal_references(str(references[0]), str(references[1]))
            one, other = (each if named else {k: v for k, v in each.items() if _matters(k)} for each in (old, new))
            return one.keys() == other.keys() and all(
                self._equal(one[word], other[word], named=word in _NAMED and not named) for word in one
            )
        if isinstance(old, list) and isinstance(new, list):
            return len(old) == len(new) and all(
                self._equal(one, other, named=False) for one, other in zip(old, new, strict=True)
            )
        return bool(old == new) and type(old) is type(new)

    def _equal_references(self, *pair: str) -> bool:
        if pair not in self._same and pair not in self._different:
            self._same[pair[0], pair[1]] = None
            if not self._equal(self.old.resolve(pair[0]), self.new.resolve(pair[1]), named=False):
                self._different.add((pair[0], pair[1]))
        return pair in self._same and pair not in self._different

    def decided(
        self, old: Json, new: Json, direction: Direction, samples: Callable[[], Sequence[Json]] = tuple
    ) -> tuple[Answer, Side, Side]:
        """The verdict about a pair of schemas, with the sides of OLD and NEW."""
        key = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True), direction)
        if key not in self._answers:
            sides = self.old.side(old, direction), self.new.side(new, direction)
            giver, taker = sides if direction == "request" else sides[::-1]
            if direction not in self._directions:
                self._directions[direction] = Within(giver, taker, self._same_definition)
            self._answers[key] = (contained(giver, taker, samples, self._directions[direction]), *sides)
        return self._answers[key]


def _matters(word: str) -> bool:
    return word not in _WORDS and (not word.startswith("x-") or word == "x-rule")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an operation in both revisions, and where it stands: what a change of it is made with."""

    comparison: Comparison
    old: Declared
    new: Declared
    name: str = ""
    old_steps: Steps = ()
    new_steps: Steps = ()

    def at(self, name: str, old: Steps | None = None, new: Steps | None = None) -> "Part":
        """Another part; without steps it is the operation."""
        return replace(self, name=name, old_steps=old or self.old.steps, new_steps=new or self.new.steps)

    def inside(self, *steps: str, new: Iterable[str] | None = None) -> "Part":
        """What is found further inside in OLD, and in NEW where the steps differ there."""
        there = steps if new is None else tuple(new)
        return replace(self, old_steps=(*self.old_steps, *steps), new_steps=(*self.new_steps, *there))

    def safe(self, rule: str, detail: str) -> Change:
        return self._change("safe", rule, detail)

    def undecided(self, rule: str, detail: str) -> Change:
        return self._change("undecided", rule, detail)

    def breaking(
        self,
        rule: str,
        detail: str,
        findings: Sequence[Finding],
        answers: tuple[str, str] = ("", ""),
        interactions: tuple[Interaction, ...] = (),
        *,
        in_schema: bool = False,
    ) -> Change:
        """`answers` are OLD's and NEW's; `in_schema` says that the part is a schema, which the finding is about."""
        change = self._change("breaking", rule, detail)
        old, new = self._lines(findings[0]) if in_schema else (change.old, change.new)
        return replace(
            change,
            old=old,
            new=new,
            findings=tuple(findings),
            old_answer=answers[0],
            new_answer=answers[1],
            interactions=interactions,
            in_schema=in_schema and findings[0].pointer is not None,
        )

    def refused(
        self, rule: str, detail: str, sent: Sent, findings: Sequence[Finding], *, in_schema: bool = False
    ) -> Change:
        """A request that OLD takes and NEW refuses, or undecided where the engines do not both say so.

        With `in_schema`, their schemas said so before.
        """
        if not in_schema and self.old.engine is not None and self.new.engine is not None:
            wrong = self.old.engine.check_request(sent.request)[1]
            found = self.new.engine.check_request(sent.request)[1]
            if wrong or not found:
                why = f"no request was found that shows it: {wrong[0]}" if wrong else "the engine takes it all the same"
                return self.undecided(rule, f"{detail}; {why}")
            meant = {(each.rule, each.pointer) for each in findings}
            findings = [each for each in found if (each.rule, each.pointer) in meant] or found
        answers = answer_in_words(sent.interaction), _in_words(findings)
        return self.breaking(rule, detail, findings, answers, (sent.interaction,), in_schema=in_schema)

    def answered(
        self,
        rule: str,
        detail: str,
        status: int,
        fields: Fields,
        body: bytes,
        findings: Sequence[Finding],
        *,
        in_schema: bool = False,
    ) -> Change:
        """An answer that NEW may give and an OLD client refuses, or undecided where the engines do not both say so."""
        given = {name.lower() for name, _ in fields}
        missing = {(each.name or "").lower() for each in findings if each.rule == "required"}
        fields = (*fields, *required_headers(self.new, status, given | missing))
        if not in_schema and rule != "response-status" and self.old.engine is not None and self.new.engine is not None:
            wrong = self.new.engine.check_response(status, by_name(fields), body)
            found = self.old.engine.check_response(status, by_name(fields), body)
            if wrong or not found:
                why = f"no answer was found that shows it: {wrong[0]}" if wrong else "the engine takes it all the same"
                return self.undecided(rule, f"{detail}; {why}")
            findings = found
        interaction = replace(request(self.old).interaction, status=status, response_headers=fields, response_body=body)
        answers = _in_words(findings), answer_in_words(interaction)
        return self.breaking(rule, detail, findings, answers, (interaction,), in_schema=in_schema)

    def _change(self, verdict: Verdict, rule: str, detail: str) -> Change:
        places = self.comparison.old.place(self.old_steps), self.comparison.new.place(self.new_steps)
        return Change(verdict, rule, self.old.id, self.name, detail, *places)

    def _lines(self, finding: Finding) -> tuple[Place, Place]:
        """The lines of OLD and NEW that a finding is about."""
        inside = (finding.pointer or "").split("/")[1:]
        return (
            self.comparison.old.place_of_value(self.old_steps, inside, finding.rule),
            self.comparison.new.place_of_value(self.new_steps, inside, finding.rule),
        )


def _in_words(findings: Sequence[Finding]) -> str:
    return "; ".join(map(str, findings[:3]))


def answer_in_words(answer: Interaction) -> str:
    """A documented answer: the status, the header fields, and the beginning of the body."""
    text = answer.response_body.decode()
    kind = by_name(answer.response_headers).get("content-type", "")
    shown = f"{answer.status} {kind} {text if len(text) < 200 else text[:199] + '…'}".strip()
    others = (f"; {name}: {value}" for name, value in answer.response_headers if name != "Content-Type")
    return shown + "".join(others)
