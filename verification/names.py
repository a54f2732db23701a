"""Values made from keys: a new key gives a value that no other client has, where the schema has enough values."""

from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ..contract.pattern import UndecidablePattern, drawn
from ..contract.schema import Json, Schema

LARGEST_INT32 = 2**31 - 1
SPREAD = 2**24
"""The number of integers within the bounds from which a drawn one counts as unused."""


def unique_value(key: str, schema: Schema, declared: Mapping[str, Any], index: int = 0) -> tuple[Json, bool]:
    """A value that a schema accepts, and whether it is unique to the key; where there are few, `index` chooses one.

    `declared` is the schema without references. The value is the key itself where no valid one is known.
    """
    digest = blake2b(key.encode(), digest_size=8)
    number = int.from_bytes(digest.digest())
    low = declared.get("minimum", 1)
    span = min(declared.get("maximum", LARGEST_INT32), LARGEST_INT32) - low + 1
    wide = [key, f"{key}@example.com", f"https://example.com/{key}", str(uuid5(NAMESPACE_URL, key)), digest.hexdigest()]
    wide += [low + number % span] if span >= SPREAD else []
    for value in wide:
        if schema.accepts(value):
            return value, True
    choices = declared.get("enum") or [False, True]
    few = [choices[index % len(choices)], *([low + index % span] if span > 0 else [])]
    with suppress(KeyError, UndecidablePattern):
        few.append(drawn(declared["pattern"], Random(number)))  # noqa: S311 (no secret)
    return next(filter(schema.accepts, few), key), False
