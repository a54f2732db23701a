"""Changed defaults of members, which change the meaning of an absent member."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..contract.finding import Finding
from ..contract.pointer import json_pointer
from ..contract.references import References
from ..contract.schema import Json, show
from ..contract.shape import flattened
from ..contract.witness import ABSENT
from .change import Change

if TYPE_CHECKING:
    from .example_request import ExampleRequest
    from .pairing import Part


def changed_defaults(
    old: Json, new: Json, resolve: tuple[References, References], unchanged: Callable[[Json, Json], bool]
) -> Iterator[tuple[str, Json, Json]]:
    """The pointer of each member whose default changed or is gone, with both; each definition is visited once."""
    seen: set[tuple[str, str]] = set()
    waiting: deque[tuple[tuple[str, ...], Json, Json]] = deque([((), old, new)])
    while waiting:
        way, *pair = waiting.popleft()
        if not all(isinstance(each, dict) for each in pair):
            continue
        references = str(pair[0].get("$ref", "")), str(pair[1].get("$ref", ""))
        if references in seen or unchanged(*pair):
            continue
        seen |= {references} - {("", "")}
        one, other = (flattened(each, followed) for each, followed in zip(pair, resolve, strict=True))
        if way and "default" in one and one["default"] != other.get("default", ABSENT):
            yield json_pointer(way), one["default"], other.get("default", ABSENT)
        for name, nested in one.get("properties", {}).items():
            waiting.append(((*way, name), nested, other.get("properties", {}).get(name)))
        waiting.append(((*way, "*"), one.get("items"), other.get("items")))


def default_change(part: "Part", old: Json, new: Json, sent: "ExampleRequest", finding: Finding) -> Change:
    """The change of a default, with a request that omits the member; undecided where NEW has none."""
    if new is ABSENT:
        return part.undecided("default", f"the default was {show(old)}; NEW has none")
    answers = f"absent means {show(old)}", f"absent means {show(new)}"
    finding = replace(finding, detail=answers[1])
    detail = f"the default is {show(new)}, and was {show(old)}"
    return part.breaking("default", detail, [finding], answers, (sent.interaction,))
