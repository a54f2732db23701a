"""Bodies of every media type, in requests and responses."""

from typing import Any

import orjson
import pytest
from callconfig.contract.finding import Finding
from callconfig.contract.operation import Operation, Request
from callconfig.contract.references import NO_REFERENCES
from callconfig.contract.severity import DEFAULT, Severities

STRICT = Severities({"json-duplicate": "error", "json-number": "error"})
PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "age": {"type": "integer", "default": 1},
        "tags": {"type": "array", "items": {"type": "string"}},
        "address": {"type": "object", "properties": {"zip": {"type": "integer"}}},
        "photo": {"type": "string", "format": "binary", "maxLength": 4},
    },
}
FORM = "application/x-www-form-urlencoded"
BY_PARTS = "multipart/form-data"
MULTIPART = "multipart/form-data; boundary=X"


def operation(content: dict[str, Any], severities: Severities = DEFAULT, *, required: bool = True) -> Operation:
    declared = {
        "post": {
            "requestBody": {"required": required, "content": content},
            "responses": {"200": {"description": "", "content": content}},
        }
    }
    return Operation("/", "post", declared, NO_REFERENCES, severities)


def asked(content: dict[str, Any], content_type: str, body: bytes, **more: Any) -> tuple[Any, list[Finding]]:
    headers = {"content-type": content_type} if content_type else {}
    arguments, findings = operation(content, **more).check_request(Request(headers=headers, body=body))
    return arguments.get("body"), findings


def in_short(findings: list[Finding]) -> list[str]:
    return [
        f"{finding.severity} {finding.rule} {finding.pointer or finding.name or ''}".strip() for finding in findings
    ]


def part(name: str, content: bytes, *headers: str, file: str = "") -> bytes:
    named = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{file}"' if file else "")
    return b"--X\r\n" + "\r\n".join([named, *headers]).encode() + b"\r\n\r\n" + content + b"\r\n"


END = b"--X--\r\n"

# content, Content-Type, body, value
READ: list[tuple[dict[str, Any], str, bytes, Any]] = [
    ({"application/json": {"schema": PERSON}}, "application/json", b'{"name": "a"}', {"name": "a", "age": 1}),
    ({"*/*": {"schema": PERSON}}, "application/vnd.x+json", b'{"name": "a"}', {"name": "a", "age": 1}),
    ({FORM: {"schema": PERSON}}, FORM, b"name=a&age=2&tags=b&tags=c", {"name": "a", "age": 2, "tags": ["b", "c"]}),
    ({FORM: {"schema": PERSON}}, FORM, b"name=a&tags[]=b", {"name": "a", "tags": ["b"], "age": 1}),
    ({FORM: {"schema": PERSON}}, FORM, b"name=a&address[zip]=5", {"name": "a", "address": {"zip": 5}, "age": 1}),
    ({FORM: {"schema": PERSON}}, FORM, b'name=a&address={"zip":5}', {"name": "a", "address": {"zip": 5}, "age": 1}),
    (
        {FORM: {"schema": PERSON, "encoding": {"tags": {"style": "pipeDelimited", "explode": False}}}},
        FORM,
        b"name=a&tags=b|c",
        {"name": "a", "tags": ["b", "c"], "age": 1},
    ),
    (
        {FORM: {"schema": PERSON, "encoding": {"address": {"style": "deepObject", "explode": True}}}},
        FORM,
        b"name=a&address[zip]=5",
        {"name": "a", "address": {"zip": 5}, "age": 1},
    ),
    ({FORM: {"schema": {"type": "object"}}}, FORM, b"", {}),
    (
        {BY_PARTS: {"schema": PERSON}},
        MULTIPART,
        part("name", b"a")
        + part("age", b"2")
        + part("tags", b"b")
        + part("tags", b"c")
        + part("address", b'{"zip": 5}', "Content-Type: application/json")
        + part("photo", b"\x89PNG", "Content-Type: image/png", file="a.png")
        + END,
        {"name": "a", "age": 2, "tags": ["b", "c"], "address": {"zip": 5}, "photo": "\x89PNG"},
    ),
    ({"text/plain": {"schema": {"type": "string"}}}, "text/plain; charset=latin-1", b"\xe4", "ä"),
    ({"text/plain": {"schema": {"type": "integer"}}}, "text/plain", b"5", 5),
    ({"text/csv": {"schema": {"type": "string"}}}, "text/csv", b"a,b", "a,b"),
    ({"image/*": {"schema": {"type": "string", "format": "binary"}}}, "image/png", b"\x89PNG", b"\x89PNG"),
    ({"application/xml": {"schema": PERSON}}, "application/xml", b"<a/>", b"<a/>"),
    ({"application/x-ndjson": {"schema": PERSON}}, "application/x-ndjson", b"{}\n{}\n", b"{}\n{}\n"),
    ({"application/json": {}}, "application/json", b'{"a": [1]}', {"a": [1]}),
    ({"application/octet-stream": {}}, "application/octet-stream", b"\xff", b"\xff"),
]


@pytest.mark.parametrize(("content", "content_type", "body", "value"), READ, ids=lambda value: str(value)[:40])
def test_a_body_is_read_by_its_media_type(content: dict[str, Any], content_type: str, body: bytes, value: Any) -> None:
    assert asked(content, content_type, body) == (value, [])
    assert operation(content).check_response(200, {"content-type": content_type}, body) == []


# content, Content-Type, body, message
WRONG: list[tuple[dict[str, Any], str, bytes, list[str]]] = [
    (
        {"application/json": {"schema": PERSON}},
        "application/json; charset=utf-8",
        b'{"age": "a"}',
        ["error required /name", "error type /age"],
    ),
    ({"*/*": {"schema": PERSON}}, "application/json", b"{}", ["error required /name"]),
    ({FORM: {"schema": PERSON}}, FORM, b"age=x", ["error required /name", "error type /age"]),
    ({FORM: {"schema": PERSON}}, FORM, b"name=a&address[zip]=x", ["error type /address/zip"]),
    ({FORM: {"schema": PERSON}}, FORM, b"name=%FF", ["warning percent-encoding /name"]),
    (
        {FORM: {"schema": {**PERSON, "additionalProperties": False}}},
        FORM,
        b"name=a&nam=b",
        ["error additionalProperties /nam"],
    ),
    ({BY_PARTS: {"schema": PERSON}}, MULTIPART, part("name", b"abcdef") + END, ["error maxLength /name"]),
    (
        {BY_PARTS: {"schema": PERSON}},
        MULTIPART,
        part("name", b"a") + part("photo", b"12345", file="a") + END,
        ["error maxLength /photo"],
    ),
    (
        {BY_PARTS: {"schema": PERSON}},
        MULTIPART,
        part("name", b"a") + part("address", b"{") + END,
        ["error json-syntax /address"],
    ),
    (
        {BY_PARTS: {"schema": PERSON}},
        MULTIPART,
        part("name", b"a") + part("address", b'{"zip": "x"}') + END,
        ["error type /address/zip"],
    ),
    ({BY_PARTS: {"schema": PERSON}}, MULTIPART, part("name", b"a"), ["error form-syntax"]),
    ({BY_PARTS: {"schema": PERSON}}, "multipart/form-data", END, ["error form-syntax"]),
    (
        {BY_PARTS: {"schema": PERSON, "encoding": {"photo": {"contentType": "image/png, image/*"}}}},
        MULTIPART,
        part("name", b"a") + part("photo", b"1", "Content-Type: text/plain", file="a") + END,
        ["error media-type /photo"],
    ),
    (
        {
            "multipart/form-data": {
                "schema": PERSON,
                "encoding": {"name": {"headers": {"X-Row": {"required": True, "schema": {"type": "integer"}}}}},
            }
        },
        MULTIPART,
        part("name", b"a") + END,
        ["error required /name"],
    ),
    ({"text/plain": {"schema": {"type": "string", "maxLength": 3}}}, "text/plain", b"abcd", ["error maxLength"]),
    ({"text/plain": {"schema": {"type": "string"}}}, "text/plain; charset=utf-8", b"\xff", ["error text-encoding"]),
    ({"text/plain": {"schema": {"type": "integer"}}}, "text/plain", b"a", ["error type"]),
    (
        {"image/png": {"schema": {"type": "string", "maxLength": 3}}},
        "image/png",
        b"\xe4\xe4\xe4\xe4",
        ["error maxLength"],
    ),
]


@pytest.mark.parametrize(("content", "content_type", "body", "wrong"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong_in_a_body_is_told(
    content: dict[str, Any], content_type: str, body: bytes, wrong: list[str]
) -> None:
    assert in_short(asked(content, content_type, body)[1]) == wrong
    assert in_short(operation(content).check_response(200, {"content-type": content_type}, body)) == wrong


JSON = {"application/json": {"schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b'{"a": "x", "a": 1}', ["warning json-duplicate /a"]),
        (b'{"a": 1, "a": "x"}', ["error type /a", "warning json-duplicate /a"]),
        (b'{"a": 123456789012345678901234567890}', ["warning json-number /a"]),
        (b'{"a": 1, "b": 1e999}', ["warning json-number /b"]),
        (b'{"b": "\\ud800"}', ["warning json-string /b"]),
        (b"[" * 200 + b"]" * 200, ["warning json-depth"]),
        (b'{"a": NaN}', ["error json-syntax /a"]),
        (b'{"a": ', ["error json-syntax"]),
    ],
)
def test_json_that_only_a_careful_house_refuses_is_a_warning_and_is_judged_all_the_same(
    body: bytes, wrong: list[str]
) -> None:
    assert in_short(asked(JSON, "application/json", body)[1]) == wrong
    assert in_short(operation(JSON).check_response(200, {"content-type": "application/json"}, body)) == wrong


def test_where_the_house_rules_are_errors_a_body_is_judged_no_further() -> None:
    assert in_short(asked(JSON, "application/json", b'{"a": 1, "a": "x"}', severities=STRICT)[1]) == [
        "error json-duplicate /a"
    ]


def test_a_rule_that_is_off_is_not_told() -> None:
    body, findings = asked(
        JSON, "application/json", b'{"a": 1, "a": 2}', severities=Severities({"json-duplicate": "off"})
    )
    assert (body, findings) == ({"a": 2}, [])


def test_a_warning_keeps_no_default_back() -> None:
    schema = {"type": "object", "properties": {"a": {"default": 5}}}
    body, findings = asked({"application/json": {"schema": schema}}, "application/json", b'{"b": 1, "b": 2}')
    assert (body, in_short(findings)) == ({"a": 5, "b": 2}, ["warning json-duplicate /b"])


def test_a_hundred_warnings_hide_no_error() -> None:
    duplicates = b"{" + b'"a": 1, ' * 300 + b'"a": "x"}'
    findings = asked(JSON, "application/json", duplicates)[1]
    assert in_short(findings[:1]) == ["error type /a"]
    assert len(findings) == 101


def test_a_coded_body_is_a_warning_and_a_charset_of_json_too() -> None:
    post = operation(JSON)
    for headers, rule in (
        ({"content-type": "application/json", "content-encoding": "gzip"}, "content-coding"),
        ({"content-type": "application/json; charset=latin-1"}, "json-charset"),
    ):
        findings = post.check_request(Request(headers=headers, body=b"{}"))[1]
        assert in_short(findings) == [
            f"warning {rule} {'Content-Encoding' if rule == 'content-coding' else 'Content-Type'}"
        ]


@pytest.mark.parametrize(
    ("status", "headers", "body", "wrong"),
    [
        (200, {}, b"", ["error undocumented-media-type Content-Type"]),
        (200, {"content-type": "text/html"}, b"", ["error undocumented-media-type Content-Type"]),
        (200, {"content-type": "application/json"}, b"", ["error json-syntax"]),
        (202, {"content-type": "application/json"}, b"{", ["error json-syntax"]),
        (204, {"content-type": "application/json", "content-length": "0"}, b"", []),
        (404, {}, b"", ["error undocumented-status"]),
    ],
)
def test_an_answer_is_judged_by_its_status(status: int, headers: dict[str, str], body: bytes, wrong: list[str]) -> None:
    any_json = {"description": "", "content": {"application/json": {}}}
    responses = {
        "202": any_json,
        "200": {"description": "", "content": JSON},
        "204": {"description": "", "content": JSON},
    }
    read = Operation("/", "get", {"get": {"responses": responses}}, NO_REFERENCES)
    assert in_short(read.check_response(status, headers, body)) == wrong


def test_a_form_that_is_not_required_may_be_absent_whatever_its_content_type() -> None:
    assert asked({FORM: {"schema": PERSON}}, FORM, b"", required=False) == (None, [])


@pytest.mark.parametrize("body", [b"&".join(b"a[%d]=1" % n for n in range(20_000)), b"a" + b"[b]" * 20_000 + b"=1"])
def test_a_form_of_many_names_is_bounded(body: bytes) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "object"}}}
    value, _ = asked({FORM: {"schema": schema}}, FORM, body)
    assert orjson.dumps(value)
