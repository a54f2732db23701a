"""The operations on whatever a contract says is stored: one function for each kind, made for one operation."""

import copy
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import orjson

from ..contract.actions import Action, Kind
from ..contract.body import FORM, MULTIPART
from ..contract.document import Contract
from ..contract.example import NotDocumented, documented_reply, documented_response, required_headers
from ..contract.finding import Finding, json_pointer
from ..contract.generator import NoValue
from ..contract.media import concrete, is_json
from ..contract.operation import Operation, Reply
from ..contract.path_template import PARAMETER
from ..contract.resource import Resource
from ..contract.schema import Schema
from ..contract.shape import flattened
from ..storage.store import Document, Store, UnknownDocument
from . import examples
from .errors import ContradictingId, InvalidResult, PreconditionFailed
from .listing import Listing, made

Json = Any
Arguments = Mapping[str, Json]
Handler = Callable[..., Awaitable[Reply]]


def handler_of(action: Action, operation: Operation, contract: Contract) -> Handler:
    """The function that answers one operation on a resource; a body that is no JSON and no form is not stored."""
    handler = MAKERS[action.kind](Target(action, operation, contract))
    if not unread(operation):
        return handler
    example, has_base_path = examples.handler_of(operation, contract), action.kind == "create"

    async def answer(arguments: Arguments, store: Store, base_path: str, draw: examples.Draw) -> Reply:
        if isinstance(arguments.get("body"), str | bytes):
            return await example(draw)
        known = {"base_path": base_path} if has_base_path else {}
        return await handler(arguments=arguments, store=store, **known)

    return answer


def unread(operation: Operation) -> list[str]:
    """The media types of bodies that nothing is stored of."""
    contents = operation.request_body.contents if operation.request_body else ()
    return [name for name in contents if not is_json(name) and name not in (FORM, MULTIPART)]


class Target:
    """One operation on one resource: what its path names, and how its answers show what is stored."""

    def __init__(self, action: Action, operation: Operation, contract: Contract) -> None:
        self.action, self.resource = action, action.resource
        self.operation, self.contract = operation, contract
        self.statuses = [int(each) for each in operation.responses if each.isdigit()]
        self._hidden = frozenset(self.resource.hidden)
        response = operation.response(self.success)
        as_json = next((name for name in (response.representations if response else ()) if is_json(concrete(name))), "")
        self.shows = bool(as_json) and (action.shows or not operation.shown)
        self._tells_version = response is not None and any(each.name.lower() == "etag" for each in response.headers)
        # What an envelope has beside what is shown.
        self._envelope = made(operation, contract) if action.envelope and action.kind != "list" else {}
        self._other: Json = None
        """What is answered where that is nothing, or something else than what is stored."""
        self.headers: Mapping[str, str] = {}
        """What every answer has, whatever it shows."""
        with suppress(NotDocumented):
            if self.shows:
                required = required_headers(contract, documented_response(contract, operation, self.success))
                self.headers = {**required, "content-type": concrete(as_json)}
            else:
                self._other, _, self.headers = documented_reply(contract, operation, self.success)
        headers = {each.name.lower(): each.name for each in operation.parameters if each.place == "header"}
        self._if_match, self._if_none_match = headers.get("if-match"), headers.get("if-none-match")
        self.judge = Schema(self.resource.input, contract.resolve, "request")

    @property
    def success(self) -> int:
        """The first documented success, but for one that says that something was made where nothing must be."""
        made = self.action.kind == "create"
        found = [each for each in self.statuses if 200 <= each < 300 and (made or each != 201)]
        return (found or [each for each in self.statuses if 200 <= each < 300] or [201 if made else 200])[0]

    @property
    def taken(self) -> Mapping[str, Any] | None:
        """The schema of its bodies of JSON, where it has some."""
        body = self.operation.request_body
        return next((each.raw for name, each in body.contents.items() if is_json(name)), None) if body else None

    def parents(self, arguments: Arguments) -> Document:
        """The members that say what a document belongs to, as the path has them."""
        return {member: arguments[parameter] for parameter, member in self.action.parents.items()}

    def identity(self, arguments: Arguments) -> Json:
        """That of the path, or of the body where the path has none. Raises InvalidResult where that has none, too."""
        if self.action.parameter:
            return arguments[self.action.parameter]
        name, body = self.resource.identity, _object(arguments)
        if name not in body:
            raise InvalidResult(Finding("required", "body", "is required and missing", pointer=json_pointer([name])))
        return body[name]

    def key(self, arguments: Arguments) -> str:
        return self.resource.key_below(self.parents(arguments), self.identity(arguments))

    async def expect_ancestors(self, arguments: Arguments, store: Store) -> None:
        """Raises UnknownDocument when what the path leads through is not there."""
        for parameter, ancestor in self.action.ancestors:
            inside = {member: arguments[name] for name, member in ancestor.parents.items() if name in arguments}
            key = ancestor.key_below(inside, arguments[parameter])
            document = await store.table(ancestor.table).get(key)
            if any(document.get(member) != value for member, value in inside.items()):
                raise UnknownDocument(arguments[parameter])

    def expect(self, arguments: Arguments, document: Document) -> None:
        """Raises UnknownDocument for what belongs to another parent, PreconditionFailed for another version."""
        for member, value in self.parents(arguments).items():
            if document.get(member) != value:
                raise UnknownDocument(self.identity(arguments))
        condition = arguments.get(self._if_match) if self._if_match else None
        if condition is not None and not _names(str(condition), current := version_of(self.visible(document))):
            raise PreconditionFailed(str(condition), current)

    def is_known_already(self, arguments: Arguments, document: Document) -> bool:
        """Whether the client has this version, and the contract has a way to say so."""
        condition = arguments.get(self._if_none_match) if self._if_none_match else None
        return (
            condition is not None
            and 304 in self.statuses
            and _names(str(condition), version_of(self.visible(document)))
        )

    def refuse_contradictions(self, arguments: Arguments, body: Document) -> None:
        """Raises ContradictingId."""
        if not self.resource.refuses_contradiction:
            return
        said = {self.resource.identity: arguments[self.action.parameter]} if self.action.parameter else {}
        for member, value in {**said, **self.parents(arguments)}.items():
            if body.get(member, value) != value:
                raise ContradictingId(value, body[member], member)

    def visible(self, document: Document) -> Document:
        """A document without what is kept beside it."""
        if not self._hidden:
            return document
        return {name: value for name, value in document.items() if name not in self._hidden}

    def version(self, document: Document) -> dict[str, str]:
        return {"ETag": version_of(self.visible(document))} if self._tells_version else {}

    def shown(self, document: Document) -> Json:
        """A document as the answer of this operation shows it; None where that shows nothing."""
        if not self.shows:
            return self._other
        visible = self.visible(document)
        if not self.action.envelope:
            return visible
        return {**self._envelope, self.action.envelope: visible}

    def reply(self, document: Document, status: int, **headers: str) -> Reply:
        return self.shown(document), status, {**self.headers, **self.version(document), **headers}


def _create(target: Target) -> Handler:
    resource, status = target.resource, target.success
    made = Made(resource, target.contract, target.taken)
    has_parents = bool(target.action.parents)

    async def create(arguments: Arguments, store: Store, base_path: str) -> Reply:
        """Store something new; its id and its times are the server's, what it belongs to is the path's."""
        await target.expect_ancestors(arguments, store)
        body = _object(arguments)
        if has_parents:
            target.refuse_contradictions(arguments, body)
            body = {**body, **target.parents(arguments)}
        stored = await store.create(made(body))
        location = target.action.item_path
        headers = {"Location": base_path + _filled(location, arguments, stored[resource.identity])} if location else {}
        return target.reply(stored, status, **headers)

    return create


def _list(target: Target) -> Handler:
    listing = Listing(target.action, target.operation, target.contract)
    status = target.success

    async def list_all(arguments: Arguments, store: Store) -> Reply:
        """All that equals every filter, in order, as much of it as was asked for."""
        await target.expect_ancestors(arguments, store)
        texts = await store.find(**target.parents(arguments), **listing.filters(arguments))
        value, headers = listing.answer(texts, arguments)
        return value, status, {**target.headers, **headers}

    return list_all


def _read(target: Target) -> Handler:
    status = target.success

    async def read(arguments: Arguments, store: Store) -> Reply:
        """What is stored; nothing where the client has that version."""
        await target.expect_ancestors(arguments, store)
        document = await store.get(target.key(arguments))
        target.expect(arguments, document)
        if target.is_known_already(arguments, document):
            return None, 304, target.version(document)
        return target.reply(document, status)

    return read


def _replace(target: Target) -> Handler:
    resource, status = target.resource, target.success
    made = Made(resource, target.contract, target.taken)
    kept = [*resource.parents.values(), *made.names]

    async def replace(arguments: Arguments, store: Store) -> Reply:
        """Put a whole in the place of another. An unknown id outranks a contradicting one, and that a conflict."""
        await target.expect_ancestors(arguments, store)
        body, key = _object(arguments), target.key(arguments)

        def change(document: Document) -> Document:
            target.expect(arguments, document)
            target.refuse_contradictions(arguments, body)
            return made({**body, **{name: document[name] for name in kept if name in document}} if kept else body)

        try:
            return target.reply(await store.update(key, change), status)
        except UnknownDocument:
            if not resource.is_named_by_clients or 201 not in target.statuses:
                raise
            new = {**body, **target.parents(arguments), resource.identity: target.identity(arguments)}
            return target.reply(await store.create(made(new)), 201)

    return replace


def _merge(target: Target) -> Handler:
    resource, status = target.resource, target.success
    made = Made(resource, target.contract)
    kept = frozenset([*resource.parents.values(), *made.names])
    by_server = resource.server_members | kept
    unjudged = by_server - resource.input_members

    async def merge(arguments: Arguments, store: Store) -> Reply:
        """Change what a patch names (RFC 7396), if the whole keeps the contract afterwards."""
        await target.expect_ancestors(arguments, store)
        patch = arguments.get("body")

        def change(document: Document) -> Document:
            target.expect(arguments, document)
            if not isinstance(patch, dict):
                raise InvalidResult(Finding("type", "body", "must be object", pointer=""))
            target.refuse_contradictions(arguments, patch)
            merged = _merged(document, {name: value for name, value in patch.items() if name not in by_server})
            judged = {name: value for name, value in target.visible(merged).items() if name not in unjudged}
            if findings := target.judge.findings(judged, "body"):
                raise InvalidResult(*findings)
            filled = target.judge.fill_defaults(judged)
            return made({**filled, **{name: document[name] for name in kept if name in document}})

        return target.reply(await store.update(target.key(arguments), change), status)

    return merge


def _delete(target: Target) -> Handler:
    resource, status = target.resource, target.success

    async def delete(arguments: Arguments, store: Store) -> Reply:
        """Delete one, and what belongs to it."""
        await target.expect_ancestors(arguments, store)
        key = target.key(arguments)
        deleted = await store.delete(key, lambda document: target.expect(arguments, document))
        for below, member in target.action.below:
            table = store.table(below.table)
            for text in await table.find(**{member: deleted[resource.identity]}):
                await table.delete(below.key(orjson.loads(text)))
        return target.reply(deleted, status)

    return delete


MAKERS: Mapping[Kind, Callable[[Target], Handler]] = {
    "create": _create,
    "list": _list,
    "read": _read,
    "replace": _replace,
    "merge": _merge,
    "delete": _delete,
}


def _object(arguments: Arguments) -> Document:
    """The body; empty where there is none. Raises InvalidResult for one that the contract takes and is no object."""
    body = arguments.get("body")
    if body is not None and not isinstance(body, dict):
        raise InvalidResult(Finding("type", "body", "must be object", pointer=""))
    return body or {}


class Made:
    """The members that every answer has and a request may leave out, made from their schemas where it does."""

    def __init__(self, resource: Resource, contract: Contract, taken: Mapping[str, Any] | None = None) -> None:
        """`taken` is the schema of the requests, where that is not the one of the resource's input."""
        generator = contract.values("response")
        request = flattened(resource.input if taken is None else taken, contract.resolve)
        members = {name: contract.dereferenced(each) for name, each in request.get("properties", {}).items()}
        by_server = {name for name in resource.required if members.get(name, {"readOnly": True}).get("readOnly")}
        brought = {name for name, each in members.items() if name in request.get("required", ()) or "default" in each}
        self._values: dict[str, Json] = {}
        for name in sorted(resource.required - resource.server_members - (brought - by_server)):
            schema = resource.properties.get(name, {})
            try:
                nothing = schema.get("default") if "default" in schema or schema.get("nullable") else ABSENT
                self._values[name] = generator.value(schema) if nothing is ABSENT else nothing
            except NoValue:
                continue
        self.names = frozenset(by_server & self._values.keys())
        """Those that no request may bring."""

    def __call__(self, body: Document) -> Document:
        """The body with them; what it has itself counts."""
        return {**copy.deepcopy(self._values), **body} if self._values else body


ABSENT: Any = object()


def version_of(document: Document) -> str:
    """The strong entity tag of a document as it is shown (RFC 9110, section 8.8.3)."""
    return f'"{blake2b(orjson.dumps(document), digest_size=8).hexdigest()}"'


def _names(condition: str, version: str) -> bool:
    """Whether a list of entity tags has this one, or is for any."""
    return condition.strip() == "*" or version in (each.strip().removeprefix("W/") for each in condition.split(","))


def _merged(target: Json, patch: Json) -> Json:
    """A JSON Merge Patch (RFC 7396, section 2)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def _filled(path: str, arguments: Arguments, identity: Json) -> str:
    """A path with its parameters; the last is an identity."""
    head, _, last = path.rpartition("{")
    filled = PARAMETER.sub(lambda found: quote(str(arguments.get(found[1], "")), safe=""), head)
    return filled + quote(str(identity), safe="") + last.partition("}")[2]
