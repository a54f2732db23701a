"""The contract itself: it is OpenAPI, its examples are valid, and nothing in it is unbounded or undeclared."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from callconfig.contract.body import MAX_BYTES, MAX_CONTAINERS
from callconfig.contract.document import BUILT_IN, Contract, InvalidContract
from callconfig.contract.rulebook import ENGINE_RULES
from callconfig.contract.schema import Schema
from callconfig.contract.strict_json import MAX_DEPTH
from openapi_spec_validator import OpenAPIV30SpecValidator

PUBLISHED = Path(__file__).parent / "published"


def media_types(contract: Contract) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every media type of every request and response, with its place and its direction."""
    for operation in contract.operations.values():
        declared = operation.declared
        for content in declared.get("requestBody", {}).get("content", {}).values():
            yield f"{operation.id} request", content, "request"
        for status, response in declared["responses"].items():
            response = contract.resolve(response["$ref"]) if "$ref" in response else response
            for content in response.get("content", {}).values():
                yield f"{operation.id} {status}", content, "response"


def test_openapi_spec_validator_accepts_the_contract(contract: Contract) -> None:
    assert list(OpenAPIV30SpecValidator(dict(contract.document)).iter_errors()) == []


def test_every_named_example_is_valid(contract: Contract) -> None:
    judged = 0
    for place, content, direction in media_types(contract):
        schema = Schema(content["schema"], contract.resolve, direction)
        for name, example in content.get("examples", {}).items():
            value = (contract.resolve(example["$ref"]) if "$ref" in example else example)["value"]
            assert schema.findings(value, "body") == [], f"{place} {name}"
            judged += 1
    assert judged >= 15


def test_every_parameter_example_is_valid(contract: Contract) -> None:
    for operation in contract.operations.values():
        for parameter, declared in zip(
            operation.parameters, _parameters(contract, operation.path, operation.method), strict=True
        ):
            for example in declared["examples"].values():
                assert parameter.read([example["value"]])[1] == [], f"{operation.id} {parameter.name}"


def _parameters(contract: Contract, path: str, method: str) -> list[dict[str, Any]]:
    declared: list[dict[str, Any]] = contract.document["paths"][path][method.lower()].get("parameters", [])
    return declared


def test_every_example_and_default_of_a_schema_is_valid(contract: Contract) -> None:
    judged = 0
    for pointer, schema in schemas(contract.document["components"]["schemas"], "#/components/schemas"):
        for keyword in ("example", "default"):
            if keyword in schema:
                findings = Schema(schema, contract.resolve, "request").findings(schema[keyword], "body")
                assert findings == [], f"{pointer} {keyword}"
                judged += 1
    assert judged >= 30


def schemas(node: Any, pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every inline schema below a map of schemas."""
    for name, schema in node.items():
        here = f"{pointer}/{name}"
        if "$ref" in schema:
            continue
        yield here, schema
        yield from schemas(schema.get("properties", {}), f"{here}/properties")
        for keyword in ("items", "additionalProperties"):
            if isinstance(schema.get(keyword), dict):
                yield from schemas({keyword: schema[keyword]}, here)


BOUNDS = {
    "string": ({"maxLength"}, {"pattern"}, {"enum"}, {"readOnly"}),  # members that the server sets may be in a request
    "integer": ({"minimum", "maximum"},),
    "array": ({"maxItems"},),
}


def test_what_a_client_sends_is_bounded(contract: Contract) -> None:
    declared = contract.document["components"]["schemas"]
    answers_only = {"Problem", "Violation"}
    for pointer, schema in schemas({n: s for n, s in declared.items() if n not in answers_only}, ""):
        kinds = BOUNDS.get(schema.get("type", ""))
        assert kinds is None or any(bounds <= schema.keys() for bounds in kinds), pointer
        if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
            assert "maxProperties" in schema, pointer


def test_requests_are_closed_and_responses_are_open(contract: Contract) -> None:
    """An unknown member is an error in a request; a response may gain members (contract, first page)."""
    for place, content, direction in media_types(contract):
        schema = Schema(content["schema"], contract.resolve, direction)
        examples = content.get("examples", {}).values()
        for example in examples:
            value = (contract.resolve(example["$ref"]) if "$ref" in example else example)["value"]
            if isinstance(value, dict):
                assert schema.accepts({**value, "surprise": 1}) == (direction == "response"), place


@pytest.mark.parametrize(
    ("name", "place"), [("CreateRequest", "value"), ("CreateResponse", "x-published"), ("UpdateRequest", "value")]
)
def test_the_published_samples_stand_in_the_contract_to_the_letter(contract: Contract, name: str, place: str) -> None:
    published = json.loads((PUBLISHED / f"{name}.json").read_text())
    example = contract.document["components"]["examples"][name][place]
    assert example == published
    assert list(example) == list(published)


def test_an_answer_has_every_member_that_was_published_of_it(contract: Contract) -> None:
    """The examples are executed, so their `value` is the mock's response."""
    examples = contract.document["components"]["examples"].values()
    abbreviated = [example for example in examples if "x-published" in example]
    assert len(abbreviated) == 1
    for example in abbreviated:
        assert {name: example["value"][name] for name in example["x-published"]} == example["x-published"]


def test_what_is_always_answered_is_required_and_only_a_secret_is_not_answered(contract: Contract) -> None:
    for pointer, schema in schemas(contract.document["components"]["schemas"], ""):
        closed = schema.get("additionalProperties") is False
        if schema.get("type") == "object" and "properties" in schema and not closed and "/not" not in pointer:
            optional = [
                name
                for name, member in schema["properties"].items()
                if name not in schema.get("required", []) and not member.get("writeOnly")
            ]
            assert optional == {"/Problem": ["errors"], "/Violation": ["pointer", "name"]}.get(pointer, []), pointer


def test_the_copies_of_a_member_are_the_same(contract: Contract) -> None:
    """Copies of a member differ only in whether its objects are closed."""
    declared = contract.document["components"]["schemas"]
    answered = declared["CallExecutionConfig"]
    for name in ("CallExecutionConfigCreate", "CallExecutionConfigUpdate"):
        form = declared[name]
        assert form["not"] == answered["not"]
        for member, schema in form["properties"].items():
            assert _open(schema) == _open(answered["properties"][member]), f"{name}.{member}"
    assert declared["CallExecutionConfigUpdate"]["properties"].keys() == answered["properties"].keys()
    made = {"id", "created_at", "updated_at"}
    assert declared["CallExecutionConfigCreate"]["properties"].keys() == answered["properties"].keys() - made
    assert declared["CallExecutionConfigCreate"]["required"] == declared["CallExecutionConfigUpdate"]["required"]
    for name in ("PreCheck", "ResponseConfig", "TelephonyConfig"):
        assert _open(declared[f"{name}Input"])["properties"] == _open(declared[name])["properties"]
    times = {
        schema["pattern"]
        for name, schema in answered["properties"].items()
        if name.endswith(("_start_time", "_end_time"))
    }
    assert len(times) == 1
    numbers = [
        answered["properties"]["inbound_redirect_number"],
        answered["properties"]["rate_limit_whitelist"]["items"],
        declared["TelephonyConfig"]["properties"]["from_number"],
    ]
    assert len({schema["pattern"] for schema in numbers}) == 1
    for operation in contract.operations.values():
        for parameter in operation.parameters:
            member = answered["properties"][parameter.name]
            bounds = ("type", "minLength", "maxLength")
            assert parameter.declared == {name: member[name] for name in bounds}, parameter.name


def _open(schema: Any) -> Any:
    """A schema without `additionalProperties` and `required`, at any depth.

    `x-search` is left out, too: only the response's schema has it, by which the reference describes the member.
    """
    if isinstance(schema, list):
        return [_open(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"].removesuffix("Input")}
    left_out = {"required", "x-search"} | (
        {"additionalProperties"} if schema.get("additionalProperties") is False else set()
    )
    return {name: _open(value) for name, value in schema.items() if name not in left_out}


MEANINGS = [
    ("call_start_time", "itself included"),
    ("call_start_time", "that of the service's own time zone, neither the caller's nor `inbound_call_timezone`"),
    ("call_start_time", "falls outside the window is not dropped: it waits, and is placed when the window opens"),
    ("call_end_time", "itself included"),
    ("call_end_time", "Earlier than the start, the window passes midnight"),
    ("call_end_time", "Equal to it, the window is that one instant"),
    ("retry_offset", "Seconds between the end of a failed attempt and the next attempt"),
    ("max_retry", "at most 1 + `max_retry` attempts"),
    ("inbound_call_start_time", "itself included"),
    ("inbound_call_start_time", "`null`, here and in the end, is no restriction: they are accepted around the clock"),
    ("inbound_call_end_time", "itself included"),
    ("inbound_call_end_time", "Earlier than the start, the window passes midnight"),
    ("inbound_call_end_time", "equal to it, the window is that one instant"),
    ("inbound_call_timezone", "`null` means India Standard Time, `Asia/Kolkata`"),
    ("inbound_block_action", "in this order: `enable_inbound`, the hours, the blacklist, the rate limit"),
    ("inbound_block_action", "the first that fails blocks it"),
    ("inbound_block_message", "Before a redirect it may be spoken or not"),
    ("rate_limit_max_calls", "Above the limit, calls are queued or dropped"),
    ("rate_limit_window_seconds", "begins with the first call that is counted, and ends this long after it"),
    ("rate_limit_whitelist", "neither counted nor limited"),
    ("pre_checks", "When one says no, the call is not placed"),
]
LIVE = [
    ("Time zone of outbound hours", "India Standard Time, UTC+05:30"),
    ("Number of attempts", "At most `max_retry` calls are placed in all, and at least one"),
    ("Rate limit", "Inbound calls are counted, by reseller, template and the caller's number"),
    ("Message before a redirect", "forwarded at once, without it"),
]


@pytest.mark.parametrize(("member", "meaning"), MEANINGS)
def test_what_a_number_means_stands_in_the_description_of_its_member(
    contract: Contract, member: str, meaning: str
) -> None:
    schema = contract.document["components"]["schemas"]["CallExecutionConfig"]["properties"][member]
    assert meaning in " ".join(contract.resolve.followed(schema)["description"].split())


@pytest.mark.parametrize(("title", "difference"), LIVE)
def test_what_is_otherwise_in_the_field_stands_among_the_known_differences(
    contract: Contract, title: str, difference: str
) -> None:
    (known,) = [each for each in contract.document["x-known-differences"] if each["title"] == title]
    assert difference in " ".join(known["live"].split())


def test_the_bounds_of_any_body_are_those_of_the_engine(contract: Contract) -> None:
    description = " ".join(contract.document["info"]["description"].split())
    for bound in (f"{MAX_BYTES >> 20} MiB in all", f"{MAX_CONTAINERS:,} opening brackets", f"{MAX_DEPTH} arrays"):
        assert f"at most {bound}" in description


def test_every_member_belongs_to_a_group_and_every_group_has_members(contract: Contract) -> None:
    schema = contract.document["components"]["schemas"]["CallExecutionConfig"]
    grouped = [member for group in schema["x-groups"] for member in group["members"]]
    assert sorted(grouped) == sorted(schema["properties"])


def test_the_rules_across_members_have_names_of_their_own(contract: Contract) -> None:
    rules = contract.document["components"]["schemas"]["CallExecutionConfig"]["not"]["anyOf"]
    names = [rule["x-rule"]["id"] for rule in rules]
    assert len(set(names)) == 3
    assert not set(names) & ENGINE_RULES.keys()


def test_a_reader_of_the_file_alone_sees_every_description(contract: Contract) -> None:
    properties = contract.document["components"]["schemas"]["CallExecutionConfig"]["properties"]
    for name, schema in properties.items():
        resolved = contract.resolve(schema["$ref"]) if "$ref" in schema else schema
        assert resolved.get("description"), name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not an OpenAPI 3.0 or 3.1 document: it does not say which version it is"),
        ("swagger: '2.0'\n", "is not an OpenAPI 3.0 or 3.1 document: it says 2.0"),
        ("openapi: 3.2.0\n", "is not an OpenAPI 3.0 or 3.1 document: it says 3.2.0"),
        ("openapi: 3.1.0\n", "/info is required and missing"),
        ("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {a: {}}\n", "/paths/a must begin with a slash"),
        ("openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {a: {}}\n", "/paths/a must begin with a slash"),
        ("a: [", "is neither YAML nor JSON: line 2, column 1"),
        ("a: 1\na: 2\n", "line 2: 'a' is given more than once"),
        ("openapi: 3.0.3\ninfo: {title: t, version: '1'}\n", "/paths is required and missing"),
    ],
)
def test_a_file_that_is_no_contract_is_refused_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(text)
    with pytest.raises(InvalidContract, match=reason) as caught:
        Contract.load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(InvalidContract, match="cannot be read"):
        Contract.load(tmp_path / "nowhere.yaml")


def test_the_built_in_contract_is_the_file_at_the_root() -> None:
    assert BUILT_IN.name == "openapi.yaml"
    assert BUILT_IN.parent.joinpath("contract").is_dir()
