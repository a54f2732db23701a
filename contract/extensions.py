"""The check of our own `x-` members in an OpenAPI document by `extensions.schema.json`; those of other tools pass."""

import difflib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import get_args

import orjson

from .finding import Level
from .grammar import LocatedObject, Path
from .pointer import pointed
from .references import NO_REFERENCES
from .rulebook import RULES
from .schema import Schema


@cache
def _vocabulary() -> dict[str, dict[str, Schema]]:
    """The schema of each member by name, by the kind of the object that has it."""
    declared = orjson.loads((files(__package__) / "extensions.schema.json").read_bytes())["definitions"]
    severity = declared["document"]["properties"]["x-severity"]
    severity["properties"] = {rule: {"type": "string", "enum": list(get_args(Level))} for rule in RULES}
    return {
        kind: {name: Schema(member, NO_REFERENCES, "request") for name, member in each["properties"].items()}
        for kind, each in declared.items()
    }


def extensions(places: Iterable[LocatedObject]) -> Iterator[tuple[Path, str]]:
    """The paths of misspelt or malformed `x-` members, each with a message."""
    for kind, path, node in places:
        known = _vocabulary().get("parameter" if kind == "header" else kind, {})
        for name, value in node.items():
            if name in known:
                for finding in known[name].findings(value, "body"):
                    yield (*path, name, *pointed(finding.pointer or "")), finding.detail
            elif name.startswith("x-") and (near := difflib.get_close_matches(name, known, 1, 0.8)):
                yield (*path, name), f'is not a known member; did you mean "{near[0]}"?'
