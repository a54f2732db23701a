"""Regular expressions as sets of strings: inclusion of one set in another, or the shortest counterexample."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Final

MAX_STATES = 20_000
"""The number of states that a search visits before UndecidablePattern."""

Intervals = tuple[tuple[int, int], ...]
"""Sorted and disjoint intervals of code points, both ends included."""


class UndecidablePattern(Exception):
    """A pattern that is not regular (look-around, back references), or a search that is too long."""


@dataclass(frozen=True, slots=True)
class Node:
    """A regular expression: its kind, and its parts by kind."""

    kind: str  # chars, cat, alt, repeat
    parts: "tuple[Node, ...]" = ()
    chars: Intervals = ()
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Strings:
    """The strings that match every pattern and have a length within the bounds."""

    patterns: tuple[str, ...] = ()
    shortest: int = 0
    longest: int | None = None


def _union(*sets: Intervals) -> Intervals:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(interval for each in sets for interval in each):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def _complement(chars: Intervals) -> Intervals:
    gaps, start = [], 0
    for low, high in (*chars, (0x110000, 0x110000)):
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    return tuple(gaps)


ANY: Final[Intervals] = ((0, 0x10FFFF),)
_CLASSES = {
    "d": "0-9]",
    "w": "0-9A-Z_a-z]",
    "s": "\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]",
}
"""The character classes of escapes (ECMA-262, section 22.2.2.9), without the opening bracket."""
_CONTROLS = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "0": 0}
_NOTHING = Node("chars")
_EMPTY = Node("cat")


def _cat(*parts: Node) -> Node:
    flat = [each for part in parts for each in (part.parts if part.kind == "cat" else (part,))]
    if _NOTHING in flat:
        return _NOTHING
    return flat[0] if len(flat) == 1 else Node("cat", tuple(flat))


def _alt(*parts: Node) -> Node:
    flat = dict.fromkeys(each for part in parts for each in (part.parts if part.kind == "alt" else (part,)))
    flat.pop(_NOTHING, None)
    if not flat:
        return _NOTHING
    return next(iter(flat)) if len(flat) == 1 else Node("alt", tuple(sorted(flat, key=repr)))


def _repeat(part: Node, least: int, most: int | None) -> Node:
    if most == 0:
        return _EMPTY
    return part if (least, most) == (1, 1) else Node("repeat", (part,), least=least, most=most)


@lru_cache(maxsize=100_000)
def _nullable(node: Node) -> bool:
    if node.kind == "cat":
        return all(map(_nullable, node.parts))
    if node.kind == "alt":
        return any(map(_nullable, node.parts))
    return node.kind == "repeat" and (node.least == 0 or _nullable(node.parts[0]))


@lru_cache(maxsize=100_000)
def _after(node: Node, char: int) -> Node:
    """The rest of a match after `char`: the Brzozowski derivative."""
    if node.kind == "chars":
        return _EMPTY if any(low <= char <= high for low, high in node.chars) else _NOTHING
    if node.kind == "alt":
        return _alt(*(_after(part, char) for part in node.parts))
    if node.kind == "repeat":
        part = node.parts[0]
        rest = _repeat(part, max(node.least - 1, 0), None if node.most is None else node.most - 1)
        return _cat(_after(part, char), rest)
    if not node.parts:
        return _NOTHING
    first, rest = node.parts[0], _cat(*node.parts[1:])
    step = _cat(_after(first, char), rest)
    return _alt(step, _after(rest, char)) if _nullable(first) else step


def _boundaries(node: Node) -> Iterator[int]:
    for low, high in node.chars:
        yield from (low, high + 1)
    for part in node.parts:
        yield from _boundaries(part)


def _representatives(nodes: tuple[Node, ...]) -> list[int]:
    """One character for each class of characters that the patterns do not distinguish, readable ones first."""
    bounds = sorted({0, 0x110000, *(bound for node in nodes for bound in _boundaries(node))})
    chosen = []
    for low, end in pairwise(bounds):
        readable = next((char for char in map(ord, "aA0zZ9-_ ~!é") if low <= char < end), None)
        char = low if readable is None else readable
        if not 0xD800 <= char <= 0xDFFF:  # a lone surrogate is no Unicode text
            chosen.append(char)
    return sorted(chosen, key=lambda char: (not (33 <= char < 127), char not in _ALPHANUMERIC, char))


_ALPHANUMERIC = set(map(ord, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))


@lru_cache(maxsize=10_000)
def outside(inner: Strings, outer: Strings | None) -> str | None:
    """The shortest string of `inner` that is not in `outer`, or None where all are. Raises UndecidablePattern.

    Without `outer`, the shortest string of `inner`.
    """
    given = tuple(map(parsed, inner.patterns))
    taken = () if outer is None else tuple(map(parsed, outer.patterns))
    alphabet = _representatives((*given, *taken))
    lengths = [length or 0 for each in (inner, outer) if each is not None for length in (each.shortest, each.longest)]
    longest_told = max(lengths) + 1
    start = (given, taken, 0)
    seen, queue = {start}, deque([(start, "")])
    while queue:
        (given, taken, length), text = queue.popleft()
        fits = length >= inner.shortest and all(map(_nullable, given))
        if fits and (outer is None or not _has(outer, taken, length)):
            return text
        if inner.longest is not None and length >= inner.longest:
            continue
        for char in alphabet:
            following = tuple(_after(node, char) for node in given)
            if _NOTHING in following:
                continue
            state = (following, tuple(_after(node, char) for node in taken), min(length + 1, longest_told))
            if state not in seen:
                if len(seen) >= MAX_STATES:
                    raise UndecidablePattern("the patterns have too many states")
                seen.add(state)
                queue.append((state, text + chr(char)))
    return None


def _has(outer: Strings, nodes: tuple[Node, ...], length: int) -> bool:
    within = length >= outer.shortest and (outer.longest is None or length <= outer.longest)
    return within and all(map(_nullable, nodes))


@lru_cache(maxsize=10_000)
def parsed(pattern: str) -> Node:
    """The strings in which a pattern of JSON Schema, which is not anchored, is found. Raises UndecidablePattern."""
    return _Parser(pattern).searching()


_REPETITION = re.compile(r"([*+?])|\{([0-9]+)(,([0-9]*))?\}")
_CHARACTER = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))|([^\\])", re.DOTALL)


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._text, self._at = pattern, 0

    def searching(self) -> Node:
        anywhere = _repeat(Node("chars", chars=ANY), 0, None)
        branches = []
        while True:
            anchored = self._consume("^")
            branch = self._sequence()
            ended = self._consume("$")
            branches.append(_cat(*(() if anchored else (anywhere,)), branch, *(() if ended else (anywhere,))))
            if self._at == len(self._text):
                return _alt(*branches)
            if not self._consume("|"):
                raise UndecidablePattern(f"{self._text}: {self._text[self._at]} where it is not understood")

    def _consume(self, text: str) -> bool:
        found = self._text.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)$^":
            parts.append(self._repeated(self._atom()))
        return _cat(*parts)

    def _atom(self) -> Node:
        if self._consume("("):
            return self._group()
        if self._consume("["):
            return Node("chars", chars=self.characters())
        if self._consume("."):
            return Node("chars", chars=_complement(((10, 10),)))
        if self._text[self._at] in "*+?{":
            raise UndecidablePattern(f"{self._text}: {self._text[self._at]} repeats nothing")
        return Node("chars", chars=self._char())

    def _group(self) -> Node:
        if self._consume("?") and not self._consume(":"):
            raise UndecidablePattern(f"{self._text}: a group with (?")
        branches = [self._sequence()]
        while self._consume("|"):
            branches.append(self._sequence())
        if not self._consume(")"):
            raise UndecidablePattern(f"{self._text}: an anchor inside a group")
        return _alt(*branches)

    def _repeated(self, atom: Node) -> Node:
        if (found := _REPETITION.match(self._text, self._at)) is None:
            return atom
        self._at = found.end()
        if self._text[self._at : self._at + 1] in set("+*{"):
            raise UndecidablePattern(f"{self._text}: a repetition repeated")
        self._consume("?")  # a lazy quantifier finds the same strings
        sign, least, comma, most = found.groups()
        if sign is not None:
            return _repeat(atom, 1 if sign == "+" else 0, 1 if sign == "?" else None)
        return _repeat(atom, int(least), (int(most) if most else None) if comma else int(least))

    def characters(self) -> Intervals:
        negated = self._consume("^")
        sets: list[Intervals] = []
        while not self._consume("]"):
            if self._at >= len(self._text) or self._text[self._at] == "[" or self._text[self._at :][:2] in ("&&", "--"):
                raise UndecidablePattern(f"{self._text}: a class that is not understood")
            low = self._char()
            ranges = self._text[self._at : self._at + 1] == "-" and self._text[self._at + 1 : self._at + 2] != "]"
            if not ranges:
                sets.append(low)
                continue
            self._at += 1
            sets.append(((low[0][0], self._char()[0][0]),))
        union = _union(*sets)
        return _complement(union) if negated else union

    def _char(self) -> Intervals:
        """A literal character, or the characters of an escape."""
        if (found := _CHARACTER.match(self._text, self._at)) is None:
            raise UndecidablePattern(f"{self._text}: ends with \\")
        self._at = found.end()
        digits, escaped, plain = found[1] or found[2], found[3], found[4]
        if escaped and escaped.lower() in _CLASSES:
            chars = _Parser(_CLASSES[escaped.lower()]).characters()
            return chars if escaped.islower() else _complement(chars)
        if escaped and escaped.isalnum() and escaped not in _CONTROLS:
            raise UndecidablePattern(f"{self._text}: \\{escaped}")
        code = int(digits, 16) if digits else ord(plain) if plain else _CONTROLS.get(escaped, ord(escaped))
        return ((code, code),)


def drawn(pattern: str, chance: Random, longest: int = 64) -> str:
    """A random string in which the pattern is found, of visible ASCII where possible. Raises UndecidablePattern."""
    text = _drawn(parsed(pattern), chance)
    if len(text) > longest:
        raise UndecidablePattern(f"{pattern}: what was drawn is too long")
    return text


MAX_REPEATED = 8
"""The most repetitions of a part beyond its minimum."""


def _drawn(node: Node, chance: Random) -> str:
    if node.kind == "chars":
        visible = [(max(low, 33), min(high, 126)) for low, high in node.chars if max(low, 33) <= min(high, 126)]
        plain = [char for low, high in visible for char in range(low, high + 1) if char in _ALPHANUMERIC]
        low, high = chance.choice(visible or node.chars or ((0, 0),))
        return chr(chance.choice(plain) if plain else chance.randint(low, high))
    if node.kind == "cat":
        return "".join(_drawn(part, chance) for part in node.parts)
    if node.kind == "alt":
        return _drawn(chance.choice(node.parts), chance)
    part = node.parts[0]
    anything = part.kind == "chars" and part.chars == ANY  # the text around a pattern without anchors
    most = node.least if anything else min(node.least + MAX_REPEATED, node.most or node.least + MAX_REPEATED)
    return "".join(_drawn(part, chance) for _ in range(chance.randint(node.least, most)))
