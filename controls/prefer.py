"""The response that a request prefers: the `Prefer` header field (RFC 7240) with Prism's preferences."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote_plus

from ..contract.document import Contract
from ..contract.example import NotDocumented, documented_reply
from ..contract.finding import Finding, Place
from ..contract.operation import Operation, Reply
from ..contract.problem import Problem

_NAMES = ("code", "example", "dynamic")
_TWINS = {f"__{name}": name for name in _NAMES}
_CODE = re.compile(r"[0-9]{3}")
_BOOLEANS = {"true": True, "false": False}


def without_preferences(query: bytes) -> tuple[bytes, dict[str, str]]:
    """A query string without `__code`, `__example` and `__dynamic`, and the values of these."""
    rest: list[bytes] = []
    twins: dict[str, str] = {}
    for part in query.split(b"&"):
        name, _, value = part.decode("latin-1").partition("=")
        if name in _TWINS:
            twins.setdefault(_TWINS[name], unquote_plus(value))
        else:
            rest.append(part)
    return b"&".join(rest), twins


def preferred(
    header: str | None, twins: Mapping[str, str], operation: Operation, contract: Contract
) -> Reply | Problem | None:
    """The preferred reply, or the problem with the preference; None without a known preference.

    With the header field, the query's twins are ignored. `dynamic=true` prefers a generated response to an example; for
    a success, that is the mock's own.
    """
    wanted = dict(twins) if header is None else _preferences(header)
    if not wanted:
        return None
    place: Place = "query" if header is None else "header"
    code, dynamic = wanted.get("code"), wanted.get("dynamic", "false").lower()
    if code is not None and not _CODE.fullmatch(code):
        return _refused(place, "code", f"must be three digits, not {code!r}")
    if dynamic not in _BOOLEANS:
        return _refused(place, "dynamic", f"must be true or false, not {dynamic!r}")
    made = _BOOLEANS[dynamic]
    if made and (code is None or (code.startswith("2") and operation.response(int(code)) is not None)):
        return None
    if code is None and "example" not in wanted:
        return None
    try:
        example = None if made else wanted.get("example")
        value, status, headers = documented_reply(contract, operation, int(code) if code else None, example, made=made)
    except NotDocumented as reason:
        return _refused(place, "code" if code else "example", str(reason))
    applied = ", ".join(f"{name}={text}" for name, text in wanted.items())
    return value, status, {**headers, "preference-applied": applied}


def _preferences(header: str) -> dict[str, str]:
    """The known preferences; the first of each counts (RFC 7240, section 2)."""
    pairs: Iterable[tuple[str, str, str]] = (part.partition(";")[0].partition("=") for part in header.split(","))
    preferences: dict[str, str] = {}
    for name, _, value in pairs:
        if (known := name.strip().lower()) in _NAMES:
            preferences.setdefault(known, value.strip().strip('"'))
    return preferences


def _refused(place: Place, name: str, detail: str) -> Problem:
    shown = "Prefer" if place == "header" else f"__{name}"
    return Problem.of_findings([Finding("preference", place, detail, name=shown)])
