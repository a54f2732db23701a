"""A scenario file: the initial state, rules, clock and ids of `callconfig serve`."""

from ..contract.finding import more_findings
from ..contract.operation import Request
from ..contract.problem import Problem
from .controls import Controls
from .handlers import load_scenario
from .refusals import CONTROL_PROBLEMS


class InvalidScenario(Exception):
    """An invalid scenario; the message is one line with the reason."""


async def load(text: bytes, controls: Controls) -> None:
    """Load the scenario in a text into the default session. Raises InvalidScenario.

    Stored documents are not replaced: a state needs an empty store.
    """
    headers = {"content-type": "application/json"}
    arguments, findings = controls.contract.operations["loadScenario"].check_request(
        Request(headers=headers, body=text)
    )
    if findings:
        raise InvalidScenario(_reason(Problem("invalid-request", "", findings)))
    session = controls.sessions.default
    if "state" in arguments["body"] and (stored := sum(map(len, (await session.content()).values()))):
        raise InvalidScenario(f"its state would replace {stored} configurations; use another --store, like :memory:")
    try:
        await load_scenario(arguments["body"], session, controls.mocked)
    except tuple(CONTROL_PROBLEMS) as error:
        raise InvalidScenario(_reason(CONTROL_PROBLEMS[type(error)](error))) from error


def _reason(problem: Problem) -> str:
    if not problem.errors:
        return problem.detail
    first = problem.errors[0]
    return f"{first.pointer or first.place} {first.detail}{more_findings(problem.errors)}"
