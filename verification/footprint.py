"""The footprint of a run on a server: the resources that it created there, the only ones that it may change."""

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import NAMESPACE_URL, uuid5

from ..contract.document import Contract
from ..contract.interaction import Interaction
from ..contract.operation import Operation
from ..contract.path_template import PARAMETER, parameters_of
from ..contract.schema import Json, Schema
from ..contract.shape import flattened
from ..contract.strict_json import NotStrictJson, decode
from .names import LARGEST_INT32, unique_value

READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})
"""Methods that ask a server to change nothing (RFC 9110, section 9.2.1)."""
SPREAD = 2**20
"""The number of integers below `maximum` that serve as unused identities."""
LATEST = 50
"""The number of the run's latest resources that replace the target of a request that is not permitted."""

Segments = tuple[str, ...]
"""A path below the server's prefix, split and decoded."""


class ForeignResource(Exception):
    """A request could change a resource that the run did not create; a bug of the caller."""


class Footprint:
    """The resources that one run created on one server. `name`, unique to the run, is in every scope that it writes.

    An unsafe request is permitted to a resource of the run, to a path below one and to an unused identity; a POST also
    to a path without parameters.
    """

    def __init__(
        self, contract: Contract, url: str, name: str, *, anywhere: bool = False, only_own: bool = False
    ) -> None:
        """`anywhere` permits every request; `only_own` has reading requests sent to own resources, too."""
        self.url, self.name, self.anywhere, self._only_own = url, name, anywhere, only_own
        self._contract, self._base = contract, urlsplit(url).path.rstrip("/")
        self._created: list[Segments] = []
        self._own_paths: set[Segments] = set()
        self._identities: set[str] = set()
        self._unused: set[str] = set()
        self._tried: set[str] = set()
        self.requests = 0
        """The number of requests sent."""
        self._numbers = Random(zlib.crc32(name.encode()))  # noqa: S311 (no secret)
        self._schemas: dict[int, tuple[Mapping[str, Any], Schema]] = {}
        operations = contract.operations.values()
        self._members = {(each.method, each.path): _members(each, contract) for each in operations}
        self._parameters = {
            (each.path, parameter.name): parameter.declared
            for each in operations
            for parameter in each.parameters
            if parameter.place == "path"
        }
        self._items = {each.path: _item_members(_collection(each.path), contract) for each in operations}

    def for_server(self, url: str) -> "Footprint":
        """The footprint of the same run on another server."""
        other = Footprint(self._contract, url, self.name, anywhere=self.anywhere)
        other._unused = self._unused
        return other

    @property
    def identity_members(self) -> frozenset[str]:
        """The members that may hold the identity of a resource."""
        return frozenset(name for names in self._items.values() for name in names)

    def owns(self, row: Json) -> bool:
        """Whether a row of a list is a resource of the run, or has no identity."""
        names = self.identity_members & row.keys() if isinstance(row, dict) else ()
        return not names or any(str(row[name]) in self._identities for name in names)

    # Permitted requests

    def permits(self, method: str, path: str) -> bool:
        """Whether a request can change only resources of the run. `path` is percent-encoded."""
        if self.anywhere or method.upper() in READING or self._is_own(path):
            return True
        route = self._contract.route(path.removeprefix(self._base))
        if route is None:
            return self.name in unquote(path)
        if not route.parameters:
            return method.upper() == "POST"
        return any(self.name in value or value in self._unused for value in route.parameters.values())

    def never_permits(self, method: str, template: str) -> bool:
        """Whether no resource of a run can be the target."""
        return not self.anywhere and method.upper() not in READING | {"POST"} and "{" not in template

    def check(self, method: str, url: str) -> None:
        """Raises ForeignResource."""
        if not self.permits(method, urlsplit(url).path):
            raise ForeignResource(f"{method} {url} could change a resource that this run did not create")

    def notes(self, operations: Iterable[Operation]) -> Iterator[str]:
        """Notes on the operations that were not tried, because they could have changed resources of other clients."""
        advice = "--write-anywhere does, on a server whose data nobody needs"
        writing = [] if self.anywhere else [each for each in operations if each.method not in READING]
        if never := [each.id for each in writing if self.never_permits(each.method, each.path)]:
            yield f"not tried, because it would change earlier resources: {', '.join(never)}; {advice}"
        if unmet := [each.id for each in writing if "{" in each.path and each.id not in self._tried]:
            why = "because the run created no resource for it"
            yield f"tried on unused identities only, {why}: {', '.join(unmet)}; {advice}"

    # Created resources

    def record(self, interaction: Interaction) -> None:
        """Record the resources that a request created, by its response."""
        self.requests += 1
        method, status = interaction.method.upper(), interaction.status
        if method in READING or not status:
            return
        route = self._contract.route(interaction.path.removeprefix(self._base))
        operation = route.operation(method) if route else None
        if operation is not None and self._is_own(interaction.path):
            self._tried.add(operation.id)
        created: Iterable[Segments] = ()
        if method == "PUT" and status == 201:
            created = [self._segments(interaction.path)]
        elif method == "POST" and operation is not None and self._creates(operation, interaction):
            created = self._made(operation, interaction)
        for segments in created:
            if segments not in self._own_paths:
                self._created.append(segments)
                self._own_paths.add(segments)
                self._identities.add(segments[-1])

    def _creates(self, operation: Operation, interaction: Interaction) -> bool:
        """Whether a POST created a resource; a 200 where 201 is documented may show one that existed before."""
        if not 200 <= interaction.status < 300:
            return False
        is_scoped = self.name.encode() in interaction.request_body
        return interaction.status == 201 or is_scoped or "201" not in operation.responses

    def _made(self, operation: Operation, interaction: Interaction) -> Iterator[Segments]:
        """The paths of a created resource, by `Location` and by the identity in the body."""
        path = interaction.leads_to if interaction.status == 201 else None
        route = self._contract.route(path.removeprefix(self._base)) if path else None
        if path and route and route.parameters:
            yield self._segments(path)
        try:
            body = decode(interaction.response_body)
        except NotStrictJson:
            return
        if isinstance(body, dict) and len(body) == 1 and isinstance(inner := next(iter(body.values())), dict):
            body = inner  # an envelope
        if isinstance(body, dict):
            identity = next((body[name] for name in self._items[operation.path] if name in body), None)
            if _is_identity(identity):
                yield (*self._segments(interaction.path), str(identity))

    # Targets and bodies of requests

    def permitted_parameters(
        self, method: str, template: str, parameters: Mapping[str, Any], path: str
    ) -> Mapping[str, Any]:
        """Path parameters with which a request to `template` is permitted; `path` is the one of the given `parameters`.

        Where that is not permitted, they become those of a resource of the run, or an unused identity.
        """
        if self.permits("PUT" if self._only_own else method, self._base + path) or not parameters:
            return parameters
        chance = zlib.crc32(path.encode(errors="surrogatepass"))
        ours = [found for each in self._created[-LATEST:] if (found := _leads_to(template, each))]
        if ours and chance & 1:
            return {**parameters, **ours[(chance >> 1) % len(ours)]}
        name = [each for each in parameters_of(template) if each in parameters][-1]
        return {**parameters, name: self._unused_like(parameters[name], self._parameters.get((template, name), {}))}

    def scoped_body(self, method: str, template: str, body: Json) -> Json:
        """A copy of a request body whose identity and scope belong to the run."""
        if self.anywhere or method.upper() in READING:
            return body
        if isinstance(body, list):
            return [self.scoped_body(method, template, item) for item in body]
        if not isinstance(body, dict):
            return body
        members = self._members.get((method.upper(), template), {})
        changed = {
            name: self._unused_like(body[name], members.get(name, {}))
            for name in self._items.get(template, ())
            if _is_identity(body.get(name)) and str(body[name]) not in self._identities | self._unused
        }
        # One member is enough to make a scope another one; the others stay as odd as they are.
        scopes = [scope for each in self._contract.resources for scope in (each.unique, *each.also_unique)]
        for scope in scopes:
            texts = [name for name in scope if isinstance(body.get(name), str) and body[name]]
            if texts and not any(self.name in {**body, **changed}[name] for name in texts):
                changed[texts[0]] = self._unused_like(body[texts[0]], members.get(texts[0], {}))
        return {**body, **changed} if changed else body

    def _unused_like(self, value: Any, declared: Mapping[str, Any]) -> Any:
        """An unused value of the same type as `value`; valid where `value` is, if the schema has such a one."""
        flat, schema = self._schemas.setdefault(
            id(declared),
            (flattened(declared, self._contract.resolve), Schema(declared, self._contract.resolve, "request")),
        )
        top = min(flat.get("maximum", LARGEST_INT32), LARGEST_INT32)
        number = (top if top > SPREAD else LARGEST_INT32) - self._numbers.randrange(SPREAD)
        made: Any
        if isinstance(value, int) and not isinstance(value, bool):
            made = number if value > 0 or schema.accepts(value) else -number
        else:
            made = f"{self.name}-{value}"
            if schema.accepts(value):
                spellings = (made[: flat.get("maxLength")], self.name, str(uuid5(NAMESPACE_URL, made)), str(number))
                made = next(filter(schema.accepts, spellings), made)
        self._unused.add(str(made))
        return made

    def unused_identity(self, template: str, parameter: str) -> Json:
        """An unused value of a path parameter; invalid where other clients may have used every valid one."""
        declared = self._parameters[template, parameter]
        key = f"{self.name}-unknown"
        flat = flattened(declared, self._contract.resolve)
        value, is_unused = unique_value(key, Schema(declared, self._contract.resolve, "request"), flat)
        found = value if is_unused or self.anywhere else key
        self._unused.add(str(found))
        return found

    def _segments(self, path: str) -> Segments:
        return tuple(map(unquote, path.removeprefix(self._base).strip("/").split("/")))

    def _is_own(self, path: str) -> bool:
        segments = self._segments(path)
        climbs = any(".." in segment for segment in segments)
        return not climbs and any(segments[:length] in self._own_paths for length in range(1, len(segments) + 1))


def _is_identity(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _members(operation: Operation, contract: Contract) -> Mapping[str, Any]:
    body = operation.json_body
    members: Mapping[str, Any] = flattened(body[1].raw if body else {}, contract.resolve).get("properties", {})
    return members


def _collection(template: str) -> str:
    """The path of a collection: `/pets` for `/pets` and for `/pets/{petId}`."""
    parent, _, last = template.rpartition("/")
    return parent if PARAMETER.fullmatch(last) else template


def _item_members(collection: str, contract: Contract) -> tuple[str, ...]:
    """The members that may hold the identity of an item of a collection, the likeliest first; none without item paths.

    The items of /pets have `petId`, when there is /pets/{petId}.
    """
    paths = [path.removeprefix(f"{collection}/") for path in contract.document["paths"] if path.startswith(collection)]
    found = [match[1] for path in paths if (match := PARAMETER.fullmatch(path.partition("/")[0]))]
    snake = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() for name in found]
    declared = [each.identity for each in contract.resources]
    return tuple(dict.fromkeys([*found, *snake, *declared, "id"])) if found else ()


def _leads_to(template: str, created: Segments) -> dict[str, str]:
    """The parameters with which a template leads to a created resource, or below it; none where it cannot."""
    parts = template.strip("/").split("/")
    parameters: dict[str, str] = {}
    for part, segment in zip(parts, created, strict=False):
        if whole := PARAMETER.fullmatch(part):
            parameters[whole[1]] = segment
        elif part != segment:
            return {}
    return parameters if len(created) <= len(parts) else {}
