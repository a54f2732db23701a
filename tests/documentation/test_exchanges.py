"""Every example of either contract is the mock's response, and the runner reports one that is not."""

import asyncio
import json
from typing import Any

import pytest
from callconfig.app import example_mock
from callconfig.contract.document import Contract, InvalidContract
from callconfig.controls.bundle import load_controls
from callconfig.documentation.exchanges import examples, operations
from callconfig.documentation.execution import WrongExamples, execute
from callconfig.documentation.samples import request_examples


def test_every_documented_answer_is_what_the_mock_answers(contract: Contract, documented: Contract) -> None:
    answers = asyncio.run(execute(documented, example_mock(contract)))
    assert answers.keys() == {example.anchor for example in examples(documented)}


def test_every_operation_shows_its_success_first(documented: Contract) -> None:
    first = {example.operation.id: example for example in reversed(examples(documented)) if example.operation}
    assert first.keys() == documented.operations.keys()
    for operation, example in first.items():
        assert example.status.startswith("2"), operation
        assert example.is_executable, operation


def test_every_request_example_has_an_answer(documented: Contract) -> None:
    for operation in operations(documented):
        sent = [example.sent.body for example in examples(documented) if example.operation is operation]
        assert [name for name, body in request_examples(operation).items() if body not in sent] == []


@pytest.mark.parametrize(
    ("example", "change", "difference"),
    [
        ("CreateResponse", {"enable_calling": False}, "/enable_calling: documents false, but the response has true"),
        ("CreateResponse", {"id": "cfg_other"}, '/id: documents "cfg_other", but the response has "cfg_abc123"'),
        ("CreateResponse", {"owner": None}, "/owner is documented, but absent from the response"),
        ("UpdateResponse", {"max_retry": True}, "/max_retry: documents true, but the response has 5"),
        ("UnknownConfiguration", {"detail": "Gone."}, '/detail: documents "Gone.", but the response has "No config'),
    ],
)
def test_a_documented_member_that_differs_is_named(
    contract: Contract, example: str, change: dict[str, Any], difference: str
) -> None:
    altered = json.loads(json.dumps(contract.document))
    altered["components"]["examples"][example]["value"] |= change
    assert difference in _differences_of(Contract(altered))


def test_a_list_that_is_documented_shorter_or_longer_than_it_is_differs(contract: Contract) -> None:
    altered = json.loads(json.dumps(contract.document))
    altered["components"]["examples"]["ListResponse"]["value"] = []
    altered["components"]["examples"]["EmptyListResponse"]["value"] = [{"id": "cfg_abc123"}]
    differences = _differences_of(Contract(altered))
    assert "listConfigurations.200.published: /0: documents nothing, but the response has an object" in differences
    assert "listConfigurations.200.nothing: /0 is documented, but absent from the response" in differences


def test_another_status_and_another_header_differ(contract: Contract) -> None:
    altered = json.loads(json.dumps(contract.document))
    altered["components"]["examples"]["DuplicateScope"]["x-request"] = {"body": "published"}
    created = altered["paths"]["/configurations"]["post"]["responses"]["201"]
    created["headers"]["Location"]["example"] = "/configurations/cfg_other"
    differences = _differences_of(Contract(altered))
    assert "createConfiguration.409.duplicateScope: documents 409, but the response is 201" in differences
    assert 'Location: documents "/configurations/cfg_other", but the response has "/configurations/cfg_abc123"' in (
        differences
    )


CONTROLS_EXAMPLES = [
    ("TwoSessions", {"name": "other"}, '/1/name: documents "other", but the response has "mine"'),
    ("TwoSessions", {"idle_seconds": "0.002"}, '/1/idle_seconds: documents "0.002", but the response has '),
    ("TwoSessions", {"idle_seconds": None}, "/1/idle_seconds: documents null, but the response has "),
]


@pytest.mark.parametrize(("example", "change", "difference"), CONTROLS_EXAMPLES)
def test_of_what_varies_the_type_is_compared_and_all_else_is_the_same(
    contract: Contract, example: str, change: dict[str, Any], difference: str
) -> None:
    altered = _altered_controls(contract)
    altered.document["components"]["examples"][example]["value"][1] |= change
    assert difference in _differences_of(altered, contract)


def test_of_records_in_lines_each_is_compared(contract: Contract) -> None:
    altered = _altered_controls(contract)
    altered.document["components"]["examples"]["NdjsonOfTwo"]["value"] = '{"number":1}\n{"number":3}\n'
    assert "exportNdjson.200.two: /1/number: documents 3, but the response has 2" in _differences_of(altered, contract)


def test_an_answer_without_a_body_is_compared_by_its_status(contract: Contract) -> None:
    altered = _altered_controls(contract)
    altered.operations["deleteRule"].declared["responses"]["204"]["x-request"] = {}
    expected = "deleteRule.204.done: documents 204, but the response is 404"
    assert expected in _differences_of(altered, contract)


def test_a_request_that_is_given_and_nowhere_is_an_invalid_contract(contract: Contract) -> None:
    altered = json.loads(json.dumps(contract.document))
    altered["components"]["examples"]["EmptyListResponse"]["x-request"]["given"] = ["publshed"]
    with pytest.raises(InvalidContract, match="#/x-examples/given/publshed: refers to nothing"):
        examples(Contract(altered))


def _altered_controls(contract: Contract) -> Contract:
    """The controls, to be altered."""
    controls = load_controls(contract)
    return Contract(json.loads(json.dumps(controls.document)), controls.base_path)


def _differences_of(contract: Contract, mocked: Contract | None = None) -> str:
    with pytest.raises(WrongExamples) as caught:
        asyncio.run(execute(contract, example_mock(mocked or contract)))
    return str(caught.value)
