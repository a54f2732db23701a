"""Running the examples: each is sent to a mock of its own, and the answer held against the documented one."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import httpx2
import orjson
from starlette.types import ASGIApp

from ..contract.document import Contract
from ..contract.finding import json_pointer
from ..contract.operation import media_type
from ..contract.schema import Json, show
from .examples import ABSENT, Example, Sent, examples

FreshMock = Callable[[], Awaitable[ASGIApp]]
"""Makes an empty mock whose clock and ids are those of the contract's `x-examples`."""


class WrongExamples(Exception):
    """Documented answers that a mock of the same contract does not give; a line for each difference."""

    def __init__(self, differences: list[str]) -> None:
        super().__init__("\n".join(differences))
        self.differences = differences


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. The body is a JSON value, or None."""

    status: int
    headers: Mapping[str, str]
    body: Json


async def execute(contract: Contract, fresh_mock: FreshMock) -> dict[str, Answer]:
    """The answers to all examples that say how they come about, by anchor, each from a mock of its own.

    Raises WrongExamples when an answer is not the documented one.
    """
    answers: dict[str, Answer] = {}
    differences: list[str] = []
    described = "x-examples" in contract.document  # the world in which examples come about
    for example in examples(contract):
        if described and example.is_executable:
            answer = answers[example.anchor] = await _exchange(await fresh_mock(), example)
            differences += [f"{example.anchor}: {each}" for each in _differences(example, answer)]
    if differences:
        raise WrongExamples(differences)
    return answers


async def _exchange(mock: ASGIApp, example: Example) -> Answer:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(mock), base_url="http://mock") as client:

        async def answer(sent: Sent) -> httpx2.Response:
            return await client.request(sent.method, sent.target, headers=dict(sent.headers), content=sent.content)

        for given in example.given:
            await answer(given)
        response = await answer(example.sent)
    body = orjson.loads(response.content) if response.content else None
    return Answer(response.status_code, dict(response.headers), body)


def _differences(example: Example, answer: Answer) -> Iterator[str]:
    """What the answer does not share with the example. What the example leaves out does not count."""
    if str(answer.status) != example.status:
        yield f"documents {example.status}, but the answer is {answer.status}: {orjson.dumps(answer.body).decode()}"
        return
    if media_type(answer.headers.get("content-type", ""))[0] != example.media_type:
        yield f"documents {example.media_type}, but the answer is {answer.headers.get('content-type')}"
    for name, value in example.headers.items():
        if answer.headers.get(name.lower()) != value:
            yield f"{name}: documents {show(value)}, but the answer has {show(answer.headers.get(name.lower()))}"
    for path, documented, answered in _unequal(example.body, answer.body, ()):
        here = json_pointer(path) or "the body"
        if answered is ABSENT:
            yield f"{here} is documented, but the answer does not have it"
        else:
            shown = "nothing" if documented is ABSENT else show(documented)
            yield f"{here}: documents {shown}, but the answer has {show(answered)}"


def _unequal(documented: Json, answered: Json, path: tuple[str | int, ...]) -> Iterator[tuple[Any, Json, Json]]:
    if isinstance(documented, dict) and isinstance(answered, dict):
        for name, value in documented.items():
            yield from _unequal(value, answered.get(name, ABSENT), (*path, name))
    elif isinstance(documented, list) and isinstance(answered, list):
        for index, (one, other) in enumerate(zip_longest(documented, answered, fillvalue=ABSENT)):
            yield from _unequal(one, other, (*path, index))
    elif documented != answered or isinstance(documented, bool) != isinstance(answered, bool):
        yield path, documented, answered
