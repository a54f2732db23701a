"""The model: what a server must answer, given what it was told before. It needs a contract that declares `x-resource`.

It shares no store with the mock, so it does not share its mistakes.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from ..contract.finding import Finding, json_pointer
from ..contract.interaction import Fields, Interaction, by_name
from ..contract.operation import Operation
from ..contract.schema import Json, show
from .client import Client
from .judge import Judge, Verdict
from .resource import Resource
from .result import Failure
from .steps import FIRST, JSON_BODY, Create, List, Raw, Replace, Step

REFUSALS = {"media-type": ("415",), "accept": ("406",)}
INVALID = ("400", "422")
"""The documented statuses that refuse a request, by what is wrong with it."""


@dataclass
class Stored:
    """What must be stored."""

    shown: dict[str, Json]
    identity: str
    history: list[Interaction]
    """The requests that made it what it is."""


@dataclass
class Conversation:
    """One conversation with a server, whose names nobody used before, and what must be stored because of it."""

    resource: Resource
    client: Client
    judge: Judge
    namespace: str
    on_verdict: Callable[[Verdict, Interaction], None]
    """Gets every interaction."""
    on_failure: Callable[[Failure], None]
    part: str = "model"
    created: list[Stored | None] = field(default_factory=list)
    """In the order of the Creates; None for those that were refused."""
    interactions: list[Interaction] = field(default_factory=list)
    _stored: dict[str, Stored] = field(default_factory=dict)

    def play(self, step: Step) -> Interaction:
        """Take one step and judge the answer."""
        match step:
            case Create():
                return self._create(step)
            case Replace() if self.resource.replace:
                return self._replace(step, self.resource.replace)
            case List() if self.resource.list:
                return self._list(step, self.resource.list)
            case Raw():
                return self._raw(step)
        raise ValueError(f"the resource has no operation for {step}")

    @staticmethod
    def json(interaction: Interaction) -> Json:
        """The value of a response's body; None where it is not JSON, of which the engine has told."""
        try:
            return json.loads(interaction.response_body)
        except ValueError:
            return None

    def concerns(self, row: Json) -> bool:
        """Whether a row of a list is of this conversation, on a server that others use as well."""
        return isinstance(row, dict) and (row.get(self.resource.identity) in self._stored or self._is_ours(row))

    def names(self, scope: int) -> dict[str, str]:
        """The values of the unique members in a scope; the scopes of a conversation share some of them."""
        last = len(self.resource.unique) - 1
        return {
            member: f"{self.namespace}-{member}-{scope >> index if index == last else (scope >> index) & 1}"
            for index, member in enumerate(self.resource.unique)
        }

    def _create(self, step: Create) -> Interaction:
        operation = self.resource.create
        body = self._scoped(step.body, step.scope)
        interaction, findings = self._send(operation, {}, JSON_BODY, body=_encode(body))
        holder = self._holder(body) if not findings else None
        expected, because = self._expected_status(operation, findings, None, holder)
        led_here = [*(holder.history if holder else []), interaction]
        stored = None
        if self._has_status(operation, interaction, expected, because, led_here) and interaction.status < 300:
            stored = self._created(operation, body, interaction)
        self.created.append(stored)
        return interaction

    def _created(self, operation: Operation, body: Mapping[str, Json], interaction: Interaction) -> Stored | None:
        answer = self.json(interaction)
        identity = answer.get(self.resource.identity) if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or not isinstance(identity, str):
            return None  # the engine has said why
        if (other := self._stored.get(identity)) is not None:
            detail = f"must be new, but {show(identity)} was made before"
            self._fail(operation, "identity", "body", detail, [*other.history, interaction], self.resource.identity)
        shown = {**self.resource.expected(operation, body), **_only(answer, self.resource.server_members)}
        self._agrees(operation, shown, answer, [interaction])
        location = by_name(interaction.response_headers).get("location")
        if location is not None and self.resource.replace is not None:
            found = self.judge.locate("PUT", urlsplit(urljoin(interaction.url, location)).path)
            if isinstance(found, Finding) or found[0] is not self.resource.replace or identity not in found[1].values():
                detail = f"must lead to {show(identity)}, not to {show(location)}"
                self._fail(operation, "location", "header", detail, [interaction], name="Location")
        self._stored[identity] = stored = Stored(shown, identity, [interaction])
        return stored

    def _replace(self, step: Replace, operation: Operation) -> Interaction:
        resource = self.resource
        stored = self.created[step.target] if 0 <= step.target < len(self.created) else None
        identity = stored.identity if stored else f"{self.namespace}-unknown"
        body = self._scoped(step.body, step.scope)
        if step.identity:
            body = {**body, resource.identity: identity if step.identity == "same" else f"{identity}x"}
        if step.pause and stored is not None and resource.updated_at:
            time.sleep(_resolution(stored.shown.get(resource.updated_at)))
        parameter = operation.path.rpartition("{")[2].rstrip("}")
        interaction, findings = self._send(operation, {parameter: identity}, JSON_BODY, body=_encode(body))
        holder = self._holder(body) if not findings and holds_scope(body, resource) else None
        if stored is None:
            expected, because = self._expected_status(operation, findings, identity, None)
        elif step.identity == "other" and not findings:
            because = f"the {resource.identity} in the body is another one than in the path"
            expected = _documented(operation, INVALID)
            expected = expected if resource.refuses_contradiction else (*expected, "2XX")
        else:
            taken = holder if holder is not stored else None
            expected, because = self._expected_status(operation, findings, None, taken)
        led_here = [*(stored.history if stored else []), *(holder.history if holder not in (None, stored) else [])]
        led_here.append(interaction)
        right = self._has_status(operation, interaction, expected, because, led_here)
        if right and interaction.status < 300 and stored is not None:
            self._replaced(operation, stored, body, interaction, step.pause)
        return interaction

    def _replaced(
        self, operation: Operation, stored: Stored, body: Mapping[str, Json], interaction: Interaction, paused: bool
    ) -> None:
        resource, answer = self.resource, self.json(interaction)
        led_here = [*stored.history, interaction]
        if not isinstance(answer, dict):
            return
        shown = resource.expected(operation, body)
        for member, rule in ((resource.identity, "identity"), (resource.created_at, "created-at")):
            if member and member in stored.shown:
                shown[member] = stored.shown[member]
                if answer.get(member, stored.shown[member]) != stored.shown[member]:
                    detail = f"must still be {show(stored.shown[member])}, not {show(answer[member])}"
                    self._fail(operation, rule, "body", detail, led_here, member)
                    shown[member] = answer[member]
        if (member := resource.updated_at) and member in answer:
            before, now = _instant(stored.shown.get(member)), _instant(answer[member])
            if before and now and (now < before or (paused and now == before)):
                detail = f"must be later than {show(stored.shown[member])}, not {show(answer[member])}"
                self._fail(operation, "updated-at", "body", detail, led_here, member)
            shown[member] = answer[member]
        self._agrees(operation, shown, answer, led_here)
        stored.shown, stored.history = shown, led_here

    def _list(self, step: List, operation: Operation) -> Interaction:
        filters = {name: step.change(value) for name, value in self.names(step.scope).items() if name in step.by}
        interaction, findings = self._send(operation, {}, query=urlencode(filters, quote_via=quote))
        expected, because = self._expected_status(operation, findings, None, None)
        if self._has_status(operation, interaction, expected, because, [interaction]) and interaction.status < 300:
            rows = self.json(interaction)
            if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
                self._lists(operation, filters, rows, interaction)
        return interaction

    def _lists(
        self, operation: Operation, filters: Mapping[str, str], rows: list[dict[str, Json]], interaction: Interaction
    ) -> None:
        key = self.resource.identity
        for index, row in enumerate(rows):
            wrong = next((name for name, value in filters.items() if row.get(name, value) != value), None)
            if wrong is not None:
                detail = f"is {show(row[wrong])}, but {show(filters[wrong])} was asked for"
                led_here = [*self._history(row), interaction]
                self._fail(operation, "list-filter", "body", detail, led_here, index, wrong)
        wanted = [stored for stored in self._stored.values() if _only(stored.shown, filters) == filters]
        ours = list(filter(self.concerns, rows))
        for stored in wanted:
            found = [row for row in ours if row.get(key) == stored.identity]
            if len(found) != 1:
                times = "is missing" if not found else f"is there {len(found)} times"
                detail = f"{show(stored.identity)}, which was stored, {times}"
                self._fail(operation, "list-content", "body", detail, [*stored.history, interaction])
            else:
                index = next(index for index, row in enumerate(rows) if row is found[0])
                self._agrees(operation, stored.shown, found[0], [*stored.history, interaction], index)
        for row in ours:
            if row.get(key) not in self._stored:
                detail = f"{show(row.get(key))} is in the list, but was never stored"
                self._fail(operation, "list-content", "body", detail, [*self.interactions[-2:]])
        self._in_order(operation, rows, interaction)

    def _in_order(self, operation: Operation, rows: Sequence[Mapping[str, Json]], interaction: Interaction) -> None:
        if not self.resource.order or not all(name in row for row in rows for name in self.resource.order):
            return
        keys = [[_instant(row[name]) or row[name] for name in self.resource.order] for row in rows]
        wrong = next((index for index in range(1, len(keys)) if keys[index - 1] > keys[index]), None)
        if wrong is not None:
            detail = (
                f"must come before {json_pointer([wrong - 1])}: the order is by {', then '.join(self.resource.order)}"
            )
            led_here = [*self._history(rows[wrong - 1]), *self._history(rows[wrong]), interaction]
            self._fail(operation, "list-order", "body", detail, led_here, wrong)

    def _raw(self, step: Raw) -> Interaction:
        first = next((stored.identity for stored in self.created if stored), f"{self.namespace}-unknown")
        target = step.path.replace(FIRST, quote(first, safe="")) + (f"?{step.query}" if step.query else "")
        interaction = self.client.send(step.method, target, step.headers, step.body)
        self.interactions.append(interaction)
        verdict = self.judge.judge(interaction)
        self.on_verdict(verdict, interaction)
        found = self.judge.locate(step.method, interaction.path)
        if isinstance(found, Finding):
            self._refuses(found, step, interaction)
            return interaction
        operation = found[0]
        self._judged(operation, verdict, interaction)
        expected, because = self._expected_status(operation, verdict.request, None, None)
        if verdict.request:
            self._has_status(operation, interaction, (*expected, step.or_status), because, [interaction])
        return interaction

    def _refuses(self, unknown: Finding, step: Raw, interaction: Interaction) -> None:
        """RFC 9110: 404 for a path that does not exist, 405 with `Allow` for a method that it does not have."""
        label = f"{step.method} {step.path}"
        expected = 404 if unknown.rule == "undocumented-path" else 405
        if interaction.status not in (expected, 501):
            detail = f"must be {expected}, because the path {unknown.detail}; not {interaction.status}"
            self.on_failure(Failure(Finding("expected-status", "status", detail), label, [interaction], self.part))
        elif expected == 405 and "allow" not in by_name(interaction.response_headers):
            finding = Finding("allow", "header", "is required in a 405 and missing", name="Allow")
            self.on_failure(Failure(finding, label, [interaction], self.part))

    def _send(
        self,
        operation: Operation,
        parameters: Mapping[str, str],
        headers: Fields = (),
        query: str = "",
        body: bytes = b"",
    ) -> tuple[Interaction, Sequence[Finding]]:
        """The interaction, its response judged by the engine, and what is wrong with the request."""
        path = operation.path
        for name, value in parameters.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        interaction = self.client.send(operation.method, path + (f"?{query}" if query else ""), headers, body)
        self.interactions.append(interaction)
        verdict = self.judge.judge(interaction)
        self.on_verdict(verdict, interaction)
        self._judged(operation, verdict, interaction)
        return interaction, verdict.request

    def _judged(self, operation: Operation, verdict: Verdict, interaction: Interaction) -> None:
        for finding in verdict.response:
            self.on_failure(Failure(finding, operation.id, [interaction], self.part))

    def _expected_status(
        self, operation: Operation, findings: Sequence[Finding], unknown: str | None, holder: Stored | None
    ) -> tuple[tuple[str, ...], str]:
        """The statuses that are right, and why."""
        if findings:
            wanted = next((REFUSALS[each.rule] for each in findings if each.rule in REFUSALS), INVALID)
            if any(each.place == "path" for each in findings):
                wanted = (*wanted, "404")
            return _documented(operation, wanted), f"the request breaks the contract ({findings[0]})"
        if unknown is not None:
            return _documented(operation, ("404",)), f"{show(unknown)} was never created"
        if holder is not None:
            scope = " and ".join(f"{name} {show(holder.shown[name])}" for name in self.resource.unique)
            return _documented(operation, ("409",)), f"{show(holder.identity)} already has {scope}"
        success = tuple(status for status in operation.responses if status.startswith("2"))
        return success, "the request keeps to the contract, and nothing that is stored is in its way"

    def _has_status(
        self,
        operation: Operation,
        interaction: Interaction,
        expected: tuple[str, ...],
        because: str,
        led_here: Sequence[Interaction],
    ) -> bool:
        status = str(interaction.status)
        if status in expected or f"{status[0]}XX" in expected or not interaction.status:
            return bool(interaction.status)
        detail = f"must be {' or '.join(expected)}, because {because}; not {status}"
        self._fail(operation, "expected-status", "status", detail, led_here)
        return False

    def _agrees(
        self,
        operation: Operation,
        expected: Mapping[str, Json],
        actual: Mapping[str, Json],
        led_here: Sequence[Interaction],
        *path: str | int,
    ) -> None:
        for where, wanted, came in differences(expected, actual, path):
            answered = "it is missing" if came is MISSING else f"not {show(came)}"
            detail = f"must be {show(wanted)}, as it was stored; {answered}"
            self._fail(operation, "stored-value", "body", detail, led_here, *where)

    def _fail(
        self,
        operation: Operation,
        rule: str,
        place: Any,
        detail: str,
        led_here: Sequence[Interaction],
        *path: str | int,
        name: str | None = None,
    ) -> None:
        pointer = None if name or place == "status" else json_pointer(path)
        self.on_failure(Failure(Finding(rule, place, detail, pointer, name), operation.id, led_here, self.part))

    def _scoped(self, body: Json, scope: int | None) -> Json:
        return {**body, **self.names(scope)} if scope is not None and isinstance(body, dict) else body

    def _holder(self, body: Mapping[str, Json]) -> Stored | None:
        """What already has the values that a body has in the unique members."""
        if not self.resource.unique:
            return None
        scope = _only(body, self.resource.unique)
        return next((each for each in self._stored.values() if _only(each.shown, self.resource.unique) == scope), None)

    def _history(self, row: Mapping[str, Json]) -> list[Interaction]:
        stored = self._stored.get(str(row.get(self.resource.identity)))
        return stored.history if stored else []

    def _is_ours(self, row: Mapping[str, Json]) -> bool:
        return any(str(row.get(name, "")).startswith(f"{self.namespace}-") for name in self.resource.unique)


def holds_scope(body: Json, resource: Resource) -> bool:
    return isinstance(body, dict) and all(name in body for name in resource.unique)


MISSING = object()


def differences(
    expected: Json, actual: Json, path: Iterable[str | int] = ()
) -> Iterator[tuple[tuple[str | int, ...], Json, Json]]:
    """Where two JSON values differ: path, expected, actual. Members that only the actual one has are no difference."""
    path = tuple(path)
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name, value in expected.items():
            yield from differences(value, actual.get(name, MISSING), (*path, name))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(one, other, (*path, index))
    elif expected != actual or isinstance(expected, bool) is not isinstance(actual, bool):
        yield path, expected, actual


def _documented(operation: Operation, wanted: Sequence[str]) -> tuple[str, ...]:
    """The documented ones of some statuses; any client error where the contract has none of them."""
    return tuple(status for status in wanted if status in operation.responses) or ("4XX",)


def _encode(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _only(values: Mapping[str, Json], names: Iterable[str]) -> dict[str, Json]:
    return {name: values[name] for name in names if name in values}


def _instant(value: Json) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _resolution(text: Json) -> float:
    """How long to wait until a clock that writes such times must have moved, in seconds."""
    fraction = str(text).partition(".")[2].rstrip("Z")
    return 0.02 if len(fraction) >= 2 else 1.05
