"""Changes of the parameters of an operation: whether NEW reads the texts of OLD's clients."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from ..contract.finding import Finding
from ..contract.normal import types
from ..contract.normal_schema import NormalSchema
from ..contract.parameters import Parameter, joined
from ..contract.schema import Json, show
from ..contract.witness import ABSENT, Values
from .change import Change
from .containment import Break, contained
from .defaults import default_change
from .example_request import parameter_example, read, request
from .pairing import Part

_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_INTEGER = r"^-?(0|[1-9][0-9]*)$"
_SCALARS = {"string", "integer", "number", "boolean"}
MAX_WRITTEN = 40
"""The number of values that are written in OLD's style and read in NEW's, where the style changed."""


def parameter_changes(operation: Part) -> Iterator[Change]:
    """The changes of OLD's parameters, then the new parameters."""
    old, new = operation.old.placed, operation.new.placed
    for key, (before, old_steps) in old.items():
        name = f"{key[0]} parameter {before.name}"
        if key not in new:
            yield _removed(operation.at(name, old_steps), key, before)
            continue
        after, new_steps = new[key]
        part = operation.at(name, old_steps, new_steps)
        if after.required and not before.required:
            yield _required(part, after, "is required now", {key: ABSENT})
        # The name of a path parameter is not sent.
        nameless = ({**each.source, "name": ""} if key[0] == "path" else each.source for each in (before, after))
        if not part.comparison.unchanged(*nameless):
            yield from _values(part, key, before, after)
            yield from _default(part, key, before, after)
    for key, (after, new_steps) in new.items():
        if key not in old:
            part = operation.at(f"{key[0]} parameter {after.name}", new=new_steps)
            if after.required:
                yield _required(part, after, "is new and required", {})
            else:
                yield part.safe("parameter-added", "is new and optional")


def _required(part: Part, after: Parameter, detail: str, values: dict[tuple[str, str], Json]) -> Change:
    finding = Finding("required", after.place, "is required and missing", name=after.name)
    return part.request_refused("parameter-required", detail, request(part.old, values), [finding])


def _removed(part: Part, key: tuple[str, str], before: Parameter) -> Change:
    if key[0] != "query":
        reason = "is gone: nothing refuses it, and nothing says that it is heeded"
        return part.undecided("parameter-removed", reason)
    sent = request(part.old, {key: parameter_example(part.old, before)})
    finding = Finding("unknown-parameter", "query", "is not a known parameter", name=before.name)
    return part.request_refused("parameter-removed", "is gone", sent, [finding])


class _Text(NormalSchema):
    """A parameter of one scalar type, as the texts that its contract accepts."""

    def __init__(self, parameter: Parameter, schema: Json, side: NormalSchema, definitions: dict[str, Json]) -> None:
        self.parameter, self.schema, self.definitions, self.is_31 = parameter, schema, definitions, side.is_31
        self.values = Values(definitions, {})

    def accepts(self, value: Json) -> bool:
        return isinstance(value, str) and not self.findings(value, "query")

    def findings(self, value: Json, _place: Any, _name: str | None = None) -> list[Finding]:
        return read(self.parameter, [(self.parameter.name, value)])[1]

    def findings_of_part(self, _schema: Json, _value: Json) -> list[Finding]:
        return []


def _values(part: Part, key: tuple[str, str], before: Parameter, after: Parameter) -> Iterator[Change]:
    """The changes for the values of a parameter, written by OLD's rules and read by NEW's."""
    one, other = (
        part.old.revision.normal_schema(before.raw, "request"),
        part.new.revision.normal_schema(after.raw, "request"),
    )
    shape = _shape(one)
    if (before.style, before.explode, shape) != (after.style, after.explode, _shape(other)):
        yield _written_otherwise(part, one, key, before, after)
        return
    schemas = before.raw, after.raw
    if key[0] == "path":
        schemas = {"allOf": [schemas[0], {"minLength": 1}]}, {"allOf": [schemas[1], {"minLength": 1}]}
    answer, old, new = part.comparison.decided(*schemas, "request")
    kinds = _kinds(old), _kinds(new)
    if not answer.is_safe and shape == "scalar" and kinds[0] != kinds[1]:
        schema, definitions = _as_text(old, kinds[0])
        taken = new.schema if kinds[1] == {"string"} else False
        answer = contained(
            _Text(before, schema, old, definitions),
            _Text(after, taken, new, new.definitions),
        )
    # An empty text in a path would be another path.
    shown = [each for each in answer.breaks if key[0] != "path" or before.written(each.value)[0][1]]
    if answer.breaks and not shown:
        yield part.undecided("parameter-value", "no longer takes what cannot be written in a path")
        return

    def found(each: Break) -> list[Finding]:
        return read(after, before.written(each.value))[1]

    def refused(each: Break) -> Change:
        detail, sent = f"no longer takes {show(each.value)}", request(part.old, {key: each.value})
        return part.request_refused(
            "parameter-value", detail, sent, found(each), part.inside("schema").lines(each, "request")
        )

    most = sorted(shown, key=lambda each: -len(found(each)))[:1]
    yield from part.judged("parameter-value", replace(answer, breaks=tuple(most)), refused, "takes all that it took")


def _shape(side: NormalSchema) -> str:
    """Whether a parameter is written as an array, an object, or a scalar."""
    kinds = types(side.flat)
    return next((kind for kind in ("array", "object") if kind in kinds and len(kinds) < 4), "scalar")


def _kinds(side: NormalSchema) -> set[str]:
    return set(types(side.flat)) & _SCALARS


def _as_text(side: NormalSchema, kinds: set[str]) -> tuple[Json, dict[str, Json]]:
    """A schema that admits all texts of a parameter, and maybe more, with its definitions."""
    if kinds == {"string"}:
        return side.schema, side.definitions
    if kinds <= {"integer", "number"} and "enum" not in side.flat:
        return {"type": "string", "pattern": _NUMBER if "number" in kinds else _INTEGER}, {}
    if kinds == {"boolean"} or "enum" in side.flat:
        return {"enum": [joined(value) for value in side.flat.get("enum", (True, False)) if side.accepts(value)]}, {}
    return {"type": "string"}, {}


def _written_otherwise(
    part: Part, side: NormalSchema, key: tuple[str, str], before: Parameter, after: Parameter
) -> Change:
    """A parameter whose style or shape changed."""
    rule = "parameter-style"
    for value in islice(filter(side.accepts, side.values.of(side.schema)), MAX_WRITTEN):
        texts = before.written(value)
        if not texts or read(before, texts) != (value, []):
            continue
        got, findings = read(after, texts)
        sent = request(part.old, {key: value})
        if findings:
            return part.request_refused(rule, f"is written otherwise: {show(value)}", sent, findings)
        if got not in (value, [value]):
            detail = f"is read as {got!r}, and was sent as {value!r}"
            finding = Finding(rule, before.place, detail, name=before.name)
            return part.breaking(rule, "is written otherwise", [finding], ("", str(finding)), (sent.interaction,))
    return part.undecided(rule, "is written otherwise; no value was found that shows it")


def _default(part: Part, key: tuple[str, str], before: Parameter, after: Parameter) -> Iterator[Change]:
    old, new = (each.declared.get("default", ABSENT) for each in (before, after))
    if not before.required and old is not ABSENT and old != new:
        sent = request(part.old, {key: ABSENT})
        yield default_change(part, old, new, sent, Finding("default", before.place, "", name=before.name))
