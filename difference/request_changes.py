"""What became of the requests of an operation: does NEW take all that OLD took, and does it mean the same?"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..contract.finding import Finding
from ..contract.operation import MAX_BYTES
from ..contract.schema import show
from .change import Change
from .containment import Breaking, Safe, Side, Undecided, contained
from .defaults import ABSENT
from .example_request import body_example, body_examples, read, request, schema_of, text_of, texts_of
from .normal import merged, types
from .pairing import Pair
from .revision import Declared, Steps

Json = Any
_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"


def request_changes(pair: Pair) -> Iterator[Change]:
    """Of the parameters, the body, the credentials and the roles."""
    yield from _parameters(pair)
    yield from _body(pair)
    yield from _security(pair)
    yield from _roles(pair)


def _parameters(pair: Pair) -> Iterator[Change]:
    for key, (before, old_steps) in pair.old.parameters.items():
        part = f"{key[0]} parameter {before['name']}"
        if key not in pair.new.parameters:
            yield _removed(pair, key, before, part, old_steps)
            continue
        after, new_steps = pair.new.parameters[key]
        at = (old_steps, new_steps)
        if after.get("required") and not before.get("required"):
            sent = request(pair.old, {key: ABSENT})
            finding = Finding("required", key[0], "is required and missing", name=after["name"])  # type: ignore[arg-type]
            yield pair.refused("parameter-required", part, "is required now", sent, [finding], at)
        nameless = ({**each, "name": ""} for each in (before, after))  # nobody sends the name of a path parameter
        if pair.comparison.unchanged(*nameless if key[0] == "path" else (before, after)):
            continue
        yield from _values(pair, key, part, before, after, at)
        yield from _parameter_default(pair, key, part, before, after, at)
    for key, (after, new_steps) in pair.new.parameters.items():
        if key in pair.old.parameters:
            continue
        part, at = f"{key[0]} parameter {after['name']}", (pair.old.steps, new_steps)
        if after.get("required"):
            finding = Finding("required", key[0], "is required and missing", name=after["name"])  # type: ignore[arg-type]
            yield pair.refused("parameter-required", part, "is new and required", request(pair.old), [finding], at)
        else:
            yield pair.change("safe", "parameter-added", part, "is new and optional", at)


def _removed(pair: Pair, key: tuple[str, str], before: Mapping[str, Json], part: str, steps: Steps) -> Change:
    at = (steps, pair.new.steps)
    if key[0] == "query":
        from .example_request import parameter_example

        sent = request(pair.old, {key: parameter_example(pair.old, before)})
        finding = Finding("unknown-parameter", "query", "is not a known parameter", name=before["name"])
        return pair.refused("parameter-removed", part, "is gone", sent, [finding], at)
    reason = "is gone: nothing refuses it, and nothing says that it is heeded"
    return pair.change("undecided", "parameter-removed", part, reason, at)


@dataclass
class _Text:
    """A parameter of one scalar type as the texts that its contract takes."""

    operation: Declared
    declared: Mapping[str, Json]
    schema: Json
    definitions: Mapping[str, Json]

    def accepts(self, value: Json) -> bool:
        return isinstance(value, str) and not read(self.operation, self.declared, [value])[1]

    def findings(self, value: Json, _place: Any, _name: str | None = None) -> list[Finding]:
        return read(self.operation, self.declared, [value])[1]


def _values(
    pair: Pair,
    key: tuple[str, str],
    part: str,
    before: Mapping[str, Json],
    after: Mapping[str, Json],
    at: tuple[Steps, Steps],
) -> Iterator[Change]:
    """What NEW makes of the values that OLD takes, as they are written."""
    schemas = schema_of(before), schema_of(after)
    if key[0] == "path":  # an empty text would be another path
        schemas = {"allOf": [schemas[0], {"minLength": 1}]}, {"allOf": [schemas[1], {"minLength": 1}]}
    answer, old, new = pair.comparison.decided(*schemas, "request")
    kinds = [set(types(_flat(each))) & {"string", "integer", "number", "boolean"} for each in (old, new)]
    if _style(before) != _style(after) or (_is(before, pair.old) != _is(after, pair.new)):
        yield from _written_otherwise(pair, key, part, before, after, at)
        return
    if not isinstance(answer, Safe) and _is(before, pair.old) == "scalar" and kinds[0] != kinds[1]:
        texts = [
            _Text(owner, declared, *_as_text(side, kind, giver=side is old))
            for owner, declared, side, kind in (
                (pair.old, before, old, kinds[0]),
                (pair.new, after, new, kinds[1]),
            )
        ]
        answer = contained(texts[0], texts[1])
    if isinstance(answer, Undecided):
        yield pair.change("undecided", "parameter-value", part, answer.reason, at)
    elif isinstance(answer, Breaking):
        value, findings = max(
            ((value, read(pair.new, after, texts_of(before, value))[1]) for value in answer.values),
            key=lambda each: len(each[1]),
        )
        sent = request(pair.old, {key: value})
        detail = f"no longer takes {show(value)}"
        inside = ((*at[0], "schema"), (*at[1], "schema"))
        yield pair.refused("parameter-value", part, detail, sent, findings, at, inside)
    else:
        yield pair.change("safe", "parameter-value", part, "takes all that it took", at)


def _as_text(side: Side, kinds: set[str], *, giver: bool) -> tuple[Json, Mapping[str, Json]]:
    """The schema of the texts: at least all of them for who gives, at most all of them for who takes."""
    if kinds == {"string"}:
        return side.schema, side.definitions
    if not giver:
        return False, {}
    flat = _flat(side)
    if kinds <= {"integer", "number"} and "enum" not in flat:
        return {"type": "string", "pattern": _NUMBER if "number" in kinds else r"^-?(0|[1-9][0-9]*)$"}, {}
    values = [value for value in flat.get("enum", (True, False)) if side.accepts(value)]
    whole = kinds == {"boolean"} or "enum" in flat
    return ({"enum": list(map(text_of, values))} if whole else {"type": "string"}), {}


def _flat(side: Side) -> dict[str, Json]:
    return merged([side.schema], side.definitions) or {}


def _style(declared: Mapping[str, Json]) -> tuple[str, bool]:
    style = declared.get("style", "form" if declared["in"] in ("query", "cookie") else "simple")
    return style, bool(declared.get("explode", style == "form"))


def _is(declared: Mapping[str, Json], operation: Declared) -> str:
    kinds = types(_flat(operation.revision.side(schema_of(declared), "request")))
    named = [kind for kind in ("array", "object") if kind in kinds and len(kinds) < 4]
    return named[0] if named else "scalar"


def _written_otherwise(
    pair: Pair,
    key: tuple[str, str],
    part: str,
    before: Mapping[str, Json],
    after: Mapping[str, Json],
    at: tuple[Steps, Steps],
) -> Iterator[Change]:
    """A parameter whose style or shape changed: does NEW read what OLD's clients write?"""
    from .witness import Values

    side = pair.old.revision.side(schema_of(before), "request")
    tried = [value for value in Values(side.definitions, {}).of(side.schema) if side.accepts(value)][:40]
    for value in tried:
        texts = texts_of(before, value)
        if not texts or read(pair.old, before, texts) != (value, []):
            continue
        got, findings = read(pair.new, after, texts)
        sent = request(pair.old, {key: value})
        if findings:
            yield pair.refused("parameter-style", part, f"is written otherwise: {show(value)}", sent, findings, at)
            return
        if got != value and (isinstance(got, list) != isinstance(value, list) or got != [value]):
            finding = Finding("parameter-style", key[0], f"is read as {got!r}, and was sent as {value!r}", name=key[1])  # type: ignore[arg-type]
            yield pair.change(
                "breaking",
                "parameter-style",
                part,
                "is written otherwise",
                at,
                findings=(finding,),
                new_answer=str(finding),
                interactions=(sent.interaction,),
            )
            return
    scalar_to_list = _is(before, pair.old) == "scalar" and _is(after, pair.new) == "array"
    if tried and scalar_to_list and all(not read(pair.new, after, texts_of(before, value))[1] for value in tried):
        yield pair.change("undecided", "parameter-style", part, "is a list now; no value was found that it refuses", at)
        return
    yield pair.change(
        "undecided", "parameter-style", part, "is written otherwise; no value was found that shows it", at
    )


def _parameter_default(
    pair: Pair,
    key: tuple[str, str],
    part: str,
    before: Mapping[str, Json],
    after: Mapping[str, Json],
    at: tuple[Steps, Steps],
) -> Iterator[Change]:
    old, new = (
        owner.revision.followed(schema_of(declared)).get("default", ABSENT)
        for owner, declared in ((pair.old, before), (pair.new, after))
    )
    if not before.get("required") and old is not ABSENT and old != new:
        yield _default(pair, part, old, new, request(pair.old, {key: ABSENT}), at)


def _default(pair: Pair, part: str, old: Json, new: Json, sent: Any, at: tuple[Steps, Steps]) -> Change:
    if new is ABSENT:
        return pair.change(
            "undecided", "default", part, f"left out meant {show(old)}; NEW does not say what it means", at
        )
    return pair.change(
        "breaking",
        "default",
        part,
        f"left out means {show(new)}, and meant {show(old)}",
        at,
        old_answer=f"left out means {show(old)}",
        new_answer=f"left out means {show(new)}",
        interactions=(sent.interaction,),
    )


def _body(pair: Pair) -> Iterator[Change]:
    before, after = pair.old.body, pair.new.body
    at = ((*pair.old.steps, "requestBody"), (*pair.new.steps, "requestBody"))
    if after is not None and after.get("required") and not (before or {}).get("required"):
        finding = Finding("required", "body", "a body is required and missing", pointer="")
        sent = request(pair.old, body=ABSENT)
        yield pair.refused("request-body-required", "request body", "is required now", sent, [finding], at)
    if before is None:
        return
    if after is None:
        reason = "is gone: nothing refuses it, and nothing says that it is heeded"
        yield pair.change("undecided", "request-body-removed", "request body", reason, at)
        return
    limits = before.get("x-max-bytes", MAX_BYTES), after.get("x-max-bytes", MAX_BYTES)
    if limits[1] < limits[0]:
        finding = Finding("content-length", "header", f"must be at most {limits[1]}", name="Content-Length")
        detail = f"may have {limits[1]} bytes, and might have {limits[0]}"
        yield pair.change("breaking", "request-body-size", "request body", detail, at, findings=(finding,))
    for name, content in before.get("content", {}).items():
        part = f"request body {name}"
        taken = next((each for each in after.get("content", {}) if each.lower() == name.lower()), None)
        if taken is None:
            sent = request(pair.old, body=body_example(pair.old, content, "request"), content_type=name)
            detail = f"must be {' or '.join(after.get('content', {}))}, not {name}"
            finding = Finding("media-type", "header", detail, name="Content-Type")
            yield pair.refused("request-media-type", part, "is gone", sent, [finding], at)
            continue
        both = content, after["content"][taken]
        schemas = ((*at[0], "content", name, "schema"), (*at[1], "content", taken, "schema"))
        if not pair.comparison.unchanged(*(each.get("schema", {}) for each in both)):
            yield from _body_schema(pair, name, part, both, schemas)
    for name in after.get("content", {}):
        if name not in before.get("content", {}):
            yield pair.change("safe", "request-media-type", f"request body {name}", "is new", at)


def _body_schema(
    pair: Pair, name: str, part: str, both: tuple[Mapping[str, Json], Mapping[str, Json]], steps: tuple[Steps, Steps]
) -> Iterator[Change]:
    schemas = both[0].get("schema", {}), both[1].get("schema", {})
    samples = partial(body_examples, pair.old, both[0], "request")
    answer, _, new = pair.comparison.decided(*schemas, "request", samples)
    if isinstance(answer, Undecided):
        yield pair.change("undecided", "request-body", part, answer.reason, steps)
    elif isinstance(answer, Breaking):
        for value in answer.values:
            findings = new.findings(value, "body")
            sent = request(pair.old, body=value, content_type=name)
            detail = "no longer takes what it took"
            yield pair.refused("request-body", part, detail, sent, findings, steps, steps)
    else:
        yield pair.change("safe", "request-body", part, "takes all that it took", steps)
    for pointer, default, new_default in pair.comparison.defaults.changed(*schemas):
        sent = request(pair.old, body=_without(body_example(pair.old, both[0], "request"), pointer), content_type=name)
        yield _default(pair, f"{part} {pointer}", default, new_default, sent, steps)


def _without(value: Json, pointer: str) -> Json:
    """A value without the member at a pointer."""
    name, _, rest = pointer[1:].partition("/")
    if not isinstance(value, dict) or name not in value:
        return value
    if rest:
        return {**value, name: _without(value[name], f"/{rest}")}
    return {key: member for key, member in value.items() if key != name}


def _security(pair: Pair) -> Iterator[Change]:
    old, new = pair.old.security, pair.new.security
    schemes = [
        {
            name: {word: text for word, text in owner.revision.followed(scheme).items() if _identifies(word)}
            for name, scheme in owner.revision.document.get("components", {}).get("securitySchemes", {}).items()
        }
        for owner in (pair.old, pair.new)
    ]
    for alternative in old:
        if any(_admits(alternative, each, *schemes) for each in new):
            continue
        needed = " or ".join(_named(each) for each in new)
        detail = f"{_named(alternative)} {'was' if alternative else 'were'} enough; NEW asks for {needed}"
        fields = tuple(field for name in alternative if (field := _credential(schemes[0].get(name, {}))))
        finding = Finding("security", "header", f"must carry {needed}")
        sent = request(pair.old, headers=fields)
        at = ((*pair.old.steps, "security"), (*pair.new.steps, "security"))
        yield pair.change(
            "breaking",
            "security",
            "credentials",
            detail,
            at,
            old_answer=f"{sent.interaction.status}",
            new_answer=f"401 or 403: {finding}",
            findings=(finding,),
            interactions=(sent.interaction,),
        )
    if old != new and all(any(_admits(each, taken, *schemes) for taken in new) for each in old):
        yield pair.change("safe", "security", "credentials", "those that were enough are enough")


def _identifies(word: str) -> bool:
    return not re.match(r"x-|description$|bearerFormat$", word)


def _admits(
    old: Mapping[str, list[str]], new: Mapping[str, list[str]], before: Mapping[str, Json], after: Mapping[str, Json]
) -> bool:
    """Whether the credentials of one alternative are enough for another one."""
    return all(
        any(before.get(own) == after.get(name) and set(scopes) <= set(old[own]) for own in old)
        for name, scopes in new.items()
    )


def _named(alternative: Mapping[str, list[str]]) -> str:
    words = [f"{name} ({', '.join(scopes)})" if scopes else name for name, scopes in alternative.items()]
    return " and ".join(words) or "no credentials"


def _credential(scheme: Mapping[str, Json]) -> tuple[str, str] | None:
    if scheme.get("type") == "http":
        return "Authorization", f"{str(scheme.get('scheme', 'bearer')).capitalize()} TOKEN"
    if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
        return str(scheme.get("name")), "TOKEN"
    return ("Authorization", "Bearer TOKEN") if scheme else None


def _roles(pair: Pair) -> Iterator[Change]:
    old, new = (set(each.declared.get("x-roles", ())) for each in (pair.old, pair.new))
    at = ((*pair.old.steps, "x-roles"), (*pair.new.steps, "x-roles"))
    if new and (gone := (old or set(pair.comparison.roles)) - new):
        finding = Finding(
            "roles", "header", f"must be of a token with {' or '.join(sorted(new))}", name="Authorization"
        )
        sent = request(pair.old, headers=(("Authorization", f"Bearer TOKEN-OF-{min(gone).upper()}"),))
        yield pair.change(
            "breaking",
            "roles",
            "roles",
            f"{' and '.join(sorted(gone))} may no longer use it",
            at,
            old_answer=str(sent.interaction.status),
            new_answer=f"403: {finding}",
            findings=(finding,),
            interactions=(sent.interaction,),
        )
    elif old != new:
        yield pair.change("safe", "roles", "roles", "those that might use it may", at)
