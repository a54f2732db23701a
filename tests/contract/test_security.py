"""Security requirements: alternatives of schemes that go together."""

from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.operation import Request
from callconfig.contract.problem import Problem
from callconfig.contract.security import Security

SCHEMES: dict[str, dict[str, Any]] = {
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "Bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "oauth": {"type": "oauth2", "flows": {}},
    "oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://example.com/"},
    "tls": {"type": "mutualTLS"},
    "referred": {"$ref": "#/components/securitySchemes/header"},
}
BEARER, KEY = {"authorization": "bearer abc"}, {"x-key": "abc"}

# requirement, header fields, query, the field that is missing
CASES: list[tuple[list[dict[str, list[str]]], dict[str, str], bytes, str | None]] = [
    ([], {}, b"", None),
    ([{}], {}, b"", None),
    ([{}, {"bearer": []}], {}, b"", None),
    ([{"bearer": []}], BEARER, b"", None),
    ([{"bearer": []}], {}, b"", "Authorization"),
    ([{"bearer": []}], {"authorization": "Basic YTpi"}, b"", "Authorization"),
    ([{"basic": []}], {"authorization": "Basic YTpi"}, b"", None),
    ([{"header": []}], KEY, b"", None),
    ([{"header": []}], BEARER, b"", "X-Key"),
    ([{"referred": []}], KEY, b"", None),
    ([{"query": []}], {}, b"key=abc", None),
    ([{"query": []}], {}, b"", "key"),
    ([{"cookie": []}], {"cookie": "a=b; sid=abc"}, b"", None),
    ([{"cookie": []}], {"cookie": "a=b"}, b"", "sid"),
    ([{"oauth": ["read"]}], BEARER, b"", None),
    ([{"oauth": ["read"]}], {}, b"access_token=abc", None),
    ([{"oauth": ["read"]}], {}, b"", "Authorization"),
    ([{"oidc": []}], {}, b"", "Authorization"),
    ([{"tls": []}], {}, b"", None),
    ([{"bearer": [], "header": []}], BEARER, b"", "X-Key"),
    ([{"bearer": [], "header": []}], {**BEARER, **KEY}, b"", None),
    ([{"bearer": []}, {"header": []}], KEY, b"", None),
    ([{"bearer": [], "header": []}, {"query": []}], {}, b"", "key"),
]


@pytest.mark.parametrize(("asked", "headers", "query", "missing"), CASES)
@pytest.mark.parametrize("where", ["document", "operation"])
def test_a_request_needs_one_of_the_alternatives(
    asked: list[dict[str, list[str]]], headers: dict[str, str], query: bytes, missing: str | None, where: str
) -> None:
    operation: dict[str, Any] = {"operationId": "read", "responses": {"200": {"description": ""}}}
    document: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {"title": "Any", "version": "1"},
        "paths": {"/": {"get": operation}},
        "components": {"securitySchemes": SCHEMES},
    }
    (document if where == "document" else operation)["security"] = asked
    findings = Contract(document).operations["read"].check_request(Request(query=query, headers=headers))[1]
    assert [(finding.rule, finding.name) for finding in findings] == ([("credentials", missing)] if missing else [])


def test_an_operation_can_ask_for_less_than_the_document() -> None:
    operation = {"operationId": "read", "security": [], "responses": {"200": {"description": ""}}}
    contract = Contract(
        {
            "info": {"title": "Any", "version": "1"},
            "security": [{"bearer": []}],
            "paths": {"/": {"get": operation}},
            "components": {"securitySchemes": SCHEMES},
        }
    )
    assert contract.operations["read"].check_request(Request()) == ({}, [])


def test_who_has_no_credentials_is_told_which_to_send() -> None:
    asked = Security([{"bearer": []}, {"basic": [], "header": []}], SCHEMES)
    problem = Problem.of_findings(list(asked.findings({}, b"")), asked.challenge)
    assert (problem.kind, problem.headers) == ("unauthorized", {"WWW-Authenticate": "Bearer, Basic, ApiKey"})
