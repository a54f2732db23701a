"""What became of the answers of an operation: does an OLD client take all that NEW gives?"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import orjson

from ..contract.finding import Finding
from ..contract.interaction import Fields, Interaction, by_name
from ..contract.operation import is_json
from .change import Change
from .containment import Breaking, Undecided
from .example_request import body_example, body_examples, parameter_example, request, schema_of, text_of
from .pairing import Pair, located
from .revision import Steps

Json = Any
_KNOWN_BY_CLASS = ("4", "5", "D")
"""Classes whose statuses clients need not know one by one: a 429 is treated as a 400 (RFC 9110, section 15)."""


def response_changes(pair: Pair) -> Iterator[Change]:
    """Of the statuses, the media types, the bodies and the header fields."""
    for status, (after, new_steps) in pair.new.responses.items():
        known = _known_as(status, pair.old.responses)
        if known is None:
            yield from _new_status(pair, status, new_steps)
            continue
        before, old_steps = pair.old.responses[known]
        if not pair.comparison.unchanged(before, after):
            yield from _content(pair, status, (before, after), (old_steps, new_steps))
            yield from _headers(pair, status, (before, after), (old_steps, new_steps))
    gone = [status for status in pair.old.responses if status not in pair.new.responses]
    succeeds = any(status[0] in "2D" for status in pair.new.responses)
    for status in gone:
        at = (pair.old.responses[status][1], pair.new.steps)
        if status[0] == "2" and not succeeds:
            finding = Finding("undocumented-status", "status", "no success is documented any more")
            yield _answered(pair, "response-status", f"response {status}", "is gone", 500, (), b"", [finding], at)
        else:
            yield pair.change("safe", "response-status", f"response {status}", "is not given any more", at)


def _known_as(status: str, responses: Mapping[str, Any]) -> str | None:
    """The response of OLD that its client takes for a status of NEW."""
    return next((name for name in (status, f"{status[0]}XX", "DEFAULT") if name in responses), None)


def _new_status(pair: Pair, status: str, steps: Steps) -> Iterator[Change]:
    at, part = (pair.old.steps, steps), f"response {status}"
    if status[0] in _KNOWN_BY_CLASS:
        detail = "is new; clients treat it as any failure of its class (RFC 9110, section 15)"
        yield pair.change("safe", "response-status", part, detail, at)
        return
    content = pair.new.responses[status][0].get("content", {})
    name = next(iter(content), "")
    body = orjson.dumps(body_example(pair.new, content[name], "response")) if is_json(name) else b""
    number = int(status) if status.isdecimal() else int(status[0]) * 100
    detail = f"{number} is not documented for {pair.old.id}, only {', '.join(pair.old.responses)}"
    finding = Finding("undocumented-status", "status", detail)
    fields: Fields = (("Content-Type", name),) if name else ()
    yield _answered(pair, "response-status", part, "is new", number, fields, body, [finding], at)


def _content(
    pair: Pair, status: str, both: tuple[Mapping[str, Json], Mapping[str, Json]], steps: tuple[Steps, Steps]
) -> Iterator[Change]:
    old, new = (each.get("content", {}) for each in both)
    number = _number(status)
    for name in old:
        part = f"response {status} {name}"
        if name not in new:
            if number >= 300 and new:
                yield pair.change("undecided", "response-media-type", part, f"is {' or '.join(new)} now", steps)
            else:
                yield _no_longer_offered(pair, part, name, new, steps)
            continue
        schemas = old[name].get("schema", {}), new[name].get("schema", {})
        if not is_json(name) or pair.comparison.unchanged(*schemas):
            continue
        inside = ((*steps[0], "content", name, "schema"), (*steps[1], "content", name, "schema"))
        samples = partial(body_examples, pair.new, new[name], "response")
        answer, client, _ = pair.comparison.decided(*schemas, "response", samples)
        if isinstance(answer, Undecided):
            yield pair.change("undecided", "response-body", part, answer.reason, inside)
        elif isinstance(answer, Breaking):
            fields: Fields = (("Content-Type", name),)
            for value in answer.values:
                findings, body = client.findings(value, "body"), orjson.dumps(value)
                detail = "may be what it was not"
                yield _answered(pair, "response-body", part, detail, number, fields, body, findings, inside, inside)
        else:
            yield pair.change("safe", "response-body", part, "gives nothing that it did not give", inside)
    for name in new:
        if name not in old:
            detail = "is new; who asks for the old one in Accept does not get it" if old else "is new"
            yield pair.change("safe", "response-media-type", f"response {status} {name}", detail, steps)


def _no_longer_offered(pair: Pair, part: str, name: str, new: Mapping[str, Json], steps: tuple[Steps, Steps]) -> Change:
    """Who asks for the media type in `Accept` is refused; who does not, gets another one."""
    offered = " or ".join(new) or "no body"
    finding = Finding("accept", "header", f"the operation answers with {offered}, not {name}", name="Accept")
    if not new:
        detail = f"must be {name}, not no content type"
        finding = Finding("undocumented-media-type", "header", detail, name="Content-Type")
        return _answered(
            pair, "response-media-type", part, "is gone", _number(part.split()[1]), (), b"", [finding], steps
        )
    sent = request(pair.old, headers=(("Accept", name),))
    return pair.refused("response-media-type", part, "is gone", sent, [finding], steps)


def _headers(
    pair: Pair, status: str, both: tuple[Mapping[str, Json], Mapping[str, Json]], steps: tuple[Steps, Steps]
) -> Iterator[Change]:
    owners = (pair.old, pair.new)
    old, new = (
        {
            name.lower(): (name, {**owner.revision.followed(each), "name": name, "in": "header"})
            for name, each in declared.get("headers", {}).items()
        }
        for owner, declared in zip(owners, both, strict=True)
    )
    for key, (name, before) in old.items():
        part = f"response {status} header {name}"
        after = new.get(key, (name, {}))[1]
        at = ((*steps[0], "headers", name), (*steps[1], "headers", new.get(key, (name, {}))[0]))
        if before.get("required") and not after.get("required"):
            finding = Finding("required", "header", "is required and missing", name=name)
            detail = "may be missing" if key in new else "is gone"
            yield _answered(
                pair, "response-header", part, detail, _number(status), *_plain(pair, status), [finding], at
            )
        elif key not in new:
            yield pair.change("safe", "response-header", part, "is gone; nobody could count on it", at)
            continue
        if key not in new or pair.comparison.unchanged(schema_of(before), schema_of(after)):
            continue
        answer, client, _ = pair.comparison.decided(schema_of(before), schema_of(after), "response")
        if isinstance(answer, Undecided):
            yield pair.change("undecided", "response-header", part, answer.reason, at)
        elif isinstance(answer, Breaking):
            findings = client.findings(answer.value, "header", name)
            fields, body = _plain(pair, status)
            shown = (*fields, (name, text_of(answer.value)))
            detail = "may be what it was not"
            yield _answered(pair, "response-header", part, detail, _number(status), shown, body, findings, at)
        else:
            yield pair.change("safe", "response-header", part, "gives nothing that it did not give", at)
    for key, (name, _) in new.items():
        if key not in old:
            at = (steps[0], (*steps[1], "headers", name))
            yield pair.change("safe", "response-header", f"response {status} header {name}", "is new", at)


def _number(status: str) -> int:
    return int(status) if status.isdecimal() else int(status[0]) * 100 if status[0].isdecimal() else 500


def _plain(pair: Pair, status: str) -> tuple[Fields, bytes]:
    """A documented answer of NEW: its header fields and its body."""
    content = pair.new.responses[status][0].get("content", {})
    name = next(iter(content), "")
    value = body_example(pair.new, content[name], "response") if is_json(name) else None
    return ((("Content-Type", name),) if name else ()), b"" if value is None else orjson.dumps(value)


def _answered(
    pair: Pair,
    rule: str,
    part: str,
    detail: str,
    status: int,
    fields: Fields,
    body: bytes,
    findings: list[Finding],
    at: tuple[Steps, Steps],
    inside: tuple[Steps, Steps] | None = None,
) -> Change:
    """An answer that NEW may give and an OLD client refuses, or undecided where the engines do not both say so."""
    sent = request(pair.old).interaction
    fields = (*fields, *_required_headers(pair, status, {name.lower() for name, _ in fields}, findings))
    if pair.old.engine is not None and pair.new.engine is not None and rule != "response-status":
        wrong = pair.new.engine.check_response(status, by_name(fields), body)
        found = pair.old.engine.check_response(status, by_name(fields), body)
        if wrong or not found:
            why = f"no answer was found that shows it: {wrong[0]}" if wrong else "the engine takes it all the same"
            return pair.change("undecided", rule, part, f"{detail}; {why}", at)
        findings = found
    text = body.decode()
    kind = by_name(fields).get("content-type", "")
    shown = f"{status} {kind} {text if len(text) < 200 else text[:199] + '…'}".strip()
    if rule == "response-header":
        shown += "".join(f"; {name}: {value}" for name, value in fields if name != "Content-Type")
    lines = located(pair, inside, findings[0]) if inside and findings else None
    answered = Interaction(sent.method, sent.url, status, sent.request_headers, sent.request_body, fields, body)
    return pair.change(
        "breaking",
        rule,
        part,
        detail,
        at,
        lines,
        old_answer="; ".join(map(str, findings[:3])),
        new_answer=shown,
        findings=tuple(findings),
        interactions=(answered,),
    )


def _required_headers(pair: Pair, status: int, have: set[str], findings: list[Finding]) -> Fields:
    """The header fields that NEW promises, so that a client of it has nothing to find."""
    missing = {(finding.name or "").lower() for finding in findings if finding.rule == "required"}
    name = next((each for each in (str(status), f"{status // 100}XX", "DEFAULT") if each in pair.new.responses), None)
    declared = {} if name is None else pair.new.responses[name][0].get("headers", {})
    fields = []
    for field, each in declared.items():
        header = {**pair.new.revision.followed(each), "name": field, "in": "header"}
        if field.lower() not in have | missing and header.get("required"):
            fields.append((field, text_of(parameter_example(pair.new, header))))
    return tuple(fields)
