"""Schemathesis draws a value for a schema once in all of the tests: it is the same in each run, and takes seconds."""

from typing import Any

from schemathesis.engine import context
from schemathesis.generation.coverage import GenerationSession
from schemathesis.specs.openapi import formats

_DRAWN = GenerationSession()
_KEPT = set(GenerationSession.__slots__) - {"unexpected_methods_seen"}
"""What a run of Schemathesis remembers by schema; what else there is tells what it has sent."""
_register = formats.register_string_format


def _session() -> GenerationSession:
    session = GenerationSession()
    for name in _KEPT:
        setattr(session, name, getattr(_DRAWN, name))
    return session


def _register_once(name: str, strategy: Any) -> None:
    """A run that found that header fields may have no U+0000 says so to those after it, and they forget nothing."""
    if name != formats.HEADER_FORMAT or name not in formats.STRING_FORMATS:
        _register(name, strategy)


def draw_once() -> None:
    """From now on, for every run in this process."""
    context.GenerationSession = _session  # type: ignore[assignment,attr-defined]
    formats.register_string_format = _register_once
