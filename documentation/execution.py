"""The execution of the examples: each is sent to a mock, and the response is compared with the documented one."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import httpx2
import orjson
from starlette.types import ASGIApp

from ..contract.document import Contract
from ..contract.media import is_json, media_type
from ..contract.pointer import json_pointer
from ..contract.schema import Json, show
from ..contract.witness import ABSENT
from .exchanges import Example, examples, has_example_scenario
from .samples import SampleRequest
from .snippets import LOCAL_MOCK

FreshMock = Callable[[], Coroutine[Any, Any, ASGIApp]]
"""Returns an empty mock with the clock and the ids of `x-examples`; it may be the one before, emptied."""


class WrongExamples(Exception):
    """Documented responses that a mock of the same contract does not give; a line for each difference."""

    def __init__(self, differences: list[str]) -> None:
        super().__init__("\n".join(differences))
        self.differences = differences


@dataclass(frozen=True, slots=True)
class ExampleResponse:
    """The response to an executed example. The body is a JSON value, a text where it is not JSON, or None."""

    status: int
    headers: Mapping[str, str]
    body: Json


async def execute(contract: Contract, fresh_mock: FreshMock) -> dict[str, ExampleResponse]:
    """The responses to all examples with an `x-request`, by anchor, each after its earlier requests to an empty mock.

    Raises WrongExamples when a response is not the documented one. An unchanged mock is reused.
    """
    responses: dict[str, ExampleResponse] = {}
    differences: list[str] = []
    mock: ASGIApp | None = None
    holds: list[str] | None = None
    for example in filter(
        lambda each: each.is_executable, examples(contract) if has_example_scenario(contract) else ()
    ):
        names = [given.name for given in example.given]
        if mock is None or names != holds:
            mock = await fresh_mock()
            await send(mock, example.given)
        response = responses[example.anchor] = (await send(mock, (example.sent,)))[0]
        holds = names if response.status >= 400 or example.sent.method == "GET" else None
        differences += [f"{example.anchor}: {each}" for each in differences_of(example, response)]
    if differences:
        raise WrongExamples(differences)
    return responses


async def send(mock: ASGIApp, requests: tuple[SampleRequest, ...]) -> list[ExampleResponse]:
    """The responses of a mock to these requests, one after the other."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(mock), base_url=LOCAL_MOCK) as client:
        responses = [
            await client.request(sent.method, sent.target, headers=dict(sent.headers), content=sent.content)
            for sent in requests
        ]
    return [ExampleResponse(each.status_code, dict(each.headers), _body(each)) for each in responses]


def _body(response: httpx2.Response) -> Json:
    name, _ = media_type(response.headers.get("content-type", ""))
    return orjson.loads(response.content) if is_json(name) else response.text or None


def differences_of(example: Example, response: ExampleResponse) -> Iterator[str]:
    """The differences of a response from its example; members that the example leaves out do not count."""
    if str(response.status) != example.status:
        body = orjson.dumps(response.body).decode()
        yield f"documents {example.status}, but the response is {response.status}: {body}"
        return
    if media_type(response.headers.get("content-type", ""))[0] != example.media_type:
        yield f"documents {example.media_type}, but the response is {response.headers.get('content-type')}"
    for name, value in example.headers.items():
        if response.headers.get(name.lower()) != value:
            yield f"{name}: documents {show(value)}, but the response has {show(response.headers.get(name.lower()))}"
    if example.body is ABSENT:
        return
    documented_body, actual_body = (_records(body, example.media_type) for body in (example.body, response.body))
    for path, documented, actual in _unequal(documented_body, actual_body, (), example.varying):
        here = json_pointer(path) or "the body"
        if actual is ABSENT:
            yield f"{here} is documented, but absent from the response"
        else:
            shown = "nothing" if documented is ABSENT else show(documented)
            yield f"{here}: documents {shown}, but the response has {show(actual)}"


def _records(body: Json, name: str) -> Json:
    """A body to compare: for NDJSON, the list of its values."""
    if is_json(name) or not isinstance(body, str):
        return body
    try:
        values = [orjson.loads(line) for line in body.splitlines()]
    except orjson.JSONDecodeError:
        return body
    return values if all(isinstance(value, dict) for value in values) else body


def _unequal(
    documented: Json, actual: Json, path: tuple[str | int, ...], varying: frozenset[str]
) -> Iterator[tuple[Any, Json, Json]]:
    if isinstance(documented, dict) and isinstance(actual, dict):
        for name, value in documented.items():
            other = actual.get(name, ABSENT)
            if name not in varying or type(value) is not type(other):
                yield from _unequal(value, other, (*path, name), varying)
    elif isinstance(documented, list) and isinstance(actual, list):
        for index, (one, other) in enumerate(zip_longest(documented, actual, fillvalue=ABSENT)):
            yield from _unequal(one, other, (*path, index), varying)
    elif documented != actual or isinstance(documented, bool) != isinstance(actual, bool):
        yield path, documented, actual
