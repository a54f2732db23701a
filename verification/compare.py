"""`callconfig compare`: the same requests to two servers, and the differences of their responses."""

from collections.abc import Callable, Sequence
from functools import partial

from schemathesis.engine.recorder import ScenarioRecorder

from ..options import CompareOptions
from .client import Client, Unsendable
from .footprint import Footprint
from .generated import generate, recorded
from .judge import Judge
from .model.drawing import converse_with
from .model.player import Player
from .model.steps import Step
from .result import Failure, Result
from .running import conversing, exit_code, run_id, selection, sent_headers
from .strategies import leaving_no_files
from .timing import Deadline, Pace
from .twins import Twins


def compare(options: CompareOptions) -> int:
    """Compare two servers and return the exit code. Raises CouldNotRun."""
    one, other = options.url_a, options.url_b
    headers, pace, deadline = sent_headers(options), Pace(options.rate_limit), Deadline(options.max_time)
    with conversing("compare", options, f"{one} {other}") as (result, progress):
        included = selection(options.include, options.exclude, result.contract)
        ours = Footprint(result.contract, one, run_id(result), anywhere=options.write_anywhere, only_ours=True)
        theirs = ours.twin(other)
        progress.sent, progress.deadline = lambda: ours.requests + theirs.requests, deadline
        twins = Twins(result.contract, (one, other), ours.identity_members)
        with (
            leaving_no_files(),
            Client(one, headers, pace, deadline, footprint=ours) as client_a,
            Client(other, headers, pace, deadline, footprint=theirs) as client_b,
        ):
            client_a.probe()
            client_b.probe()
            both, take = (client_a, client_b), partial(_played, twins=twins)
            some = options.max_examples
            if not converse_with(both, result, included, some, ours, take, "conversations", progress.part):
                replay = _replay(result, (ours, theirs), client_b, twins)
                generate(result, options, ours, included, deadline, replay, progress.part)
        result.notes += ours.notes(each for each in result.contract.operations.values() if included(each.id))
    return exit_code(result)


def _played(pair: Sequence[Player], step: Step, twins: Twins) -> list[Failure]:
    """The differences between the responses of both servers to a step."""
    for player in pair:
        player.play(step)
    answers = [player.last for player in pair]
    findings = list(twins.differences(answers, [player.state.concerns for player in pair]))
    operation = pair[0].judge.judge(answers[0]).operation if findings else ""
    led_here = [*pair[0].interactions, answers[1]]
    return [Failure(finding, operation, led_here, "conversations") for finding in findings]


def _replay(
    result: Result, footprints: Sequence[Footprint], client: Client, twins: Twins
) -> Callable[[ScenarioRecorder, str], None]:
    """A function that repeats a scenario's requests on the second server, in order, and compares the responses."""
    judge = Judge.of_url(result.contract, footprints[0].url)

    def replay(recorder: ScenarioRecorder, part: str) -> None:
        for asked in recorded(recorder).values():
            there = twins.translated(asked)
            if not footprints[1].permits(there.method, there.path):
                continue  # the resource exists on the first server alone; the difference was reported at its creation
            try:
                answer = client.send(there.method, there.url, there.request_headers, there.request_body)
            except Unsendable:
                continue
            verdict = judge.judge(asked)
            result.record(part, verdict, asked)
            concern = [footprint.concerns for footprint in footprints]
            result.add_all(twins.differences((asked, answer), concern), verdict.operation, [asked, answer], part)

    return replay
