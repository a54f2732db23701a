"""Requests to the mock, for a test to read, and for a failing test's report."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from .declarations import Json


class Headers(Mapping[str, str]):
    """Header fields by case-insensitive name; repeated ones are joined to one (RFC 9110, section 5.3)."""

    def __init__(self, fields: list[list[str]]) -> None:
        self._fields: dict[str, str] = {}
        for name, value in fields:
            key = name.lower()
            self._fields[key] = f"{self._fields[key]}, {value}" if key in self._fields else value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(self._fields)


class Recorded:
    """A request to the mock, and its response. `entry` is its whole entry in the journal."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.entry = entry
        self.number: int = entry["number"]
        self.operation: str | None = entry["operation"]
        self.method: str = entry["request"]["method"]
        self.url: str = entry["request"]["url"]
        self.headers = Headers(entry["request"]["headers"])
        self.body: str | None = entry["request"]["body"]
        self.status: int | None = entry["response"]["status"]
        """The status; None while there is no response, or where a fault prevented one."""
        self.answer_headers = Headers(entry["response"]["headers"])
        self.findings: list[dict[str, str]] = entry["findings"]
        self.rule: str | None = entry["rule"]

    @cached_property
    def json(self) -> Json:
        """The request body as JSON. Raises ValueError where it is not JSON."""
        return json.loads(self.body or "")

    @cached_property
    def answer(self) -> Json:
        """The response body as JSON; None where there is none."""
        text = self.entry["response"]["body"]
        return json.loads(text) if text else None

    def __repr__(self) -> str:
        found = "; ".join(violations({"errors": self.findings}))
        path = re.sub(r"^\w+://[^/]+", "", self.url)
        return " ".join(filter(None, [self.method, path, str(self.status or "no answer"), found]))


def violations(problem: Mapping[str, Any]) -> list[str]:
    """The `errors` of a problem document (RFC 9457), a line for each."""
    return [
        f"{each.get('pointer') or each.get('name') or each['in']} {each['detail']}"
        for each in problem.get("errors", ())
    ]


def near_misses(found: Mapping[str, Any]) -> list[str]:
    """The requests nearest to the criteria of a search, and their mismatches, in lines."""
    lines: list[str] = []
    for miss in found["near_misses"]:
        lines.append(f"  near: {Recorded(miss['request'])!r}")
        lines += [f"    {each['in']} {each['pointer']} {each['detail']}" for each in miss["mismatches"]]
    return lines
