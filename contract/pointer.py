"""JSON Pointers (RFC 6901), as texts and in the fragments of URIs."""

from collections.abc import Iterable
from urllib.parse import quote, unquote

LONGEST_STEP = 256
"""Characters of a member's name in a pointer, which bounds the size of a hundred findings."""


def json_pointer(path: Iterable[str | int]) -> str:
    """A path as a JSON Pointer (RFC 6901): `["a/b", 0]` is `/a~1b/0`; names are cut at LONGEST_STEP."""
    steps = (f"{step[:LONGEST_STEP]}…" if isinstance(step, str) and len(step) > LONGEST_STEP else step for step in path)
    return _joined(steps)


def pointed(pointer: str) -> list[str]:
    """The reference tokens of a JSON Pointer (RFC 6901)."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def fragment(path: Iterable[str | int]) -> str:
    """A path as a reference inside a document: a JSON Pointer in a URI fragment (RFC 6901, section 6)."""
    return "#" + quote(_joined(path))


def _joined(path: Iterable[str | int]) -> str:
    return "".join([f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path])


def steps_of(reference: str) -> list[str]:
    """The steps of the JSON Pointer in the fragment of a reference."""
    return pointed(unquote(reference.partition("#")[2]))
