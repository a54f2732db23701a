"""Every example of the contract is what the mock answers, and the runner notices when it is not."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from callconfig.app import example_mock
from callconfig.contract.document import Contract
from callconfig.documentation.exchanges import examples, operations
from callconfig.documentation.execution import WrongExamples, execute
from callconfig.documentation.samples import request_examples


def test_every_documented_answer_is_what_the_mock_answers(contract: Contract) -> None:
    answers = asyncio.run(execute(contract, partial(example_mock, contract)))
    assert answers.keys() == {example.anchor for example in examples(contract)}


def test_every_request_example_has_an_answer(contract: Contract) -> None:
    for operation in operations(contract):
        sent = [example.sent.body for example in examples(contract) if example.operation is operation]
        assert [name for name, body in request_examples(contract, operation).items() if body not in sent] == []


@pytest.mark.parametrize(
    ("example", "change", "difference"),
    [
        ("CreateResponse", {"enable_calling": False}, "/enable_calling: documents false, but the answer has true"),
        ("CreateResponse", {"id": "cfg_other"}, '/id: documents "cfg_other", but the answer has "cfg_abc123"'),
        ("CreateResponse", {"owner": None}, "/owner is documented, but the answer does not have it"),
        ("UpdateResponse", {"max_retry": True}, "/max_retry: documents true, but the answer has 5"),
        ("UnknownConfiguration", {"detail": "Gone."}, '/detail: documents "Gone.", but the answer has "No config'),
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
    assert "listConfigurations.200.published: /0: documents nothing, but the answer has an object" in differences
    assert "listConfigurations.200.nothing: /0 is documented, but the answer does not have it" in differences


def test_another_status_and_another_header_differ(contract: Contract) -> None:
    altered = json.loads(json.dumps(contract.document))
    altered["components"]["examples"]["DuplicateScope"]["x-request"] = {"body": "published"}
    created = altered["paths"]["/configurations"]["post"]["responses"]["201"]
    created["headers"]["Location"]["example"] = "/configurations/cfg_other"
    differences = _differences_of(Contract(altered))
    assert "createConfiguration.409.duplicateScope: documents 409, but the answer is 201" in differences
    assert 'Location: documents "/configurations/cfg_other", but the answer has "/configurations/cfg_abc123"' in (
        differences
    )


def _differences_of(contract: Contract) -> str:
    with pytest.raises(WrongExamples) as caught:
        asyncio.run(execute(contract, partial(example_mock, contract)))
    return str(caught.value)
