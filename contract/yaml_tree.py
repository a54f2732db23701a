"""Untrusted YAML 1.2 and JSON as a tree of JSON values, of bounded size even with aliases.

JSON is read as strict JSON, YAML from the events of libyaml: scalars follow the core schema of YAML 1.2, so `no`,
`1_000`, `12:30` and a date are texts. Merge keys (`<<`) are supported, as contracts use them.
"""

import math
import re
from collections.abc import Iterator, Sequence
from json import JSONDecodeError
from typing import Any

import yaml

from .finding import MAX_FINDINGS, one_line
from .strict_json import MAX_DEPTH, UNREADABLE, NotStrictJson, decode

MAX_VALUES = 2_000_000
LONGEST_NUMBER = 1000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language; ten times as fast

_CORE = {text: value for value, texts in {
    None: ("", "~", "null", "Null", "NULL"),
    True: ("true", "True", "TRUE"),
    False: ("false", "False", "FALSE"),
}.items() for text in texts}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_INTEGER = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_JSON = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"
_BEGINS_JSON = re.compile(rb'\s*\{\s*"')


class InvalidYaml(ValueError):
    """The text is not YAML, or not of JSON values; the message is one line with the reason."""


def read_yaml(text: bytes) -> Any:
    """A YAML or JSON text as a tree without shared objects, in which every key is a string. Raises InvalidYaml."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    if not text.lstrip(b" \t\r\n").startswith((b"{", b"[")):
        return _Events(text).tree()
    try:
        return decode(text)
    except NotStrictJson as error:
        reason, rules = error.__cause__, [each.rule for each in error.findings]
        if {*rules} == {"json-number"} and len(rules) <= MAX_FINDINGS and error.value is not UNREADABLE:
            return error.value  # with numbers beyond 64 bits, such as bounds in a schema
    try:
        return _Events(text).tree()  # YAML in flow style; or libyaml's error, which has a line
    except InvalidYaml:
        if isinstance(reason, JSONDecodeError) and _BEGINS_JSON.match(text):
            where = f"line {reason.lineno}, column {reason.colno}"
            raise InvalidYaml(f"is neither YAML nor JSON: {where}: {reason.msg}") from reason
        raise


class MarkedYaml:
    """A text that `read_yaml` accepts, as nodes of YAML with their lines."""

    def __init__(self, text: bytes) -> None:
        """Raises InvalidYaml, also for JSON that libyaml does not read."""
        try:
            self.root = _Loader(text).get_single_node()
        except yaml.YAMLError as error:
            raise _unreadable(error) from error
        self._entries: dict[int, dict[str, tuple[Any, Any]]] = {}

    def entry(self, node: Any, key: str | int) -> tuple[Any, Any] | None:
        """The key and the value of an entry of a mapping or a sequence; None where there is none."""
        if id(node) not in self._entries:
            if isinstance(node, yaml.SequenceNode):
                self._entries[id(node)] = {str(index): (each, each) for index, each in enumerate(node.value)}
            else:
                entries = node.value if isinstance(node, yaml.MappingNode) else ()
                self._entries[id(node)] = {name.value: (name, value) for name, value in reversed(entries)}
        return self._entries[id(node)].get(str(key))

    def node(self, steps: Sequence[str | int]) -> Any:
        """The node at a path; None where there is none."""
        found = list(self._entries_along(steps))
        if len(found) < len(steps):
            return None
        return found[-1][1] if found else self.root

    def line(self, steps: Sequence[str | int]) -> int | None:
        """The line of the node at a path, or of the nearest one around it; None where none is known."""
        found = list(self._entries_along(steps))
        return found[-1][0].start_mark.line + 1 if found else None

    def _entries_along(self, steps: Sequence[str | int]) -> Iterator[tuple[Any, Any]]:
        """The entries along a path, as far as they exist."""
        node = self.root
        for step in steps:
            if (entry := self.entry(node, step)) is None:
                return
            yield entry
            node = entry[1]


_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"


def _unreadable(error: yaml.YAMLError) -> InvalidYaml:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if problem == "exceeded maximum nesting depth":  # libyaml reads ahead, and has a bound of its own
        return InvalidYaml(_TOO_DEEP)
    where = f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else one_line(error)
    return InvalidYaml(f"is neither YAML nor JSON: {where}")


class _Events:
    """Builds the tree of one text from libyaml's events, with bounds on depth and size."""

    def __init__(self, text: bytes) -> None:
        self._events: Iterator[Any] = yaml.parse(text, _Loader)
        self._values = 0
        self._anchors: dict[str, tuple[Any, int]] = {}
        """The value of each anchor and its number of values; none while the value is incomplete."""
        self._plain: dict[str, Any] = dict(_CORE)
        """A cache of the values of plain scalars."""

    def tree(self) -> Any:
        """Raises InvalidYaml."""
        root, documents = None, 0
        try:
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        raise _at(event, "is a second document; a contract is one")
                    root = self._value(next(self._events), 0)
        except yaml.YAMLError as error:
            raise _unreadable(error) from error
        return root

    def _value(self, event: Any, depth: int) -> Any:
        """The value that begins with an event, at a depth of collections."""
        kind = type(event)
        if kind is yaml.AliasEvent:
            return copied(self._alias(event))
        self._count(1)
        before = self._values
        if kind is yaml.ScalarEvent:
            value = self._scalar(event) if event.tag is not None or event.implicit[0] else event.value
        else:
            self._begin(event, depth)
            value = self._mapping(depth + 1) if kind is yaml.MappingStartEvent else self._sequence(depth + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._values - before + 1
        return value

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        text = event.value
        if event.tag is None:
            if text in self._plain:
                return self._plain[text]
            value = self._plain[text] = _plain(event) if text[0] in "-+.0123456789" else text
            return value
        tag = event.tag.removeprefix(_TAG)
        if tag in ("!", "str"):
            return text
        value = _CORE.get(text, ...) if tag in ("null", "bool") else _plain(event) if tag in ("int", "float") else ...
        if value is ... or isinstance(value, str):
            raise _at(event, f"{text[:40]!r} with the tag {event.tag.replace(_TAG, '!!')} is no value of JSON")
        return value

    def _begin(self, event: Any, depth: int) -> None:
        if event.tag is not None and event.tag.removeprefix(_TAG) not in ("map", "seq", "!"):
            raise _at(event, f"the tag {event.tag.replace(_TAG, '!!')} is no value of JSON")
        if depth >= MAX_DEPTH:
            raise InvalidYaml(_TOO_DEEP)
        if event.anchor is not None:
            self._anchors[event.anchor] = None, 0

    def _sequence(self, depth: int) -> list[Any]:
        items = []
        while type(event := next(self._events)) is not yaml.SequenceEndEvent:
            items.append(self._value(event, depth))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        merged: list[tuple[Any, Any]] = []
        while type(event := next(self._events)) is not yaml.MappingEndEvent:
            key = self._key(event)
            if key == "<<" and type(event) is yaml.ScalarEvent and event.implicit[0]:
                merged.append((event, self._value(next(self._events), depth)))
                continue
            if key in members:
                raise _at(event, f"{key[:80]!r} is given more than once")
            members[key] = self._value(next(self._events), depth)
        for event, value in merged:
            for each in value if isinstance(value, list) else [value]:
                if not isinstance(each, dict):
                    raise _at(event, "<< takes a mapping, or a list of them")
                members = {**each, **members}
        return members

    def _key(self, event: Any) -> str:
        if type(event) is yaml.ScalarEvent:
            self._count(1)
            key: Any = event.value
            if event.anchor is not None:
                self._anchors[event.anchor] = key, 1
        else:
            key = self._alias(event) if type(event) is yaml.AliasEvent else None
        if not isinstance(key, str):
            raise _at(event, "a key must be a text")
        return key

    def _alias(self, event: yaml.AliasEvent) -> Any:
        name = str(event.anchor)
        value, size = self._anchors.get(name, (None, 1))
        if name not in self._anchors or not size:
            raise _at(event, f"*{name}: {'is an alias of nothing' if size else 'holds itself'}")
        self._count(size)
        return value

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise InvalidYaml(f"has more than {MAX_VALUES} values when its aliases are written out")


def _plain(event: yaml.ScalarEvent) -> Any:
    """The value of a plain scalar that may be a number (YAML 1.2.2, section 10.3.2)."""
    text = event.value
    is_integer, is_float = _INTEGER.fullmatch(text), _FLOAT.fullmatch(text)
    if len(text) > LONGEST_NUMBER and (is_integer or is_float):
        raise InvalidYaml(f"has a number of {len(text)} characters")
    if is_integer:
        return int(text)
    if _OTHER_INTEGER.fullmatch(text):
        return int(text, 0)
    if is_float and math.isfinite(value := float(text)):
        return value
    if is_float or _NOT_JSON.fullmatch(text):
        raise _at(event, f"{text} is no number of JSON")
    return text


def _at(event: Any, words: str) -> InvalidYaml:
    return InvalidYaml(f"line {event.start_mark.line + 1}: {words}")


def copied(tree: Any) -> Any:
    """A deep copy of a tree, in a fifth of the time of `deepcopy`."""
    if isinstance(tree, dict):
        return {key: copied(value) for key, value in tree.items()}
    return [copied(item) for item in tree] if isinstance(tree, list) else tree
