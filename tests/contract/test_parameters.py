"""Parameters in the styles of OpenAPI 3.0."""

import time
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from callconfig.contract.finding import MAX_FINDINGS
from callconfig.contract.operation import Operation, Request
from callconfig.contract.parameters import Parameter, read_parameters
from callconfig.contract.path_template import decoded
from callconfig.contract.references import NO_REFERENCES
from callconfig.contract.rulebook import ENGINE_RULES

INTEGERS = {"type": "array", "items": {"type": "integer"}}
TEXTS = {"type": "array", "items": {"type": "string", "maxLength": 3}}
POINT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}}
PAIR = {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "integer"}}}

# declaration, path, query, headers, value
READ: list[tuple[dict[str, Any], dict[str, str], bytes, dict[str, str], Any]] = [
    ({"in": "query", "schema": {"type": "string"}}, {}, b"p=a%20b+c", {}, "a b c"),
    ({"in": "query", "schema": {"type": "string"}}, {}, b"p=", {}, ""),
    ({"in": "query", "schema": {"type": "integer"}}, {}, b"p=-12", {}, -12),
    ({"in": "query", "schema": {"type": "number"}}, {}, b"p=1e2", {}, 100.0),
    ({"in": "query", "schema": {"type": "boolean"}}, {}, b"p=true", {}, True),
    ({"in": "query", "schema": INTEGERS}, {}, b"p=1&p=2", {}, [1, 2]),
    ({"in": "query", "schema": INTEGERS, "explode": False}, {}, b"p=1,2", {}, [1, 2]),
    ({"in": "query", "schema": INTEGERS, "style": "spaceDelimited"}, {}, b"p=1%202", {}, [1, 2]),
    ({"in": "query", "schema": INTEGERS, "style": "pipeDelimited"}, {}, b"p=1%7C2", {}, [1, 2]),
    ({"in": "query", "schema": POINT, "explode": False}, {}, b"p=x,1,y,2", {}, {"x": 1, "y": 2}),
    (
        {"in": "query", "schema": POINT, "style": "deepObject", "explode": True},
        {},
        b"p[x]=1&p[y]=2",
        {},
        {"x": 1, "y": 2},
    ),
    ({"in": "query", "schema": {"type": "integer", "default": 7}}, {}, b"", {}, 7),
    ({"in": "path", "schema": {"type": "string"}, "required": True}, {"p": "a"}, b"", {}, "a"),
    ({"in": "path", "schema": INTEGERS, "required": True}, {"p": "1,2"}, b"", {}, [1, 2]),
    ({"in": "path", "schema": POINT, "required": True, "explode": True}, {"p": "x=1,y=2"}, b"", {}, {"x": 1, "y": 2}),
    ({"in": "header", "schema": {"type": "integer"}}, {}, b"", {"p": "3"}, 3),
    ({"in": "header", "schema": INTEGERS}, {}, b"", {"p": "1, 2,3"}, [1, 2, 3]),
    ({"in": "header", "schema": POINT}, {}, b"", {"p": "x, 1, y, 2"}, {"x": 1, "y": 2}),
    ({"in": "header", "schema": POINT, "explode": True}, {}, b"", {"p": "x=1, y=2"}, {"x": 1, "y": 2}),
    ({"in": "cookie", "schema": {"type": "integer"}}, {}, b"", {"cookie": "q=1; p=3"}, 3),
    ({"in": "cookie", "schema": {"type": "string"}}, {}, b"", {"cookie": 'p="a%20b"'}, "a b"),
    ({"in": "cookie", "schema": INTEGERS, "explode": False}, {}, b"", {"cookie": "p=1,2"}, [1, 2]),
    ({"in": "path", "style": "matrix", "schema": {"type": "integer"}}, {"p": ";p=5"}, b"", {}, 5),
    ({"in": "path", "style": "matrix", "schema": INTEGERS}, {"p": ";p=1,2"}, b"", {}, [1, 2]),
    ({"in": "path", "style": "matrix", "schema": INTEGERS, "explode": True}, {"p": ";p=1;p=2"}, b"", {}, [1, 2]),
    ({"in": "path", "style": "matrix", "schema": POINT}, {"p": ";p=x,1,y,2"}, b"", {}, {"x": 1, "y": 2}),
    ({"in": "path", "style": "matrix", "schema": POINT, "explode": True}, {"p": ";x=1;y=2"}, b"", {}, {"x": 1, "y": 2}),
    ({"in": "path", "style": "label", "schema": {"type": "integer"}}, {"p": ".5"}, b"", {}, 5),
    ({"in": "path", "style": "label", "schema": INTEGERS}, {"p": ".1,2"}, b"", {}, [1, 2]),
    ({"in": "path", "style": "label", "schema": INTEGERS}, {"p": ".1.2"}, b"", {}, [1, 2]),
    ({"in": "path", "style": "label", "schema": INTEGERS, "explode": True}, {"p": ".1.2"}, b"", {}, [1, 2]),
    ({"in": "path", "style": "label", "schema": POINT}, {"p": ".x.1.y.2"}, b"", {}, {"x": 1, "y": 2}),
    ({"in": "path", "style": "label", "schema": POINT, "explode": True}, {"p": ".x=1.y=2"}, b"", {}, {"x": 1, "y": 2}),
    ({"in": "query", "schema": POINT}, {}, b"x=1&y=2", {}, {"x": 1, "y": 2}),
    ({"in": "query", "schema": INTEGERS, "style": "spaceDelimited", "explode": False}, {}, b"p=1+2", {}, [1, 2]),
    ({"in": "query", "schema": INTEGERS, "style": "pipeDelimited", "explode": True}, {}, b"p=1&p=2", {}, [1, 2]),
    ({"in": "query", "schema": POINT, "style": "pipeDelimited"}, {}, b"p=x|1|y|2", {}, {"x": 1, "y": 2}),
    ({"in": "query", "schema": TEXTS, "explode": False}, {}, b"p=a%2Cb,c", {}, ["a,b", "c"]),
    ({"in": "query", "schema": INTEGERS, "explode": False}, {}, b"p=1%2C2", {}, [1, 2]),
    ({"in": "query", "schema": PAIR, "explode": False}, {}, b"p=x,1%2C5,y,2", {}, {"x": "1,5", "y": 2}),
    ({"in": "path", "schema": TEXTS}, {"p": decoded("a%2Cb,c")}, b"", {}, ["a,b", "c"]),
    ({"in": "path", "schema": INTEGERS}, {"p": decoded("1%2c2")}, b"", {}, [1, 2]),
    ({"in": "path", "schema": PAIR}, {"p": decoded("x,1%2C5,y,2")}, b"", {}, {"x": "1,5", "y": 2}),
    ({"in": "path", "schema": PAIR, "explode": True}, {"p": decoded("x=1%2C5,y=2")}, b"", {}, {"x": "1,5", "y": 2}),
    ({"in": "path", "schema": {"type": "string"}}, {"p": decoded("a%2Cb")}, b"", {}, "a,b"),
    ({"in": "query", "schema": {**INTEGERS, "maxItems": 0}}, {}, b"p=", {}, []),
    ({"in": "query", "schema": {"type": "integer"}, "allowEmptyValue": True}, {}, b"p", {}, ""),
    ({"in": "query", "schema": {"type": "string"}, "allowReserved": True}, {}, b"p=a/b?c:d", {}, "a/b?c:d"),
    ({"in": "query", "schema": {"type": "integer", "nullable": True}}, {}, b"p=null", {}, None),
    ({"in": "query", "schema": {"enum": [1, 2]}}, {}, b"p=2", {}, 2),
    ({"in": "query", "schema": {"oneOf": [{"type": "integer"}, {"enum": ["all"]}]}}, {}, b"p=all", {}, "all"),
    ({"in": "query", "schema": {"oneOf": [{"type": "boolean"}, INTEGERS]}}, {}, b"p=1&p=2", {}, [1, 2]),
    ({"in": "query", "schema": {"allOf": [{"type": "integer"}, {"minimum": 1}]}}, {}, b"p=2", {}, 2),
    ({"in": "query", "content": {"application/json": {"schema": POINT}}}, {}, b'p={"x":1}', {}, {"x": 1}),
    (
        {"in": "query", "style": "deepObject", "schema": {"properties": {"of": POINT, "ids": INTEGERS}}},
        {},
        b"p[of][x]=1&p[ids][]=1&p[ids][]=2",
        {},
        {"of": {"x": 1}, "ids": [1, 2]},
    ),
]


@pytest.mark.parametrize(("declared", "path", "query", "headers", "value"), READ)
def test_a_parameter_is_read_in_its_style(
    declared: dict[str, Any], path: dict[str, str], query: bytes, headers: dict[str, str], value: Any
) -> None:
    parameter = Parameter({"name": "p", **declared}, NO_REFERENCES)
    assert read_parameters([parameter], path, query, headers) == ({"p": value}, [])


# declaration, query, rule, name, detail
REFUSED: list[tuple[dict[str, Any], bytes, str, str, str]] = [
    ({"schema": {"type": "integer"}}, b"p=x", "type", "p", 'must be integer, not "x"'),
    ({"schema": {"type": "integer"}}, b"p=" + b"9" * 500, "type", "p", "must be integer"),
    ({"schema": {"type": "integer"}}, b"p=1_0", "type", "p", "must be integer"),
    ({"schema": INTEGERS}, b"p=1&p=x", "type", "p", '/1 must be integer, not "x"'),
    ({"schema": {"type": "string"}}, b"p=1&p=2", "repeated-parameter", "p", "is given 2 times"),
    ({"schema": {"type": "string"}, "required": True}, b"", "required", "p", "is required and missing"),
    ({"schema": {"type": "string"}}, b"p=%FF", "percent-encoding", "p", "must be percent-encoded UTF-8"),
    ({"schema": {"type": "string"}}, b"q=1", "unknown-parameter", "q", "is not a known parameter"),
    ({"schema": INTEGERS, "explode": False}, b"p=1&p=2", "repeated-parameter", "p", "is given 2 times"),
    ({"schema": POINT, "style": "deepObject"}, b"p[x]=a", "type", "p", '/x must be integer, not "a"'),
    ({"schema": POINT, "explode": False}, b"p=x,1,y", "type", "p", 'must be object, not "x,1,y"'),
    ({"schema": {**POINT, "required": ["x"]}, "required": True}, b"", "required", "p", "is required and missing"),
    ({"schema": {"oneOf": [{"type": "integer"}, {"enum": ["all"]}]}}, b"p=none", "oneOf", "p", "fits none of 2"),
    ({"content": {"application/json": {"schema": POINT}}}, b"p={", "json-syntax", "p", "is not JSON"),
    ({"content": {"application/json": {"schema": POINT}}}, b'p={"x":"a"}', "type", "p", "/x must be integer"),
    ({"in": "cookie", "schema": {"type": "string"}, "required": True}, b"", "required", "p", "is required and missing"),
]


@pytest.mark.parametrize(("declared", "query", "rule", "name", "detail"), REFUSED, ids=lambda value: repr(value)[:30])
def test_a_wrong_parameter_is_named(declared: dict[str, Any], query: bytes, rule: str, name: str, detail: str) -> None:
    parameter = Parameter({"name": "p", "in": "query", **declared}, NO_REFERENCES)
    _, findings = read_parameters([parameter], {}, query, {})
    assert [(finding.rule, finding.name) for finding in findings] == [(rule, name)]
    assert findings[0].detail.startswith(detail)
    assert rule in ENGINE_RULES


@pytest.mark.parametrize(("style", "text"), [("matrix", "5"), ("matrix", ";q=5"), ("label", "5")])
def test_what_is_not_in_the_style_of_its_parameter_is_told(style: str, text: str) -> None:
    parameter = Parameter({"name": "p", "in": "path", "style": style, "schema": {"type": "string"}}, NO_REFERENCES)
    _, findings = read_parameters([parameter], {"p": text}, b"", {})
    assert [finding.rule for finding in findings] == ["parameter-style"]


def test_an_object_in_the_open_takes_what_belongs_to_no_other_parameter() -> None:
    free = {"type": "object", "additionalProperties": {"type": "integer"}}
    document = {
        "get": {
            "parameters": [
                {"name": "free", "in": "query", "schema": free},
                {"name": "page", "in": "query", "schema": {"type": "string"}},
            ],
            "responses": {"200": {"description": ""}},
        }
    }
    operation = Operation("/", "get", document, NO_REFERENCES)
    assert operation.check_request(Request(query=b"a=1&page=x")) == ({"free": {"a": 1}, "page": "x"}, [])
    (finding,) = operation.check_request(Request(query=b"a=b"))[1]
    assert (finding.rule, finding.name) == ("type", "free")


@pytest.mark.parametrize("name", ["Accept", "content-type", "Authorization"])
def test_a_header_that_openapi_says_elsewhere_is_no_parameter(name: str) -> None:
    parameters = [{"name": name, "in": "header", "required": True, "schema": {"type": "integer"}}]
    operation = Operation("/", "get", {"get": {"parameters": parameters, "responses": {}}}, NO_REFERENCES)
    assert operation.check_request(Request()) == ({}, [])


@pytest.mark.parametrize("part", [b"pag%d=1", b"%%ff%d=1", b"page[%d]=1"])
def test_a_query_of_ten_thousand_mistakes_is_told_a_hundred(part: bytes) -> None:
    parameter = Parameter({"name": "page", "in": "query", "schema": {"type": "string"}}, NO_REFERENCES)
    started = time.process_time()
    _, findings = read_parameters([parameter], {}, b"&".join(part % number for number in range(10_000)), {})
    assert time.process_time() - started < 0.5  # it is 0.01
    assert len(findings) == MAX_FINDINGS + 1


WRITTEN: list[tuple[dict[str, Any], Any]] = [
    ({"schema": {"type": "string"}}, "a b&c=d"),
    ({"schema": {"type": "integer"}}, 7),
    ({"schema": TEXTS}, ["a", "b,c"]),
    ({"explode": False, "schema": TEXTS}, ["a", "b,c"]),
    ({"style": "spaceDelimited", "explode": False, "schema": TEXTS}, ["a", "b"]),
    ({"style": "pipeDelimited", "explode": False, "schema": TEXTS}, ["a", "b"]),
    ({"schema": POINT}, {"x": 1, "y": 2}),
    ({"explode": False, "schema": POINT}, {"x": 1, "y": 2}),
    ({"style": "deepObject", "schema": POINT}, {"x": 1, "y": 2}),
    ({"content": {"application/json": {"schema": POINT}}}, {"x": 1, "y": 2}),
]


@pytest.mark.parametrize(("declared", "value"), WRITTEN)
def test_what_is_written_in_a_query_is_read(declared: dict[str, Any], value: Any) -> None:
    parameter = Parameter({"name": "p", "in": "query", **declared}, NO_REFERENCES)
    query = "&".join(map("=".join, parameter.written(value, partial(quote, safe=""))))
    assert read_parameters([parameter], {}, query.encode(), {}) == ({"p": value}, [])


@pytest.mark.parametrize("explode", [True, False])
@pytest.mark.parametrize("style", ["simple", "label", "matrix"])
@pytest.mark.parametrize(
    ("schema", "value"),
    [({"type": "string"}, "a"), (INTEGERS, [1, 2]), (POINT, {"x": 1, "y": 2})],
    ids=["text", "array", "object"],
)
def test_what_is_written_in_a_path_is_read(schema: dict[str, Any], value: Any, style: str, *, explode: bool) -> None:
    declared = {"name": "p", "in": "path", "required": True, "style": style, "explode": explode, "schema": schema}
    parameter = Parameter(declared, NO_REFERENCES)
    ((_, text),) = parameter.written(value)
    assert read_parameters([parameter], {"p": text}, b"", {}) == ({"p": value}, [])
