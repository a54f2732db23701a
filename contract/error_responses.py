"""A problem in the form that an operation documents, for contracts without our kinds of problems."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .document import Contract
from .example import required_headers, values_of
from .media import concrete, is_json
from .operation import Operation, Representation
from .problem import PROBLEM_JSON, STATUSES, Problem
from .references import References
from .schema import Json
from .shape import flattened

WORDS = ("detail", "message", "description", "error", "reason", "title", "msg")
"""Members of an error with a message for people, or the ends of their names, by priority."""
CODES: Mapping[int, tuple[str, ...]] = {
    400: ("invalid", "badrequest", "validation"),
    401: ("unauthorized", "unauthenticated"),
    403: ("forbidden", "denied"),
    404: ("notfound", "unknown"),
    409: ("conflict", "exists", "duplicate"),
    410: ("gone", "deleted"),
    412: ("precondition",),
    422: ("invalid", "unprocessable", "validation"),
    500: ("internal",),
    503: ("unavailable",),
}
"""Parts of the values in an enumeration of error codes, by status."""
MAX_NESTING = 3
_EMPTY: Mapping[str, Json] = {"object": {}, "array": [], "string": "", "integer": 0}


class ErrorResponses:
    """The error responses of one operation.

    A kind that the contract declares in `x-problems` is its problem; any other one gets the first fitting status that
    is documented, with a valid body: our problem, or the documented error with our words.
    """

    def __init__(self, contract: Contract, operation: Operation) -> None:
        self._contract, self._operation = contract, operation
        self._generator = contract.values("response")
        self.unjudged: set[int] = set()
        """Statuses with our problem as the body, although the operation does not document the status or such a body."""

    def reply(self, problem: Problem) -> tuple[Json, int, Mapping[str, str]]:
        document = problem.document(self._contract.problems)
        if problem.kind in self._contract.problems:
            return document, document["status"], {**problem.headers, "content-type": PROBLEM_JSON}
        documented = self._operation.responses
        wanted = STATUSES[problem.kind]
        if problem.errors and all(each.place == "path" for each in problem.errors):
            wanted = (*wanted, 404)  # no resource has an invalid path
        status = next((each for each in wanted if str(each) in documented), wanted[0])
        response = self._operation.response(status)
        document = {**document, "status": status}
        required = required_headers(self._contract, response) if response else {}
        headers = {**required, **problem.headers}
        ours = document, status, {**headers, "content-type": PROBLEM_JSON}
        if response is None or not response.has_content:
            self.unjudged.add(status)
            return ours
        for name, representation in response.representations.items():
            if not is_json(concrete(name)):
                continue
            for body in self._bodies(document, representation):
                if representation.schema.accepts(body):
                    return body, status, {**headers, "content-type": concrete(name)}
        for name in response.representations:
            if not is_json(concrete(name)):
                return (
                    _with_errors_in_detail(document)["detail"].encode(),
                    status,
                    {**headers, "content-type": concrete(name)},
                )
        self.unjudged.add(status)  # no error with our words is valid
        return ours

    def _bodies(self, document: dict[str, Any], representation: Representation) -> list[Json]:
        """The candidates for the body, the most informative first."""
        resolve = self._contract.resolve
        shortened = _with_errors_in_detail(document)
        message = _Message(shortened, resolve)
        examples = [*values_of(representation.declared, resolve).values()]
        made = self._generator.value(representation.raw)
        worded = [*map(message.into, examples), message.into(made, representation.raw)]
        ours = [document, shortened]
        declared = flattened(representation.raw, resolve).get("properties", {})
        if declared and "detail" not in declared:  # a client of the contract does not look for it
            return [*(each for each in worded if each not in (*examples, made)), *ours, *examples, made]
        return [*ours, *worded, *examples, made]


def _with_errors_in_detail(document: Mapping[str, Any]) -> dict[str, Any]:
    """A problem with its errors in `detail`, for a schema without another place for them."""
    shortened = {name: value for name, value in document.items() if name != "errors"}
    if errors := document.get("errors"):
        first = errors[0]
        place = " ".join(filter(None, (first["in"], first.get("name") or first.get("pointer"))))
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        shortened["detail"] = f"{place}: {first['detail']}{more}"
    return shortened


class _Message:
    """The message and the status of a problem, to be put into the members that a documented error has for them."""

    def __init__(self, document: Mapping[str, Any], resolve: References) -> None:
        self._text, self._status, self._resolve = document["detail"], document["status"], resolve

    def into(self, value: Json, schema: Any = True, depth: int = 0) -> Json:
        """The value with the message; with the schema of one that was made, also in optional members."""
        flat = flattened(schema, self._resolve)
        if isinstance(value, list):
            first = self.into(value[0] if value else {}, flat.get("items", True), depth)
            return [first, *value[1:]] if first else value
        if not isinstance(value, dict):
            return value
        declared = {name: flattened(each, self._resolve) for name, each in flat.get("properties", {}).items()}
        known = {name: _empty(each) for name, each in declared.items()} | value
        free = [name for name, each in known.items() if isinstance(each, str) and "enum" not in declared.get(name, {})]
        words = _member_for_words(free)
        opened = value if words or depth == MAX_NESTING else known
        inside = {
            name: self.into(member, declared.get(name, True), depth + 1)
            for name, member in opened.items()
            if isinstance(member, dict if words else dict | list)
        }
        codes = {name: code for name, each in declared.items() if (code := self._code(each)) is not None}
        message = {words: self._text} if words else {}
        statuses = self._statuses(known if words and words not in value else value)
        return {**value, **{name: each for name, each in inside.items() if each}, **codes, **statuses, **message}

    def _statuses(self, members: Mapping[str, Json]) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for name in ("status", "code", "statusCode", "status_code"):
            member = members.get(name)
            if isinstance(member, int) and not isinstance(member, bool):
                found[name] = self._status
            elif isinstance(member, str) and member.isdigit():
                found[name] = str(self._status)
        return found

    def _code(self, schema: Mapping[str, Any]) -> str | None:
        """The value of an enumeration that stands for the status."""
        words = CODES.get(self._status, ())
        texts = (each for each in schema.get("enum", ()) if isinstance(each, str))
        return next(
            (each for each in texts if any(word in re.sub(r"[^a-z]", "", each.lower()) for word in words)), None
        )


def _empty(schema: Mapping[str, Any]) -> Json:
    """A value of the schema's type, where it has one that can lead to a message."""
    declared = schema.get("type", "object" if "properties" in schema else None)
    types = declared if isinstance(declared, list) else [declared]
    return next((empty for name, empty in _EMPTY.items() if name in types), None)


def _member_for_words(names: Iterable[str]) -> str | None:
    """The member with the message for people: `message`, or `errorMessage`."""
    by_length = sorted(names, key=lambda name: (len(name), name))
    return next((name for word in WORDS for name in by_length if name.lower().endswith(word)), None)
