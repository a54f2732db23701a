"""Playing a conversation against one server: the model says what to ask and expect, the client asks."""

import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from ...contract.finding import Finding
from ...contract.interaction import Interaction, by_name
from ...contract.schema import Json
from ..client import Client
from ..judge import Judge, Verdict, json_value
from ..result import Failure
from .collection import Collection
from .comparison import Answer, Mistake, learn
from .expectation import ask, expect, expect_raw
from .memory import Memory
from .steps import Raw, Replace, Step


class Player:
    """One conversation with one server. `on_verdict` gets every interaction."""

    def __init__(
        self,
        collection: Collection,
        client: Client,
        judge: Judge,
        namespace: str,
        on_verdict: Callable[[Verdict, Interaction], None],
        part: str = "model",
    ) -> None:
        self.memory = Memory(collection, namespace)
        self.judge = judge
        self.interactions: list[Interaction] = []
        """One for each step."""
        self._client, self._on_verdict, self._part = client, on_verdict, part

    def play(self, step: Step) -> list[Failure]:
        """Take one step, and say what is wrong with the answer."""
        time.sleep(seconds_before(step, self.memory))
        asked = ask(self.memory, step)
        interaction = self._client.send(asked.method, asked.target, asked.headers, asked.body)
        self.interactions.append(interaction)
        verdict = self.judge.judge(interaction)
        self._on_verdict(verdict, interaction)
        severities = self.judge.contract.severities
        wrong = [finding for finding in verdict.request if severities.of(finding.rule) == "error"]
        if isinstance(step, Raw):
            found = self.judge.locate(step.method, interaction.path)
            expected = expect_raw(step, found if isinstance(found, Finding) else found[0], wrong)
        else:
            expected = expect(self.memory, step, asked, wrong)
        mistakes, self.memory = learn(self.memory, step, asked, expected, self._answer(interaction))
        known = {_where(finding) for finding in verdict.response}
        told = [Mistake(finding, (*expected.since, len(self.interactions) - 1)) for finding in verdict.response] + [
            mistake for mistake in mistakes if _where(mistake.finding) not in known
        ]
        return [
            Failure(finding, expected.operation, [self.interactions[number] for number in since], self._part)
            for finding, since in told
        ]

    def _answer(self, interaction: Interaction) -> Answer:
        headers = by_name(interaction.response_headers)
        location = headers.get("location")
        return Answer(
            interaction.status,
            json_value(interaction.response_body),
            location,
            self._leads_to(interaction.url, location) if location is not None else (),
            "allow" in headers,
        )

    def _leads_to(self, url: str, location: str) -> tuple[str, ...]:
        try:
            found = self.judge.locate("PUT", urlsplit(urljoin(url, location)).path)
        except ValueError:  # no URL at all
            return ()
        if isinstance(found, Finding) or found[0] is not self.memory.collection.replace:
            return ()
        return tuple(found[1].values())


def _where(finding: Finding) -> tuple[str, ...]:
    return finding.place, finding.pointer or "", finding.name or ""


def seconds_before(step: Step, memory: Memory) -> float:
    """How long to wait before a step that wants the server's clock to have moved since the last change."""
    member = memory.collection.resource.updated_at
    stored = memory.target(step.target) if isinstance(step, Replace) and step.pause else None
    return _resolution(stored.shown.get(member)) if stored and member else 0.0


def _resolution(text: Json) -> float:
    """How long to wait until a clock that writes such times must have moved, in seconds."""
    fraction = str(text).partition(".")[2].rstrip("Z")
    return 0.02 if len(fraction) >= 2 else 1.05
