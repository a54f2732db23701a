"""Path templates, such as `/pets/{petId}` (OpenAPI 3.0, Path Templating)."""

import re
from urllib.parse import unquote

PARAMETER = re.compile(r"\{([^{}]*)\}")


def parameters_of(path: str) -> list[str]:
    """The names of a path's parameters, in their order."""
    return PARAMETER.findall(path)


class Decoded(str):
    """A segment of a path, decoded; `sent` is how it was encoded, where that says which commas separate."""

    __slots__ = ("sent",)
    sent: str


def decoded(segment: str) -> str:
    text = unquote(segment)
    if "%2C" in segment.upper():
        text = Decoded(text)
        text.sent = segment
    return text


def blank(path: str) -> str:
    """A path without the names of its parameters."""
    return PARAMETER.sub("{}", path)
