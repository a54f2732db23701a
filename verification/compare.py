"""`callconfig compare`: the same conversations with two servers, and where they answer differently."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..contract.finding import Finding, Place, json_pointer
from ..contract.interaction import Interaction, by_name
from ..contract.operation import media_type
from ..contract.schema import Json, show
from ..options import CompareOptions
from ..outcome import CouldNotRun
from .client import Client, Pace
from .conversations import Script, converse
from .judge import Judge, Verdict
from .model import Conversation
from .resource import Resource
from .result import Failure
from .running import Deadline, OutOfTime, exit_code, run_id, running, selection, sent_headers
from .steps import Step
from .strategies import leaving_no_files

ABSENT = object()


def compare(options: CompareOptions) -> int:
    """Compare two servers and return the exit code. Raises CouldNotRun."""
    one, other = options.url_a, options.url_b
    headers = sent_headers(options)
    deadline = Deadline(options.max_time)
    with running("compare", options, f"{one} {other}", [value for _, value in headers]) as (result, progress):
        resource = Resource.of(result.contract, selection(options.include, options.exclude, result.contract))
        script = Script(resource, result.contract) if resource else None
        if resource is None or script is None or not script.possible:
            raise CouldNotRun("comparing needs a contract with an x-resource and an operation that creates it")
        judges = [Judge.of_url(result.contract, url) for url in (one, other)]
        pace = Pace(options.rate_limit)
        with Client(one, headers, pace) as client_a, Client(other, headers, pace) as client_b:
            client_a.probe()
            client_b.probe()
            progress.part("conversations")
            name, count = run_id(result), 0

            def play(steps: Sequence[Step]) -> list[Failure]:
                nonlocal count
                count += 1
                pair = [
                    Conversation(resource, client, judge, f"{name}-{count}", record, lambda _failure: None)
                    for client, judge in zip((client_a, client_b), judges, strict=True)
                ]
                for step in steps:
                    deadline.check()
                    answers = [conversation.play(step) for conversation in pair]
                    findings = list(compared(pair, answers))
                    if findings:
                        operation = judges[0].judge(answers[0]).operation
                        led_here = [*pair[0].interactions, answers[1]]
                        return [Failure(finding, operation, led_here, "conversations") for finding in findings]
                return []

            def record(verdict: Verdict, interaction: Interaction) -> None:
                result.record("conversations", verdict, interaction)

            try:
                with leaving_no_files():
                    converse(script, play, result, options.max_examples)
            except OutOfTime:
                result.notes.append(f"--max-time of {options.max_time:g} s was over before everything was compared")
    return exit_code(result)


def compared(pair: Sequence[Conversation], answers: Sequence[Interaction]) -> Iterator[Finding]:
    """Where two answers to the same request differ, values that servers make aside."""
    one, other = answers
    if one.status != other.status:
        yield _finding("status", f"the first answers {_status(one)}, the second {_status(other)}")
        return
    headers = [by_name(answer.response_headers) for answer in answers]
    types = [media_type(each.get("content-type", ""))[0] for each in headers]
    if types[0] != types[1]:
        yield _finding(
            "header", f"is {show(types[0])} in the first, {show(types[1])} in the second", name="Content-Type"
        )
        return
    locations = [_location(*each) for each in zip(pair, answers, strict=True)]
    if locations[0] != locations[1]:
        detail = f"is {show(locations[0])} in the first, {show(locations[1])} in the second"
        yield _finding("header", detail, name="Location")
    bodies = [_comparable(*each) for each in zip(pair, answers, strict=True)]
    for path, in_one, in_other in _differences(bodies[0], bodies[1], ()):
        detail = f"is {_shown(in_one)} in the first, {_shown(in_other)} in the second"
        yield _finding("body", detail, pointer=json_pointer(path))


def _finding(place: Place, detail: str, **where: Any) -> Finding:
    return Finding("difference", place, detail, **where)


def _status(interaction: Interaction) -> str:
    return str(interaction.status or interaction.error)


def _shown(value: Json) -> str:
    return "missing" if value is ABSENT else show(value)


def _location(conversation: Conversation, answer: Interaction) -> str:
    location = by_name(answer.response_headers).get("location")
    if location is None:
        return ""
    path = urlsplit(urljoin(answer.url, location)).path.removeprefix(conversation.judge.base_path)
    return str(_without_identities(conversation, path))


def _comparable(conversation: Conversation, answer: Interaction) -> Json:
    """The body with what only this server knows taken out; of an error, whose words are its own, the shape."""
    body = conversation.json(answer)
    if answer.status >= 400:
        return _shape(body)
    if isinstance(body, list):
        return [_comparable_row(conversation, row) for row in body if conversation.concerns(row)]
    return _comparable_row(conversation, body)


def _comparable_row(conversation: Conversation, row: Json) -> Json:
    if not isinstance(row, Mapping):
        return row
    made = conversation.resource.server_members
    return {
        name: _shape(value) if name in made else _without_identities(conversation, value) for name, value in row.items()
    }


def _without_identities(conversation: Conversation, value: Json) -> Json:
    if not isinstance(value, str):
        return value
    for index, stored in enumerate(conversation.created):
        if stored is not None:
            value = value.replace(stored.identity, f"<identity {index}>")
    return value


def _shape(value: Json) -> Json:
    """Members and types, without values."""
    if isinstance(value, Mapping):
        return {name: _shape(nested) for name, nested in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value[:1]]
    return {bool: "a boolean", int: "a number", float: "a number", str: "a string"}.get(type(value))


def _differences(
    one: Json, other: Json, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Json, Json]]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys([*one, *other]):
            yield from _differences(one.get(name, ABSENT), other.get(name, ABSENT), (*path, name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (item, counterpart) in enumerate(zip(one, other, strict=True)):
            yield from _differences(item, counterpart, (*path, index))
    elif one != other or isinstance(one, bool) is not isinstance(other, bool):
        yield path, one, other
