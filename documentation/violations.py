"""A violation of each rule of the engine: a value or a message that breaks it, with the engine's finding."""

import json
from dataclasses import dataclass
from typing import Any

from ..contract.body import MAX_CONTAINERS
from ..contract.finding import Finding
from ..contract.operation import Operation, Request
from ..contract.references import NO_REFERENCES
from ..contract.schema import Schema
from ..contract.security import Security

_SCHEMAS: dict[str, tuple[dict[str, Any], Any]] = {
    "required": ({"required": ["template"]}, {}),
    "additionalProperties": ({"properties": {"max_retry": {}}, "additionalProperties": False}, {"max_retrys": 3}),
    "type": ({"type": "integer"}, "3"),
    "enum": ({"enum": ["REJECT", "REDIRECT"]}, "reject"),
    "minimum": ({"minimum": 0}, -1),
    "maximum": ({"maximum": 30}, 31),
    "multipleOf": ({"multipleOf": 5}, 12),
    "minLength": ({"minLength": 1}, ""),
    "maxLength": ({"maxLength": 3}, "four"),
    "pattern": ({"pattern": "^[A-Z]+$"}, "abc"),
    "format": ({"format": "iana-time-zone"}, "Berlin"),
    "minItems": ({"minItems": 1}, []),
    "maxItems": ({"maxItems": 2}, [1, 2, 3]),
    "uniqueItems": ({"uniqueItems": True}, ["+911234567890", "+911234567890"]),
    "minProperties": ({"minProperties": 1}, {}),
    "maxProperties": ({"maxProperties": 1}, {"a": 1, "b": 2}),
    "anyOf": ({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}, "yes"),
    "oneOf": ({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 7),
    "writeOnly": ({"properties": {"auth_token": {"writeOnly": True}}}, {"auth_token": "x"}),
    "not": ({"not": {"enum": ["root"]}}, "root"),
}

_OPERATION = Operation(
    "/things",
    "post",
    {
        "post": {
            "operationId": "makeThing",
            "parameters": [
                {"name": "template", "in": "query", "schema": {"type": "string"}},
                {"name": "row", "in": "path", "style": "matrix", "schema": {"type": "integer"}},
            ],
            "requestBody": {
                "content": {
                    "application/json": {"schema": {}},
                    "text/plain": {"schema": {"type": "string"}},
                    "multipart/form-data": {"schema": {"type": "object"}},
                }
            },
            "responses": {"200": {"content": {"application/json": {}}}, "406": {}},
        }
    },
    resolve=NO_REFERENCES,
    security=Security([{"token": []}], {"token": {"type": "http", "scheme": "bearer"}}),
)


def _posted(body: bytes, content_type: str = "application/json", **headers: str) -> Request:
    return Request(headers={"content-type": content_type, **headers}, body=body)


_REQUESTS = {
    "json-encoding": ('{"name": "…"}, where … is one byte FF', _posted(b'{"name": "\xff"}')),
    "json-syntax": ('{"max_retry": 3,}', _posted(b'{"max_retry": 3,}')),
    "json-duplicate": ('{"max_retry": 3, "max_retry": 4}', _posted(b'{"max_retry": 3, "max_retry": 4}')),
    "json-number": (
        '{"max_retry": 123456789012345678901234567890}', _posted(b'{"max_retry": 123456789012345678901234567890}'),
    ),
    "json-string": ('{"name": "\\ud800"}', _posted(b'{"name": "\\ud800"}')),
    "json-depth": ("[[[[…]]]], a thousand deep", _posted(b"[" * 1000 + b"]" * 1000)),
    "json-size": ("[[], [], …], more than 100,000 of them", _posted(b"[" + b"[]," * MAX_CONTAINERS + b"0]")),
    "json-charset": (
        "Content-Type: application/json; charset=latin-1", _posted(b"{}", "application/json; charset=latin-1"),
    ),
    "text-encoding": (
        "Content-Type: text/plain; charset=utf-8, and a byte FF", _posted(b"\xff", "text/plain; charset=utf-8"),
    ),
    "form-syntax": ("Content-Type: multipart/form-data, without a boundary", _posted(b"--x--", "multipart/form-data")),
    "media-type": ("Content-Type: text/html", _posted(b"{}", "text/html")),
    "content-coding": ("Content-Encoding: gzip", _posted(b"\x1f\x8b", **{"content-encoding": "gzip"})),
    "unknown-parameter": ("?templte=tpl_1", Request(query=b"templte=tpl_1")),
    "repeated-parameter": ("?template=tpl_1&template=tpl_2", Request(query=b"template=tpl_1&template=tpl_2")),
    "percent-encoding": ("?template=%FF", Request(query=b"template=%FF")),
    "parameter-style": ("/things/5, where the contract asks for /things/;row=5", Request(path={"row": "5"})),
    "credentials": ("no Authorization", Request()),
    "accept": ("Accept: text/html", Request(headers={"accept": "text/html"})),
}  # fmt: skip
_RESPONSES = {
    "undocumented-status": ("a response 418", 418, {}),
    "undocumented-media-type": ("a response with Content-Type: text/html", 200, {"content-type": "text/html"}),
}
_ELSEWHERE = {
    "contradicts-path": 'PUT /configurations/cfg_abc123 with {"id": "cfg_other"}',
    "preference": "Prefer: code=999",
    "content-length": "a body of many megabytes",
    "undocumented-path": "GET /configuration",
    "undocumented-method": "DELETE /configurations/cfg_abc123",
    "expected-status": "a POST of a stored scope, and the response 201",
    "stored-value": "POST with max_retry 3, and a list that shows max_retry 0",
    "list-content": "a list after a create, and the response []",
    "list-filter": "GET /configurations?reseller_id=res_001, and a configuration of res_002 in the list",
    "list-part": "GET /books?limit=2, and three books in the list",
    "list-total": "two books that were stored, and a list with X-Total-Count: 1",
    "list-order": "a list whose first configuration is newer than its second",
    "identity": "PUT /configurations/cfg_abc123, and the id cfg_other in the response",
    "created-at": "an update that changes created_at",
    "deleted-at": 'a deletion, and {"cancelled": null} in the response',
    "updated-at": "an update that does not change updated_at",
    "location": "a 201 whose Location leads to another configuration",
    "allow": "a 405 whose Allow leaves out a method that the path has",
    "problem-status": 'a response 404 with {"status": 400}',
    "violations": "a 400 for two missing members, of which errors names one",
    "no-response": "a connection that ends before the response does",
    "difference": "the same POSTwith 201 from one server, and 200 from the other",
    "coverage": "a suite that sends 40 % of the members, where 80 are required",
    "unseen-status": "a run without any response 409",
    "not-a-server-error": "a request, and the response 500",
    "status-code-conformance": "a response 418",
    "content-type-conformance": "a response with Content-Type: text/html",
    "response-headers-conformance": "a 201 without Location",
    "response-schema-conformance": "a configuration without an id",
    "negative-data-rejection": "POST with max_retry -1, and the response 201",
    "positive-data-acceptance": "a valid POST, and the response 400",
    "missing-required-header": "a request without a required header field, and the response 200",
    "unsupported-method": "DELETE /configurations, and the response 200",
    "allow-header-conformance": "a 405 whose Allow names a method that the path does not have",
    "use-after-free": "GET of a deleted resource, and the response 200",
    "ensure-resource-availability": "PUT of a created resource, and the response 404",
    "ignored-auth": "a request without a token, and the response 200",
    "object-level-authorization": "the configuration of another reseller, and the response 200",
    "generation": "a pattern that no string matches",
}
"""Violations of the rules that are judged outside of a single operation."""


@dataclass(frozen=True, slots=True)
class Violation:
    """The message sent, the schema that it breaks, and the engine's finding; None where no single request is judged."""

    sent: str
    schema: str | None = None
    finding: Finding | None = None


def violation(rule: str) -> Violation | None:
    """An example of a violation of a rule of the engine; None for a rule that has none yet."""
    if rule in _SCHEMAS:
        schema, value = _SCHEMAS[rule]
        judge = Schema(schema, NO_REFERENCES, "response" if rule == "writeOnly" else "request")
        return Violation(_json(value), _json(schema), _of(rule, judge.findings(value, "body")))
    if rule in _REQUESTS:
        sent, request = _REQUESTS[rule]
        return Violation(sent, None, _of(rule, _OPERATION.check_request(request)[1]))
    if rule in _RESPONSES:
        sent, status, headers = _RESPONSES[rule]
        return Violation(sent, None, _of(rule, _OPERATION.check_response(status, headers, b"{}")))
    return Violation(_ELSEWHERE[rule]) if rule in _ELSEWHERE else None


def _of(rule: str, findings: list[Finding]) -> Finding | None:
    return next((finding for finding in findings if finding.rule == rule), None)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
