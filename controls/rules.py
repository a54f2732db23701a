"""Rules: what matching requests get instead of the usual. Here it is chosen; the steering carries it out."""

import math
import random
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from ..contract.document import Contract
from ..contract.example import NotDocumented, documented_reply
from ..contract.operation import Operation, Reply
from .budget import PART_OVERHEAD, RULE_OVERHEAD, Budget, json_size, parts
from .clock import Clock, parse_instant
from .match import Match

LONGEST_DELAY = 60.0
"""Seconds that a request waits at most, however the throw falls out."""


class NotInContract(Exception):
    """A forced answer that the contract does not have; the message says what it has."""


class UnknownRule(Exception):
    """The session has no rule of this id."""

    def __init__(self, identity: str) -> None:
        super().__init__(identity)
        self.identity = identity


class Rule:
    """One rule. Raises NotInContract when its answer is not in the contract for any operation that it is for."""

    def __init__(self, identity: str, declared: Mapping[str, Any], contract: Contract) -> None:
        self.identity, self.declared = identity, declared
        self.match = Match(
            {part: value for part, value in declared.get("match", {}).items() if part not in ("status", "valid")}
        )
        self.answer: Mapping[str, Any] | None = declared.get("answer")
        self.off_contract: bool = declared["off_contract"]
        self.fault: str | None = declared.get("fault")
        self.delay: Mapping[str, Any] | None = declared.get("delay")
        self.used = 0
        self._until = parse_instant(declared["until"]) if "until" in declared else None
        self._times: float = declared.get("times", math.inf)
        self._chance = random.Random(declared["seed"])  # noqa: S311 (a course that can be repeated is wanted)
        self.replies: Mapping[str, Reply] | None = None
        """The forced answer by operationId; None when there is none, or when it is off the contract."""
        if self.answer is not None and not self.off_contract:
            self.replies = _replies(declared.get("match", {}), self.answer, contract)

    @property
    def size(self) -> int:
        """Bytes that it takes, about; a pattern takes a hundred times its text."""
        match = self.declared.get("match", {})
        return RULE_OVERHEAD + PART_OVERHEAD * parts(match) + 100 * json_size(match) + 10 * json_size(self.declared)

    def as_json(self) -> dict[str, Any]:
        return {"id": self.identity, **self.declared, "used": self.used}

    def applies(self, operation: Operation | None, request: Mapping[str, Any], clock: Clock) -> bool:
        """Whether the request gets what the rule says. To ask counts as a throw of its chances."""
        if self.used >= self._times or (self._until is not None and clock.instant() >= self._until):
            return False
        if operation is None and self.match.path is None:
            return False
        if self.replies is not None and (operation is None or operation.id not in self.replies):
            return False
        return self.match.accepts(request) and self._chance.random() < self.declared["probability"]

    def seconds(self) -> float:
        """How long this request waits."""
        if self.delay is None:
            return 0.0
        middle, jitter = self.delay["milliseconds"] / 1000, self.delay["jitter"]
        if self.delay["distribution"] == "uniform":
            middle *= 1 + jitter * self._chance.uniform(-1, 1)
        elif self.delay["distribution"] == "lognormal":
            middle *= self._chance.lognormvariate(0, jitter)
        return float(min(middle, LONGEST_DELAY))


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

    @property
    def need_body(self) -> bool:
        return any(rule.match.needs_body for rule in self)

    def add(self, declared: Mapping[str, Any], contract: Contract) -> Rule:
        """Raises NotInContract, LimitReached."""
        rule = Rule(f"rule{self._added + 1}", declared, contract)
        self._budget.hold(rule.identity, rule.size)
        self._added += 1
        self._rules[rule.identity] = rule
        return rule

    def delete(self, identity: str) -> None:
        """Raises UnknownRule."""
        if self._rules.pop(identity, None) is None:
            raise UnknownRule(identity)
        self._budget.hold(identity, 0)

    def clear(self) -> None:
        for identity in list(self._rules):
            self.delete(identity)

    def choose(self, operation: Operation | None, request: Mapping[str, Any]) -> Rule | None:
        """The newest rule that applies to the request; it counts as used then."""
        for rule in reversed(self._rules.values()):
            if rule.applies(operation, request, self._clock):
                rule.used += 1
                return rule
        return None


def given_headers(answer: Mapping[str, Any]) -> dict[str, str]:
    """The header fields of an answer by lower-case name, without those that say where its body ends."""
    fields = {field["name"].lower(): field["value"] for field in answer.get("headers", ())}
    return {name: value for name, value in fields.items() if name not in ("content-length", "transfer-encoding")}


def _replies(pattern: Mapping[str, Any], answer: Mapping[str, Any], contract: Contract) -> dict[str, Reply]:
    replies, reasons = {}, []
    for operation in contract.operations.values():
        if pattern.get("operation", operation.id) != operation.id or pattern.get("method", operation.method) != (
            operation.method
        ):
            continue
        try:
            replies[operation.id] = _reply(answer, operation, contract)
        except NotDocumented as reason:
            reasons.append(str(reason))
    if not replies:
        raise NotInContract("; ".join(reasons) or "The rule is for no operation of the contract")
    return replies


def _reply(answer: Mapping[str, Any], operation: Operation, contract: Contract) -> Reply:
    """Raises NotDocumented."""
    status = answer["status"]
    if "body" not in answer:
        value, status, headers = documented_reply(contract, operation, status, answer.get("example"))
    else:
        if (response := operation.response(status)) is None:
            raise NotDocumented(f"{operation.id} has no response {status}; it has {', '.join(operation.responses)}")
        value, headers = answer["body"], {"content-type": next(iter(response.representations), "application/json")}
    headers = {**{name.lower(): text for name, text in headers.items()}, **given_headers(answer)}
    findings = operation.check_response(status, headers, orjson.dumps(value))
    if findings:
        raise NotDocumented(f"{operation.id} {status}: {'; '.join(map(str, findings))}")
    return value, status, headers
