"""Routing: finds the operations of a request's path."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .operation import Operation
from .path_template import PARAMETER, decoded, parameters_of


class Route(NamedTuple):
    """The operations of a path by method, and the path's parameters, decoded."""

    operations: Mapping[str, Operation]
    parameters: Mapping[str, str]

    def operation(self, method: str) -> Operation | None:
        """The operation of a method; that of GET for HEAD (RFC 9110, section 9.3.2)."""
        return self.operations.get(method) or (self.operations.get("GET") if method == "HEAD" else None)

    @property
    def allow(self) -> str:
        """The value of `Allow` (RFC 9110, section 10.2.1)."""
        return ", ".join(sorted({*self.operations, *({"HEAD"} if "GET" in self.operations else ())}))


class Paths:
    """The paths of a contract, split into segments, so that a search takes linear time.

    A path without parameters comes before one with them: /a/mine before /a/{id} (OpenAPI 3.0, Paths Object). So does
    one with more literal text in a segment: /a/{id}:run before /a/{id}.
    """

    def __init__(self, paths: Iterable[tuple[str, Mapping[str, Operation]]]) -> None:
        self._fixed: dict[str, Route] = {}
        self._templates: dict[int, list[tuple[list[_Segment], Mapping[str, Operation]]]] = {}
        for path, operations in sorted(paths, key=lambda each: ([*map(_openness, each[0].split("/"))], each[0])):
            if "{" in path:
                segments = [_Segment(text) for text in path.split("/")]
                self._templates.setdefault(len(segments), []).append((segments, operations))
            else:
                self._fixed[path] = Route(operations, {})

    def find(self, path: str) -> Route | None:
        """The route of a percent-encoded path; None for an unknown one."""
        if (fixed := self._fixed.get(path)) is not None:
            return fixed
        sent = [decoded(segment) for segment in path.split("/")] if "%" in path else path.split("/")
        if "%" in path and (fixed := self._fixed.get("/".join(sent))) is not None:
            return fixed
        for segments, operations in self._templates.get(len(sent), ()):
            parameters: dict[str, str] = {}
            if all(segment.matches_segment(text, parameters) for segment, text in zip(segments, sent, strict=True)):
                return Route(operations, parameters)
        return None


def _openness(segment: str) -> tuple[bool, int]:
    """The key by which segments are tried: literal ones first, then by the length of their literal text."""
    said = PARAMETER.sub("", segment)
    return said != segment, -len(said)


class _Segment:
    """A segment of a path template: literal text, parameters, or both."""

    def __init__(self, template: str) -> None:
        self._names = parameters_of(template)
        self._literal = template
        literals = [re.escape(part) for part in PARAMETER.split(template)[::2]]
        # A parameter ends where the text after it first appears; without backtracking this takes linear time.
        earlier = "".join(f"(?>(.+?){literal})" for literal in literals[1:-1])
        self._pattern = re.compile(f"{literals[0]}{earlier}(.+){literals[-1]}", re.DOTALL)
        self._whole = literals == ["", ""]

    def matches_segment(self, text: str, parameters: dict[str, str]) -> bool:
        """Whether a decoded segment matches; `parameters` then get the values."""
        if not self._names:
            return text == self._literal
        if self._whole:
            parameters[self._names[0]] = text
            return text != ""
        match = self._pattern.fullmatch(text)
        if match is not None:
            parameters.update(zip(self._names, match.groups(), strict=True))
        return match is not None
