"""A problem in the form that an operation documents, for contracts without our kinds of problems."""

from collections.abc import Mapping
from typing import Any

from .document import Contract
from .example import required_headers, values_of
from .media import concrete, is_json
from .operation import Operation, Representation
from .problem import PROBLEM_JSON, STATUSES, Problem
from .schema import Json

WORDS = ("detail", "message", "description", "error", "reason", "title", "msg")
"""Members of an error with a message for people, by priority."""


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
        examples = [*values_of(representation.declared, self._contract.resolve).values()]
        examples.append(self._generator.value(representation.raw))
        shortened = _with_errors_in_detail(document)
        return [document, shortened, *(_with_our_message(each, shortened) for each in examples), *examples]


def _with_errors_in_detail(document: Mapping[str, Any]) -> dict[str, Any]:
    """A problem with its errors in `detail`, for a schema without another place for them."""
    shortened = {name: value for name, value in document.items() if name != "errors"}
    if errors := document.get("errors"):
        first = errors[0].get("name") or errors[0].get("pointer") or "the body"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        shortened["detail"] = f"{errors[0]['in']} {first}: {errors[0]['detail']}{more}"
    return shortened


def _with_our_message(value: Json, document: Mapping[str, Any]) -> Json:
    """A documented error with our message and status in the members for them."""
    if not isinstance(value, dict):
        return value
    words = [name for name in WORDS if isinstance(value.get(name), str)][:1]
    worded = {name: _with_our_message(member, document) for name, member in value.items()}
    worded |= dict.fromkeys(words, document["detail"])
    for name in ("status", "code", "statusCode", "status_code"):
        if isinstance(value.get(name), int) and not isinstance(value[name], bool):
            worded[name] = document["status"]
        elif isinstance(value.get(name), str) and value[name].isdigit():
            worded[name] = str(document["status"])
    return worded
