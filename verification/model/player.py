"""The player of a conversation with one server: it sends the model's requests and compares the responses."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ...contract.finding import Finding
from ...contract.interaction import Interaction, by_name
from ...contract.schema import Json
from ..client import Client
from ..judge import Judge, Verdict, json_value
from ..result import Failure
from .collection import Collection
from .comparison import ParsedResponse, compare_response
from .expectation import StepRequest, expect, expect_raw, request_for
from .state import ModelState
from .steps import Create, List, RawRequest, Replace, Step

MAX_NAMESPACES = 50
"""The number of namespaces that are tried, where other clients may have used each of a few values."""
BUSY = (429, 503)
"""Statuses of a server that has too many requests at the same time."""


class Player:
    """One conversation with one server. `on_verdict` gets every interaction."""

    def __init__(
        self,
        collection: Collection,
        client: Client,
        judge: Judge,
        namespace: str,
        on_verdict: Callable[[Verdict, Interaction], None],
    ) -> None:
        self.state = ModelState.of(collection, namespace)
        self.judge = judge
        self.interactions: list[Interaction] = []
        """The interactions so far: one for each step, and for each further page of a list."""
        self._step: Step | None = None
        self._client, self._on_verdict = client, on_verdict

    def play(self, step: Step) -> list[Failure]:
        """Take one step, for a list all of its pages, and return the failures."""
        self._step = step
        times = step.at_once if isinstance(step, Create) else 1
        failures = self._take_at_once(step, times) if times > 1 else self._take(step)
        while not failures and self.state.more is not None:
            failures = self._take(self.state.more)
        return failures

    @property
    def last(self) -> Interaction:
        """The last interaction; that of a list with pages has the rows of all of them as its body."""
        last, state = self.interactions[-1], self.state
        is_of_list = isinstance(self._step, List) and state.collection.paging is not None and last.status == 200
        return replace(last, response_body=json.dumps(state.rows).encode()) if is_of_list else last

    def is_unused(self) -> bool:
        """Whether the shared collections of this conversation are still empty."""
        state: ModelState | None = self.state
        while state is not None:
            for below in (0, 1) if state.collection.is_shared else ():
                request = request_for(state, List(below=below))
                if self._parsed(self._client.send(request.method, request.target)).body:
                    return False
            state = state.parent
        return True

    def _take(self, step: Step) -> list[Failure]:
        time.sleep(seconds_before(step, self.state))
        request = request_for(self.state, step)
        return self._judged(step, request, self._send(request))

    def _send(self, request: StepRequest) -> Interaction:
        return self._client.send(request.method, request.target, request.headers, request.body)

    def _take_at_once(self, step: Step, times: int) -> list[Failure]:
        """Take one step several times at once; successes are judged first, refusals of a busy server not at all."""
        request = request_for(self.state, step)
        with ThreadPoolExecutor(times) as pool:
            interactions = [*pool.map(self._send, [request] * times)]
        served = sorted(
            (each for each in interactions if each.status not in BUSY), key=lambda each: each.status // 100 != 2
        )
        return next(filter(None, (self._judged(step, request, each) for each in served)), [])

    def _judged(self, step: Step, request: StepRequest, interaction: Interaction) -> list[Failure]:
        self.interactions.append(interaction)
        verdict = self.judge.judge(interaction)
        self._on_verdict(verdict, interaction)
        severities = self.judge.contract.severities
        wrong = [finding for finding in verdict.request if severities.of(finding.rule) == "error"]
        if isinstance(step, RawRequest):
            found = self.judge.locate(step.method, interaction.path)
            expected = expect_raw(step, found if isinstance(found, Finding) else found[0], wrong)
            if isinstance(found, Finding) and interaction.status in (404, 405):
                verdict = replace(verdict, response=self.judge.problem_findings(interaction))
        else:
            expected = expect(self.state, step, request, wrong)
        mistakes, self.state = compare_response(self.state, step, request, expected, self._parsed(interaction))
        known = {_where(finding) for finding in verdict.response}
        now = (*expected.evidence, len(self.interactions) - 1)
        findings = [(finding, now) for finding in verdict.response]
        findings += [(finding, evidence) for finding, evidence in mistakes if _where(finding) not in known]
        shown = [[self.interactions[number] for number in dict.fromkeys(evidence)] for _, evidence in findings]
        each = zip(findings, shown, strict=True)
        return [Failure(finding, expected.operation, reproduction, "model") for (finding, _), reproduction in each]

    def _parsed(self, interaction: Interaction) -> ParsedResponse:
        headers, whole = by_name(interaction.response_headers), json_value(interaction.response_body)
        found = self.judge.locate(interaction.method, interaction.path)
        action = None if isinstance(found, Finding) else self.judge.contract.actions.get(found[0].id)
        envelope = (action.envelope,) if action and action.envelope else ()
        shown = whole.get(envelope[0]) if envelope and isinstance(whole, dict) else whole
        body = shown if action and action.shows else None
        leads_to = self._leads_to(interaction)
        return ParsedResponse(interaction.status, body, whole, envelope, headers, interaction.started, leads_to)

    def _leads_to(self, interaction: Interaction) -> tuple[str, ...]:
        route = self.judge.contract.route((interaction.leads_to or "").removeprefix(self.judge.base_path))
        leads = route is not None and any(each.path.endswith("}") for each in route.operations.values())
        return tuple(route.parameters.values()) if route and leads else ()


def isolated(players: Callable[[str], Sequence[Player]], names: Iterator[str]) -> Sequence[Player]:
    """The players of the next conversation, alone in its collections if one of MAX_PLACES names makes them so."""
    found = players(next(names))
    for _ in range(MAX_NAMESPACES):
        if all(player.is_unused() for player in found):
            break
        found = players(next(names))
    return found


def _where(finding: Finding) -> tuple[str, ...]:
    return finding.place, finding.pointer or "", finding.name or ""


def seconds_before(step: Step, state: ModelState) -> float:
    """Seconds to wait before a step that needs a later time of the server's clock than the last change."""
    member = state.collection.resource.updated_at
    stored = state.target(step) if isinstance(step, Replace) and step.pause else None
    return _resolution(stored.shown.get(member)) if stored and member else 0.0


def _resolution(text: Json) -> float:
    """Seconds until a clock that writes times with as many decimals shows a later time."""
    fraction = str(text).partition(".")[2].rstrip("Z")
    return 0.02 if len(fraction) >= 2 else 1.05
