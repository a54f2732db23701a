"""The coverage of the contract by a run: each operation by documented status, and by request member and keyword."""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..contract.document import Contract
from ..contract.finding import Finding
from ..contract.interaction import Interaction, by_name
from ..contract.operation import Operation
from ..contract.parameters import parse_cookies, parse_query
from ..contract.pointer import pointed
from ..contract.shape import Member, Path, members, rules
from ..contract.strict_json import NotStrictJson, decode


@dataclass(slots=True)
class Row:
    """One request member of one operation: how often it was sent, and how often each of its keywords was broken."""

    place: str
    name: str
    """The pointer of a member of the body, with `*` for items; the name of a parameter."""
    keywords: dict[str, int]
    sent: int = 0


@dataclass(slots=True)
class OperationCoverage:
    operation: Operation
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    """Every member of the request."""
    paths: dict[Path, Row] = field(default_factory=dict)
    """The members of the body."""
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def provokable(self) -> list[str]:
        """The documented statuses that a client can provoke."""
        return [s for s, response in self.operation.responses.items() if response.provokable and s.isdecimal()]

    @property
    def unseen(self) -> list[str]:
        return [status for status in self.provokable if not self.statuses[status]]


class Coverage:
    """Counts interactions that were judged."""

    def __init__(self, contract: Contract, included: Callable[[str], bool] = lambda _operation: True) -> None:
        self.operations = {
            name: _rows(operation, contract) for name, operation in contract.operations.items() if included(name)
        }

    @property
    def seen(self) -> set[str]:
        """The statuses of all responses."""
        return {status for each in self.operations.values() for status in each.statuses}

    def record(self, operation: str, findings: Sequence[Finding], interaction: Interaction) -> None:
        """Count an interaction; `findings` are those of the request."""
        covered = self.operations.get(operation)
        if covered is None or not interaction.status:
            return
        status = str(interaction.status)
        documented = (status, f"{status[0]}XX", "DEFAULT")
        covered.statuses[next((key for key in documented if key in covered.operation.responses), status)] += 1
        for finding in findings:
            _broken(covered, finding)
        if not findings:
            _sent(covered, interaction)

    def summary(self) -> dict[str, tuple[int, int]]:
        """The numbers of operations, statuses, members and rules: exercised, and in all."""
        every = self.operations.values()
        rows = [row for each in every for row in each.rows.values()]
        keywords = [times for row in rows for times in row.keywords.values()]
        provokable = sum(len(each.provokable) for each in every)
        return {
            "operations": (sum(1 for each in every if each.statuses), len(every)),
            "statuses": (provokable - sum(len(each.unseen) for each in every), provokable),
            "members": (sum(1 for row in rows if row.sent), len(rows)),
            "rules": (sum(1 for times in keywords if times), len(keywords)),
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "summary": {name: {"exercised": of[0], "of": of[1]} for name, of in self.summary().items()},
            "operations": {
                name: {
                    "statuses": [
                        {"status": status, "seen": each.statuses[status], "provokable": response.provokable}
                        for status, response in each.operation.responses.items()
                    ],
                    "members": [
                        {"in": row.place, "member": row.name, "sent": row.sent, "broken": row.keywords}
                        for row in each.rows.values()
                    ],
                }
                for name, each in self.operations.items()
            },
        }


def _rows(operation: Operation, contract: Contract) -> OperationCoverage:
    covered = OperationCoverage(operation)
    for parameter in operation.parameters:
        member = members(parameter.declared, contract.resolve, parameter.required)[0]
        covered.rows[parameter.place, parameter.name] = _row(parameter.place, parameter.name, member)
    if (body := operation.json_body) is not None:
        schema = body[1].raw
        for member in members(schema, contract.resolve):
            row = _row("body", member.pointer, member)
            covered.rows[row.place, row.name] = covered.paths[member.path] = row
        covered.paths[()].keywords |= {rule["x-rule"]["id"]: 0 for rule in rules(schema, contract.resolve)}
    return covered


def _row(place: str, name: str, member: Member) -> Row:
    """The row of a member, without the keywords that no value in this place can break."""
    keywords = dict.fromkeys(member.keywords, 0)
    if place == "path":
        keywords.pop("required", None)  # a path without its parameter is another path
        if member.schema.get("minLength") == 1:
            keywords.pop("minLength")
    if place != "body" and member.schema.get("type", "string") == "string":
        keywords.pop("type", None)  # every text is a string
    return Row(place, name, keywords)


def _broken(covered: OperationCoverage, finding: Finding) -> None:
    if finding.place != "body":
        row = covered.rows.get((finding.place, finding.name or ""))
    else:
        row = covered.paths.get(general(covered.paths, finding))
        if row is None or finding.rule not in row.keywords:
            row = covered.paths.get(())  # a rule across members points at one of them
    if row is not None and finding.rule in row.keywords:
        row.keywords[finding.rule] += 1


def _sent(covered: OperationCoverage, interaction: Interaction) -> None:
    headers = by_name(interaction.request_headers)
    items = parse_query(interaction.query)[0] if interaction.query else []
    cookies = parse_cookies(headers.get("cookie", ""))
    for parameter in covered.operation.parameters:
        covered.rows[parameter.place, parameter.name].sent += {
            "path": True,
            "query": bool(parameter.find(items)[0]),
            "header": parameter.name.lower() in headers,
            "cookie": bool(parameter.find(cookies)[0]),
        }[parameter.place]
    if covered.paths and interaction.request_body:
        try:
            body = decode(interaction.request_body)
        except NotStrictJson:
            return
        present: set[Path] = set()
        _find(covered.paths, body, (), present)
        for path in present:
            covered.paths[path].sent += 1


def _find(paths: Container[Path], value: Any, path: Path, present: set[Path]) -> None:
    """Add the paths of the members of a value that the contract declares."""
    present.add(path)
    if isinstance(value, dict):
        for name, nested in value.items():
            if (inside := (*path, name)) in paths or (inside := (*path, "*")) in paths:
                _find(paths, nested, inside, present)
    elif isinstance(value, list) and (inside := (*path, "*")) in paths:
        for item in value:
            _find(paths, item, inside, present)


def general(paths: Container[Path], finding: Finding) -> Path:
    """The path of the member that a finding in a body is about, with `*` where the contract has it."""
    steps = pointed(finding.pointer or "")
    if finding.rule == "additionalProperties":
        steps.pop()  # the pointer is that of the unknown member, the path that of the object
    path: Path = ()
    for step in steps:
        path = (*path, step) if (*path, step) in paths else (*path, "*")
    return path
