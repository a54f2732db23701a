"""Two revisions side by side: each operation of OLD with what became of it in NEW, every change with its verdict."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..contract.finding import Finding
from ..contract.schema import Direction
from .change import Change, Place, Verdict
from .containment import Direction as Within
from .containment import Side, contained
from .containment import Verdict as Answer
from .defaults import Defaults
from .example_request import Sent, request
from .revision import Declared, Revision, Steps, template

Json = Any
_WORDS = {"description", "summary", "title", "example", "examples", "externalDocs", "tags", "deprecated", "x-groups"}
"""What says nothing to a program."""
_NAMED = {"properties", "patternProperties", "dependentSchemas", "headers", "responses", "content", "schemas"}


class Comparison:
    """OLD and NEW, and what was found out about their parts; the same pair of schemas is decided once."""

    def __init__(self, old: Revision, new: Revision) -> None:
        self.old, self.new = old, new
        self._same: dict[tuple[str, str], None] = {}
        self._different: set[tuple[str, str]] = set()
        self.defaults = Defaults(old.resolve, new.resolve, self.unchanged)
        self._directions: dict[str, Within] = {}
        self._answers: dict[tuple[str, str, str], tuple[Answer, Side, Side]] = {}

    def changes(self) -> Iterator[Change]:
        """Every change, in the order of OLD's operations; then what is new."""
        from .request_changes import request_changes
        from .resource_changes import resource_changes
        from .response_changes import response_changes

        for key, before in self.old.operations.items():
            after = self.new.operations.get(key)
            if after is None:
                yield self._gone(before)
                continue
            pair = Pair(self, before, after)
            yield from request_changes(pair)
            yield from response_changes(pair)
        yield from self._new_operations()
        yield from resource_changes(self)

    def _gone(self, before: Declared) -> Change:
        moved = next((each for each in self.new.operations.values() if each.id == before.id), None)
        sent = request(before)
        siblings = [method.upper() for path, method in self.new.operations if path == template(before.path)]
        if siblings:
            finding = Finding(
                "undocumented-method", "path", f"has no {before.method.upper()}, only {', '.join(siblings)}"
            )
        else:
            finding = Finding("undocumented-path", "path", "is no path of the contract", name=before.path)
        detail = f"is now {moved.method.upper()} {moved.path}" if moved else "is gone"
        steps = moved.steps if moved else ("paths", before.path)
        return Change(
            "breaking",
            "operation-moved" if moved else "operation-removed",
            before.id,
            f"{before.method.upper()} {before.path}",
            detail,
            place(self.old, before.steps),
            place(self.new, steps),
            answer_in_words(sent),
            str(finding),
            (finding,),
            (sent.interaction,),
        )

    def _new_operations(self) -> Iterator[Change]:
        for key, after in self.new.operations.items():
            if key in self.old.operations:
                continue
            part = f"{after.method.upper()} {after.path}"
            if (before := self._shadowed(after)) is not None:
                finding = Finding(
                    "undocumented-path", "path", f"is {after.id} now, not {before[0].id}", name=after.path
                )
                yield Change(
                    "breaking",
                    "operation-shadowed",
                    before[0].id,
                    part,
                    f"takes requests that were for {before[0].path}",
                    place(self.old, before[0].steps),
                    place(self.new, after.steps),
                    answer_in_words(before[1]),
                    str(finding),
                    (finding,),
                    (before[1].interaction,),
                )
            elif not any(each.id == after.id for each in self.old.operations.values()):
                here = place(self.new, after.steps)
                yield Change("safe", "operation-added", after.id, part, "is new", place(self.old, ("paths",)), here)

    def _shadowed(self, after: Declared) -> tuple[Declared, Sent] | None:
        """The operation of OLD, with a request to it, that goes to this new path now."""
        if (template(after.path), after.method) in self.old.operations or any(
            template(path) == template(after.path) for path in self.old.document.get("paths", {})
        ):
            return None
        steps = after.path.split("/")
        for before in self.old.operations.values():
            theirs = before.path.split("/")
            pairs = list(zip(theirs, steps, strict=False))
            if before.method != after.method or len(theirs) != len(steps) or "{" not in before.path:
                continue
            if not all(("{" in old and "{" not in new) or template(old) == template(new) for old, new in pairs):
                continue
            taken = {
                ("path", before._key("path", old[1:-1])): new  # noqa: SLF001 (its own)
                for old, new in pairs
                if old.startswith("{") and "{" not in new
            }
            sent = request(before, taken)
            engine = before.engine
            if engine is not None and not engine.check_request(sent.request)[1]:
                return before, sent
        return None

    @property
    def roles(self) -> list[str]:
        """The roles that OLD knows."""
        schemes = self.old.document.get("components", {}).get("securitySchemes", {})
        return [role for scheme in schemes.values() for role in scheme.get("x-roles", ())]

    def unchanged(self, old: Json, new: Json) -> bool:
        """Whether two parts say the same to a program, whatever their references are called."""
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
                pair = str(references[0]), str(references[1])
                if pair in self._same or pair in self._different:
                    return pair in self._same
                self._same[pair] = None
                equal = self._equal(self.old.resolve(pair[0]), self.new.resolve(pair[1]), named=False)
                if not equal:
                    self._different.add(pair)
                return equal
            one, other = (each if named else {k: v for k, v in each.items() if _matters(k)} for each in (old, new))
            return one.keys() == other.keys() and all(
                self._equal(one[word], other[word], named=word in _NAMED and not named) for word in one
            )
        if isinstance(old, list) and isinstance(new, list):
            return len(old) == len(new) and all(
                self._equal(one, other, named=False) for one, other in zip(old, new, strict=True)
            )
        return bool(old == new) and type(old) is type(new)

    def decided(
        self, old: Json, new: Json, direction: Direction, samples: Callable[[], Sequence[Json]] = tuple
    ) -> tuple[Answer, Side, Side]:
        """The verdict about a pair of schemas, with the sides of OLD and NEW."""
        key = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True), direction)
        if key not in self._answers:
            sides = self.old.side(old, direction), self.new.side(new, direction)
            giver, taker = sides if direction == "request" else sides[::-1]
            if direction not in self._directions:
                self._directions[direction] = Within(giver.definitions, taker.definitions)
            self._answers[key] = (contained(giver, taker, samples, self._directions[direction]), *sides)
        return self._answers[key]


class Pair:
    """An operation in both revisions."""

    def __init__(self, comparison: Comparison, old: Declared, new: Declared) -> None:
        self.comparison, self.old, self.new = comparison, old, new

    def change(
        self,
        verdict: Verdict,
        rule: str,
        part: str,
        detail: str,
        at: tuple[Steps, Steps] | None = None,
        lines: tuple[Place, Place] | None = None,
        **shown: Any,
    ) -> Change:
        """A change of this operation, where `at` says or at `lines`."""
        old, new = at or (self.old.steps, self.new.steps)
        places = lines or (place(self.old.revision, old), place(self.new.revision, new))
        return Change(verdict, rule, self.old.id, part, detail, *places, **shown)

    def refused(
        self,
        rule: str,
        part: str,
        detail: str,
        sent: Sent,
        findings: list[Finding],
        at: tuple[Steps, Steps] | None = None,
        inside: tuple[Steps, Steps] | None = None,
    ) -> Change:
        """A request that OLD takes and NEW refuses, or undecided where the engines do not both say so."""
        if self.old.engine is not None and self.new.engine is not None:
            wrong = self.old.engine.check_request(sent.request)[1]
            found = self.new.engine.check_request(sent.request)[1]
            if wrong or not found:
                why = f"no request was found that shows it: {wrong[0]}" if wrong else "the engine takes it all the same"
                return self.change("undecided", rule, part, f"{detail}; {why}", at)
            named = [each for each in found if (each.rule, each.pointer) in {(f.rule, f.pointer) for f in findings}]
            findings = named or found
        lines = located(self, inside, findings[0]) if inside and findings else None
        return self.change(
            "breaking",
            rule,
            part,
            detail,
            at,
            lines,
            old_answer=answer_in_words(sent),
            new_answer="; ".join(map(str, findings[:3])),
            findings=tuple(findings),
            interactions=(sent.interaction,),
        )


def _matters(word: str) -> bool:
    return word not in _WORDS and (not word.startswith("x-") or word == "x-rule")


def located(pair: Pair, schemas: tuple[Steps, Steps], finding: Finding) -> tuple[Place, Place]:
    """The lines of OLD and NEW that a finding is about."""
    inside = [step for step in (finding.pointer or "").split("/")[1:] if finding.pointer]
    old, new = (
        Place(each.revision.file.as_posix(), each.revision.line_of_value(steps, inside, finding.rule))
        for each, steps in zip((pair.old, pair.new), schemas, strict=True)
    )
    return old, new


def place(revision: Revision, steps: Steps) -> Place:
    return Place(revision.file.as_posix(), revision.line(steps))


def answer_in_words(sent: Sent) -> str:
    """The answer that OLD documents."""
    interaction = sent.interaction
    body = interaction.response_body.decode()
    kind = dict(interaction.response_headers).get("Content-Type", "")
    return f"{interaction.status} {kind} {body if len(body) < 200 else body[:199] + '…'}".strip()
