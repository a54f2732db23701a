"""A list as an operation documents it: filters, order and paging."""

import base64
from collections.abc import Mapping

import orjson

from ..contract.actions import Action
from ..contract.document import Contract
from ..contract.example import usual_status
from ..contract.finding import Finding
from ..contract.operation import EncodedArray, Operation
from ..contract.paging import COUNTS, LIMITS, MORE, NEXT, OFFSETS, PAGES, TOTALS, Paging
from ..contract.schema import Json
from ..contract.shape import flattened
from ..contract.witness import ABSENT
from ..storage.store import Document
from .errors import InvalidResult

Arguments = Mapping[str, Json]

DEFAULT_LIMIT = 20
"""The size of a page where neither the request nor the contract gives it."""


class Listing:
    """The list of one operation. `unknown` are query parameters that are accepted and ignored."""

    def __init__(self, action: Action, operation: Operation, contract: Contract) -> None:
        resource = action.resource
        self._resource, self._envelope = resource, action.envelope
        self._hidden = frozenset(resource.hidden)
        query = [each for each in operation.parameters if each.place == "query"]
        members = resource.properties.keys() - self._hidden
        asked = {each.name: each for each in query if each.name in members}
        self._usual = {name: each.declared["default"] for name, each in asked.items() if "default" in each.declared}
        """The defaults of filters, which are also the values of missing members."""
        kinds = {
            name: (each.declared.get("type"), resource.properties[name].get("type")) for name, each in asked.items()
        }
        self._equal = [name for name in asked if "array" not in kinds[name] and name not in self._usual]
        self._within = [name for name in asked if name not in self._equal]
        paging = Paging(operation, members)
        self._limit, self._offset, self._page, self._cursor, self._sort = (
            each.name if each else "" for each in paging.all
        )
        self.unknown = paging.unknown
        self._has_parts = any((self._limit, self._offset, self._page, self._cursor))
        order, of_store = tuple(resource.order or ()), (resource.creation, resource.identity)
        self._order = () if order in (of_store, of_store[:1]) else order
        self._is_plain = not (
            self._hidden or self._within or self._envelope or self._sort or self._order or self._has_parts
        )
        self._template = made(operation, contract) if self._envelope else {}
        response = operation.response(usual_status(operation))
        ended = {**_filled(self._template, dict.fromkeys(NEXT), nulls=True), self._envelope: []}
        shown = response.json if response else None
        self._tells_null = shown is not None and shown[1].schema.accepts(ended)
        self._total_header = next(
            (each.name for each in (response.headers if response else ()) if each.name.lower() in TOTALS), None
        )

    def filters(self, arguments: Arguments) -> dict[str, Json]:
        """The filters for the store: members with their values."""
        return {name: arguments[name] for name in self._equal if name in arguments}

    def answer(self, texts: list[bytes], arguments: Arguments) -> tuple[Json, dict[str, str]]:
        """The body, and the header field with the total. Raises InvalidResult for an invalid cursor."""
        if self._is_plain:
            return EncodedArray(texts), self._headers(len(texts))
        within = [name for name in self._within if name in arguments]
        rows: list[Document] = [
            row
            for row in map(orjson.loads, texts)
            if all(_is_in(row.get(name, self._usual.get(name)), arguments[name]) for name in within)
        ]
        self._sorted(rows, arguments)
        shown = [{name: value for name, value in row.items() if name not in self._hidden} for row in rows]
        start, limit = self._part(arguments) if self._has_parts else (0, len(shown))
        part = shown[start : start + limit]
        headers = self._headers(len(shown))
        if not self._envelope:
            return EncodedArray(map(orjson.dumps, part)), headers
        end = start + len(part)
        facts: dict[str, Json] = {
            **dict.fromkeys(TOTALS, len(shown)),
            **dict.fromkeys(COUNTS, len(part)),
            **dict.fromkeys(LIMITS, limit),
            **dict.fromkeys(OFFSETS, start),
            **dict.fromkeys(PAGES, start // max(1, limit) + 1),
            **dict.fromkeys(MORE, end < len(shown)),
            **dict.fromkeys(NEXT, _cursor(end) if end < len(shown) else None),
        }
        return {**_filled(self._template, facts, nulls=self._tells_null), self._envelope: part}, headers

    def _headers(self, total: int) -> dict[str, str]:
        return {self._total_header: str(total)} if self._total_header else {}

    def _sorted(self, rows: list[Document], arguments: Arguments) -> None:
        wanted = arguments.get(self._sort)
        names = str(wanted).split(",") if isinstance(wanted, str) else list(wanted or self._order)
        for name in reversed(names):
            member = str(name).removeprefix("-").removeprefix("+")
            if member in self._resource.properties:
                rows.sort(key=lambda row: _sortable(row.get(member)), reverse=str(name).startswith("-"))

    def _part(self, arguments: Arguments) -> tuple[int, int]:
        """The first position of the page, and its size."""
        limit = _number(arguments.get(self._limit), DEFAULT_LIMIT)
        if (given := arguments.get(self._cursor)) is not None:
            return self._after(str(given)), limit
        if self._offset in arguments:
            return _number(arguments[self._offset], 0), limit
        page = _number(arguments.get(self._page), 1)
        return max(0, page - 1) * limit, limit

    def _after(self, cursor: str) -> int:
        try:
            position = int(base64.b64decode(cursor).decode().removeprefix("after "))
        except ValueError:
            position = -1
        if position < 0 or _cursor(position) != cursor:
            raise InvalidResult(Finding("format", "query", "is no cursor that a list gave", name=self._cursor))
        return position


def _is_in(value: Json, wanted: Json) -> bool:
    """Whether a value, or an item or a member of it, is one of the wanted values."""
    values, several = (each if isinstance(each, list) else [each] for each in (value, wanted))
    return any(
        each in several or (isinstance(each, dict) and any(inner in several for inner in each.values()))
        for each in values
    )


def _sortable(value: Json) -> tuple[bool, str, Json]:
    """The sort key of a value: numbers before texts, missing values last."""
    if isinstance(value, bool | int | float):
        return False, "", value
    return value is None, "text", value if isinstance(value, str) else orjson.dumps(value).decode()


def _number(value: Json, default: int) -> int:
    if isinstance(value, str):
        return int(value) if value.isdecimal() else default
    return max(0, int(value)) if isinstance(value, int | float) else default


def _cursor(position: int) -> str:
    return base64.b64encode(f"after {position}".encode()).decode()  # these characters make no `+` and no `/`


def _filled(template: Json, facts: Mapping[str, Json], *, nulls: bool) -> Json:
    """An envelope with its facts in the place of generated values; null, or no member, for a fact without a value."""
    if not isinstance(template, dict):
        return template
    filled = {}
    for name, value in template.items():
        fact = facts.get(name.lower(), value)
        if isinstance(value, dict):
            filled[name] = _filled(value, facts, nulls=nulls)
        elif fact is not None or nulls or name.lower() not in facts:
            filled[name] = fact
    return filled


def made(operation: Operation, contract: Contract) -> Document:
    """The envelope of a response with a generated value for every member of its schema, where one is found."""
    schema, generator = operation.shown or {}, contract.values("response")
    members = flattened(schema, contract.resolve).get("properties", {})
    found = {name: generator.value(each, otherwise=ABSENT) for name, each in members.items()}
    return {name: value for name, value in found.items() if value is not ABSENT}
