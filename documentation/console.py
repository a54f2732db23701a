"""The console at `/_mock/ui`: a page over the controls, made from the API's contract."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from ..contract.document import Contract
from ..contract.error_responses import WORDS
from ..contract.example import NotDocumented, documented_reply, request_example
from ..contract.operation import Operation
from ..contract.resource import HIDDEN, Resource
from ..contract.rulebook import RULES
from ..contract.schema import Json, Schema
from ..contract.shape import members
from .page import assembled, environment, script_data
from .samples import request
from .served import Page
from .wording import phrase

Node = Mapping[str, Any]

MAX_COLUMNS = 6
"""Columns of a table of documents, beside the last time; a picture takes two."""
SHORT = 100
"""The length up to which a text is short, in characters."""
VALUES = 100
"""The number of values that are made for a member with unique values."""


def render_console(contract: Contract, base_path: str) -> Page:
    facts = {
        "api": base_path,
        "operations": [
            {"id": each.id, "method": each.method, "path": each.path, "answers": list(_answers(contract, each))}
            for each in contract.operations.values()
        ],
        "resources": [_resource(contract, each) for each in contract.resources],
        "sample": _sample(contract),
        "words": WORDS,
        # A reference without problems does not explain them, but that of the controls does.
        "rules_of_engine": [] if contract.problems else [*RULES],
    }
    return assembled(
        environment(html=True),
        "console",
        contract=contract,
        api=base_path,
        tables=[each.table for each in contract.resources],
        facts=script_data(facts),
    )


def _answers(contract: Contract, operation: Operation) -> Iterator[dict[str, Any]]:
    """The answers that a rule can have: each documented example, or one made from the catalogue.

    A range of statuses, and the default, stand for 404 and 503, the most common in tests.
    """
    for status in sorted({404, 503}.union(int(each) for each in operation.responses if each.isdigit())):
        if (response := operation.response(status)) is None:
            continue
        shown = next((each.declared for each in response.representations.values()), {})
        for example, declared in shown.get("examples", {}).items() or [(None, {})]:
            with suppress(NotDocumented):
                documented_reply(contract, operation, status, example)
                title = contract.resolve.followed(declared).get("summary") or example or phrase(str(status))
                yield {"status": status, "title": title, **({"example": example} if example else {})}


def _sample(contract: Contract) -> dict[str, Any] | None:
    """The initial request of the console: a create, if there is one; None where the API has no operation."""
    operations = list(contract.operations.values())
    creating = [each for each in operations if each.method == "POST"]
    known = [each for each in creating if each.id in contract.actions]
    chosen = next(iter([*known, *creating, *operations]), None)
    if chosen is None:
        return None
    sent = request(contract, chosen, {}, "")
    return {"method": sent.method, "target": sent.target, "headers": [*sent.headers.items()], "body": sent.text}


def _resource(contract: Contract, resource: Resource) -> dict[str, Any]:
    """The facts of a resource for the console: table, columns, example, parents, unique members."""
    creates = [
        identity for identity, each in contract.actions.items() if each.kind == "create" and each.resource is resource
    ]
    example = _example(contract, resource, contract.operations[creates[0]] if creates else None)
    tables = {name: each.table for identity in creates[:1] for name, each in contract.actions[identity].ancestors}
    parents = {member: tables.get(parameter) for parameter, member in resource.parents.items()}
    unique = [combination[-1] for combination in resource.combinations]
    varied = dict.fromkeys([*([resource.identity] if resource.is_named_by_clients else ()), *unique])
    return {
        "table": resource.table,
        "identity": resource.identity,
        # The members of a document's key beside its identity, where clients choose that.
        "within": [*resource.parents.values()] if resource.is_named_by_clients else [],
        "columns": [{"name": name, "title": name.removeprefix(HIDDEN)} for name in _columns(resource)],
        "time": next((each for each in (resource.updated_at, resource.created_at) if each), None),
        "day": resource.schema.get("x-day"),
        "example": example,
        # The members that hold parents, each with the parent's table, if any.
        "parents": parents,
        "varied": [
            {"name": name, "values": _values(contract, resource, name, example.get(name))}
            for name in varied
            if name not in parents
        ],
        "secrets": any(each.schema.get("writeOnly") for each in members(resource.input, contract.resolve)),
    }


def _columns(resource: Resource) -> list[str]:
    """The columns: identity, unique members, parents; then members with an enum, short ones, other texts."""
    of_combinations = (name for combination in resource.combinations for name in combination)
    columns = list(dict.fromkeys([resource.identity, *of_combinations, *resource.parents.values()]))
    times = {resource.updated_at, resource.created_at, resource.deleted_at}
    ranks = {name: _rank(each) for name, each in resource.properties.items() if name not in times.union(columns)}
    more = sorted((name for name, rank in ranks.items() if rank is not None), key=lambda name: ranks[name] or 0)
    chosen = more[: max(0, MAX_COLUMNS - len(columns) - 2 * ("x-day" in resource.schema))]
    return columns + [name for name in ranks if name in chosen]


def _rank(schema: Node) -> int | None:
    """The priority of a member's column, lowest first; None for a member without one."""
    kinds = schema.get("type", "string" if "enum" in schema else "")
    kind = next((each for each in ([kinds] if isinstance(kinds, str) else kinds) if each != "null"), "")
    if schema.get("writeOnly") or kind not in ("boolean", "string", "integer", "number"):
        return None
    if "enum" in schema or kind == "boolean":
        return 0
    return 1 if kind != "string" or "format" in schema or schema.get("maxLength", SHORT + 1) <= SHORT else 2


def _example(contract: Contract, resource: Resource, creating: Operation | None) -> dict[str, Json]:
    """The documented body of a create, or one made from the schema, with values for the parents."""
    example = (creating and request_example(contract, creating)) or contract.values("request").value(resource.input)
    of_path = {each.name: each.raw for each in (creating.parameters if creating else ())}
    parents = {
        member: contract.values("request").value(of_path.get(parameter, resource.properties.get(member, {})))
        for parameter, member in resource.parents.items()
    }
    return {**parents, **(example if isinstance(example, dict) else {})}


def _counted_on(digits: str, number: int) -> str:
    """A later number of as many digits."""
    return str((int(digits) + number) % 10 ** len(digits)).zfill(len(digits))


VARIATIONS: tuple[Callable[[str, int], str], ...] = (
    lambda text, number: f"{text}_{number}",
    lambda _, number: f"name{number}@example.com",
    lambda _, number: f"https://example.com/{number}",
    lambda text, number: f"{text}{number}",
    lambda text, number: re.sub(r"[0-9]+$", lambda found: _counted_on(found[0], number), text),
    lambda text, number: text + "".join(chr(ord("a") + int(digit)) for digit in str(number)),
    lambda _, number: str(UUID(int=number, version=4)),
    lambda _, number: (date(2026, 1, 1) + timedelta(days=number)).isoformat(),
)
"""Variations of a text by a number, some of which a schema may accept."""


def _values(contract: Contract, resource: Resource, name: str, example: Json) -> list[Json] | None:
    """Distinct values of a member; None where the example with a number appended is one."""
    schema = resource.properties.get(name, {})
    accepts = Schema(schema, contract.resolve, "request").accepts
    if "enum" in schema:
        return list(schema["enum"])
    if isinstance(example, str):
        varied = [[vary(example, each) for each in range(1, VALUES)] for vary in VARIATIONS]
        taken = [[*filter(accepts, dict.fromkeys(values))] for values in varied]
        return None if taken[0] == varied[0] else max(taken, key=len)
    if isinstance(example, int) and not isinstance(example, bool):
        return [example + each for each in range(1, VALUES) if accepts(example + each)]
    return []
