"""`callconfig compare`: the same conversations with two servers, and where they answer differently."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..contract.finding import Finding, Place, json_pointer
from ..contract.interaction import Interaction, by_name
from ..contract.media import media_type
from ..contract.schema import Json, show
from ..options import CompareOptions
from ..outcome import CouldNotRun
from .client import Client
from .formats import leaving_no_files
from .judge import Judge, Verdict, json_value
from .model.collection import Collection
from .model.comparison import MISSING, differences
from .model.drawing import converse
from .model.player import Player
from .model.script import Script
from .model.steps import Step
from .result import Failure
from .running import conversing, exit_code, run_id, selection, sent_headers
from .timing import Deadline, Pace


def compare(options: CompareOptions) -> int:
    """Compare two servers and return the exit code. Raises CouldNotRun."""
    one, other = options.url_a, options.url_b
    headers, pace, deadline = sent_headers(options), Pace(options.rate_limit), Deadline(options.max_time)
    with conversing("compare", options, f"{one} {other}") as (result, progress):
        collection = Collection.of(result.contract, selection(options.include, options.exclude, result.contract))
        script = Script(collection, result.contract, anywhere=options.write_anywhere) if collection else None
        if collection is None or script is None or not script.possible:
            raise CouldNotRun("comparing needs a contract with an x-resource and an operation that creates it")
        with (
            leaving_no_files(),
            Client(one, headers, pace, deadline) as client_a,
            Client(other, headers, pace, deadline) as client_b,
        ):
            client_a.probe()
            client_b.probe()
            progress.part("conversations")
            name, count = run_id(result), 0

            def record(verdict: Verdict, interaction: Interaction) -> None:
                result.record("conversations", verdict, interaction)

            def play(steps: Sequence[Step]) -> list[Failure]:
                nonlocal count
                count += 1
                pair = [
                    Player(collection, client, Judge.of_url(result.contract, client.url), f"{name}-{count}", record)
                    for client in (client_a, client_b)
                ]
                return next(filter(None, (played(pair, step) for step in steps)), [])

            converse(script, play, result, options.max_examples)
    return exit_code(result)


def played(pair: Sequence[Player], step: Step) -> list[Failure]:
    """Take a step with both servers, and say where their answers differ."""
    for player in pair:
        player.play(step)
    answers = [player.interactions[-1] for player in pair]
    findings = list(compared(pair, answers))
    operation = pair[0].judge.judge(answers[0]).operation if findings else ""
    led_here = [*pair[0].interactions, answers[1]]
    return [Failure(finding, operation, led_here, "conversations") for finding in findings]


def compared(pair: Sequence[Player], answers: Sequence[Interaction]) -> Iterator[Finding]:
    """Where two answers to the same request differ, values that servers make aside."""
    one, other = answers
    if one.status != other.status:
        yield _finding("status", f"the first answers {_status(one)}, the second {_status(other)}")
        return
    types = [media_type(by_name(each.response_headers).get("content-type", ""))[0] for each in answers]
    locations = [_location(*each) for each in zip(pair, answers, strict=True)]
    for name, (in_one, in_other) in (("Content-Type", types), ("Location", locations)):
        if in_one != in_other:
            yield _finding("header", f"is {show(in_one)} in the first, {show(in_other)} in the second", name=name)
            if name == "Content-Type":
                return
    bodies = [_comparable(*each) for each in zip(pair, answers, strict=True)]
    for path, here, there in differences(*bodies):
        detail = f"is {_shown(here)} in the first, {_shown(there)} in the second"
        yield _finding("body", detail, pointer=json_pointer(path))


def _finding(place: Place, detail: str, **where: Any) -> Finding:
    return Finding("difference", place, detail, **where)


def _status(interaction: Interaction) -> str:
    return str(interaction.status or interaction.error)


def _shown(value: Json) -> str:
    return "missing" if value is MISSING else show(value)


def _location(player: Player, answer: Interaction) -> str:
    location = by_name(answer.response_headers).get("location")
    if location is None:
        return ""
    try:
        path = urlsplit(urljoin(answer.url, location)).path.removeprefix(player.judge.base_path)
    except ValueError:
        path = location
    return str(_without_identities(player, path))


def _comparable(player: Player, answer: Interaction) -> Json:
    """The body with what only this server knows taken out; of an error, whose words are its own, the shape."""
    body = json_value(answer.response_body)
    if answer.status >= 400:
        return _shape(body)
    if isinstance(body, list):
        return [_comparable_row(player, row) for row in body if player.memory.concerns(row)]
    return _comparable_row(player, body)


def _comparable_row(player: Player, row: Json) -> Json:
    if not isinstance(row, Mapping):
        return row
    made = player.memory.collection.resource.server_members
    return {name: _shape(value) if name in made else _without_identities(player, value) for name, value in row.items()}


def _without_identities(player: Player, value: Json) -> Json:
    if not isinstance(value, str):
        return value
    for index, identity in enumerate(player.memory.created):
        if identity:
            value = value.replace(identity, f"<identity {index}>")
    return value


def _shape(value: Json) -> Json:
    """Members and types, without values."""
    if isinstance(value, Mapping):
        return {name: _shape(nested) for name, nested in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value[:1]]
    return {bool: "a boolean", int: "a number", float: "a number", str: "a string"}.get(type(value))
