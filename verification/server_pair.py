"""Two servers that get the same requests: their pairs of identities, and the differences of their responses."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ..contract.document import Contract
from ..contract.finding import Finding, Place
from ..contract.grammar import objects
from ..contract.interaction import Interaction, by_name
from ..contract.media import media_type
from ..contract.pointer import json_pointer
from ..contract.schema import Json, show
from ..contract.strict_json import NotStrictJson, decode
from .judge import json_value
from .model.collection import MISSING
from .model.comparison import Path, differences, instant, is_equal

Owns = Callable[[Json], bool]
"""Whether a row of a list belongs to this run; the rows of other clients may differ."""


class ServerPair:
    """The two servers. `identities` are the members that hold identities, which each server generates."""

    def __init__(self, contract: Contract, urls: Sequence[str], identities: frozenset[str]) -> None:
        self._urls = urls
        self._bases = [urlsplit(url).path.rstrip("/") for url in urls]
        self._made = {
            *identities,
            *(
                str(path[-1])
                for kind, path, node in objects(dict(contract.document))
                if kind == "schema" and path[-2] == "properties" and node.get("readOnly") is True
            ),
        }
        self._pairs: dict[str, str] = {}

    def differences(self, responses: Sequence[Interaction], owns: Sequence[Owns]) -> Iterator[Finding]:
        """The differences between two responses to one request, but for values that servers generate."""
        one, other = responses
        if one.status != other.status:
            yield _finding("status", f"the first answers {_status(one)}, the second {_status(other)}")
            return
        types = [media_type(by_name(each.response_headers).get("content-type", ""))[0] for each in responses]
        if types[0] != types[1]:
            yield _finding("header", _detail(*types), name="Content-Type")
            return
        bodies = [json_value(each.response_body) for each in responses]
        if one.status >= 400:  # each server words its errors itself
            bodies = [_shape(body) for body in bodies]
        else:
            bodies = [_own_rows(body, owns) for body, owns in zip(bodies, owns, strict=True)]
        for path, here, there in differences(bodies[0], bodies[1], is_alike=partial(self._is_alike, one.request_body)):
            yield _finding("body", _detail(here, there), pointer=json_pointer(path))
        locations = [_location(each, base) for each, base in zip(responses, self._bases, strict=True)]
        if self._path(locations[0]) != locations[1]:
            yield _finding("header", _detail(*locations), name="Location")

    def _is_alike(self, sent: bytes, path: Path, one: Json, other: Json) -> bool:
        if path and path[-1] in self._made and MISSING not in (one, other) and _shape(one) == _shape(other):
            if isinstance(one, str | int) and not isinstance(one, bool) and instant(one) is None:
                self._pairs.setdefault(str(one), str(other))
            return True
        if isinstance(one, str) and isinstance(other, str):
            both_are_times = instant(one) is not None and instant(other) is not None
            here, there = one.removeprefix(self._urls[0]), other.removeprefix(self._urls[1])
            return one == other or self._text(here) == there or (both_are_times and one.encode() not in sent)
        paired = type(one) is int and type(other) is int and self._pairs.get(str(one)) == str(other)
        return paired or is_equal(path, one, other)

    # Requests to the second server

    def translated(self, request: Interaction) -> Interaction:
        """A request to the first server translated for the second; its `url` is relative to the base URL."""
        parts = urlsplit(request.url)
        target = self._path(parts.path.removeprefix(self._bases[0]))
        query = re.sub("(?<==)[^&]*", lambda found: self._segment(found[0]), parts.query)
        try:
            body = decode(request.request_body)
            known = self._value(body)
            content = request.request_body if known == body else json.dumps(known, ensure_ascii=False).encode()
        except NotStrictJson:
            content = request.request_body
        return replace(request, url=target + (f"?{query}" if query else ""), request_body=content)

    def _value(self, value: Json, name: str = "") -> Json:
        if isinstance(value, dict):
            return {name: self._value(nested, name) for name, nested in value.items()}
        if isinstance(value, list):
            return [self._value(item, name) for item in value]
        if isinstance(value, str):
            return self._pairs.get(value, value) if name in self._made else self._text(value)
        if type(value) is int and name in self._made and self._pairs.get(str(value), "").isdecimal():
            return int(self._pairs[str(value)])
        return value

    def _text(self, text: str) -> str:
        """A text with the second server's identities, as a segment of a path, or alone where they are long."""
        if "/" in text:
            return self._path(text)
        return self._pairs.get(text, text) if len(text) >= LONG else text

    def _path(self, path: str) -> str:
        return "/".join(map(self._segment, path.split("/")))

    def _segment(self, segment: str) -> str:
        known = self._pairs.get(unquote(segment))
        return segment if known is None else quote(known, safe="")


LONG = 6
"""The length of an identity from which an equal text is no coincidence."""


def _finding(place: Place, detail: str, **where: Any) -> Finding:
    return Finding("difference", place, detail, **where)


def _detail(here: Json, there: Json) -> str:
    return f"is {_shown(here)} in the first, {_shown(there)} in the second"


def _status(interaction: Interaction) -> str:
    return str(interaction.status or interaction.error)


def _shown(value: Json) -> str:
    return "missing" if value is MISSING else show(value)


def _location(response: Interaction, base: str) -> str:
    return (response.leads_to or by_name(response.response_headers).get("location", "")).removeprefix(base)


def _own_rows(value: Json, owns: Owns) -> Json:
    """A value whose lists have only the rows of this run."""
    if isinstance(value, Mapping):
        return {name: _own_rows(nested, owns) for name, nested in value.items()}
    if isinstance(value, list):
        return [_own_rows(row, owns) for row in value if owns(row)]
    return value


def _shape(value: Json) -> Json:
    """The members and types of a value."""
    if isinstance(value, Mapping):
        return {name: _shape(nested) for name, nested in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value[:1]]
    return {bool: "a boolean", int: "a number", float: "a number", str: "a string"}.get(type(value))
