"""Operations without a resource: the responses are examples, or made from the schema, and judged as all."""

from collections.abc import Callable
from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.example import documented_reply
from callconfig.contract.generator import Generator

from .conftest import CONTRACTS

MockOf = Callable[..., Any]


def test_the_first_example_is_answered_with_the_fields_that_must_be_there(mock_of: MockOf) -> None:
    answer = mock_of("weather")("GET", "/weather/Oslo")
    assert answer.json() == {"sky": "clear", "degrees": 21.5}
    assert len(answer.headers["x-station"]) == 4


def test_a_value_of_the_schema_is_answered_where_there_is_no_example(mock_of: MockOf) -> None:
    days = mock_of("weather")("GET", "/weather/Oslo/forecast").json()
    contract = Contract.load(CONTRACTS / "weather.yaml")
    schema, generator = contract.resolve("#/components/schemas/Weather"), Generator(contract.resolve, "response")
    assert 3 <= len(days) <= 5
    assert not [day for day in days if not -60 <= day["degrees"] <= 60 or day["sky"] not in ("clear", "rain", "snow")]
    assert generator.value(schema, 1) != generator.value(schema)


def test_a_session_s_seed_decides_which_values(mock_of: MockOf) -> None:
    mock = mock_of("weather")

    def answers() -> list[Any]:
        assert mock("PUT", "/_mock/ids", {"seed": 7}).status_code == 204
        return [mock("GET", "/weather/Oslo/forecast").json() for _ in range(5)]

    assert answers() == answers()
    assert len({str(each) for each in answers()}) > 1


def test_requests_are_judged_and_refused_as_documented(mock_of: MockOf) -> None:
    mock = mock_of("weather")
    assert mock("POST", "/alarms", {"sky": "rain"}).status_code == 202
    refused = mock("POST", "/alarms", {"sky": "fog"})
    assert (refused.status_code, refused.headers["content-type"]) == (400, "text/plain")
    assert refused.text == 'body /sky: must be one of "clear", "rain", "snow", not "fog"'


def test_prefer_rules_and_the_journal_work_without_anything_stored(mock_of: MockOf) -> None:
    mock = mock_of("weather")
    wet = mock("GET", "/weather/Oslo", headers={"Prefer": "example=wet"})
    assert wet.json()["sky"] == "rain"
    rule = {"match": {"operation": "readWeather"}, "answers": [{"status": 200, "example": "wet"}]}
    assert mock("POST", "/_mock/rules", rule).status_code == 201
    assert [mock("GET", "/weather/Oslo").json()["sky"] for _ in range(2)] == ["rain", "clear"]
    assert [each["operation"] for each in mock("GET", "/_mock/requests").json()] == ["readWeather"] * 3
    assert mock("GET", "/_mock/state").json() == {}


@pytest.mark.parametrize("name", ["books", "shops", "bookings", "weather"])
def test_the_reference_of_the_mock_and_of_its_controls_is_there(mock_of: MockOf, name: str) -> None:
    mock = mock_of(name)
    assert name.title() in mock("GET", "/docs").text
    assert "Controls of the mock" in mock("GET", "/_mock/docs").text
    assert f"title: {name.title()}" in mock("GET", "/openapi.yaml").text


@pytest.mark.parametrize(
    ("name", "made"),
    [("books", {"title", "pages"}), ("shops", {"name"}), ("bookings", {"code", "day", "hour"}), ("weather", {"sky"})],
)
def test_a_body_that_the_contract_takes_is_made(mock_of: MockOf, name: str, made: set[str]) -> None:
    answer = mock_of(name)("POST", "/_mock/configuration", {})
    assert answer.status_code == 200
    assert answer.json().keys() >= made


def test_a_status_of_a_range_is_documented_and_a_text_is_sent_as_it_is(mock_of: MockOf) -> None:
    mock = mock_of("weather")
    answers = [
        {"match": {"operation": "readWeather"}, "answer": {"status": 404, "body": "No such place."}, "times": 1},
        {"match": {"operation": "readForecast"}, "answer": 503, "times": 1},
    ]
    assert [mock("POST", "/_mock/rules", rule).status_code for rule in answers] == [201, 201]
    unknown = mock("GET", "/weather/Oslo")
    assert (unknown.status_code, unknown.headers["content-type"], unknown.text) == (404, "text/plain", "No such place.")
    assert mock("GET", "/weather/Oslo/forecast").status_code == 503
    assert mock("GET", "/weather/Oslo").status_code == 200


def of_answers(responses: dict[str, Any]) -> Contract:
    info = {"title": "One", "version": "1"}
    paths = {"/a": {"get": {"operationId": "one", "responses": responses}}}
    return Contract({"openapi": "3.0.3", "info": info, "paths": paths})


@pytest.mark.parametrize(
    ("documented", "content", "body", "sent"),
    [
        ("text/plain", {"example": "Noted."}, b"Noted.", "text/plain"),
        ("text/plain; charset=latin-1", {"example": "ü"}, b"\xfc", "text/plain; charset=latin-1"),
        ("text/*", {"schema": {"type": "integer", "enum": [7]}}, b"7", "text/plain"),
        ("application/xml", {"schema": {"type": "object"}}, b"", "application/xml"),
        ("*/*", {"example": {"a": 1}}, {"a": 1}, "application/json"),
        ("application/*+json", {"example": [1]}, [1], "application/vnd.any+json"),
        ("application/vnd.a+json; v=1", {"example": "a"}, "a", "application/vnd.a+json; v=1"),
    ],
)
def test_an_answer_is_written_as_its_media_type_is(documented: str, content: Any, body: Any, sent: str) -> None:
    contract = of_answers({"200": {"description": "", "content": {documented: content}}})
    assert documented_reply(contract, contract.operations["one"]) == (body, 200, {"content-type": sent})


def test_header_fields_are_written_as_parameters_are() -> None:
    tags = {"required": True, "schema": {"type": "array", "items": {"enum": ["a"]}, "minItems": 2}}
    sent = {"X-Tags": tags, "X-Seen": {"schema": {"type": "boolean"}, "examples": {"yes": {"value": True}}}}
    contract = of_answers({"200": {"description": "", "headers": sent}})
    assert documented_reply(contract, contract.operations["one"])[2] == {"X-Tags": "a,a", "X-Seen": "true"}


def test_a_single_example_is_asked_for_as_example() -> None:
    content = {"application/json": {"example": {"a": 1}}}
    contract = of_answers({"200": {"description": "", "content": content}})
    assert documented_reply(contract, contract.operations["one"], example="example")[0] == {"a": 1}


@pytest.mark.parametrize(
    ("documented", "status"),
    [
        (["404", "202", "200"], 200),
        (["404", "2XX"], 200),
        (["404", "default"], 200),
        (["404", "302"], 404),
        (["4XX"], 400),
    ],
)
def test_the_usual_answer_is_the_first_success(documented: list[str], status: int) -> None:
    contract = of_answers({each: {"description": ""} for each in documented})
    assert documented_reply(contract, contract.operations["one"]) == (None, status, {})
