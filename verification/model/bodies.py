"""Request bodies made from a schema: valid ones that reach each bound, invalid ones that break each keyword and rule.

The engine judges every body before it is used. A keyword for which no body is found shows as missed in the coverage.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, filterfalse, islice, product
from typing import Any

from ...contract.normal_schema import NormalSchemas
from ...contract.references import References
from ...contract.schema import Json, Schema
from ...contract.severity import DEFAULT, Severities
from ...contract.shape import Member, Path, flattened, members, rules
from ...contract.strict_json import MAX_DEPTH
from ...contract.witness import ABSENT, Values
from ..coverage import general

ABSENT_MEMBER = object()
"""A placeholder for a member to leave out."""
MAX_ASSIGNMENTS = 300
"""The number of combinations of values that are tried to break one rule across members."""
MAX_TRIED = 300
"""The number of values that are tried in one place."""
FEW_MEMBERS = 3
"""The number of members that are broken together."""
FEW_ITEMS = 3
"""The number of items whose order a server must keep."""
LEVELS_OF_A_LIST = 2
"""The levels of JSON around an item of a list: the array, and an envelope."""
DIGITS = "0123456789"
ODD_TEXT = ' Ünïcode e\u0301 ✓ 𝄞 "quoted" \\ / \t\r\n &<>% '
"""A text that a server may trim, normalize, escape or encode."""
ODD_NAME = "X-Odd.Name_of"
"""A name of a free member that a server may change, or take for a path."""
MISREAD: Mapping[str, tuple[Json, ...]] = {
    "integer": ("1", True, 1.5),
    "number": ("1", True),
    "boolean": ("true", 1),
}
"""By type, values of other types that a lenient server converts."""
LENIENT_FORMATS = {"iana-time-zone": ("+05:30",)}
"""By format, values that a library accepts beyond it."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request body and the member that it tests."""

    value: Json
    path: Path = ()
    """The tested member; empty for the whole body."""


class Bodies:
    """The bodies for one request schema."""

    def __init__(self, schema: Mapping[str, Any], resolve: References, severities: Severities = DEFAULT) -> None:
        """Where `severities` bounds free JSON values, every value within the bounds must be taken."""
        self._severities = severities
        self._declared = Schema(dict(schema), resolve, "request")
        flat = flattened(schema, resolve)
        if "properties" in flat and "type" not in flat:
            schema = {**flat, "type": "object"}  # `properties` imply an object
        self._schema, self._resolve = schema, resolve
        self._judge = Schema(dict(schema), resolve, "request")
        self._members = {member.path: member for member in members(schema, resolve)}
        self._normal_schemas = NormalSchemas(resolve, "request")

    @cached_property
    def minimal(self) -> Json:
        """The body with the required members alone, with the values of the contract's examples where they fit."""
        body = next(filter(self._judge.accepts, self._made(self._schema)), ABSENT)
        for path, member in self._members.items():
            if path and _at(body, path) is not ABSENT:
                body = next(
                    filter(self._accepts, (_with(body, path, value) for value in _examples(member.schema))), body
                )
        return body

    @cached_property
    def full(self) -> Json:
        """The body with every member, with values that are no defaults and, where possible, not those in `minimal`."""
        everything = next(islice(self._made(self._schema), 1, None), ABSENT)
        if isinstance(everything, dict):
            everything = {name: value for name, value in everything.items() if (name,) in self._members}
        body, known = everything if self._accepts(everything) else self.minimal, list(self._members.items())[1:]
        for path, member in [*known, *known]:  # a member may depend on a later one
            usual = [member.schema.get("default"), _at(self.minimal, path), ABSENT, None, [], {}]
            candidates = chain(_examples(member.schema), [_at(body, path)], self._made(member.schema))
            values = (value for value in candidates if value not in usual)
            body = next(filter(self._accepts, (_with(body, path, value) for value in values)), body)
        return body

    @cached_property
    def valid(self) -> list[Body]:
        """`minimal` and `full`, and for each member a body with each bound, each enum value and null."""
        found = [Body(self.minimal), Body(self.full)]
        for path, member in self._members.items():
            for value in self._edge_values(member.schema, MAX_DEPTH - LEVELS_OF_A_LIST - len(path)):
                bodies = (_with(base, path, value) for base in (self.full, self.minimal))
                taken = next(filter(self._accepts, bodies), ABSENT)
                if taken is not ABSENT and all(taken != body.value for body in found):
                    found.append(Body(taken, path))
        return found

    @cached_property
    def invalid(self) -> list[Body]:
        """A body for each keyword of each member and each way to break a rule; it breaks nothing else if possible.

        The last one breaks several members.
        """
        keywords = [*self._broken_keywords()]
        broken = (*keywords, *self._broken_rules(), Body(self._with_last(keywords)))
        return [body for body in broken if not self._declared.accepts(body.value)]

    def _with_last(self, broken: Sequence[Body]) -> Json:
        """The full body with the values of the last members that are broken."""
        last = {each.path: _at(each.value, each.path) for each in broken if len(each.path) == 1}
        body = self.full
        for path, value in list(last.items())[-FEW_MEMBERS:]:
            body = _with(body, path, ABSENT_MEMBER if value is ABSENT else value)
        return body

    def _made(self, schema: Json, against: Json = True) -> Iterator[Json]:
        """Values of a schema, the simplest first; with `against`, those that may break that one."""
        one, other = (self._normal_schemas.normal(each) for each in (schema, against))
        return islice(
            Values(self._normal_schemas.definitions, self._normal_schemas.definitions).of(one, other), MAX_TRIED
        )

    def _judge_of(self, schema: Mapping[str, Any]) -> Schema:
        return Schema(dict(schema), self._resolve, "request")

    def _accepts(self, body: Json) -> bool:
        return body is not ABSENT and self._judge.accepts(body)

    def _edge_values(self, schema: Mapping[str, Any], depth: int) -> Iterator[Json]:
        """The values of a schema that a server with mistakes may not store unchanged, such as bounds and long texts.

        `depth` is the greatest number of arrays inside one another.
        """
        kind, names = schema.get("type"), schema.keys()
        yield from schema.get("enum", ())
        if kind == "boolean":
            yield from (False, True)
        if kind in ("integer", "number"):
            yield from (schema[bound] for bound in ("minimum", "maximum") if bound in schema)
        if kind == "string" and "enum" not in names:
            yield from self._edge_texts(schema)
        if kind == "array" or (kind == "object" and "properties" not in schema):
            sizes = {0, 1, *(schema.get(f"{bound}{PARTS[kind]}", 0) for bound in ("min", "max"))}
            of_these_sizes = (each for each in self._made(schema) if each is not None and len(each) in sizes)
            by_size = sorted({len(each): each for each in of_these_sizes}.values(), key=len)
            yield from by_size
            if kind == "object" and len(by_size) > 1:
                yield {ODD_NAME: next(iter(by_size[1].values()))}
        if kind == "array" and "items" in schema and not schema.get("uniqueItems"):  # where the order matters
            items = list(islice(self._made(schema["items"]), FEW_ITEMS))
            yield sorted(items, key=json.dumps, reverse=True)
            yield sorted(items, key=json.dumps)
        if kind == "object" and "properties" in schema:
            yield {}
        if kind is None and not names & {"properties", "enum"}:
            yield from (None, False, 0, "", [], {}, "007", 0.123456789012345, {"$odd": [None], "none": None})
            yield [2**53 + 1 if self._severities.of("json-number") == "error" else 1]
            yield from [json.loads("[" * depth + "]" * depth)] if self._severities.of("json-depth") == "error" else []
        if schema.get("nullable"):
            yield None

    def _edge_texts(self, schema: Mapping[str, Any]) -> Iterator[str]:
        if not schema.keys() & {"pattern", "format"} or schema.get("format") == "password":
            yield from ("𝄞" * schema.get(size, 0) for size in ("minLength", "maxLength"))
            yield ODD_TEXT[: schema.get("maxLength")]
            return
        right, accepts = next(chain(_examples(schema), self._made(schema)), ""), self._judge_of(schema).accepts
        yield from (_extreme(right, accepts, digits) for digits in (DIGITS[::-1], DIGITS))

    def _broken_keywords(self) -> Iterator[Body]:
        for path, member in self._members.items():
            for keyword in member.keywords:
                for value in self._nearly_right(keyword, path, member.schema):
                    yield from self._most_specific([value], path, keyword)
                yield from self._most_specific(self._refused(keyword, member), path, keyword)
            if path and "type" in member.schema:
                yield from self._most_specific([None], path, "type")

    def _most_specific(self, values: Iterable[Json], path: Path, keyword: str) -> Iterator[Body]:
        """The body with the first value that breaks the keyword alone, or else the first that breaks it, if any."""
        blunt: list[Json] = []
        for value in values:
            if (body := _with(self.full, path, value)) is ABSENT:
                continue
            findings = self._judge.findings(body, "body")
            broken = {(general(self._members, finding), finding.rule) for finding in findings}
            if (path, keyword) in broken:
                blunt.append(body)
                if len(broken) == 1:
                    yield Body(body, path)
                    return
        yield from (Body(body, path) for body in blunt[:1])

    def _broken_rules(self) -> Iterator[Body]:
        for rule in rules(self._schema, self._resolve):
            concerned = [member for member in _named_in(rule) if (member,) in self._members]
            choices = [self._choices(self._members[member,]) for member in concerned]
            for assignment in islice(product(*choices), MAX_ASSIGNMENTS):
                body = self.minimal
                for member, value in zip(concerned, assignment, strict=True):
                    if value is not ABSENT_MEMBER or member in body:
                        body = _with(body, (member,), value)
                if {each.rule for each in self._judge.findings(body, "body")} == {rule["x-rule"]["id"]}:
                    yield Body(body)

    def _refused(self, keyword: str, member: Member) -> Iterable[Json]:
        """Candidates for values that break a keyword."""
        if keyword == "required":
            return [ABSENT_MEMBER]
        if keyword == "additionalProperties":
            present = _at(self.full, member.path)
            return [{**present, "x-unknown": 1}] if isinstance(present, dict) else []
        rest = {word: value for word, value in member.schema.items() if word != keyword}
        schemas = [rest, {}] if keyword.endswith("Items") else [{}, rest]  # of too many items, each shall fit
        return chain.from_iterable(self._made(each, member.schema) for each in schemas)

    def _nearly_right(self, keyword: str, path: Path, schema: Mapping[str, Any]) -> Iterator[Json]:
        """Values that break a keyword, and that a lenient server takes for others."""
        if keyword == "type":
            yield from MISREAD.get(str(schema["type"]), ())
        right = _at(self.full, path)
        if not isinstance(right, str) or not right:
            return
        if keyword == "enum":
            yield right.swapcase()
        if keyword == "format":
            yield from LENIENT_FORMATS.get(schema["format"], ())
        if keyword == "pattern":
            accepts = self._judge_of(schema).accepts
            yield from (f"{right}\n", right[1:])
            yield from islice(filterfalse(accepts, (right + right[-3:] * times for times in range(1, 10))), 1)
            yield from filterfalse(accepts, _beyond(right, accepts))

    def _choices(self, member: Member) -> list[Json]:
        """The values of a member on which a rule may depend."""
        schema = member.schema
        values = schema.get("enum") or islice(self._made(schema), 2 if schema.get("type") == "boolean" else 1)
        return [ABSENT_MEMBER, *values, *([None] if schema.get("nullable") else [])]


PARTS = {"array": "Items", "object": "Properties"}


def _examples(schema: Mapping[str, Any]) -> list[Json]:
    return [schema["example"]] if "example" in schema else []


def _extreme(text: str, accepts: Callable[[str], bool], digits: str) -> str:
    """A text with each digit replaced by the first one of `digits` that is accepted, from left to right."""
    for index in (index for index, each in enumerate(text) if each in digits):
        near = (text[:index] + digit + text[index + 1 :] for digit in digits)
        text = next(filter(accepts, near), text)
    return text


def _beyond(text: str, accepts: Callable[[str], bool]) -> Iterator[str]:
    """The texts next to the ranges of digits: with `23:59` accepted, `30:00`, `24:00` and `23:60`."""
    for digits in (DIGITS[::-1], DIGITS):
        extreme = _extreme(text, accepts, digits)
        for index, each in enumerate(extreme):
            if each in digits[1:]:
                beyond, rest = digits[digits.index(each) - 1], re.sub("[0-9]", digits[-1], extreme[index + 1 :])
                yield extreme[:index] + beyond + rest


def _named_in(rule: Any) -> list[str]:
    """The members that a rule names."""
    names: dict[str, None] = {}
    if isinstance(rule, dict):
        names |= dict.fromkeys([*rule.get("properties", {}), *rule.get("required", ())])
        for keyword in ("anyOf", "allOf", "oneOf", "not"):
            names |= dict.fromkeys(_named_in(rule.get(keyword, [])))
    elif isinstance(rule, list):
        names |= dict.fromkeys(name for part in rule for name in _named_in(part))
    return list(names)


def _at(body: Json, path: Path) -> Json:
    """The value at a path, where `*` is the first item or the first free name; ABSENT where there is none."""
    for step in path:
        inside = _inside(body, step)
        if inside is None:
            return ABSENT
        body = body[inside]
    return body


def _inside(body: Json, step: str) -> Any:
    """The key or the index for a step of a path; None where the body has no such member or item."""
    if isinstance(body, list):
        return 0 if body else None
    if isinstance(body, dict):
        return step if step in body else next(iter(body), None) if step == "*" else None
    return None


def _with(body: Json, path: Path, value: Json) -> Json:
    """A copy of a body with one member changed or left out; ABSENT where the body has no such path."""
    if not path:
        return ABSENT if value is ABSENT_MEMBER else value
    parent = changed = copy(body)
    for step in path[:-1]:
        inside = _inside(parent, step)
        if inside is None:
            return ABSENT
        parent[inside] = copy(parent[inside])
        parent = parent[inside]
    step = _inside(parent, path[-1])
    if value is ABSENT_MEMBER:
        if not isinstance(parent, dict) or step is None:
            return ABSENT
        del parent[step]
    elif step is not None or (isinstance(parent, dict) and path[-1] != "*"):
        parent[path[-1] if step is None else step] = value
    else:
        return ABSENT
    return changed
