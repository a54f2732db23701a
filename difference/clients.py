"""The recorded clients that a change breaks, with their requests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from ..contract.finding import Finding
from ..contract.interaction import Interaction, by_name
from ..contract.operation import Request
from ..contract.path_template import parameters_of
from ..contract.paths import Paths
from ..contract.pointer import pointed
from ..traffic.reader import complete_recording
from .change import Change, generalized
from .revision import Revision, RevisionOperation


@dataclass(frozen=True, slots=True)
class Hit:
    """A recorded request that a change breaks."""

    client: str
    source: str
    request: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """The recorded requests that changes break."""

    hits: dict[str, list[Hit]]
    """The hits, by the fingerprint of the change."""
    clients: dict[str, tuple[int, int]]
    """The numbers of requests of each client: sent, and broken."""


def traffic(files: Iterable[Path], old: Revision, new: Revision, changes: Iterable[Change]) -> Traffic:
    """Read the recordings, one interaction at a time. Raises CouldNotRun."""
    broken = [change for change in changes if change.verdict != "safe"]
    after = {each.id: each for each in new.operations.values()}
    routes = Routes(old)
    hits: dict[str, list[Hit]] = {}
    clients: dict[str, tuple[int, int]] = {}
    for interaction, client in _recorded(files):
        if (found := routes.find(interaction)) is None:
            continue
        operation, values = found
        touching = [
            change
            for change in broken
            if change.operation == operation.id and _touches(change, interaction, values, after.get(operation.id))
        ]
        for change in touching:
            hit = Hit(client, interaction.source, f"{interaction.method} {interaction.path}")
            hits.setdefault(change.fingerprint, []).append(hit)
        sent, hit_before = clients.get(client, (0, 0))
        clients[client] = sent + 1, hit_before + bool(touching)
    return Traffic(hits, clients)


def _recorded(files: Iterable[Path]) -> Iterator[tuple[Interaction, str]]:
    """Each interaction with its client: for a pact the file's name, else the `User-Agent`."""
    for path in files:
        for interaction, is_pact in complete_recording(str(path)):
            agent = None if is_pact else by_name(interaction.request_headers).get("user-agent")
            yield interaction, agent or path.name


class Routes:
    """Finds the operation of a revision for a recorded request."""

    def __init__(self, revision: Revision) -> None:
        by_path: dict[str, Any] = {}
        for operation in revision.operations.values():
            by_path.setdefault(operation.path, {})[operation.method.upper()] = operation
        self._paths = Paths(by_path.items())
        servers = revision.document.get("servers", [])
        prefixes = {urlsplit(str(each.get("url", ""))).path.rstrip("/") for each in servers}
        self._prefixes = sorted({*prefixes, ""}, key=len, reverse=True)

    def find(self, interaction: Interaction) -> tuple[RevisionOperation, list[str]] | None:
        """The operation with the values of its path parameters, also below the path of a server."""
        for prefix in self._prefixes:
            if interaction.path.startswith(f"{prefix}/"):
                route: Any = self._paths.find(interaction.path.removeprefix(prefix))
                if route is not None and (operation := route.operation(interaction.method)) is not None:
                    return operation, list(route.parameters.values())
        return None


_JUDGED = ("parameter", "request-body", "request-media-type")
"""Rules of changes for which the engine judges whether a request breaks; other changes break every request."""


def _touches(change: Change, interaction: Interaction, values: list[str], after: RevisionOperation | None) -> bool:
    """Whether a change breaks a recorded request, as far as the recording tells."""
    if change.direction == "response":
        status = change.part.split()[1]
        return change.rule == "response-status" or not status.isdecimal() or interaction.status in (0, int(status))
    if change.rule == "default":
        return not any(_has(interaction, finding) for finding in change.findings)
    if change.rule == "request-body-size":
        return len(interaction.request_body) > int(change.findings[0].detail.rpartition(" ")[2])
    if change.verdict == "undecided" or after is None or not change.rule.startswith(_JUDGED):
        return True
    names = dict(zip(parameters_of(after.path), values, strict=False))
    headers = by_name(interaction.request_headers)
    wrong = after.check_request(Request(names, interaction.query, headers, interaction.request_body))[1]
    return not set(map(_key, wrong)).isdisjoint(map(_key, change.findings))


def _key(finding: Finding) -> tuple[str, str]:
    return finding.rule, generalized(finding)


def _has(interaction: Interaction, default: Finding) -> bool:
    """Whether a request has the member or the parameter that a default is for."""
    if default.pointer is None:
        name = f"{default.name}="
        return any(part.startswith(name) for part in interaction.query.decode(errors="replace").split("&")) or (
            str(default.name).lower() in by_name(interaction.request_headers)
        )
    try:
        node = orjson.loads(interaction.request_body)
    except ValueError:
        return True  # no JSON object, which could lack the member
    for step in pointed(default.pointer):
        if not isinstance(node, dict) or step not in node:
            return False
        node = node[step]
    return True
