"""Patterns that requests match, compiled to schemas, so that the engine finds the mismatches."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from ..contract.finding import Finding
from ..contract.problem import Problem
from ..contract.references import NO_REFERENCES
from ..contract.schema import Schema, show
from ..contract.strict_json import NotStrictJson, decode
from .budget import LimitReached, parts
from .refusals import Refused

MAX_PARTS = 1000
_BY_NAME = ("/query", "/headers")
"""Parts with names that clients choose, in which `$filter` is a name, not a matcher."""

_ABSENT: dict[str, Any] = {"not": {}}


class Match:
    """A compiled pattern: the contract's `Match` as one schema for the result of `described`.

    Raises LimitReached for a pattern of more than MAX_PARTS members, which is slow to compile, and Refused.
    """

    def __init__(self, pattern: Mapping[str, Any]) -> None:
        if parts(pattern) > MAX_PARTS:
            raise LimitReached(MAX_PARTS, "members in a pattern")
        wanted = dict(pattern)
        if isinstance(wanted.get("headers"), dict):
            wanted["headers"] = {name.lower(): value for name, value in wanted["headers"].items()}
        self.needs_body = "body" in wanted
        self.path: str | None = wanted.get("path")
        self._schema = Schema(_subset(wanted, ""), NO_REFERENCES, "request")
        self._schema.compile()  # now, so that errors reach the client that sent the pattern

    def accepts(self, request: Mapping[str, Any]) -> bool:
        return self._schema.accepts(request)

    def mismatches(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The parts of a request that do not match; empty when the request matches."""
        return [_mismatch(finding) for finding in self._schema.findings(request, "body")]


def described(
    operation: str | None,
    method: str,
    path: str,
    query: bytes,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    **more: Any,
) -> dict[str, Any]:
    """A request for patterns. Of repeated names one value is kept; a body that is not JSON is a text."""
    pairs = (part.partition("=") for part in query.decode("latin-1").split("&") if part)
    return {
        "operation": operation,
        "method": method,
        "path": path,
        "query": {unquote_plus(name): unquote_plus(value) for name, _, value in pairs},
        "headers": dict(headers),
        **({"body": _value(body)} if body else {}),
        **more,
    }


def _value(body: bytes) -> Any:
    try:
        return decode(body)
    except NotStrictJson:
        return body.decode(errors="replace")


def _subset(value: Any, pointer: str) -> dict[str, Any]:
    """The schema of values that contain `value`. Raises Refused."""
    if not isinstance(value, dict):
        return {"enum": [value]}
    if pointer not in _BY_NAME and any(name.startswith("$") for name in value):
        return _matcher(value, pointer)
    properties = {name: _subset(member, f"{pointer}/{name}") for name, member in value.items()}
    required = [name for name, schema in properties.items() if schema != _ABSENT]
    return {"type": "object", "required": required, "properties": properties}


def _matcher(matcher: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    """The schema of a matcher in the place of a value. Raises Refused."""
    match list(matcher.items()):
        case [("$absent", True)]:
            return _ABSENT
        case [("$any_of", [_, *_] as values)]:
            return {"enum": values}
        case [("$pattern", str() as pattern)]:
            if not NO_REFERENCES.judges(pattern):
                raise _invalid(pointer, f"must be a regular expression, not {show(pattern)}")
            return {"type": "string", "pattern": pattern}
    raise _invalid(pointer, 'must be {"$absent": true}, {"$any_of": […]} or {"$pattern": "…"}')


def _invalid(pointer: str, detail: str) -> Refused:
    return Refused(Problem.of_findings([Finding("pattern", "body", detail, pointer=f"/match{pointer}")]))


def _mismatch(finding: Finding) -> dict[str, Any]:
    part, _, rest = (finding.pointer or "").removeprefix("/").partition("/")
    pointer = f"/{rest}" if rest else ""
    if finding.rule == "not":  # only `$absent` gives this rule
        return {"in": part, "pointer": pointer, "rule": "absent", "detail": "must be absent"}
    return {"in": part, "pointer": pointer, "rule": finding.rule, "detail": finding.detail}
