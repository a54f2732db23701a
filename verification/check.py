"""`callconfig check`: a server held to the contract, by a model that knows and by generated requests."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ..contract.document import BUILT_IN
from ..contract.finding import Finding
from ..contract.interaction import Interaction
from ..options import CheckOptions
from ..outcome import CouldNotRun
from .client import Client, Pace
from .conversations import Script, converse
from .coverage import Coverage
from .generated import generate
from .judge import Judge, Verdict
from .model import Conversation
from .resource import Resource
from .result import Failure, Result
from .running import Deadline, OutOfTime, exit_code, run_id, running, selection, sent_headers
from .steps import Step
from .strategies import leaving_no_files
from .target import fresh_mock, serving


def check(options: CheckOptions) -> int:
    """Check a server, or a fresh mock where none is given, and return the exit code. Raises CouldNotRun."""
    if options.url is None and options.contract not in (None, BUILT_IN):
        raise CouldNotRun("there is a mock for the built-in contract only; give the URL of a server for this one")
    url: str | None = options.url
    headers = sent_headers(options)
    with running("check", options, url or "a fresh mock", [value for _, value in headers]) as (result, progress):
        included = selection(options.include, options.exclude, result.contract)
        result.coverage = Coverage(result.contract, included)
        with leaving_no_files(), _server(url, result) as target:
            run = Run(result, target, headers, included, options, progress.part)
            try:
                run.model()
                run.generated()
            except OutOfTime:
                result.notes.append(f"--max-time of {options.max_time:g} s was over before everything was tried")
        if options.require_coverage:
            require_coverage(result)
    return exit_code(result)


@contextmanager
def _server(url: str | None, result: Result) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with serving(fresh_mock(result.contract)) as mock:
        yield mock


def require_coverage(result: Result) -> None:
    """A documented status that was never seen is an error, unless the contract says that no client can provoke it."""
    operations = result.coverage.operations if result.coverage is not None else {}
    for name, covered in operations.items():
        for status in covered.unseen:
            finding = Finding("unseen-status", "status", f"{status} is documented and was never seen", name=status)
            result.add(Failure(finding, name, [], "coverage"))


class Run:
    """One run against one server. The model comes first, because it knows more and needs less."""

    def __init__(
        self,
        result: Result,
        url: str,
        headers: list[tuple[str, str]],
        included: Callable[[str], bool],
        options: CheckOptions,
        on_part: Callable[[str], None] = lambda _part: None,
    ) -> None:
        self._result, self._url, self._headers, self._included, self._options = result, url, headers, included, options
        self._judge = Judge.of_url(result.contract, url)
        self._deadline = Deadline(options.max_time)
        self._on_part = on_part

    def model(self) -> None:
        """Raises CouldNotRun, EnoughFailures, OutOfTime."""
        with Client(self._url, self._headers, Pace(self._options.rate_limit)) as client:
            client.probe()
            resource = Resource.of(self._result.contract, self._included)
            if resource is None:
                self._result.notes.append(
                    "no model was tried: it needs an x-resource in the contract, and an operation that creates it"
                )
                return
            script = Script(resource, self._result.contract)
            if not script.possible:
                self._result.notes.append("no valid body could be made from the contract, so no model was tried")
                return
            self._on_part("model")
            name = run_id(self._result)
            count = 0

            def play(steps: Sequence[Step]) -> list[Failure]:
                nonlocal count
                count += 1
                failures: list[Failure] = []
                conversation = Conversation(
                    resource, client, self._judge, f"{name}-{count}", self._record, failures.append
                )
                for step in steps:
                    self._deadline.check()
                    conversation.play(step)
                    if failures:
                        break
                return failures

            converse(script, play, self._result, self._options.max_examples)

    def _record(self, verdict: Verdict, interaction: Interaction) -> None:
        self._result.record("model", verdict, interaction)

    def generated(self) -> None:
        """Raises EnoughFailures, OutOfTime."""
        generate(
            self._result,
            self._judge,
            self._url,
            headers=dict(self._headers),
            included=self._included,
            max_examples=self._options.max_examples,
            workers=self._options.workers,
            rate_limit=self._options.rate_limit,
            on_part=self._on_part,
            deadline=self._deadline,
        )
