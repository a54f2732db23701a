"""Path templates, such as `/pets/{petId}` (OpenAPI 3.0, Path Templating)."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote

PARAMETER = re.compile(r"\{([^{}]*)\}")


def parameters_of(path: str) -> list[str]:
    """The names of a path's parameters, in their order."""
    return PARAMETER.findall(path)


class Decoded(str):
    """A decoded segment of a path; `sent` is its percent-encoded text, where that tells which commas are delimiters."""

    __slots__ = ("sent",)
    sent: str


def decoded(segment: str) -> str:
    text = unquote(segment)
    if "%2C" in segment.upper():
        text = Decoded(text)
        text.sent = segment
    return text


def blank(path: str) -> str:
    """A path template without the names of its parameters: `/pets/{}`."""
    return PARAMETER.sub("{}", path)


def filled(path: str, values: Iterable[Any]) -> str:
    """A path with values in the place of its parameters, percent-encoded."""
    following = iter(values)
    return PARAMETER.sub(lambda _: quote(str(next(following)), safe=""), path)
