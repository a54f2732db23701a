"""The engine's findings in a value, keyword by keyword, with their words."""

import time
from typing import Any

import pytest
from callconfig.contract.references import References
from callconfig.contract.rulebook import ENGINE_RULES
from callconfig.contract.schema import Schema

NO_REFERENCES: dict[str, Any] = {}

# schema, value, rule, pointer, detail
VIOLATIONS: list[tuple[dict[str, Any], Any, str, str, str]] = [
    ({"type": "integer"}, "1", "type", "", 'must be integer, not "1"'),
    ({"type": "integer"}, 1.0, "type", "", "must be integer, not 1.0"),
    ({"type": "integer"}, True, "type", "", "must be integer, not true"),
    ({"type": "string", "nullable": True}, 1, "type", "", "must be string or null, not 1"),
    ({"type": "string"}, None, "type", "", "must be string, not null"),
    ({"type": "string"}, {"a": 1}, "type", "", "must be string, not an object"),
    ({"type": "object"}, [1], "type", "", "must be object, not an array"),
    ({"enum": ["A", "B"]}, "a", "enum", "", 'must be one of "A", "B", not "a"'),
    ({"minimum": 1}, 0, "minimum", "", "must be at least 1, not 0"),
    ({"maximum": 1}, 2, "maximum", "", "must be at most 1, not 2"),
    ({"multipleOf": 5}, 7, "multipleOf", "", "must be a multiple of 5, not 7"),
    ({"format": "int32", "type": "integer"}, 2**31, "maximum", "", "must be at most 2147483647, not 2147483648"),
    ({"minLength": 1}, "", "minLength", "", "must have at least 1 character, not 0"),
    ({"maxLength": 2}, "abc", "maxLength", "", "must have at most 2 characters, not 3"),
    ({"pattern": "^a$"}, "b", "pattern", "", 'must match ^a$, not "b"'),
    ({"pattern": "^a$"}, "a\n", "pattern", "", 'must match ^a$, not "a\\n"'),
    ({"format": "date-time"}, "today", "format", "", 'must be an RFC 3339 date-time, not "today"'),
    ({"format": "iana-time-zone"}, "Mars", "format", "", 'must be an IANA time zone name, not "Mars"'),
    ({"format": "email"}, "me", "format", "", 'must be of the format email, such as name@example.com, not "me"'),
    ({"format": "sf-token"}, "?", "format", "", 'must be of the format sf-token, not "?"'),
    ({"minItems": 1}, [], "minItems", "", "must have at least 1 item, not 0"),
    ({"maxItems": 1}, [1, 2], "maxItems", "", "must have at most 1 item, not 2"),
    ({"uniqueItems": True}, [1, 1], "uniqueItems", "", "must not have the same item twice"),
    ({"minProperties": 1}, {}, "minProperties", "", "must have at least 1 member, not 0"),
    ({"maxProperties": 1}, {"a": 1, "b": 1}, "maxProperties", "", "must have at most 1 member, not 2"),
    ({"not": {"type": "string"}}, "a", "not", "", 'must be something other than "a"'),
    ({"properties": {"a": {}}, "required": ["a"]}, {}, "required", "/a", "is required and missing"),
    (
        {"properties": {"timeout": {}}, "additionalProperties": False},
        {"timeuot": 1},
        "additionalProperties",
        "/timeuot",
        'is not a known member; did you mean "timeout"?',
    ),
    (
        {"items": {"properties": {"a/b": {"type": "integer"}}}},
        [{"a/b": ""}],
        "type",
        "/0/a~1b",
        'must be integer, not ""',
    ),
    (
        {"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 3}]},
        "ab",
        "anyOf",
        "",
        "fits none of 2 alternatives; the nearest one says: it must have at least 3 characters, not 2",
    ),
    (
        {"oneOf": [{"minimum": 1}, {"minimum": 2}]},
        3,
        "oneOf",
        "",
        "fits more than one alternative, and must fit exactly one",
    ),
]


def schema(declared: dict[str, Any], direction: Any = "request", **references: Any) -> Schema:
    return Schema(declared, References(references), direction)


@pytest.mark.parametrize(("declared", "value", "rule", "pointer", "detail"), VIOLATIONS)
def test_a_violation_is_named_located_and_told_in_words(
    declared: dict[str, Any], value: Any, rule: str, pointer: str, detail: str
) -> None:
    findings = schema(declared).findings(value, "body")
    assert [(finding.rule, finding.pointer, finding.detail) for finding in findings] == [(rule, pointer, detail)]
    assert rule in ENGINE_RULES


def test_all_violations_are_told_at_once() -> None:
    declared = {"properties": {"a": {"type": "integer"}, "b": {"minLength": 2}}, "required": ["c"]}
    findings = schema(declared).findings({"a": "", "b": ""}, "body")
    assert sorted(finding.pointer or "" for finding in findings) == ["/a", "/b", "/c"]


@pytest.mark.parametrize("value", [{"token": "s3cret"}, {"token": 1234567}, {"token": "s3cret" * 9}])
def test_a_secret_is_not_repeated_in_a_finding(value: Any) -> None:
    token = {"type": "string", "format": "password", "pattern": "^a", "maxLength": 9, "not": {"minLength": 1}}
    declared = {"properties": {"token": token}}
    findings = schema(declared).findings(value, "body")
    assert findings
    assert not any("s3cret" in str(finding) or "1234567" in str(finding) for finding in findings)


def test_a_long_value_is_cut_in_a_finding() -> None:
    (finding,) = schema({"enum": ["a"]}).findings("x" * 10_000, "body")
    assert len(finding.detail) < 200


def test_an_integer_beyond_64_bits_is_shown_and_judged() -> None:
    (finding,) = schema({"maximum": 9}).findings(10**30, "body")
    assert finding.detail == f"must be at most 9, not {10**30}"


def test_a_parameter_is_located_by_its_name() -> None:
    (finding,) = schema({"type": "integer"}).findings("x", "query", "page")
    assert (finding.place, finding.name, finding.pointer) == ("query", "page", None)


def test_a_recursive_schema_is_judged_at_any_depth() -> None:
    tree = {"properties": {"next": {"$ref": "#/tree"}}, "additionalProperties": False, "type": "object"}
    judge = schema({"$ref": "#/tree"}, tree=tree)
    assert judge.findings({"next": {"next": {}}}, "body") == []
    assert [finding.pointer for finding in judge.findings({"next": {"next": {"x": 1}}}, "body")] == ["/next/next/x"]


READ_AND_WRITE = {
    "properties": {"id": {"readOnly": True}, "token": {"writeOnly": True}},
    "required": ["id", "token"],
}


def test_what_belongs_to_the_other_direction_is_not_required() -> None:
    assert schema(READ_AND_WRITE, "request").findings({"token": 1}, "body") == []
    assert schema(READ_AND_WRITE, "response").findings({"id": 1}, "body") == []


def test_a_read_only_member_may_be_sent_back() -> None:
    assert schema(READ_AND_WRITE, "request").findings({"token": 1, "id": 1}, "body") == []


def test_a_write_only_member_in_a_response_is_a_violation() -> None:
    (finding,) = schema(READ_AND_WRITE, "response").findings({"id": 1, "token": "s3cret"}, "body")
    assert (finding.rule, finding.pointer, finding.detail) == ("writeOnly", "/token", "is never returned, but was")


def test_defaults_are_filled_in_at_any_depth_in_the_order_of_the_contract() -> None:
    item = {"properties": {"size": {"default": 10}, "name": {}}}
    declared = {"properties": {"a": {"default": []}, "b": {}, "items": {"items": {"$ref": "#/item"}}}}
    judge = schema(declared, item=item)
    given = {"items": [{"name": "n"}], "b": 1, "extra": 2}
    filled = judge.fill_defaults(given)
    assert filled == {"a": [], "b": 1, "items": [{"size": 10, "name": "n"}], "extra": 2}
    assert list(filled) == ["a", "b", "items", "extra"]
    assert given == {"items": [{"name": "n"}], "b": 1, "extra": 2}
    filled["a"].append("mine")
    assert judge.fill_defaults({})["a"] == []


def test_members_that_are_never_returned_are_taken_out_at_any_depth() -> None:
    declared = {"items": {"properties": {"config": {"nullable": True, **READ_AND_WRITE}}}}
    judge = schema(declared, "response")
    assert judge.without_write_only([{"config": {"id": 1, "token": 2}}, {"config": None}]) == [
        {"config": {"id": 1}},
        {"config": None},
    ]


def test_what_is_never_returned_stays_away_whatever_is_inside_of_it() -> None:
    secret = {"type": "object", "writeOnly": True, "properties": {"token": {"writeOnly": True}}}
    judge = Schema({"properties": {"secret": secret}}, References({}), "response")
    assert judge.without_write_only({"id": 1, "secret": {"token": 2, "user": 3}}) == {"id": 1}


RULES = {
    "not": {
        "anyOf": [
            {
                "description": "a needs b",
                "x-rule": {"id": "a-needs-b", "members": ["b"]},
                "required": ["a"],
                "properties": {"a": {"enum": [True]}, "b": {"enum": [None]}},
            },
            {
                "description": "a and c go together",
                "x-rule": {"id": "a-with-c", "members": ["a", "c"]},
                "oneOf": [{"required": ["a"]}, {"required": ["c"]}],
            },
        ]
    }
}


@pytest.mark.parametrize(
    ("value", "broken"),
    [
        ({"a": True, "b": 1, "c": 1}, []),
        ({"a": True, "c": 1}, [("a-needs-b", "/b", "a needs b")]),
        ({"c": 1}, [("a-with-c", "/a", "a and c go together")]),
        ({"a": True}, [("a-needs-b", "/b", "a needs b"), ("a-with-c", "/c", "a and c go together")]),
    ],
)
@pytest.mark.parametrize("declared", [RULES, {"allOf": [{"$ref": "#/rules"}]}])
def test_each_rule_across_members_that_is_broken_is_told_in_its_own_words(
    declared: dict[str, Any], value: Any, broken: list[tuple[str, str, str]]
) -> None:
    findings = schema(declared, rules=RULES).findings(value, "body")
    assert [(finding.rule, finding.pointer, finding.detail) for finding in findings] == broken


def test_a_rule_inside_an_item_points_into_the_item() -> None:
    (finding,) = schema({"items": RULES}).findings([{}, {"c": 1}], "body")
    assert (finding.rule, finding.pointer) == ("a-with-c", "/1/a")


def test_a_recursion_through_all_of_ends() -> None:
    tree = {"properties": {"next": {"allOf": [{"$ref": "#/tree"}]}, "size": {"default": 1}}}
    assert schema({"$ref": "#/tree"}, tree=tree).fill_defaults({"next": {}})["size"] == 1


FRIENDS: dict[str, Any] = {
    str(number): {"properties": {str(other): {"$ref": f"#/{other}"} for other in range(40)} | {"size": {"default": 1}}}
    for number in range(40)
}


def test_schemas_that_refer_to_one_another_cost_what_they_say() -> None:
    started = time.process_time()
    judge = schema({"$ref": "#/0"}, **FRIENDS)
    assert judge.fill_defaults({"7": {"3": {}}})["7"] == {"3": {"size": 1}, "size": 1}
    assert time.process_time() - started < 2


def test_a_recursive_schema_is_transformed_at_any_depth() -> None:
    tree = {"properties": {"next": {"$ref": "#/tree"}, "size": {"default": 1}, "token": {"writeOnly": True}}}
    judge = schema({"$ref": "#/tree"}, tree=tree)
    assert judge.fill_defaults({"next": {"next": {}}}) == {"next": {"next": {"size": 1}, "size": 1}, "size": 1}
    assert judge.without_write_only({"next": {"next": {"token": 1}}}) == {"next": {"next": {}}}


ITEM = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a", "b"]}
LOOSE = {"anyOf": [{"items": ITEM}, {"items": {"minLength": 3, "type": "string"}}]}


@pytest.mark.parametrize(
    ("declared", "value", "most"),
    [
        ({"items": ITEM}, [{}] * 300_000, 101),
        ({"items": ITEM, "maxItems": 50}, [{}] * 300_000, 1),
        ({"properties": {"a": {"items": ITEM, "maxItems": 50}}}, {"a": [{}] * 300_000}, 1),
        ({"additionalProperties": False, "properties": {"a1": {}}}, {f"a{n}": 1 for n in range(2, 90_000)}, 101),
        ({"additionalProperties": ITEM}, {f"a{n}": {} for n in range(90_000)}, 101),
        ({"additionalProperties": ITEM}, {"a" * 500_000: {"a": ""}}, 2),
        (LOOSE, [{}] * 300_000, 1),
        ({"items": {"anyOf": [ITEM, {"type": "string"}]}}, [{}] * 300_000, 101),
        ({"additionalProperties": False, "properties": {"a" * 40: {}}}, {"b" + "a" * 500_000: 1}, 1),
        ({"not": {"items": {"type": "object"}}}, [{}] * 300_000, 1),
    ],
)
def test_what_is_told_and_what_it_costs_are_bounded(declared: dict[str, Any], value: Any, most: int) -> None:
    judge = schema(declared)
    started = time.process_time()
    findings = judge.findings(value, "body")
    assert time.process_time() - started < 0.5  # it is 0.01; each error with its value took 10 seconds
    assert len(findings) == most
    assert sum(len(str(finding)) for finding in findings) < 100_000


def test_a_long_array_is_judged_like_a_short_one() -> None:
    array = {"type": "array", "maxItems": 1000, "items": {"type": "integer"}}
    judge = schema({"type": "object", "properties": {"a": array}})
    wrong = [*[1] * 500, "x", *[1] * 400, "y"]
    assert judge.findings({"a": [1] * 1000}, "body") == []
    assert [each.pointer for each in judge.findings({"a": wrong}, "body")] == ["/a/500", "/a/901"]
    assert [each.rule for each in judge.findings({"a": [*[1] * 1000, "x"]}, "body")] == ["maxItems"]


LATER: dict[str, tuple[dict[str, Any], Any, str]] = {
    "const": ({"const": 3}, 4, "/: must be 3, not 4"),
    "type list": ({"type": ["string", "null"]}, 4, "/: must be string or null, not 4"),
    "exclusiveMinimum": ({"exclusiveMinimum": 3}, 3, "/: must be more than 3, not 3"),
    "minimum beside it": ({"minimum": 1, "exclusiveMaximum": 3}, 0, "/: must be at least 1, not 0"),
    "prefixItems": ({"prefixItems": [{"type": "string"}]}, [1], "/0: must be string, not 1"),
    "items after them": ({"prefixItems": [{}], "items": {"type": "string"}}, [1, 2], "/1: must be string, not 2"),
    "no more items": ({"prefixItems": [{}], "items": False}, [1, 2], "/1: is one item too many; there may be 1 item"),
    "contains": ({"contains": {"const": 1}, "minContains": 2}, [1], "/: must have at least 2 items that are valid"),
    "patternProperties": ({"patternProperties": {"^x": {"type": "string"}}}, {"x1": 1}, "/x1: must be string, not 1"),
    "others": ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"y": 1}, "/y: is not a known member"),
    "propertyNames": ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "/ab: has a name that must have at most 1"),
    "dependentRequired": ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, '/b: is required beside "a" and missing'),
    "dependentSchemas": ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"a": 1}, "/b: is required and missing"),
    "then": ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}, "/b: is required and missing"),
    "else": ({"if": {"required": ["a"]}, "else": {"required": ["b"]}}, {}, "/b: is required and missing"),
    "unevaluatedProperties": (
        {"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, {"a": 1, "b": 2},
        "/b: is not a known member",
    ),
    "beside a reference": ({"$ref": "#/named", "maxLength": 1}, "ab", "/: must have at most 1 character, not 2"),
    "behind a reference": ({"$ref": "#/named", "maxLength": 1}, 4, "/: must be string, not 4"),
    "false": ({"properties": {"a": False}}, {"a": 1}, "/a: is not a known member"),
    "not required": ({"not": {"required": ["a", "b"]}}, {"a": 1, "b": 2}, '/: must not have "a" and "b" beside what'),
}  # fmt: skip


@pytest.mark.parametrize("keyword", LATER)
def test_a_keyword_of_json_schema_2020_12_is_judged_in_words(keyword: str) -> None:
    declared, value, said = LATER[keyword]
    references = References({"openapi": "3.1.0", "named": {"type": "string"}})
    findings = Schema(declared, references, "request").findings(value, "body")
    details = [f"{finding.pointer or '/'}: {finding.detail}" for finding in findings]
    assert len(details) == 1
    assert details[0].startswith(said)
