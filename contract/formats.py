"""The formats of strings and numbers: those of JSON Schema, of the OpenAPI format registry, and `iana-time-zone`."""

import re
from collections.abc import Callable
from functools import cache, partial
from importlib.resources import files
from typing import Any

from jsonschema_rs import Draft4Validator, Draft202012Validator


@cache
def time_zones() -> frozenset[str]:
    """The IANA time zone names of the tzdata package, the same on every machine."""
    return frozenset((files("tzdata") / "zones").read_text().split())


_NATIVE = {"date", "date-time", "email", "hostname", "idn-email", "ipv4", "ipv6", "time", "uri"}
"""The formats that the validators of every draft know."""
_LATER = {
    *("duration", "idn-hostname", "iri", "iri-reference", "json-pointer", "relative-json-pointer"),
    *("uri-reference", "uri-template", "uuid"),
}
"""The formats that only the validators of later drafts know."""

_TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 (RFC 9110, section 5.6.2)
_QUOTED = r'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_DAY, _MONTH = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)", "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)"
_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"

PATTERNS = {
    "base64url": "[A-Za-z0-9_-]*={0,2}",
    "byte": _BASE64,
    "char": r"(?s:.)",
    "decimal": r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
    "decimal128": r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|Infinity|NaN)",
    "http-date": (
        rf"{_DAY}, [0-3][0-9] {_MONTH} [0-9]{{4}} {_TIME} GMT"
        rf"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, [0-3][0-9]-{_MONTH}-[0-9]{{2}} {_TIME} GMT"
        rf"|{_DAY} {_MONTH} (?:[ 0-3][0-9]) {_TIME} [0-9]{{4}}"
    ),
    "media-range": rf"(?:\*/\*|{_TOKEN}/{_TOKEN})(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))*",
    "sf-binary": f":{_BASE64}:",
    "sf-boolean": r"\?[01]",
    "sf-decimal": r"-?[0-9]{1,12}\.[0-9]{1,3}",
    "sf-integer": "-?[0-9]{1,15}",
    "sf-string": r'"(?:[ !#-\[\]-~]|\\["\\])*"',
    "sf-token": r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*",
}
"""The formats of the registry that are regular expressions (RFC 4648, 9110 and 9651, and the registry)."""
INTEGER_BOUNDS = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    "double-int": (-(2**53) + 1, 2**53 - 1),
}
"""The formats of numbers that are bounds."""
UNCHECKED_FORMATS = {*INTEGER_BOUNDS, *("float", "double", "password", "binary", "commonmark", "html", "unixtime")}
"""Formats that no string breaks: bounds of numbers, and hints for reading or showing a value."""


def _has(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None


def _later(name: str) -> Callable[[str], bool]:
    judge = cache(lambda: Draft202012Validator({"format": name}, validate_formats=True))
    return lambda text: judge().is_valid(text)


def is_pattern(text: str, dialect: type[Any] = Draft4Validator) -> bool:
    """Whether the engine supports a regular expression; it does not know all of ECMA-262."""
    try:
        dialect({"pattern": text})
    except ValueError:
        return False
    return True


FORMATS: dict[str, Callable[[str], Any]] = {
    "iana-time-zone": lambda name: name in time_zones(),
    "regex": is_pattern,
    **{name: _later(name) for name in sorted(_LATER)},
    **{name: partial(_has, re.compile(pattern)) for name, pattern in PATTERNS.items()},
}
"""The checks of formats that a draft 4 validator lacks. `unjudged` tells of formats in none of these tables."""
JUDGED_FORMATS = frozenset({*FORMATS, *_NATIVE, *UNCHECKED_FORMATS})

FORMAT_WORDS = {
    "iana-time-zone": "an IANA time zone name",
    "date-time": "an RFC 3339 date-time",
    "byte": "base64 (RFC 4648, section 4)",
    "base64url": "base64url (RFC 4648, section 5)",
    "uuid": "a UUID",
    "regex": "a regular expression",
    "char": "one character",
}
"""The words for a format in a message, where its name is not clear enough."""

FORMAT_EXAMPLES = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "name@example.com",
    "idn-email": "name@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com",
    "iri": "https://example.com",
    "uri-reference": "/a",
    "iri-reference": "/a",
    "uri-template": "/a/{id}",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "json-pointer": "/a",
    "relative-json-pointer": "1/a",
    "regex": "a+",
    "iana-time-zone": "Asia/Kolkata",
    "byte": "dGV4dA==",
}
"""An example of each format, for contracts without one."""
