"""`callconfig init`: guesses the resources of a contract, as a patch of it for a person to review."""

import difflib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml

from .contract.actions import ResourcePaths
from .contract.document import Contract
from .contract.finding import first_names
from .contract.path_template import parameters_of
from .contract.shape import flattened
from .contract.yaml_tree import InvalidYaml, MarkedYaml
from .handlers.resolution import notes
from .loading import load_contract
from .outcome import OK, CouldNotRun, printable

_AT = "(at|on|time|date|timestamp)?"
TIMES = {
    "created_at": re.compile(f"(date|time)?(created?|creation|added){_AT}"),
    "updated_at": re.compile(f"(date|time)?(last)?(updated?|modified|modification|changed){_AT}"),
    "deleted_at": re.compile(f"(date|time)?(deleted?|deletion|removed|archived|cancelled){_AT}"),
}
"""The names of the members that are proposed as times, without case and punctuation."""
IDENTITIES = ("id", "uuid", "key", "code", "slug", "number", "name")
"""Members that are proposed as identity where none is named like the parameter of the path, in this order."""
UNIQUE = ("slug", "email", "emailaddress", "username", "sku", "code", "number", "name", "title")
"""Members that are proposed as unique where a create documents a conflict, in this order; the schema's name may be
in front."""
_PREFIX = re.compile(r"([A-Za-z]+[_-])[A-Za-z0-9]+")


@dataclass
class Proposal:
    """The proposed x-resource of one schema, and the guesses in it."""

    name: str
    declared: dict[str, Any]
    guesses: list[str] = field(default_factory=list)


def init(path: Path) -> int:
    """Print the patch, and notes on standard error. Raises CouldNotRun."""
    contract = load_contract(path)
    try:
        root, lines = MarkedYaml(contract.text), contract.text.decode().splitlines(keepends=True)
    except (InvalidYaml, UnicodeDecodeError) as error:
        raise CouldNotRun(f"contract {path}: is no YAML that can be patched: {error}") from error
    unclear: list[str] = []
    proposals = []
    for each in _proposals(contract, unclear):
        if not isinstance(root.node(("components", "schemas", each.name)), yaml.MappingNode):
            unclear.append(f"{each.name} stands in another file; declare there: {orjson.dumps(each.declared).decode()}")
        else:
            proposals.append(each)
    patched = _patched(lines, root, proposals)
    name = path.name if ".." in path.parts else path.as_posix().lstrip("/")  # patch and git refuse a name with ..
    # As bytes, in the encoding of the file, not of the terminal; and the lines of a patch do not end with U+2028.
    name_a, name_b = (os.fsencode(f"{side}/{name}") for side in "ab")
    old, new = (each.splitlines(keepends=True) for each in (contract.text, patched))
    for line in difflib.diff_bytes(difflib.unified_diff, old, new, name_a, name_b):
        sys.stdout.buffer.write(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n")
    unclear += [f"{each.name}: {guess}" for each in proposals for guess in each.guesses]
    if not proposals and not contract.resources:
        unclear.append(
            "no schema is seen to be stored: it needs a name, and two operations that create, list or show it"
        )
    for said in (*unclear, *notes(_with(contract, proposals))):
        print(f"note: {printable(said)}", file=sys.stderr)
    return OK


def _proposals(contract: Contract, unclear: list[str]) -> Iterator[Proposal]:
    schemas: Mapping[str, Mapping[str, Any]] = contract.document.get("components", {}).get("schemas", {})
    taken = {id(resource.schema) for resource in contract.resources}
    seen = set(contract.actions)
    every = {name: ResourcePaths(schema, contract.operations) for name, schema in schemas.items()}
    # The schema of a whole response comes before one that is nested in an envelope.
    for name in sorted(every, key=lambda name: all(shown.envelope for shown in every[name].shown.values())):
        schema, places = schemas[name], every[name]
        kinds = {operation.id: kind for operation, kind in places.kinds.items() if operation.id not in seen}
        if "$ref" in schema or id(schema) in taken or not kinds:
            continue
        if len({*kinds.values()}) < 2:
            unclear.append(f"{name} is not proposed: {first_names(list(kinds))} alone does not say that it is stored")
            continue
        proposal = _proposal(name, schema, places, contract)
        if proposal is None:
            unclear.append(f"{name} is not proposed: none of its members looks like its identity")
            continue
        seen |= kinds.keys()
        yield proposal


def _proposal(name: str, schema: Mapping[str, Any], places: ResourcePaths, contract: Contract) -> Proposal | None:
    flat = flattened(schema, contract.resolve)
    members = {each: contract.resolve.followed(nested) for each, nested in flat.get("properties", {}).items()}
    parameters = [parameters_of(path)[-1] for path in places.item_paths]
    identity = _identity(name, parameters, members)
    if identity is None:
        return None
    proposal = Proposal(name, {"identity": identity})
    whole = schema.get("example")
    example = str(members[identity].get("example", whole.get(identity, "") if isinstance(whole, Mapping) else ""))
    if members[identity].get("type") == "string" and (prefix := _PREFIX.fullmatch(example)):
        proposal.declared["prefix"] = prefix[1]
    _guess_unique(proposal, members, places)
    for word, names in TIMES.items():
        for member, declared in members.items():
            if declared.get("format") == "date-time" and names.fullmatch(_plain(member)):
                proposal.declared.setdefault(word, member)
    parents = {
        parameter: member
        for parameter in parameters_of(places.collection_path)
        for member in members
        if member != parameter and _plain(member) == _plain(parameter)
    }
    if parents:
        proposal.declared["parents"] = parents
    if (given := _input(schema, places, contract)) is not None:
        proposal.declared["input"] = given
    return proposal


def _identity(name: str, parameters: list[str], members: Mapping[str, Any]) -> str | None:
    by_plain = {_plain(member): member for member in members}
    for parameter in map(_plain, parameters):
        for candidate in (parameter, parameter.removeprefix(_plain(name))):
            if candidate in by_plain:
                return by_plain[candidate]
    return next((by_plain[each] for each in (*IDENTITIES, f"{_plain(name)}id") if each in by_plain), None)


def _guess_unique(proposal: Proposal, members: Mapping[str, Any], places: ResourcePaths) -> None:
    creates = [operation for operation, kind in places.kinds.items() if kind == "create"]
    if not any("409" in operation.responses for operation in creates):
        return
    identity = proposal.declared["identity"]
    others = [each for each in members if each != identity]
    by_plain = {_plain(each).removeprefix(_plain(proposal.name)): each for each in others}
    by_plain |= {_plain(each): each for each in others}
    likely = next((by_plain[each] for each in UNIQUE if each in by_plain), None)
    if likely is None:
        proposal.guesses.append("a create documents a conflict; say with `unique` which members no two have in common")
        return
    proposal.declared["unique"] = [*parameters_of(places.collection_path), likely]
    proposal.guesses.append(f"`unique` is a guess, because a create documents a conflict: {likely}")


def _input(schema: Mapping[str, Any], places: ResourcePaths, contract: Contract) -> str | None:
    """The reference to the schema of request bodies, where that is another one."""
    order = {"replace": 0, "create": 1}
    writing = sorted((each for each in places.kinds.items() if each[1] in order), key=lambda each: order[each[1]])
    for operation, _ in writing:
        for content in operation.declared_body.get("content", {}).values():
            reference = content.get("schema", {}).get("$ref")
            if isinstance(reference, str):
                return None if contract.resolve(reference) is schema else reference
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _with(contract: Contract, proposals: list[Proposal]) -> Contract:
    components = contract.document.get("components", {})
    schemas = dict(components.get("schemas", {}))
    for each in proposals:
        schemas[each.name] = {**schemas[each.name], "x-resource": each.declared}
    return Contract({**contract.document, "components": {**components, "schemas": schemas}})


def _patched(lines: list[str], root: MarkedYaml, proposals: list[Proposal]) -> bytes:
    """The text with each declaration as the first member of its schema, unchanged elsewhere."""
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    places = [(root.node(("components", "schemas", each.name)), each) for each in proposals]
    for node, each in sorted(places, key=lambda place: -place[0].start_mark.line):
        line, column = node.start_mark.line, node.start_mark.column
        if node.flow_style:
            flow = f'"x-resource": {orjson.dumps(each.declared).decode()}, '
            first = node.value[0][0].start_mark if node.value else node.start_mark
            if first.line > line:
                lines.insert(first.line, " " * first.column + flow.rstrip() + newline)
            else:
                lines[line] = lines[line][: column + 1] + flow + lines[line][column + 1 :]
        else:
            declared = yaml.safe_dump(
                {"x-resource": each.declared}, sort_keys=False, default_flow_style=None, width=100
            )
            lines[line:line] = [" " * column + part + newline for part in declared.splitlines()]
    return "".join(lines).encode()
