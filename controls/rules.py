"""Rules that replace the responses to matching requests. This module chooses the rule, the steering applies it."""

import math
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from ..contract.document import Contract
from ..contract.example import NotDocumented, documented_reply, documented_response, written
from ..contract.finding import Finding
from ..contract.media import concrete
from ..contract.operation import Operation, Reply
from ..contract.problem import Problem
from ..contract.schema import did_you_mean, show
from ..contract.threads import LARGE
from .budget import PART_OVERHEAD, RULE_OVERHEAD, Budget, LimitReached, json_size, parts
from .clock import Clock, parse_instant
from .match import Match
from .refusals import Refused

LONGEST_DELAY = 60.0
"""The longest delay, in seconds, of any distribution."""


_FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")


class Rule:
    """One rule. Raises Refused, also when no operation that it matches documents its answers, and LimitReached."""

    identity = ""
    """The id, once the rule is in force."""

    def __init__(self, declared: Mapping[str, Any], contract: Contract) -> None:
        self.declared = declared
        pattern = declared.get("match", {})
        self.match = Match({part: value for part, value in pattern.items() if part not in ("status", "valid")})
        forced = declared.get("answers") or ([declared["answer"]] if "answer" in declared else [])
        self.answers: list[Mapping[str, Any]] = [{"status": each} if isinstance(each, int) else each for each in forced]
        """The answers, in this order; a single one is repeated."""
        self.off_contract: bool = declared["off_contract"]
        self.fault: str | None = declared.get("fault")
        self.delay: Mapping[str, Any] | None = declared.get("delay")
        self.matched = self.answered = self.open = 0
        """The numbers of requests that matched, that it answered, and that have an open turn."""
        self._until = parse_instant(declared["until"]) if "until" in declared else None
        self._times: float = len(self.answers) if "answers" in declared else declared.get("times", math.inf)
        self._chance = random.Random(declared["seed"])  # noqa: S311 (it must be reproducible)
        operations = _matching_operations(pattern, contract)
        for answer in self.answers:
            _check_names(answer_headers(answer))
        text = json_size(declared)
        self.is_large = text > LARGE
        self.size = RULE_OVERHEAD + PART_OVERHEAD * parts(pattern) + 100 * json_size(pattern) + 10 * text
        """Approximate bytes; a pattern takes a hundred times its text."""
        self.replies: Mapping[str, list[Reply]] = {}
        """The answers by operationId; empty without answers, and with `off_contract`."""
        if self.answers and not self.off_contract:
            self.replies = _replies(self.answers, operations, contract)

    def as_json(self) -> dict[str, Any]:
        return {"id": self.identity, **self.declared, "matched": self.matched, "answered": self.answered}

    def applies(self, operation: Operation | None, clock: Clock) -> bool:
        """Whether the rule applies to a matching request. Each call draws once for `probability`."""
        if self.answered + self.open >= self._times or (self._until is not None and clock.instant() >= self._until):
            return False
        if operation is None and self.match.path is None:
            return False
        if self.replies and (operation is None or operation.id not in self.replies):
            return False
        return self._chance.random() < float(self.declared["probability"])

    def seconds(self) -> float:
        """The delay of this request, in seconds."""
        if self.delay is None:
            return 0.0
        middle, jitter = self.delay["milliseconds"] / 1000, self.delay["jitter"]
        if self.delay["distribution"] == "uniform":
            middle *= 1 + jitter * self._chance.uniform(-1, 1)
        elif self.delay["distribution"] == "lognormal":
            middle *= self._chance.lognormvariate(0, jitter)
        return float(min(middle, LONGEST_DELAY))


class Turn:
    """The turn of one request at a rule: taken when the rule answers the request, released when it is refused."""

    def __init__(self, rule: Rule, operation: Operation | None) -> None:
        self.rule, self._operation = rule, operation
        self._is_open = True
        rule.matched += 1
        rule.open += 1

    def take(self) -> Mapping[str, Any] | None:
        """Take the turn; returns the answer for it, if there are answers."""
        rule = self.rule
        answer = rule.answers[self._place] if rule.answers else None
        self.release()
        rule.answered += 1
        return answer

    def reply(self) -> Reply | None:
        """Take the turn for a reply of the contract; None, without taking it, where there is none."""
        if not self.rule.replies or self._operation is None:
            return None
        place = self._place
        self.take()
        return self.rule.replies[self._operation.id][place]

    def release(self) -> None:
        """Give the turn back."""
        if self._is_open:
            self._is_open = False
            self.rule.open -= 1

    @property
    def _place(self) -> int:
        return self.rule.answered if len(self.rule.answers) > 1 else 0


class Rules:
    """The rules of a session, oldest first, counted in its budget."""

    def __init__(self, clock: Clock, budget: Budget) -> None:
        self._clock, self._budget = clock, budget
        self._rules: dict[str, Rule] = {}
        self._added = 0

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules.values())

    def add(self, rule: Rule) -> None:
        """Add a rule, which precedes the others; it keeps its id, if it has one. Raises LimitReached."""
        identity = rule.identity or f"rule{self._added + 1}"
        self._budget.hold(identity, rule.size)
        self._added += not rule.identity
        rule.identity = identity
        self._rules[identity] = rule

    def replace(self, rules: Iterable[Rule]) -> None:
        """Replace all rules. Raises LimitReached without any change."""
        former = list(self)
        self.clear()
        try:
            for rule in rules:
                self.add(rule)
        except LimitReached:
            self.replace(former)
            raise

    def delete(self, identity: str) -> None:
        """Raises Refused for an unknown id."""
        if self._rules.pop(identity, None) is None:
            raise Refused(Problem("unknown-rule", f"The session has no rule {show(identity)}."))
        self._budget.hold(identity, 0)

    def clear(self) -> None:
        for identity in list(self._rules):
            self.delete(identity)

    def choose(self, operation: Operation | None, matching: Iterable[Rule]) -> Turn | None:
        """The turn at the newest of the matching rules that applies."""
        for rule in reversed(list(matching)):
            if rule.identity in self._rules and rule.applies(operation, self._clock):
                return Turn(rule, operation)
        return None


def answer_headers(answer: Mapping[str, Any]) -> dict[str, str]:
    """The header fields of an answer by lower-case name, without those that frame the body."""
    given = answer.get("headers", {})
    pairs = given.items() if isinstance(given, dict) else [(field["name"], field["value"]) for field in given]
    fields = {name.lower(): value for name, value in pairs}
    return {name: value for name, value in fields.items() if name not in ("content-length", "transfer-encoding")}


def not_in_contract(reason: str, findings: Sequence[Finding] = ()) -> Refused:
    """The error for an answer, or a body, that the contract does not have."""
    return Refused(Problem("not-in-contract", f"{reason}.", findings))


def _check_names(headers: Mapping[str, str]) -> None:
    """Raises Refused for invalid field names, which the controls' contract, in OpenAPI 3.0, cannot exclude."""
    for name in headers:
        if not _FIELD_NAME.fullmatch(name):
            raise not_in_contract(f"{show(name)} is no name of a header field (RFC 9110, section 5.1)")


def _matching_operations(pattern: Mapping[str, Any], contract: Contract) -> list[Operation]:
    """The operations that a rule may match. Raises Refused for an unknown one."""
    every = contract.operations
    if (named := pattern.get("operation")) is not None and named not in every:
        near = did_you_mean(named, every).removesuffix("?")
        has = ", ".join(every)
        raise not_in_contract(f"The rule applies to no operation of the contract: {show(named)}{near}; there are {has}")
    return [
        operation
        for operation in every.values()
        if named in (None, operation.id) and pattern.get("method", operation.method) == operation.method
    ]


def _replies(
    answers: Sequence[Mapping[str, Any]], operations: Sequence[Operation], contract: Contract
) -> dict[str, list[Reply]]:
    """The replies by operation, for the operations that document all answers. Raises Refused when none does."""
    replies, reasons = {}, []
    for operation in operations:
        try:
            replies[operation.id] = [_reply(answer, operation, contract) for answer in answers]
        except NotDocumented as reason:
            reasons.append(str(reason))
    if not replies:
        has = ", ".join(f"{each.id} ({each.method})" for each in contract.operations.values())
        why = "; ".join(reasons) or f"The rule applies to no operation of the contract; there are {has}"
        raise not_in_contract(f"{why}; with off_contract true, it is sent unjudged")
    return replies


def _reply(answer: Mapping[str, Any], operation: Operation, contract: Contract) -> Reply:
    """Raises NotDocumented."""
    status = answer["status"]
    if "body" not in answer:
        value, status, headers = documented_reply(contract, operation, status, answer.get("example"))
    else:
        documented = next(iter(documented_response(operation, status).representations), "application/json")
        value, headers = written(answer["body"], documented), {"content-type": concrete(documented)}
    headers = {**{name.lower(): text for name, text in headers.items()}, **answer_headers(answer)}
    findings = operation.check_response(status, headers, value if isinstance(value, bytes) else orjson.dumps(value))
    if findings:
        raise NotDocumented(f"{operation.id} {status}: {'; '.join(map(str, findings))}")
    return value, status, headers
