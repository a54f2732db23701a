"""Strict reading of untrusted JSON: errors where RFC 8259 leaves the meaning open.

A duplicate member, a number that would change (NaN, 1e999, 400 digits) and a lone surrogate are findings with their
place. orjson reads valid texts at full speed; only others are walked, in passes of linear time.
"""

import json
import math
import re
from typing import Any

import orjson

from .finding import MAX_FINDINGS, Finding
from .pointer import json_pointer

MAX_DEPTH = 100
MAX_INTEGER_DIGITS = 19  # longer ones may not fit into 64 bits
MAX_DIGITS_UNDERSTOOD = 400

_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_DIGITS = re.compile(rb"[0-9]{%d,}" % MAX_INTEGER_DIGITS)
_LONG_NUMBER = b"0" * MAX_INTEGER_DIGITS
_INTEGER = re.compile("-?[0-9]+")
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")

UNREADABLE = object()
"""The placeholder for the value of a text that has none, or one that cannot be judged."""


def encoded(value: Any, *, indent: bool = False) -> bytes:
    """A value as JSON, also with integers beyond 64 bits and lone surrogates, which orjson refuses."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    except TypeError:
        return json.dumps(value, indent=2 if indent else None).encode()


class NotStrictJson(Exception):
    """The text is not JSON, or its meaning depends on the reader.

    `value` is that of most readers, with the last of duplicate members and any integer; else UNREADABLE.
    """

    def __init__(self, findings: list[Finding], value: Any = UNREADABLE) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings, self.value = findings, value


class _Members(list[tuple[str, Any]]):
    """An object as the list of its members, duplicates included."""


class _Literal(str):
    """The text of a number that Python's value would change."""

    __slots__ = ()


def decode(text: bytes) -> Any:
    """The value of a JSON text. Raises NotStrictJson with the findings, as many as `first_findings` keeps."""
    if _fits(text) and not too_deep(text):
        try:
            value = orjson.loads(text)  # it refuses NaN, 1e999 and lone surrogates
        except orjson.JSONDecodeError:
            return _decode_slowly(text)
        # A duplicate member is lost, and with it strings.
        if _strings(orjson.dumps(value)) == _strings(text):
            return value
    return _decode_slowly(text)


def _fits(text: bytes) -> bool:
    """Whether no number can be beyond 64 bits: every long one is a small enough integer."""
    if _LONG_NUMBER not in text.translate(_DIGITS):
        return True
    long = _LONG_DIGITS.findall(_without_strings(text))
    return all(len(digits) == MAX_INTEGER_DIGITS and int(digits) < 2**63 for digits in long)


def _strings(text: bytes) -> int:
    """The number of quotes that begin or end strings in a JSON text."""
    return _without_escapes(text).count(b'"')


def _without_strings(text: bytes) -> bytes:
    return b'"'.join(_without_escapes(text).split(b'"')[::2])


def _without_escapes(text: bytes) -> bytes:
    return text.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in text else text


def _integer(text: str) -> int | _Literal:
    if len(text) <= MAX_INTEGER_DIGITS + 1 and -(2**63) <= (number := int(text)) < 2**64:
        return number
    return _Literal(text)


def _number(text: str) -> float | _Literal:
    number = float(text)
    return _Literal(text) if math.isinf(number) else number


# Every hook is a Python function, not a class, so that other threads can run during a long text.
_SLOW = json.JSONDecoder(
    object_pairs_hook=lambda members: _Members(members),
    parse_int=_integer,
    parse_float=_number,
    parse_constant=lambda text: _Literal(text),
)


def _decode_slowly(encoded: bytes) -> Any:
    try:
        text = encoded.decode()
    except UnicodeDecodeError as error:
        detail = f"must be UTF-8; the byte at offset {error.start} is not ({error.reason})"
        raise NotStrictJson([Finding("json-encoding", "body", detail, "")]) from error
    if too_deep(encoded):
        raise NotStrictJson([Finding("json-depth", "body", f"is nested deeper than {MAX_DEPTH} levels", "")])
    try:
        tree = _SLOW.decode(text)
    except json.JSONDecodeError as error:
        detail = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise NotStrictJson([Finding("json-syntax", "body", detail, "")]) from error
    findings: list[Finding] = []
    value = _understood(tree, (), findings)
    if findings:
        raise NotStrictJson(findings, value)
    return value


def _understood(tree: Any, path: tuple[str | int, ...], findings: list[Finding]) -> Any:
    """The value of most readers, or UNREADABLE; adds to the findings."""
    if isinstance(tree, _Literal):
        rule, detail = _wrong_number(tree)
        _add_finding(findings, rule, detail, path)
        return int(tree) if len(tree) <= MAX_DIGITS_UNDERSTOOD and _INTEGER.fullmatch(tree) else UNREADABLE
    if isinstance(tree, str) and _has_lone_surrogate(tree):
        _add_finding(findings, "json-string", "must be Unicode text; it has a lone surrogate", path)
        return UNREADABLE
    if isinstance(tree, _Members):
        members: dict[str, Any] = {}
        for name, value in tree:
            if _has_lone_surrogate(name):
                _add_finding(findings, "json-string", "has a member whose name has a lone surrogate", path)
                members[name] = UNREADABLE
                continue
            if name in members:
                _add_finding(findings, "json-duplicate", "is given more than once", (*path, name))
            members[name] = _understood(value, (*path, name), findings)
        return UNREADABLE if UNREADABLE in members.values() else members
    if isinstance(tree, list):
        items = [_understood(value, (*path, index), findings) for index, value in enumerate(tree)]
        return UNREADABLE if UNREADABLE in items else items
    return tree


def _add_finding(findings: list[Finding], rule: str, detail: str, path: tuple[str | int, ...]) -> None:
    if len(findings) <= MAX_FINDINGS:
        findings.append(Finding(rule, "body", detail, json_pointer(path)))


def _wrong_number(text: str) -> tuple[str, str]:
    """The rule that a number breaks, and the detail."""
    if text in _NO_NUMBERS:
        return "json-syntax", f"is not JSON: {text} is no number"
    shown = text if len(text) <= 40 else f"a number of {len(text)} characters"
    return "json-number", f"must be a number that fits into 64 bits, not {shown}"


def _has_lone_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def too_deep(text: bytes) -> bool:
    """Whether brackets outside of strings nest deeper than MAX_DEPTH, found by removing empty pairs so many times.

    In invalid JSON, brackets behind the first error may count, too.
    """
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return False
    left = _without_strings(text).translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        if b"[" * (MAX_DEPTH + 1) in left:
            return True
        left = left.replace(b"[]", b"")
    return b"[]" in left or left.count(b"[") > MAX_DEPTH
