"""Media types and ranges: parsing and matching of `Content-Type` (RFC 9110, sections 8.3 and 12.5.1)."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeVar

from werkzeug.http import parse_options_header

LONGEST_REMEMBERED = 200
"""Characters of a header field that may be the key of a cache, which bounds its memory."""
OCTETS = "application/octet-stream"
"""The media type that a body without a `Content-Type` may have (RFC 9110, section 8.3)."""

Documented = TypeVar("Documented")


def media_type(content_type: str) -> tuple[str, str]:
    """The media type and the charset of a `Content-Type`, in lower case; the charset of JSON is UTF-8."""
    name, parameters = _parsed(content_type)
    return name, parameters.get("charset", "utf-8").lower()


def parameters_of(content_type: str) -> Mapping[str, str]:
    """The parameters of a `Content-Type`, such as the boundary of a multipart body, by lower-case name."""
    return _parsed(content_type)[1]


def _parsed(content_type: str) -> tuple[str, Mapping[str, str]]:
    return (_remembered if len(content_type) <= LONGEST_REMEMBERED else _remembered.__wrapped__)(content_type)


@lru_cache(maxsize=256)
def _remembered(content_type: str) -> tuple[str, Mapping[str, str]]:
    name, parameters = parse_options_header(content_type)
    return name.strip().lower(), {key.lower(): value for key, value in parameters.items()}


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON, with or without parameters."""
    name = content_type.partition(";")[0].strip().lower()
    return name in ("application/json", "text/json") or name.endswith("+json")


def is_xml(content_type: str) -> bool:
    """Whether a media type is XML, with or without parameters."""
    name = content_type.partition(";")[0].strip().lower()
    return name in ("application/xml", "text/xml") or name.endswith("+xml")


def is_range(name: str) -> bool:
    return "*" in name


def first_json(contents: Mapping[str, Documented]) -> tuple[str, Documented] | None:
    """The first JSON among media types, with its value; `application/json` comes before any other."""
    names = sorted(filter(is_json, contents), key=lambda name: name != "application/json")
    return next(((name, contents[name]) for name in names), None)


_OF_KIND = {"text": "text/plain", "image": "image/png", "audio": "audio/mpeg", "video": "video/mp4"}


def concrete(documented: str) -> str:
    """A concrete media type for a documented one, which may be a range."""
    kind, _, rest = documented.partition("/")
    if not is_range(documented):
        return documented
    return documented.replace("*", "vnd.any") if "+" in rest else _OF_KIND.get(kind, "application/json")


class ByMediaType(Mapping[str, Documented]):
    """Values by media type or range; of several that match, the most specific one holds.

    `application/*+json`, which no RFC defines and many documents use, is a range, too: every type with that suffix. The
    names are in lower case.
    """

    def __init__(self, content: Mapping[str, Documented]) -> None:
        self._exact = {name.lower(): value for name, value in content.items()}
        self._ranges = [(_parsed(name), value) for name, value in content.items()]

    def find(self, content_type: str) -> Documented | None:
        """The value for a media type; None where none matches. An empty text, for a missing type, matches `*/*`."""
        if (exact := self._exact.get(content_type)) is not None:
            return exact
        name, parameters = _parsed(content_type or OCTETS)
        matching = [
            (matched, value)
            for (documented, asked), value in self._ranges
            if content_type or documented == "*/*"
            if (matched := _match(documented, asked, name, parameters)) is not None
        ]
        return max(matching, key=lambda each: each[0])[1] if matching else None

    def __getitem__(self, name: str) -> Documented:
        return self._exact[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._exact)

    def __len__(self) -> int:
        return len(self._exact)


def _match(
    documented: str, asked: Mapping[str, str], name: str, parameters: Mapping[str, str]
) -> tuple[int, int] | None:
    """The specificity of a match, higher for a more specific one; None where there is no match.

    A documented charset matches where none was sent, because the default of most types is that charset.
    """
    type_, _, subtype = documented.partition("/")
    sent_type, _, sent_subtype = name.partition("/")
    if type_ not in ("*", sent_type) or not sent_subtype:
        return None
    if documented == name:
        rank = 4
    elif subtype.startswith("*+") and sent_subtype.endswith(subtype[1:]):
        rank = 3
    elif subtype == "*":
        rank = 1 if type_ == "*" else 2
    else:
        return None
    for key, value in asked.items():
        sent = parameters.get(key, value if key == "charset" else None)
        if sent is None or (sent.lower() != value.lower() if key == "charset" else sent != value):
            return None
    return rank, len(asked)
