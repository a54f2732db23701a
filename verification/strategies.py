"""Strategies for the formats that a contract may use; and the place of Hypothesis's files."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal.entropy import deterministic_PRNG
from yaml import YAMLError

from ..contract.finding import one_line
from ..contract.formats import PATTERNS, time_zones
from ..options import cache_folder

with deterministic_PRNG():
    pass  # Hypothesis registers its generator before `cli` freezes what refers to it, because then it would warn


def _time_zone() -> st.SearchStrategy[str]:
    """Any time zone; sampled_from would search all of the hundreds whenever one does not fit the schema."""
    names = sorted(time_zones())
    return st.integers(0, len(names) - 1).map(names.__getitem__)


STRATEGIES = {
    "iana-time-zone": st.deferred(_time_zone),
    **{name: st.from_regex(pattern, fullmatch=True) for name, pattern in PATTERNS.items()},
    "json-pointer": st.from_regex("(/([^/~\ud800-\udfff]|~[01])*)*", fullmatch=True),
    "media-range": st.from_regex(r"[a-z]{1,9}/([a-z]{1,9}|\*)(;[a-z]=[0-9]{1,3})?", fullmatch=True),
    "regex": st.sampled_from(("^a+$", "[0-9]{3}", "x|y", "")),
    "relative-json-pointer": st.from_regex("(0|[1-9][0-9]{0,9})(#|(/([^/~\ud800-\udfff]|~[01])*)*)", fullmatch=True),
}
"""A strategy for each format that Schemathesis does not generate by itself."""


@cache
def register() -> None:
    """Tell Schemathesis about the formats, and how to read YAML."""
    import schemathesis
    from schemathesis.core.media_types import YAML_MEDIA_TYPES

    for name, strategy in STRATEGIES.items():
        schemathesis.openapi.format(name, strategy)
    schemathesis.deserializer(*YAML_MEDIA_TYPES)(_read_yaml)


def _read_yaml(_context: object, response: Any) -> Any:
    """Raises ValueError; a YAMLError would end a thread of Schemathesis."""
    from schemathesis.core.deserialization import deserialize_yaml

    try:
        return deserialize_yaml(response.text)
    except YAMLError as error:
        raise ValueError(one_line(error)) from error


@contextmanager
def leaving_no_files() -> Iterator[None]:
    """Keep Hypothesis's files in the user's cache, not in the working directory.

    Its tables of Unicode take seconds to make, so they are worth keeping.
    """
    set_hypothesis_home_dir(cache_folder() or tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The database setting is not configured")  # where the cache is read-only
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)
