"""`callconfig compare`: the same requests to two servers, and the differences of their responses."""

from collections.abc import Callable, Sequence
from functools import partial

from schemathesis.engine.recorder import ScenarioRecorder

from ..options import CompareOptions
from ..outcome import CouldNotRun
from .client import Client, Unsendable
from .footprint import Footprint
from .generated import generate, recorded
from .judge import Judge
from .model.drawing import converse_with
from .model.player import Player
from .model.steps import Step
from .result import Failure, Result
from .running import exit_code, run_id, selection, sending_requests, sent_headers
from .server_pair import ServerPair
from .strategies import leaving_no_files
from .timing import Deadline, Pace


def compare(options: CompareOptions) -> int:
    """Compare two servers and return the exit code. Raises CouldNotRun."""
    one, other = options.url_a, options.url_b
    headers, pace, deadline = sent_headers(options), Pace(options.rate_limit), Deadline(options.max_time)
    with sending_requests("compare", options, f"{one} {other}") as (result, progress):
        if one == other and result.contract.resources:
            raise CouldNotRun(f"both servers are {one}: the second would have what was created on the first")
        included = selection(options.include, options.exclude, result.contract)
        ours = Footprint(result.contract, one, run_id(result), anywhere=options.write_anywhere, only_own=True)
        theirs = ours.for_server(other)
        progress.sent, progress.deadline = lambda: ours.requests + theirs.requests, deadline
        servers = ServerPair(result.contract, (one, other), ours.identity_members)
        with (
            leaving_no_files(),
            Client(one, headers, pace, deadline, footprint=ours) as client_a,
            Client(other, headers, pace, deadline, footprint=theirs) as client_b,
        ):
            client_a.probe()
            client_b.probe()
            both, take = (client_a, client_b), partial(_played, servers=servers)
            some = options.max_examples
            if not converse_with(both, result, included, some, ours, take, "conversations", progress.part):
                replay = _replay(result, (ours, theirs), client_b, servers)
                generate(result, options, ours, included, deadline, replay, progress.part)
        result.notes += ours.notes(each for each in result.contract.operations.values() if included(each.id))
    return exit_code(result)


def _played(pair: Sequence[Player], step: Step, servers: ServerPair) -> list[Failure]:
    """The differences between the responses of both servers to a step."""
    for player in pair:
        player.play(step)
    answers = [player.last for player in pair]
    findings = list(servers.differences(answers, [player.state.owns for player in pair]))
    operation = pair[0].judge.judge(answers[0]).operation if findings else ""
    reproduction = [*pair[0].interactions, answers[1]]
    return [Failure(finding, operation, reproduction, "conversations") for finding in findings]


def _replay(
    result: Result, footprints: Sequence[Footprint], client: Client, servers: ServerPair
) -> Callable[[ScenarioRecorder, str], None]:
    """A function that repeats a scenario's requests on the second server, in order, and compares the responses."""
    judge = Judge.of_url(result.contract, footprints[0].url)

    def replay(recorder: ScenarioRecorder, part: str) -> None:
        for asked in recorded(recorder).values():
            there = servers.translated(asked)
            if not footprints[1].permits(there.method, there.path):
                continue  # the resource exists on the first server alone; the difference was reported at its creation
            try:
                answer = client.send(there.method, there.url, there.request_headers, there.request_body)
            except Unsendable:
                continue
            verdict = judge.judge(asked)
            result.record(part, verdict, asked)
            owns = [footprint.owns for footprint in footprints]
            result.add_all(servers.differences((asked, answer), owns), verdict.operation, [asked, answer], part)

    return replay
