"""Schemathesis: requests generated from the contract in all its phases, with all its checks of the responses."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import requests
import schemathesis
from requests.adapters import BaseAdapter, HTTPAdapter
from schemathesis.config import ChecksConfig, SchemathesisConfig
from schemathesis.core.failures import Failure as CheckFailure
from schemathesis.engine import context, events, from_schema
from schemathesis.engine.core import EventStream
from schemathesis.engine.recorder import Interaction as Recorded
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.engine.run import PhaseName
from schemathesis.generation.overrides import store_components
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER
from urllib3 import HTTPHeaderDict, HTTPResponse

from ..contract.finding import Finding, one_line
from ..contract.interaction import Fields, Interaction, by_name
from ..contract.operation import Operation
from ..contract.paging import Paging
from ..contract.parameters import IGNORED_HEADERS, parse_query
from ..contract.path_template import PARAMETER
from ..contract.strict_json import too_deep
from ..options import CheckOptions, CompareOptions
from ..outcome import CouldNotRun
from .client import MAX_BODY_BYTES, TIMEOUT, UNREAD, Client, InvalidContentCoding, TooLarge, Unsendable, decoded
from .footprint import Footprint
from .judge import Judge, Verdict
from .result import Failure, Result
from .running import sent_headers
from .strategies import register
from .timing import Deadline, DeadlineExceeded

JUDGED_BY_ENGINE = {
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
}
"""Checks of Schemathesis whose failures the engine of the contract finds itself, with a better location."""
REFUSALS = [*ChecksConfig().negative_data_rejection.expected_statuses, "413"]
"""Statuses that refuse a request; one that breaks the contract may be larger than the server reads, too."""


MAX_ROUNDS = 8
"""The rounds of the stateful phase: Schemathesis follows the links once more whenever a round failed in a new way."""
STATE_DECIDES = ["2xx", "3xx", "401", "403", "404", "409", "410", "412", "429", "5xx"]
"""The statuses that a valid request may get, depending on the stored resources."""


def generate(
    result: Result,
    options: CheckOptions | CompareOptions,
    footprint: Footprint,
    included: Callable[[str], bool],
    deadline: Deadline,
    on_scenario: Callable[[ScenarioRecorder, str], None],
    on_part: Callable[[str], None] = lambda _part: None,
) -> None:
    """Run every phase; `on_scenario` gets each recorded scenario and its phase.

    Raises MaxFailuresReached, DeadlineExceeded, CouldNotRun.
    """
    schema, leaves_out = _schema(result, options, footprint, included)
    with _own_transport(deadline, footprint), _complete_threads():
        stream, rounds = _stream(schema), 0
        try:
            for event in stream:
                if result.ended == "interrupted":
                    raise KeyboardInterrupt  # Schemathesis goes on with its next phase where it came while one begins
                rounds += isinstance(event, events.SuiteStarted) and event.phase is PhaseName.STATEFUL_TESTING
                has_time = rounds <= MAX_ROUNDS and deadline.remaining > 0
                if isinstance(event, events.PhaseStarted):
                    on_part(event.phase.name.value)
                elif isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
                    phase = getattr(event, "phase", "fuzzing")
                    drop_incomplete(event.recorder, deadline)
                    on_scenario(event.recorder, str(getattr(phase, "value", phase)))
                elif isinstance(event, events.NonFatalError) and has_time:
                    _error(event, result, leaves_out)
                elif isinstance(event, events.FatalError):
                    raise _cannot_be_generated(event.exception) from event.exception
                elif isinstance(event, events.Interrupted) and has_time:
                    raise KeyboardInterrupt  # Schemathesis has caught it
                if not has_time:
                    stream.stop()
        finally:
            stream.stop()
            stream.generator.close()  # waits for its threads, which Python 3.13 would do for ever at its end
    if rounds > MAX_ROUNDS:
        result.notes.append(f"links were followed in {MAX_ROUNDS} rounds, and each found more; there may be more")
    deadline.check()


def accepts_any_credentials(options: CheckOptions | CompareOptions) -> bool:
    """Whether the server is a fresh mock, which accepts any credentials."""
    return isinstance(options, CheckOptions) and options.url is None


def drop_incomplete(recorder: ScenarioRecorder, deadline: Deadline) -> None:
    """Drop the requests without a response once the deadline has passed: they say nothing about the server."""
    for case, each in list(recorder.interactions.items()):
        if each.response is None and not deadline.remaining:
            del recorder.interactions[case]


def _stream(schema: schemathesis.BaseSchema) -> EventStream:
    """Raises CouldNotRun."""
    try:
        return from_schema(schema).execute()
    except RecursionError as error:
        raise _cannot_be_generated(error) from error


def _cannot_be_generated(error: BaseException | None) -> CouldNotRun:
    is_too_deep = isinstance(error, RecursionError)
    reason = "the contract's schemas are nested too deep" if is_too_deep else one_line(error)[:1000]
    return CouldNotRun(f"requests cannot be generated: {reason}")


def _schema(
    result: Result, options: CheckOptions | CompareOptions, footprint: Footprint, included: Callable[[str], bool]
) -> tuple[schemathesis.BaseSchema, bool]:
    """The contract as a schema of Schemathesis, and whether operations are left out."""
    register()
    # The fresh mock responds with an example to all else, also for what was deleted.
    has_only_actions = result.contract.actions.keys() == result.contract.operations.keys()
    config = SchemathesisConfig.from_dict(
        {
            "seed": result.seed,
            "base-url": footprint.url,
            "headers": dict(sent_headers(options)),
            "workers": options.check_workers if isinstance(options, CheckOptions) else 1,
            "request-timeout": TIMEOUT,
            "cache": {"enabled": False},
            "continue-on-failure": True,
            "output": {"truncation": {"max-recorded-payload-size": 0}},
            "generation": {"max-examples": options.max_examples, "database": "none"},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": STATE_DECIDES},
                "negative_data_rejection": {"expected-statuses": REFUSALS},
                "ignored_auth": {"enabled": not accepts_any_credentials(options)},
                "use_after_free": {"enabled": not accepts_any_credentials(options) or has_only_actions},
            },
            **({"rate-limit": _rate(options.rate_limit)} if options.rate_limit else {}),
        }
    )
    document = dict(result.contract.document)
    document["paths"] = {_Template(path): item for path, item in result.contract.path_items.items()}
    schema: schemathesis.BaseSchema = schemathesis.openapi.from_dict(document, config=config)

    def is_meant(operation: Operation) -> bool:
        return included(operation.id) and not footprint.never_permits(operation.method, operation.path)

    excluded = {f"{each.method} {each.path}" for each in result.contract.operations.values() if not is_meant(each)}
    if excluded:
        schema = schema.exclude(lambda context: context.operation.label in excluded)
    schema.hooks.register_hook_with_name(
        lambda _context, case: not footprint.never_permits(case.method, case.path), "filter_case"
    )
    return schema, bool(excluded)


class _Template(str):
    """A path template whose parameters may have any name: as a format string, dots in a name are attribute access."""

    __slots__ = ()

    def format(self, *_: object, **values: object) -> str:
        return PARAMETER.sub(lambda found: str(values[found[1]]), self)


@contextmanager
def _own_transport(deadline: Deadline, footprint: Footprint) -> Iterator[None]:
    """Let Schemathesis send with our own client, and change only resources of the run."""
    adapter, made = _TransportAdapter(deadline, footprint), context.make_session

    def make_session(*arguments: Any, **settings: Any) -> requests.Session:
        session = made(*arguments, **settings)
        session.trust_env = False  # no proxy and no .netrc, as for our own client
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter)
        return session

    def before_call(_context: object, case: schemathesis.Case[Any], _settings: object) -> None:
        template, given, body = case.path, case.path_parameters, case.body
        if (
            permitted_parameters := footprint.permitted_parameters(case.method, template, given, case.formatted_path)
        ) is not given:
            case.path_parameters = dict(permitted_parameters)
        if (scoped := footprint.scoped_body(case.method, template, body)) is not body:
            case.body = scoped
        if permitted_parameters is not given or scoped is not body:
            case._components = store_components(case)  # noqa: SLF001 (else it seems that a link has led here)

    context.make_session = make_session  # no hook of Schemathesis gets its sessions
    GLOBAL_HOOK_DISPATCHER.register_hook_with_name(before_call, "before_call")
    try:
        yield
    finally:
        GLOBAL_HOOK_DISPATCHER.unregister(before_call)
        context.make_session = made
        adapter.end()


@contextmanager
def _complete_threads() -> Iterator[None]:
    """Raises CouldNotRun if a thread ends with an error: Schemathesis goes on as if it had done its part."""
    errors: list[threading.ExceptHookArgs] = []
    before, threading.excepthook = threading.excepthook, errors.append
    try:
        yield
    finally:
        threading.excepthook = before
    if errors:
        raise _cannot_be_generated(errors[0].exc_value) from errors[0].exc_value


class _TransportAdapter(BaseAdapter):
    """A transport adapter of `requests` that sends with our own client, bounded in time and size."""

    def __init__(self, deadline: Deadline, footprint: Footprint) -> None:
        super().__init__()
        self._deadline = deadline
        self._client = Client("", deadline=deadline, footprint=footprint)
        self._ended = False
        self._unchecked = HTTPAdapter()

    def send(self, request: requests.PreparedRequest, *_positional: Any, **settings: Any) -> requests.Response:
        """Raises ConnectionError, Timeout."""
        body: Any = request.body or b""
        fields = tuple((name, _text(value)) for name, value in request.headers.items())
        content = body.encode() if isinstance(body, str) else body
        try:
            self._check_running()
            answer = self._client.exchange(str(request.method), str(request.url), fields, content)
        except Unsendable:
            return self._send_unchecked(request, settings)
        except DeadlineExceeded as over:
            raise requests.Timeout("the time of the run has expired", request=request) from over
        if not answer.status:
            raise requests.ConnectionError(answer.error, request=request)
        response = self._response(
            request, answer.status, answer.response_headers, None if answer.unrecorded else answer.response_body
        )
        response.elapsed = timedelta(seconds=answer.seconds)
        return response

    def _check_running(self) -> None:
        if self._ended:
            raise DeadlineExceeded

    def _send_unchecked(self, request: requests.PreparedRequest, settings: dict[str, Any]) -> requests.Response:
        """Send a request that is not valid HTTP, on a thread that may outlive it. Raises ConnectionError, Timeout."""
        future: Future[requests.Response] = Future()

        def send() -> None:
            try:
                raw = self._unchecked.send(request, **settings).raw
                body = raw.read(MAX_BODY_BYTES, decode_content=False)
                plain = decoded(body, raw.headers.get("content-encoding", ""))
                future.set_result(self._response(request, raw.status, raw.headers.items(), plain))
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=send, daemon=True).start()
        try:
            return future.result(min(TIMEOUT, self._deadline.remaining))
        except TimeoutError as late:
            raise requests.Timeout("no complete response in time", request=request) from late
        except (TooLarge, InvalidContentCoding) as unreadable:
            raise requests.ConnectionError(str(unreadable), request=request) from unreadable

    def _response(
        self, request: requests.PreparedRequest, status: int, fields: Iterable[tuple[str, str]], body: bytes | None
    ) -> requests.Response:
        """`body` is without content codings; None where the response's `Content-Encoding` is unknown."""
        gone = CODED if body is not None else {"content-length"}
        headers = HTTPHeaderDict((name, value) for name, value in fields if name.lower() not in gone)
        raw = HTTPResponse(BytesIO(body or b""), headers, status, version=11, preload_content=False)
        response = self._unchecked.build_response(request, raw)
        if body and too_deep(body):
            response.encoding = "undefined"  # Schemathesis, whose parsers are recursive, cannot decode it
        return response

    def close(self) -> None:
        """Do nothing: other sessions may still use the adapter."""

    def end(self) -> None:
        """Close the connections; a thread that still waits for a response is left behind."""
        self._ended = True
        self._client.close()
        self._unchecked.close()


CODED = {"content-encoding", "content-length"}
"""Fields that no longer hold for a body without its content coding."""


def _rate(per_second: float) -> str:
    return f"{round(per_second)}/s" if per_second >= 1 else f"{max(1, round(per_second * 3600))}/h"


def _error(event: events.NonFatalError, result: Result, leaves_out: bool) -> None:
    """Raises CouldNotRun."""
    if isinstance(event.value, RecursionError):
        raise _cannot_be_generated(event.value) from event.value
    part = event.phase.value if event.phase else "generation"
    if leaves_out and part == "stateful" and not event.related_to_operation:
        result.notes.append("no links were followed: they refer to excluded operations")
        return
    result.add(Failure(Finding("generation", "status", one_line(event.info.message)[:1000]), event.label, [], part))


def recorded(recorder: ScenarioRecorder) -> dict[str, Interaction]:
    """The interactions of a scenario, by case, in order."""
    return {case: _interaction(each) for case, each in recorder.interactions.items()}


def judge_scenario(recorder: ScenarioRecorder, part: str, result: Result, judge: Judge) -> None:
    """Add the findings of the engine and of Schemathesis in a scenario. Raises MaxFailuresReached."""
    interactions = recorded(recorder)

    def reproduction(case: str, failure: CheckFailure | None = None) -> list[Interaction]:
        """The interactions that reproduce a failure, in order, such as the deletion before it."""
        related = failure.related_case_ids() if failure is not None else ()
        chain = recorder.iter_chain_cases(case_id=case, related_case_ids=related)
        return [interactions[each.id] for each in chain if each.id in interactions] or [interactions[case]]

    for case, interaction in interactions.items():
        verdict = judge.judge(interaction)
        result.record(part, verdict, interaction)
        if verdict.response:
            result.add_all(verdict.response, verdict.operation, reproduction(case), part)
        for check in recorder.checks.get(case, ()):
            failure = check.failure_info.failure if check.failure_info is not None else None
            if failure is None or _is_judged_by_engine(check.name, failure, verdict, interaction, judge):
                continue
            label = verdict.operation if verdict.operation in result.contract.operations else str(failure.operation)
            result.add(
                Failure(_finding(check.name, failure, interaction.status), label, reproduction(case, failure), part)
            )


def _is_judged_by_engine(
    name: str, failure: CheckFailure, verdict: Verdict, interaction: Interaction, judge: Judge
) -> bool:
    """Whether the engine reports a failure of Schemathesis itself, or knows that it is none."""
    if name in JUDGED_BY_ENGINE:
        return bool(verdict.response or interaction.unrecorded)
    if name == "positive_data_acceptance":  # no schema says it, but the request may be wrong: a number beyond 64 bits
        is_told = any(each.rule == "undocumented-status" for each in verdict.response)
        return is_told or bool(verdict.request) or _has_cursor(verdict, interaction, judge)
    if name == "negative_data_rejection":  # the generator also counts `5` for a text as wrong, or an unknown parameter
        return all(each.severity != "error" for each in verdict.request)
    # A parameter with such a name is ignored (OpenAPI): security schemes declare credentials.
    return name == "missing_required_header" and getattr(failure, "header_name", "").lower() in IGNORED_HEADERS


def _has_cursor(verdict: Verdict, interaction: Interaction, judge: Judge) -> bool:
    """Whether a request has a cursor: only the cursors of earlier responses are right, and no schema says which."""
    operation = judge.contract.operations.get(verdict.operation)
    cursor = Paging(operation, ()).cursor if operation and operation.method == "GET" else None
    return cursor is not None and bool(cursor.find(parse_query(interaction.query)[0])[0])


def _finding(name: str, failure: CheckFailure, status: int) -> Finding:
    """The finding for a failure of Schemathesis, with one of SENTENCES in the place of a list."""
    message = one_line(failure.message)
    detail = message or failure.title
    if name in SENTENCES:
        about = message.partition(ABOUT)[2]
        detail = f"{SENTENCES[name]} {status}{': ' if about else ''}{about}"
    return Finding(name.replace("_", "-"), "status", detail)


ABOUT = "Invalid component: "
SENTENCES = {
    "not_a_server_error": "the server failed with",
    "positive_data_acceptance": "a valid request was refused with",
    "negative_data_rejection": "an invalid request got",
}


def _interaction(kept: Recorded) -> Interaction:
    request, response = kept.request, kept.response
    shared: dict[str, Any] = {
        "method": request.method.upper(),
        "url": request.uri,
        "request_headers": _fields(request.headers),
        "request_body": request.body or b"",
        "started": datetime.fromtimestamp(kept.timestamp, UTC),
    }
    if response is None:
        return Interaction(status=0, error="the connection failed or timed out", **shared)
    headers = _fields(response.headers)
    return Interaction(
        status=response.status_code,
        response_headers=headers,
        response_body=response.content or b"",
        seconds=response.elapsed,
        unrecorded=UNREAD if "content-encoding" in by_name(headers) else frozenset(),
        **shared,
    )


def _fields(headers: dict[str, list[str]]) -> Fields:
    return tuple((name, _text(value)) for name, values in headers.items() for value in values)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
