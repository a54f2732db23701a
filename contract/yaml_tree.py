"""YAML from strangers as a tree of JSON values: bounded, whatever its aliases would make of it."""

import re
from typing import Any

import yaml

_DIGITS = re.compile("[-+.:_0-9]+")
MAX_DEPTH = 100
MAX_VALUES = 2_000_000
LONGEST_NUMBER = 1000

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language; eight times as fast


class NotPlain(ValueError):
    """The text is not YAML, or its values are not those of JSON; the message says why, in one line."""


class _Loader(_SafeLoader):
    """YAML as JSON has it: a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: bytes) -> Any:
    """A YAML or JSON text as a tree: nothing is shared, and every key is a string. Raises NotPlain."""
    return read_marked_yaml(text)[0]


def read_marked_yaml(text: bytes) -> tuple[Any, Any]:
    """The tree of `read_yaml`, and the text's YAML node, whose parts know their lines. Raises NotPlain."""
    try:
        _measure(text)
        loader = _Loader(text)
        root = loader.get_single_node()
        return None if root is None else _tree(loader.construct_document(root)), root
    except NotPlain:
        raise
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise NotPlain(f"is neither YAML nor JSON: {' '.join(str(error).split())}") from error


def _measure(text: bytes) -> None:
    """Raises NotPlain for what nests too deeply, or grows too large when its aliases are written out.

    Events come one by one; the loader itself would recurse, and a deep text ends the process.
    """
    measure = _Measure()
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            measure.alias(str(event.anchor))
        elif isinstance(event, yaml.ScalarEvent):
            measure.scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            measure.begin(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            measure.end()
        if measure.values > MAX_VALUES:
            raise NotPlain(f"has more than {MAX_VALUES} values when its aliases are written out")


class _Measure:
    """How many values a text has so far, its aliases written out."""

    def __init__(self) -> None:
        self.values = 0
        self._open: list[tuple[str | None, int]] = []  # each open value's anchor, and how many came before it
        self._sizes: dict[str, int] = {}

    def alias(self, anchor: str) -> None:
        if anchor not in self._sizes and any(each == anchor for each, _ in self._open):
            raise NotPlain(f"*{anchor}: holds itself")
        self.values += self._sizes.get(anchor, 1)

    def scalar(self, event: yaml.ScalarEvent) -> None:
        self.values += 1
        if event.anchor is not None:
            self._sizes[event.anchor] = 1
        if len(event.value) > LONGEST_NUMBER and _DIGITS.fullmatch(event.value):
            raise NotPlain(f"has a number of {len(event.value)} characters")

    def begin(self, anchor: str | None) -> None:
        self._open.append((anchor, self.values))
        self.values += 1
        self._sizes.pop(str(anchor), None)
        if len(self._open) > MAX_DEPTH:
            raise NotPlain(f"is nested deeper than {MAX_DEPTH} levels")

    def end(self) -> None:
        anchor, before = self._open.pop()
        if anchor is not None:
            self._sizes[anchor] = self.values - before


_KEYS = {True: "true", False: "false", None: "null"}


def _tree(node: Any) -> Any:
    if isinstance(node, dict):
        return {_key(key): _tree(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_tree(item) for item in node]
    if node is None or isinstance(node, str | int | float):
        return node
    raise TypeError(f"{type(node).__name__} is no value of JSON")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return _KEYS[key]
    if isinstance(key, int | float):
        return str(key)
    raise TypeError(f"keys must be texts, not {type(key).__name__}")
