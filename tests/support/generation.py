"""What all runs of Schemathesis in a process share: a cache of drawn values, since the schema seeds a draw."""

from typing import Any

from hypothesis.internal import lambda_sources
from schemathesis.engine import context
from schemathesis.generation.coverage import GenerationSession
from schemathesis.specs.openapi import formats

_DRAWN = GenerationSession()
_KEPT = set(GenerationSession.__slots__) - {"unexpected_methods_seen"}
"""The caches by schema; the other attribute records the requests that were sent."""
_register = formats.register_string_format


def _session() -> GenerationSession:
    session = GenerationSession()
    for name in _KEPT:
        setattr(session, name, getattr(_DRAWN, name))
    return session


def _register_once(name: str, strategy: Any) -> None:
    """Registers the format of header fields once: to register it again would empty the caches."""
    if name != formats.HEADER_FORMAT or name not in formats.STRING_FORMATS:
        _register(name, strategy)


def draw_once() -> None:
    """Share the cache from now on in this process, and leave lambdas without a description.

    Hypothesis would parse the file of each lambda in a strategy for it, which nobody reads.
    """
    context.GenerationSession = _session  # type: ignore[assignment,attr-defined]
    formats.register_string_format = _register_once
    lambda_sources.lambda_description = lambda _: "lambda"
