"""YAML 1.2 and JSON from strangers as a tree of JSON values: bounded, whatever its aliases would make of it.

JSON is read as strict JSON, all else from the events of libyaml: scalars mean what the core schema of YAML 1.2
says, so `no`, `1_000`, `12:30` and a date are texts. Merge keys (`<<`) are heeded, as contracts use them.
"""

import math
import re
from collections.abc import Iterator, Sequence
from json import JSONDecodeError
from typing import Any

import yaml

from .finding import MOST_FINDINGS, one_line
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


class NotPlain(ValueError):
    """The text is not YAML, or its values are not those of JSON; the message says why, in one line."""


def read_yaml(text: bytes) -> Any:
    """A YAML or JSON text as a tree: nothing is shared, and every key is a string. Raises NotPlain."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    if not text.lstrip(b" \t\r\n").startswith((b"{", b"[")):
        return _Events(text).tree()
    try:
        return decode(text)
    except NotStrictJson as error:
        reason, rules = error.__cause__, [each.rule for each in error.findings]
        if {*rules} == {"json-number"} and len(rules) <= MOST_FINDINGS and error.value is not UNREADABLE:
            return error.value  # beyond 64 bits, as a bound in a schema may be
    try:
        return _Events(text).tree()  # flow style; and this reader knows lines
    except NotPlain:
        if isinstance(reason, JSONDecodeError) and _BEGINS_JSON.match(text):
            where = f"line {reason.lineno}, column {reason.colno}"
            raise NotPlain(f"is neither YAML nor JSON: {where}: {reason.msg}") from reason
        raise


class MarkedYaml:
    """A text that `read_yaml` took as nodes of YAML, whose parts know their lines."""

    def __init__(self, text: bytes) -> None:
        """Raises NotPlain, also for JSON that libyaml does not read."""
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
        """The value that these keys lead to; None where there is none."""
        found = list(self._entries_along(steps))
        if len(found) < len(steps):
            return None
        return found[-1][1] if found else self.root

    def line(self, steps: Sequence[str | int]) -> int | None:
        """The line of the part that these keys lead to, or of the nearest around it; None where none is known."""
        found = list(self._entries_along(steps))
        return found[-1][0].start_mark.line + 1 if found else None

    def _entries_along(self, steps: Sequence[str | int]) -> Iterator[tuple[Any, Any]]:
        """The entries that these keys lead through, as far as there are any."""
        node = self.root
        for step in steps:
            if (entry := self.entry(node, step)) is None:
                return
            yield entry
            node = entry[1]


def _unreadable(error: yaml.YAMLError) -> NotPlain:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else one_line(error)
    return NotPlain(f"is neither YAML nor JSON: {where}")


class _Events:
    """One text, from libyaml's events to a tree; they come one by one, so depth and size are known in time."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._values = 0
        self._anchors: dict[str, tuple[Any, int]] = {}
        """What each anchor stands for, and how many values it comes to."""
        self._open = [_Collection([], None, 0)]
        """What the document is in, and the collections in it that are still open."""
        self._plain: dict[str, Any] = dict(_CORE)
        """The values of plain scalars that were met."""

    def tree(self) -> Any:
        """Raises NotPlain."""
        documents = 0
        try:
            for event in yaml.parse(self._text, _Loader):
                kind = type(event)
                if kind is yaml.ScalarEvent:
                    self._scalar(event)
                elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                    self._begin(event, {} if kind is yaml.MappingStartEvent else [])
                elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                    self._end()
                elif kind is yaml.AliasEvent:
                    self._alias(event)
                elif kind is yaml.DocumentStartEvent:
                    documents += 1
                    if documents > 1:
                        raise _at(event, "is a second document; a contract is one")
        except yaml.YAMLError as error:
            raise _unreadable(error) from error
        return next(iter(self._open[0].value), None)

    def _scalar(self, event: Any) -> None:
        self._count(1)
        above = self._open[-1]
        if above.wants_key:
            above.begin_entry(event, event.value, is_merge=event.value == "<<" and event.implicit[0])
            if event.anchor is not None:
                self._anchors[event.anchor] = event.value, 1
            return
        value = event.value
        if event.tag is not None or event.implicit[0]:
            value = self._value(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, 1
        above.put(value)

    def _value(self, event: yaml.ScalarEvent) -> Any:
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

    def _begin(self, event: Any, value: Any) -> None:
        self._count(1)
        if event.tag is not None and event.tag.removeprefix(_TAG) not in ("map", "seq", "!"):
            raise _at(event, f"the tag {event.tag.replace(_TAG, '!!')} is no value of JSON")
        if len(self._open) > MAX_DEPTH:
            raise NotPlain(f"is nested deeper than {MAX_DEPTH} levels")
        if self._open[-1].wants_key:
            raise _at(event, "a key must be a text")
        self._anchors.pop(str(event.anchor), None)
        self._open.append(_Collection(value, event.anchor, self._values - 1))

    def _end(self) -> None:
        ended = self._open.pop()
        ended.merge()
        if ended.anchor is not None:
            self._anchors[ended.anchor] = ended.value, self._values - ended.before
        self._open[-1].put(ended.value)

    def _alias(self, event: Any) -> None:
        name = str(event.anchor)
        if name not in self._anchors:
            holds_itself = any(each.anchor == name for each in self._open)
            raise _at(event, f"*{name}: {'holds itself' if holds_itself else 'is an alias of nothing'}")
        value, size = self._anchors[name]
        self._count(size)
        above = self._open[-1]
        if above.wants_key:
            if not isinstance(value, str):
                raise _at(event, "a key must be a text")
            above.begin_entry(event, value)
        else:
            above.put(_copied(value))

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise NotPlain(f"has more than {MAX_VALUES} values when its aliases are written out")


class _Collection:
    """A mapping or a sequence that is still open; `before` is how many values came before it."""

    __slots__ = ("anchor", "before", "is_mapping", "key", "merged", "merges", "value", "wants_key")

    def __init__(self, value: Any, anchor: str | None, before: int) -> None:
        self.value, self.anchor, self.before = value, anchor, before
        self.is_mapping = self.wants_key = isinstance(value, dict)
        self.key = ""
        self.merges = False
        self.merged: list[tuple[yaml.Event, Any]] = []

    def begin_entry(self, event: yaml.Event, key: str, *, is_merge: bool = False) -> None:
        if is_merge:
            self.merged.append((event, None))
            self.merges = True
        elif key in self.value:
            raise _at(event, f"{key[:80]!r} is given more than once")
        self.key, self.wants_key = key, False

    def put(self, value: Any) -> None:
        """Add an item, or the value of the entry that has begun."""
        if not self.is_mapping:
            self.value.append(value)
            return
        if self.merges:
            self.merged[-1] = self.merged[-1][0], value
            self.merges = False
        else:
            self.value[self.key] = value
        self.wants_key = True

    def merge(self) -> None:
        """Put the members of merged mappings where there are none of the same name."""
        for event, merged in self.merged:
            for each in merged if isinstance(merged, list) else [merged]:
                if not isinstance(each, dict):
                    raise _at(event, "<< takes a mapping, or a list of them")
                self.value = {**each, **self.value}


def _plain(event: yaml.ScalarEvent) -> Any:
    """The value of a plain scalar that may be a number (YAML 1.2.2, section 10.3.2)."""
    text = event.value
    is_integer, is_float = _INTEGER.fullmatch(text), _FLOAT.fullmatch(text)
    if len(text) > LONGEST_NUMBER and (is_integer or is_float):
        raise NotPlain(f"has a number of {len(text)} characters")
    if is_integer:
        return int(text)
    if _OTHER_INTEGER.fullmatch(text):
        return int(text, 0)
    if is_float and math.isfinite(value := float(text)):
        return value
    if is_float or _NOT_JSON.fullmatch(text):
        raise _at(event, f"{text} is no number of JSON")
    return text


def _at(event: Any, words: str) -> NotPlain:
    return NotPlain(f"line {event.start_mark.line + 1}: {words}")


def _copied(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(item) for item in tree] if isinstance(tree, list) else tree
