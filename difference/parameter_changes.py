"""What became of the parameters of an operation: does NEW read what OLD's clients write?"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from ..contract.finding import Finding
from ..contract.normal import merged, types
from ..contract.parameters import DEFAULT_STYLES, joined, schema_of
from ..contract.schema import show
from ..contract.side import Side
from ..contract.witness import ABSENT, Values
from .change import Change
from .containment import Break, contained
from .defaults import default_change
from .example_request import parameter_example, read, request, shape_of, written
from .pairing import Part
from .revision import Declared

Json = Any
Declaration = Mapping[str, Json]
_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_INTEGER = r"^-?(0|[1-9][0-9]*)$"
_SCALARS = {"string", "integer", "number", "boolean"}
MOST_WRITTEN = 40
"""How many values are written as OLD has it and read as NEW has it, where the style changed."""


def parameter_changes(operation: Part) -> Iterator[Change]:
    """Each parameter of OLD with what became of it; then what is new."""
    old, new = operation.old.parameters, operation.new.parameters
    for key, (before, old_steps) in old.items():
        name = f"{key[0]} parameter {before['name']}"
        if key not in new:
            yield _removed(operation.at(name, old_steps), key, before)
            continue
        after, new_steps = new[key]
        part = operation.at(name, old_steps, new_steps)
        if after.get("required") and not before.get("required"):
            yield _required(part, after, "is required now", {key: ABSENT})
        # Nobody sends the name of a path parameter.
        nameless = ({**each, "name": ""} if key[0] == "path" else each for each in (before, after))
        if not part.comparison.unchanged(*nameless):
            yield from _values(part, key, before, after)
            yield from _default(part, key, before, after)
    for key, (after, new_steps) in new.items():
        if key not in old:
            part = operation.at(f"{key[0]} parameter {after['name']}", new=new_steps)
            if after.get("required"):
                yield _required(part, after, "is new and required", {})
            else:
                yield part.safe("parameter-added", "is new and optional")


def _required(part: Part, after: Declaration, detail: str, values: dict[tuple[str, str], Json]) -> Change:
    finding = Finding("required", after["in"], "is required and missing", name=after["name"])
    return part.refused("parameter-required", detail, request(part.old, values), [finding])


def _removed(part: Part, key: tuple[str, str], before: Declaration) -> Change:
    if key[0] != "query":
        reason = "is gone: nothing refuses it, and nothing says that it is heeded"
        return part.undecided("parameter-removed", reason)
    sent = request(part.old, {key: parameter_example(part.old, before)})
    finding = Finding("unknown-parameter", "query", "is not a known parameter", name=before["name"])
    return part.refused("parameter-removed", "is gone", sent, [finding])


class _Text(Side):
    """A parameter of one scalar type as the texts that its contract takes."""

    def __init__(self, operation: Declared, declared: Declaration, schema: Json, definitions: dict[str, Json]) -> None:
        self.operation, self.declared = operation, declared
        self.schema, self.definitions, self.is_31 = schema, definitions, operation.revision.resolve.is_31
        self.values = Values(definitions, {})

    def accepts(self, value: Json) -> bool:
        return isinstance(value, str) and not self.findings(value, "query")

    def findings(self, value: Json, _place: Any, _name: str | None = None) -> list[Finding]:
        return read(self.operation, self.declared, [(self.declared["name"], value)])[1]

    def findings_of_part(self, _schema: Json, _value: Json) -> list[Finding]:
        return []


def _values(part: Part, key: tuple[str, str], before: Declaration, after: Declaration) -> Iterator[Change]:
    """What NEW makes of the values that OLD takes, as they are written."""
    shapes = shape_of(part.old, before), shape_of(part.new, after)
    if _style(before) != _style(after) or shapes[0] != shapes[1]:
        yield _written_otherwise(part, key, before, after)
        return
    schemas = schema_of(before), schema_of(after)
    if key[0] == "path":
        schemas = {"allOf": [schemas[0], {"minLength": 1}]}, {"allOf": [schemas[1], {"minLength": 1}]}
    answer, old, new = part.comparison.decided(*schemas, "request")
    kinds = _kinds(old), _kinds(new)
    if not answer.is_safe and shapes[0] == "scalar" and kinds[0] != kinds[1]:
        schema, definitions = _as_text(old, kinds[0])
        taken = new.schema if kinds[1] == {"string"} else False
        answer = contained(
            _Text(part.old, before, schema, definitions),
            _Text(part.new, after, taken, new.definitions),
        )
    # An empty text in a path would be another path.
    shown = [each for each in answer.breaks if key[0] != "path" or written(part.old, before, each.value)[0][1]]
    if answer.breaks and not shown:
        yield part.undecided("parameter-value", "no longer takes what cannot be written in a path")
        return

    def found(each: Break) -> list[Finding]:
        return read(part.new, after, written(part.old, before, each.value))[1]

    def refused(each: Break) -> Change:
        detail, sent = f"no longer takes {show(each.value)}", request(part.old, {key: each.value})
        return part.refused("parameter-value", detail, sent, found(each), part.inside("schema").lines(each, "request"))

    most = sorted(shown, key=lambda each: -len(found(each)))[:1]
    yield from part.judged("parameter-value", replace(answer, breaks=tuple(most)), refused, "takes all that it took")


def _style(declared: Declaration) -> tuple[str, bool]:
    style = declared.get("style", DEFAULT_STYLES[declared["in"]])
    return style, bool(declared.get("explode", style == "form"))


def _kinds(side: Side) -> set[str]:
    return set(types(merged([side.schema], side.definitions) or {})) & _SCALARS


def _as_text(side: Side, kinds: set[str]) -> tuple[Json, dict[str, Json]]:
    """A schema of at least all the texts that are given for a parameter, with its definitions."""
    if kinds == {"string"}:
        return side.schema, side.definitions
    flat = merged([side.schema], side.definitions) or {}
    if kinds <= {"integer", "number"} and "enum" not in flat:
        return {"type": "string", "pattern": _NUMBER if "number" in kinds else _INTEGER}, {}
    if kinds == {"boolean"} or "enum" in flat:
        return {"enum": [joined(value) for value in flat.get("enum", (True, False)) if side.accepts(value)]}, {}
    return {"type": "string"}, {}


def _written_otherwise(part: Part, key: tuple[str, str], before: Declaration, after: Declaration) -> Change:
    """A parameter whose style or shape changed."""
    rule, side = "parameter-style", part.old.revision.side(schema_of(before), "request")
    candidates = filter(side.accepts, Values(side.definitions, {}).of(side.schema))
    for value in islice(candidates, MOST_WRITTEN):
        texts = written(part.old, before, value)
        if not texts or read(part.old, before, texts) != (value, []):
            continue
        got, findings = read(part.new, after, texts)
        sent = request(part.old, {key: value})
        if findings:
            return part.refused(rule, f"is written otherwise: {show(value)}", sent, findings)
        if got not in (value, [value]):
            detail = f"is read as {got!r}, and was sent as {value!r}"
            finding = Finding(rule, before["in"], detail, name=before["name"])
            return part.breaking(rule, "is written otherwise", [finding], ("", str(finding)), (sent.interaction,))
    return part.undecided(rule, "is written otherwise; no value was found that shows it")


def _default(part: Part, key: tuple[str, str], before: Declaration, after: Declaration) -> Iterator[Change]:
    old, new = (
        owner.revision.followed(schema_of(declared)).get("default", ABSENT)
        for owner, declared in ((part.old, before), (part.new, after))
    )
    if not before.get("required") and old is not ABSENT and old != new:
        sent = request(part.old, {key: ABSENT})
        yield default_change(part, old, new, sent, Finding("default", before["in"], "", name=before["name"]))
