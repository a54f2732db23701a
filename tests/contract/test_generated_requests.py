"""Valid requests that Schemathesis generates from a contract have no finding."""

from pathlib import Path
from typing import Any, cast

import pytest
import requests
import schemathesis
from callconfig.contract.document import Contract
from callconfig.contract.interaction import Interaction
from callconfig.verification.judge import Judge
from callconfig.verification.strategies import register
from hypothesis import HealthCheck, given, settings

CONTRACT = Contract.load(Path(__file__).parent / "styles.yaml")
OF_A_REQUEST = ("method", "url", "headers", "params", "data", "json", "files", "cookies")


def sent(case: schemathesis.Case[Any]) -> Interaction:
    """The interaction of a generated case with a 200."""
    wanted = case.as_transport_kwargs(base_url="http://a.example")
    request = requests.Request(**{name: wanted[name] for name in OF_A_REQUEST if name in wanted}).prepare()
    fields = (
        (name, each if isinstance(each, str) else each.decode("latin-1")) for name, each in request.headers.items()
    )
    content = request.body.encode() if isinstance(request.body, str) else cast("bytes", request.body or b"")
    return Interaction(str(request.method), str(request.url), 200, tuple(fields), content)


@pytest.mark.parametrize("operation", CONTRACT.operations)
def test_a_request_that_is_made_of_the_contract_is_right_by_it(operation: str) -> None:
    register()
    judge, declared = Judge(CONTRACT), CONTRACT.operations[operation]
    schema = schemathesis.openapi.from_dict(dict(CONTRACT.document))

    @settings(max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=schema[declared.path][declared.method].as_strategy())
    def holds(case: schemathesis.Case[Any]) -> None:
        interaction = sent(case)
        verdict = judge.judge(interaction)
        assert verdict.operation == operation
        assert [finding for finding in verdict.request if finding.severity == "error"] == [], interaction

    holds()
