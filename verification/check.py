"""`callconfig check`: a server tested against the contract, by conversations of a model and by generated requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from ..contract.finding import Finding
from ..options import CheckOptions
from .client import Client
from .coverage import Coverage
from .footprint import Footprint
from .generated import accepts_any_credentials, generate, judge_scenario
from .judge import Judge
from .model.drawing import converse_with
from .result import Failure, Result
from .running import exit_code, run_id, selection, sending_requests, sent_headers
from .strategies import leaving_no_files
from .timing import Deadline, Pace


def check(options: CheckOptions) -> int:
    """Check a server, or a fresh mock where none is given, and return the exit code. Raises CouldNotRun."""
    with sending_requests("check", options, options.url or "a fresh mock") as (result, progress):
        included = selection(options.include, options.exclude, result.contract)
        result.coverage = Coverage(result.contract, included)
        deadline = Deadline(options.max_time)
        with leaving_no_files(), _server(options.url, result) as url:
            anywhere = options.write_anywhere or options.url is None
            footprint = Footprint(result.contract, url, run_id(result), anywhere=anywhere)
            progress.sent, progress.deadline = lambda: footprint.requests, deadline
            headers, pace = sent_headers(options), Pace(options.rate_limit)
            needed = [each.security for each in result.contract.operations.values() if each.security.is_needed]
            if needed and accepts_any_credentials(options):
                headers += dict.fromkeys(scheme.made for each in needed for scheme in each.schemes if scheme.made)
                result.notes.append("the mock accepts any credentials, so their refusal was not tried")
            elif needed and not headers:
                result.notes.append("no credentials were sent; --token or --header gives them")
            with Client(url, headers, pace, deadline, footprint=footprint) as client:
                client.probe()
                # The model comes first, because it knows more and needs less.
                converse_with([client], result, included, options.max_examples, footprint, on_part=progress.part)
            judging = partial(judge_scenario, result=result, judge=Judge.of_url(result.contract, url))
            generate(result, options, footprint, included, deadline, judging, progress.part)
        result.notes += footprint.notes(each for each in result.contract.operations.values() if included(each.id))
        if options.require_coverage:
            require_coverage(result)
    return exit_code(result)


@contextmanager
def _server(url: str | None, result: Result) -> Iterator[str]:
    if url is not None:
        yield url
        return
    from .target import fresh_mock, serving  # all of the mock, which takes long to load

    with serving(fresh_mock(result.contract)) as mock:
        yield mock


def require_coverage(result: Result) -> None:
    """Add an error for each documented status that was never seen, unless no client can provoke it."""
    operations = result.coverage.operations if result.coverage is not None else {}
    for name, covered in operations.items():
        for status in covered.unseen:
            finding = Finding("unseen-status", "status", f"{status} is documented and was never seen", name=status)
            result.add(Failure(finding, name, [], "coverage"))
