"""Changes of the responses of an operation: whether OLD's clients accept all of NEW's."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import orjson

from ..contract.finding import Finding
from ..contract.media import is_json
from ..contract.operation import Response
from ..contract.parameters import Parameter, joined
from ..contract.schema import Json
from .change import Change
from .containment import Break
from .example_request import body_examples, example_response, number_of, request, response_for
from .pairing import Part, in_short

Contents = tuple[Mapping[str, Json], Mapping[str, Json]]
_KNOWN_BY_CLASS = ("4", "5", "D")
"""Classes whose unknown statuses clients treat as x00, such as a 429 as a 400 (RFC 9110, section 15)."""


def response_changes(operation: Part) -> Iterator[Change]:
    """The changes of the statuses, the media types, the bodies and the header fields."""
    old, new = operation.old.responses, operation.new.responses
    for status, after in new.items():
        known = response_for(status, old)  # the response in OLD's terms
        steps = operation.old.steps_of(known) if known else None
        part = operation.at(f"response {status}", steps, operation.new.steps_of(status))
        if known is None:
            yield _new_status(part, status)
        elif not operation.comparison.unchanged(old[known].declared, after.declared):
            yield from _content(part, status, (old[known], after))
            yield from _headers(part, status, (old[known], after))
    succeeds = any(status[0] in "2D" for status in new)
    for status in (each for each in old if each not in new):
        part = operation.at(f"response {status}", operation.old.steps_of(status))
        if status[0] == "2" and not succeeds:
            finding = Finding("undocumented-status", "status", "no success is documented")
            yield part.response_refused("response-status", "is gone", 500, (), b"", [finding])
        else:
            yield part.safe("response-status", "is no longer documented")


def _new_status(part: Part, status: str) -> Change:
    if status[0] in _KNOWN_BY_CLASS:
        detail = "is new; clients treat it as any failure of its class (RFC 9110, section 15)"
        return part.safe("response-status", detail)
    number, fields, body = example_response(part.new, status)
    detail = f"{number} is not documented for {part.old.id}, only {', '.join(part.old.responses)}"
    return part.response_refused(
        "response-status", "is new", number, fields, body, [Finding("undocumented-status", "status", detail)]
    )


def _content(response: Part, status: str, both: tuple[Response, Response]) -> Iterator[Change]:
    old, new = (each.declared.get("content", {}) for each in both)
    rule = "response-media-type"
    for name in old:
        part = response.at(f"{response.name} {name}")
        if name in new:
            yield from _body(part.inside("content", name, "schema"), status, name, (old[name], new[name]))
        elif number_of(status) >= 300 and new:
            yield part.undecided(rule, f"is {' or '.join(new)} now")
        elif new:  # a request for it in `Accept` is refused; any other gets another type
            finding = Finding("accept", "header", f"the response is {' or '.join(new)}, not {name}", name="Accept")
            yield part.request_refused(rule, "is gone", request(part.old, headers=(("Accept", name),)), [finding])
        else:
            detail = f"must be {name}, not no content type"
            finding = Finding("undocumented-media-type", "header", detail, name="Content-Type")
            yield part.response_refused(rule, "is gone", number_of(status), (), b"", [finding])
    for name in (each for each in new if each not in old):
        part = response.at(f"{response.name} {name}")
        yield part.safe(rule, "is new; clients that accept the old one alone do not get it" if old else "is new")


def _body(part: Part, status: str, name: str, contents: Contents) -> Iterator[Change]:
    schemas = contents[0].get("schema", {}), contents[1].get("schema", {})
    if not is_json(name) or part.comparison.unchanged(*schemas):
        return
    samples = partial(body_examples, part.new, contents[1], "response")

    def shown(each: Break) -> Change:
        fields, body = (("Content-Type", name),), orjson.dumps(each.value)
        detail, lines = f"may have new values: {in_short(each.findings[0])}", part.lines(each, "response")
        return part.response_refused(
            "response-body", detail, number_of(status), fields, body, each.findings, lines=lines
        )

    answer, _, _ = part.comparison.decided(*schemas, "response", samples)
    yield from part.judged("response-body", answer, shown, "has no new values")


def _headers(response: Part, status: str, both: tuple[Response, Response]) -> Iterator[Change]:
    old, new = ({field.name.lower(): field for field in each.headers} for each in both)
    for key, before in old.items():
        part = response.at(f"{response.name} header {before.name}")
        there = ("headers", new.get(key, before).name)
        yield from _header(part.inside("headers", before.name, new=there), status, before, new.get(key))
    for key, after in new.items():
        if key not in old:
            part = response.at(f"{response.name} header {after.name}")
            yield part.inside(new=("headers", after.name)).safe("response-header", "is new")


def _header(part: Part, status: str, before: Parameter, after: Parameter | None) -> Iterator[Change]:
    rule, name = "response-header", before.name
    number, fields, body = example_response(part.new, status)
    if before.required and not (after and after.required):
        finding = Finding("required", "header", "is required and missing", name=name)
        yield part.response_refused(rule, "may be missing" if after else "is gone", number, fields, body, [finding])
    elif after is None:
        yield part.safe(rule, "is removed; it was optional")
    if after is None or part.comparison.unchanged(before.raw, after.raw):
        return
    answer, client, _ = part.comparison.decided(before.raw, after.raw, "response")

    def shown(each: Break) -> Change:
        all_fields = (*fields, (name, joined(each.value)))
        findings = client.findings(each.value, "header", name)
        return part.response_refused(rule, "may have new values", number, all_fields, body, findings)

    one = replace(answer, breaks=answer.breaks[:1])
    yield from part.judged(rule, one, shown, "has no new values")
