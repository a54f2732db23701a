"""Defaults of members that changed: what is left out means something else then."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..contract.finding import Finding, json_pointer
from ..contract.references import References
from ..contract.schema import show
from ..contract.shape import flattened
from ..contract.witness import ABSENT
from .change import Change

if TYPE_CHECKING:
    from .example_request import Sent
    from .pairing import Part

Json = Any
_Way = tuple[str, ...]
_Changed = tuple[_Way, Json, Json]


@dataclass
class _Local:
    """What is found in a pair of definitions without going into others."""

    changed: list[_Changed] = field(default_factory=list)
    further: list[tuple[_Way, Json, Json]] = field(default_factory=list)
    """Pairs of references with their places."""


class Defaults:
    """The defaults of two documents."""

    def __init__(self, old: References, new: References, unchanged: Callable[[Json, Json], bool]) -> None:
        self._old, self._new, self._unchanged = old, new, unchanged
        self._found: dict[tuple[str, str], _Local] = {}

    def changed(self, old: Json, new: Json) -> Iterator[tuple[str, Json, Json]]:
        """The pointer of each member whose default is another one or gone, with both; each definition is met once."""
        seen: set[tuple[str, str]] = set()
        waiting: list[tuple[_Way, Json, Json]] = [((), old, new)]
        while waiting:
            way, one, other = waiting.pop(0)
            references = str(one.get("$ref", "")), str(other.get("$ref", ""))
            if references != ("", "") and references in seen:
                continue
            seen.add(references)
            local = self._local(references, one, other)
            yield from ((json_pointer((*way, *inside)), *both) for inside, *both in local.changed if way or inside)
            waiting += [((*way, *inside), *both) for inside, *both in local.further]

    def _local(self, references: tuple[str, str], old: Json, new: Json) -> _Local:
        if references == ("", "") or references not in self._found:
            found = _Local()
            self._walk(old, new, (), found)
            self._found[references] = found
        return self._found[references]

    def _walk(self, old: Json, new: Json, way: _Way, found: _Local) -> None:
        if not isinstance(old, dict) or not isinstance(new, dict) or self._unchanged(old, new):
            return
        if way and ("$ref" in old or "$ref" in new):
            found.further.append((way, old, new))
            return
        one, other = flattened(old, self._old), flattened(new, self._new)
        if "default" in one and one["default"] != other.get("default", ABSENT):
            found.changed.append((way, one["default"], other.get("default", ABSENT)))
        for name, nested in one.get("properties", {}).items():
            self._walk(nested, other.get("properties", {}).get(name), (*way, name), found)
        self._walk(one.get("items"), other.get("items"), (*way, "*"), found)


def default_change(part: "Part", old: Json, new: Json, sent: "Sent", finding: Finding) -> Change:
    """A request that leaves out what has a default means something else; undecided where NEW has none."""
    if new is ABSENT:
        return part.undecided("default", f"left out meant {show(old)}; NEW does not say what it means")
    answers = f"left out means {show(old)}", f"left out means {show(new)}"
    finding = replace(finding, detail=answers[1])
    detail = f"left out means {show(new)}, and meant {show(old)}"
    return part.breaking("default", detail, [finding], answers, (sent.interaction,))
