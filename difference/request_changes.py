"""Changes of the requests of an operation: whether NEW accepts all of OLD's, with the same meaning."""

import re
from collections.abc import Iterator, Mapping
from functools import partial

from ..contract.finding import Finding
from ..contract.interaction import Fields
from ..contract.media import is_json
from ..contract.pointer import pointed
from ..contract.schema import Json
from ..contract.witness import ABSENT
from .change import Change
from .containment import Break
from .defaults import changed_defaults, default_change
from .example_request import body_example, body_examples, request
from .pairing import Part, in_short
from .parameter_changes import parameter_changes

Alternative = Mapping[str, list[str]]
"""Security schemes that are required together, with their scopes (Security Requirement Object)."""


def request_changes(operation: Part) -> Iterator[Change]:
    """The changes of the parameters, the body, the credentials and the roles."""
    yield from parameter_changes(operation)
    yield from _body(operation.inside("requestBody").at("request body"))
    yield from _security(operation.inside("security").at("credentials"))
    yield from _roles(operation.inside("x-roles").at("roles"))


def _body(part: Part) -> Iterator[Change]:
    before, after = part.old.request_body, part.new.request_body
    if after.required and not before.required:
        finding = Finding("required", "body", "a body is required and missing", pointer="")
        yield part.request_refused(
            "request-body-required", "is required now", request(part.old, body=ABSENT), [finding]
        )
    if not before.contents:
        return
    if not after.contents:
        reason = "is gone: nothing refuses it, and nothing says that it is heeded"
        yield part.undecided("request-body-removed", reason)
        return
    if after.max_bytes < before.max_bytes:
        finding = Finding("content-length", "header", f"must be at most {after.max_bytes}", name="Content-Length")
        detail = f"may have {after.max_bytes} bytes, and might have {before.max_bytes}"
        yield part.breaking("request-body-size", detail, [finding])
    yield from _content(part, part.old.declared_body["content"], part.new.declared_body["content"])


def _content(body: Part, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Change]:
    names = {name.lower(): name for name in new}
    for name, content in old.items():
        part = body.at(f"request body {name}")
        taken = names.get(name.lower())
        if taken is None:
            sent = request(part.old, body=body_example(part.old, content, "request"), content_type=name)
            finding = Finding("media-type", "header", f"must be {' or '.join(new)}, not {name}", name="Content-Type")
            yield part.request_refused("request-media-type", "is gone", sent, [finding])
        else:
            inside = part.inside("content", name, "schema", new=("content", taken, "schema"))
            yield from _schema(inside, name, content, new[taken])
    for name in (each for each in new if each not in old):
        yield body.at(f"request body {name}").safe("request-media-type", "is new")


def _schema(part: Part, name: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Change]:
    schemas = before.get("schema", {}), after.get("schema", {})
    if part.comparison.unchanged(*schemas):
        return
    samples = partial(body_examples, part.old, before, "request")

    def shown(each: Break) -> Change:
        finding = each.findings[0]
        if not is_json(name) and finding.rule == "type":
            return part.undecided("request-body", f"is written as text, in which {finding} may be no matter")
        sent = request(part.old, body=each.value, content_type=name)
        detail = f"no longer accepts what it accepted: {in_short(finding)}"
        return part.request_refused("request-body", detail, sent, each.findings, lines=part.lines(each, "request"))

    answer, _, _ = part.comparison.decided(*schemas, "request", samples)
    yield from part.judged("request-body", answer, shown, "takes all that it took")
    resolve = part.comparison.old.resolve, part.comparison.new.resolve
    for pointer, default, new_default in changed_defaults(*schemas, resolve, part.comparison.unchanged):
        body = _without(body_example(part.old, before, "request"), pointed(pointer))
        where = part.at(f"{part.name} {pointer}")
        finding = Finding("default", "body", "", pointer=pointer)
        yield default_change(where, default, new_default, request(part.old, body=body, content_type=name), finding)


def _without(value: Json, steps: list[str]) -> Json:
    """A value without the member at the steps."""
    name, *rest = steps
    if not isinstance(value, dict) or name not in value:
        return value
    kept = {key: member for key, member in value.items() if key != name}
    return {**value, name: _without(value[name], rest)} if rest else kept


def _security(part: Part) -> Iterator[Change]:
    old, new = part.old.alternatives, part.new.alternatives
    schemes = [
        {
            name: {word: value for word, value in owner.resolve.followed(scheme).items() if not _ABOUT.match(word)}
            for name, scheme in owner.document.get("components", {}).get("securitySchemes", {}).items()
        }
        for owner in (part.comparison.old, part.comparison.new)
    ]
    lost = [each for each in old if not any(_admits(each, taken, *schemes) for taken in new)]
    needed = " or ".join(map(_named, new))
    for alternative in lost:
        detail = f"{_named(alternative)} {'was' if alternative else 'were'} enough; NEW asks for {needed}"
        fields = tuple(filter(None, (_credential(schemes[0].get(name, {})) for name in alternative)))
        yield _forbidden(part, "security", detail, fields, "401 or 403", f"must carry {needed}")
    if old != new and not lost:
        yield part.safe("security", "those that were enough are enough")


_ABOUT = re.compile(r"x-|description$|bearerFormat$")
"""Keywords of a security scheme that do not affect requests."""


def _forbidden(part: Part, rule: str, detail: str, fields: Fields, status: str, asked: str) -> Change:
    finding = Finding(rule, "header", asked, name="Authorization")
    sent = request(part.old, headers=fields).interaction
    return part.breaking(rule, detail, [finding], (str(sent.status), f"{status}: {finding}"), (sent,))


def _admits(old: Alternative, new: Alternative, before: Mapping[str, Json], after: Mapping[str, Json]) -> bool:
    """Whether the credentials for OLD's alternative satisfy NEW's."""
    return all(
        any(before.get(own) == after.get(name) and set(scopes) <= set(old[own]) for own in old)
        for name, scopes in new.items()
    )


def _named(alternative: Alternative) -> str:
    words = [f"{name} ({', '.join(scopes)})" if scopes else name for name, scopes in alternative.items()]
    return " and ".join(words) or "no credentials"


def _credential(scheme: Mapping[str, Json]) -> tuple[str, str] | None:
    if scheme.get("type") == "apiKey":
        return (str(scheme.get("name")), "TOKEN") if scheme.get("in") == "header" else None
    return ("Authorization", f"{str(scheme.get('scheme', 'bearer')).capitalize()} TOKEN") if scheme else None


def _roles(part: Part) -> Iterator[Change]:
    old, new = (set(each.declared.get("x-roles", ())) for each in (part.old, part.new))
    if new and (gone := (old or part.comparison.old.roles) - new):
        token = (("Authorization", f"Bearer TOKEN-OF-{min(gone).upper()}"),)
        detail = f"{' and '.join(sorted(gone))} may not use it"
        yield _forbidden(part, "roles", detail, token, "403", f"must be of a token with {' or '.join(sorted(new))}")
    elif old != new:
        yield part.safe("roles", "all permitted roles are still permitted")
