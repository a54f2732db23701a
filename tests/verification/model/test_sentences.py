"""Every finding is a sentence, for each expectation and each keyword."""

import json
import re
from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.finding import Finding
from callconfig.contract.interaction import Interaction
from callconfig.contract.schema import Schema
from callconfig.verification.footprint import Footprint
from callconfig.verification.judge import Judge
from callconfig.verification.model.collection import Collection
from callconfig.verification.model.comparison import ParsedResponse, compare_response
from callconfig.verification.model.conversations import table_conversations
from callconfig.verification.model.expectation import Expectation, StepRequest, expect, expect_raw, request_for
from callconfig.verification.model.script import Batch, Script
from callconfig.verification.model.state import ModelState
from callconfig.verification.model.steps import RawRequest, Step

SENTENCE = re.compile(r"[a-z0-9\"].*[^\s,;:(]", re.DOTALL)
NO_SENTENCE = re.compile(r" or [,.;)]| or $|,,|\(\)|\(: |because [;,.)]|  |\bNone\b|None of|<[a-z_.]+ object")
KEYWORDS: list[tuple[str, dict[str, Any], Any]] = [
    ("type", {"type": "string"}, 1),
    ("type", {"type": "integer"}, 1.5),
    ("enum", {"enum": ["a", "b"]}, "c"),
    ("enum", {"enum": ["a"]}, "c"),
    ("multipleOf", {"multipleOf": 2}, 3),
    ("maximum", {"maximum": 2}, 3),
    ("maximum", {"maximum": 2, "exclusiveMaximum": True}, 2),
    ("minimum", {"minimum": 2}, 1),
    ("minimum", {"minimum": 2, "exclusiveMinimum": True}, 2),
    ("maxLength", {"maxLength": 1}, "ab"),
    ("minLength", {"minLength": 1}, ""),
    ("minLength", {"minLength": 2}, "a"),
    ("pattern", {"pattern": "^a$"}, "b"),
    ("format", {"type": "string", "format": "date-time"}, "b"),
    ("maxItems", {"maxItems": 1}, [1, 2]),
    ("minItems", {"minItems": 1}, []),
    ("uniqueItems", {"uniqueItems": True}, [1, 1]),
    ("maxProperties", {"maxProperties": 1}, {"a": 1, "b": 2}),
    ("minProperties", {"minProperties": 1}, {}),
    ("required", {"required": ["a"]}, {}),
    ("additionalProperties", {"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}),
    ("anyOf", {"anyOf": [{"type": "string"}, {"type": "array"}]}, 1),
    ("oneOf", {"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 3),
    ("oneOf", {"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 0),
    ("not", {"not": {"type": "string"}}, "a"),
    ("type", {"allOf": [{"type": "string"}]}, 1),
]


def is_a_sentence(detail: str) -> bool:
    return SENTENCE.fullmatch(detail) is not None and NO_SENTENCE.search(detail) is None


@pytest.mark.parametrize(("keyword", "schema", "value"), KEYWORDS, ids=[keyword for keyword, *_ in KEYWORDS])
def test_every_keyword_is_told_in_a_sentence(
    contract: Contract, keyword: str, schema: dict[str, Any], value: Any
) -> None:
    findings = Schema(schema, contract.resolve, "request").findings(value, "body")
    assert [finding.rule for finding in findings] == [keyword]
    assert is_a_sentence(findings[0].detail), findings[0].detail


def expectation(state: ModelState, step: Step, request: StepRequest, judge: Judge) -> Expectation:
    verdict = judge.judge(Interaction(request.method, request.target, 0, request.headers, request.body))
    if isinstance(step, RawRequest):
        found = judge.locate(step.method, request.target.partition("?")[0])
        return expect_raw(step, found if isinstance(found, Finding) else found[0], verdict.request)
    return expect(state, step, request, verdict.request)


def test_every_expectation_is_told_in_a_sentence(contract: Contract) -> None:
    """Every step of every conversation, with a wrong response."""
    footprint = Footprint(contract, "http://a", "test", anywhere=True)
    (collection,) = Collection.every(contract, lambda _operation: True, footprint)
    script, judge = Script(collection), Judge(contract)
    details: set[str] = set()
    for conversation in table_conversations(script):
        state = ModelState.of(collection, "test")
        for number, step in enumerate(
            script.resolved(conversation.combined if isinstance(conversation, Batch) else conversation)
        ):
            request = request_for(state, step)
            expected = expectation(state, step, request, judge)
            mistakes, _ = compare_response(state, step, request, expected, ParsedResponse(299))
            mistakes += compare_response(state, step, request, expected, ParsedResponse(405))[0]
            details |= {mistake.finding.detail for mistake in mistakes}
            body = json.loads(request.body) if request.operation is collection.create and number == 0 else None
            shown = {**body, "id": "cfg_1"} if isinstance(body, dict) else None
            wrong, state = compare_response(state, step, request, expected, ParsedResponse(201, shown))
            details |= {mistake.finding.detail for mistake in wrong}
    assert len(details) > 100
    assert [detail for detail in details if not is_a_sentence(detail)] == []
    assert any(detail.startswith("must be 404, because") for detail in details)
