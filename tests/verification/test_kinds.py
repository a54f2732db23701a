"""`check` finds every kind of mistake that plain Schemathesis finds."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.contract.operation import Request as Asked
from callconfig.contract.yaml_tree import read_yaml
from callconfig.outcome import FINDINGS, OK
from callconfig.verification.target import serving
from schemathesis.checks import CHECKS, load_all_checks
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

CONTRACT = b"""
openapi: 3.0.3
info: {title: Notes, version: '1'}
security: [{token: []}]
paths:
  /notes:
    get:
      operationId: list
      parameters:
        - {name: X-Tenant, in: header, required: true, schema: {type: string, pattern: '^[a-z]{3}$'}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 9}}
      responses:
        '200':
          description: All.
          headers: {X-Total: {required: true, schema: {type: integer}}}
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Note'}}}}
        4XX: {description: Refused.}
    post:
      operationId: add
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/New'}}}}
      responses:
        '201':
          description: It.
          content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}
          links:
            read: {operationId: read, parameters: {id: $response.body#/id}}
            remove: {operationId: remove, parameters: {id: $response.body#/id}}
        4XX: {description: Refused.}
  /notes/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: read
      responses:
        '200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
        4XX: {description: Refused.}
    delete: {operationId: remove, responses: {'204': {description: Gone.}, 4XX: {description: Refused.}}}
components:
  securitySchemes: {token: {type: http, scheme: bearer}}
  schemas:
    New:
      type: object
      required: [text]
      properties: {text: {type: string, minLength: 1, maxLength: 9}}
      additionalProperties: false
    Note: {type: object, required: [id, text], properties: {id: {type: string}, text: {type: string}}}
"""
NOTES = Contract(read_yaml(CONTRACT))
KINDS = {
    "not_a_server_error": ("a write fails", "not-a-server-error"),
    "status_code_conformance": ("a success is 202", "undocumented-status"),
    "content_type_conformance": ("all is HTML", "undocumented-media-type"),
    "response_headers_conformance": ("a field is missing", "required"),
    "response_schema_conformance": ("a text is a number", "type"),
    "negative_data_rejection": ("all is taken", "negative-data-rejection"),
    "positive_data_acceptance": ("all is refused", "positive-data-acceptance"),
    "missing_required_header": ("no tenant is missed", "missing-required-header"),
    "unsupported_method": ("an unknown method is done", "unsupported-method"),
    "allow_header_conformance": ("a method is not told", "allow-header-conformance"),
    "use_after_free": ("nothing is deleted", "use-after-free"),
    "ensure_resource_availability": ("nothing is kept", "ensure-resource-availability"),
    "ignored_auth": ("nobody is asked", "ignored-auth"),
}
NOT_OURS = {"object_level_authorization"}
"""Checks that `check` leaves out: a run has one identity."""


def test_every_check_of_schemathesis_is_in_the_table() -> None:
    load_all_checks()
    assert {each.__name__ for each in CHECKS.get_all()} == KINDS.keys() | NOT_OURS


def checked(folder: Path, mistake: str, seed: int, examples: int) -> tuple[int, set[str]]:
    """The exit code for a server with a mistake, and the rules that it broke."""
    contract, report = folder / "notes.yaml", folder / "report.json"
    contract.write_bytes(CONTRACT)
    few = ["--max-examples", str(examples), "--seed", str(seed), "--write-anywhere", "--token", "good"]
    judged = ["--severity", "unsupported-method=error", "--report", f"json:{report}"]
    with serving(Notes(mistake)) as url:
        code = main(["check", url, "--contract", str(contract), *few, *judged])
    return code, {each["rule"] for each in orjson.loads(report.read_bytes())["findings"] if each["severity"] == "error"}


def test_a_server_without_a_mistake_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(tmp_path, "", 1, 5) == (OK, set()), capsys.readouterr().out


@pytest.mark.parametrize(("mistake", "rule"), KINDS.values())
def test_its_mistake_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str], mistake: str, rule: str) -> None:
    """Within a few runs of a few examples each: draws depend on the modules that the process has loaded."""
    runs = (checked(tmp_path, mistake, seed, examples) for seed, examples in enumerate((2, 5, 5, 5, 5, 5), 1))
    assert any(code == FINDINGS and rule in found for code, found in runs), capsys.readouterr().out


@dataclass
class Notes:
    """A server of the contract with one mistake."""

    mistake: str
    kept: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = self.answer(request, await request.body())
        if answer.status_code == 405 and self.mistake == "an unknown method is done":
            answer = JSONResponse({})
        if answer.status_code < 300 and self.mistake == "a success is 202":
            answer.status_code = 202
        if answer.status_code < 300 and self.mistake == "all is HTML" and answer.body:
            answer.headers["Content-Type"] = "text/html"
        await answer(scope, receive, send)

    def answer(self, request: Request, body: bytes) -> Response:
        route = NOTES.route(request.scope["raw_path"].decode())
        if route is None:
            return Response(status_code=404)
        operation = route.operation(request.method)
        if operation is None:
            allow = "GET" if self.mistake == "a method is not told" else f"{route.allow}, OPTIONS"
            return Response(status_code=204 if request.method == "OPTIONS" else 405, headers={"Allow": allow})
        if request.headers.get("Authorization") != "Bearer good" and self.mistake != "nobody is asked":
            return Response(status_code=401)
        headers = {**({"x-tenant": "abc"} if self.mistake == "no tenant is missed" else {}), **request.headers}
        asked = Asked(route.parameters, request.scope["query_string"], headers, body)
        arguments, findings = operation.check_request(asked)
        is_wrong = any(each.severity == "error" for each in findings) and self.mistake != "all is taken"
        if is_wrong or self.mistake == "all is refused":
            return Response(status_code=400)
        does = {"list": self.every, "add": self.add}.get(operation.id)
        return does() if does else self.read_or_remove(arguments["id"], operation.id)

    def every(self) -> Response:
        fields = {} if self.mistake == "a field is missing" else {"X-Total": str(len(self.kept))}
        return JSONResponse(list(self.kept.values()), headers=fields)

    def add(self) -> Response:
        note: dict[str, Any] = {
            "id": f"note-{len(self.kept)}",
            "text": 7 if self.mistake == "a text is a number" else "text",
        }
        self.kept |= {} if self.mistake == "nothing is kept" else {note["id"]: note}
        return Response(status_code=500) if self.mistake == "a write fails" else JSONResponse(note, 201)

    def read_or_remove(self, identity: str, operation: str) -> Response:
        if identity not in self.kept:
            return Response(status_code=404)
        note = self.kept[identity]
        if operation == "read":
            return JSONResponse(note)
        if self.mistake != "nothing is deleted":
            self.kept[f"gone-{len(self.kept)}"] = self.kept.pop(identity)
        return Response(status_code=204)
