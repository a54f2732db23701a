"""Parameters in the styles of OpenAPI 3.0."""

import time
from typing import Any

import pytest
from callconfig.contract.finding import MOST_FINDINGS
from callconfig.contract.parameters import Parameter, read_parameters
from callconfig.contract.rulebook import ENGINE_RULES


def no_references(reference: str) -> dict[str, Any]:
    raise KeyError(reference)


INTEGERS = {"type": "array", "items": {"type": "integer"}}
POINT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}}

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
]


@pytest.mark.parametrize(("declared", "path", "query", "headers", "value"), READ)
def test_a_parameter_is_read_in_its_style(
    declared: dict[str, Any], path: dict[str, str], query: bytes, headers: dict[str, str], value: Any
) -> None:
    parameter = Parameter({"name": "p", **declared}, no_references)
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
]


@pytest.mark.parametrize(("declared", "query", "rule", "name", "detail"), REFUSED, ids=lambda value: repr(value)[:30])
def test_a_wrong_parameter_is_named(declared: dict[str, Any], query: bytes, rule: str, name: str, detail: str) -> None:
    parameter = Parameter({"name": "p", "in": "query", **declared}, no_references)
    _, findings = read_parameters([parameter], {}, query, {})
    assert [(finding.rule, finding.name) for finding in findings] == [(rule, name)]
    assert findings[0].detail.startswith(detail)
    assert rule in ENGINE_RULES


@pytest.mark.parametrize("part", [b"pag%d=1", b"%%ff%d=1", b"page[%d]=1"])
def test_a_query_of_ten_thousand_mistakes_is_told_a_hundred(part: bytes) -> None:
    parameter = Parameter({"name": "page", "in": "query", "schema": {"type": "string"}}, no_references)
    started = time.process_time()
    _, findings = read_parameters([parameter], {}, b"&".join(part % number for number in range(10_000)), {})
    assert time.process_time() - started < 0.5  # it is 0.01
    assert len(findings) == MOST_FINDINGS + 1
