"""The generic operations on resources: one function for each kind of action, made for one operation."""

import copy
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cached_property
from hashlib import blake2b
from typing import Any

import orjson

from ..contract.actions import Action, Kind
from ..contract.body import FORM, MULTIPART
from ..contract.document import Contract
from ..contract.example import NotDocumented, documented_reply, required_headers
from ..contract.finding import Finding
from ..contract.media import is_json
from ..contract.merge_patch import patched
from ..contract.operation import Operation, Reply
from ..contract.path_template import filled, parameters_of
from ..contract.resource import Resource
from ..contract.schema import Json, Schema
from ..contract.shape import flattened
from ..contract.witness import ABSENT
from ..storage.store import Document, Store, UnknownDocument
from .errors import ContradictingId, InvalidResult, MissingIdentity, PreconditionFailed
from .listing import Listing, made

Arguments = Mapping[str, Json]
Handler = Callable[..., Awaitable[Reply]]
Draw = Callable[[], int]
"""Returns a random number, reproducible where a session's ids are seeded."""


def unread_media_types(operation: Operation) -> list[str]:
    """The media types of request bodies that are not read: neither JSON nor forms."""
    return [name for name in operation.request_body.contents if not is_json(name) and name not in (FORM, MULTIPART)]


class Target:
    """One operation on one resource: its path parameters, its action, and the form of its response."""

    def __init__(self, action: Action, operation: Operation, contract: Contract) -> None:
        self.action, self.resource = action, action.resource
        self._operation, self._contract = operation, contract
        self._statuses = [int(each) for each in operation.responses if each.isdigit()]
        self._status = self._success()
        self._hidden = frozenset(self.resource.hidden)
        response = operation.response(self._status)
        as_json = response.json[0] if response and response.json else ""
        self._shows = bool(as_json) and (action.shows or not operation.shown)
        self._tells_version = response is not None and any(each.name.lower() == "etag" for each in response.headers)
        # The other members of the envelope.
        self._envelope = made(operation, contract) if action.envelope and action.kind != "list" else {}
        self._other: Json = None
        """The body of a response that does not show the resource."""
        self._headers: Mapping[str, str] = {}
        """The header fields of every response."""
        with suppress(NotDocumented):
            if self._shows and response is not None:
                self._headers = {**required_headers(contract, response), "content-type": as_json}
            else:
                self._other, _, self._headers = documented_reply(contract, operation, self._status)
        headers = {each.name.lower(): each.name for each in operation.parameters if each.place == "header"}
        self._if_match, self._if_none_match = headers.get("if-match", ""), headers.get("if-none-match", "")
        self._path_names = parameters_of(operation.path)
        needed = len(parameters_of(action.item_path))
        self._location = action.item_path if needed <= len(self._path_names) + 1 else ""
        """The path template for `Location`; empty where its parameters are not all known."""
        self._judge = Schema(self.resource.input, contract.resolve, "request")

    @cached_property
    def _generated(self) -> "GeneratedMembers":
        taken = self._operation.json_body
        return GeneratedMembers(self.resource, self._contract, taken[1].raw if taken else None)

    @cached_property
    def _kept(self) -> tuple[str, ...]:
        """The members that a replacement keeps."""
        return (*self.resource.parents.values(), *self._generated.names)

    @cached_property
    def _listing(self) -> Listing:
        return Listing(self.action, self._operation, self._contract)

    def _success(self) -> int:
        """The first documented success; for actions other than create, 201 comes last."""
        made = self.action.kind == "create"
        found = [each for each in self._statuses if 200 <= each < 300]
        return (*sorted(found, key=lambda each: not made and each == 201), 201 if made else 200)[0]

    async def create(self, arguments: Arguments, store: Store, base_path: str, draw: Draw) -> Reply:
        """Store a new document; the server sets its id and its times, the path its parents."""
        await self._expect_ancestors(arguments, store)
        body = self._body(arguments, draw)
        if self.action.parents:
            self._check_contradictions(arguments, body)
            body = {**body, **self._parents(arguments)}
        stored = await store.create(self._generated(body))
        value, status, headers = self._reply(stored)
        if self._location:
            known = [*(arguments[name] for name in self._path_names), stored[self.resource.identity]]
            headers["Location"] = base_path + filled(self._location, known[-len(parameters_of(self._location)) :])
        return value, status, headers

    async def list_all(self, arguments: Arguments, store: Store) -> Reply:
        """The documents that match every filter, in order, or a page of them."""
        await self._expect_ancestors(arguments, store)
        texts = await store.find(**self._parents(arguments), **self._listing.filters(arguments))
        value, headers = self._listing.answer(texts, arguments)
        return value, self._status, {**self._headers, **headers}

    async def read(self, arguments: Arguments, store: Store) -> Reply:
        """The document; 304 where the client has this version."""
        await self._expect_ancestors(arguments, store)
        document = await store.get(self._key(arguments))
        self._expect(arguments, document)
        if self._is_not_modified(arguments, document):
            return None, 304, self._version(document)
        return self._reply(document)

    async def replace(self, arguments: Arguments, store: Store, draw: Draw) -> Reply:
        """Replace a document. Of several errors, unknown id comes first, then contradicting id, then a conflict."""
        await self._expect_ancestors(arguments, store)
        body = self._body(arguments, draw)
        key = self._key(arguments)

        def change(document: Document) -> Document:
            self._expect(arguments, document)
            self._check_contradictions(arguments, body)
            return self._generated({**body, **{name: document[name] for name in self._kept if name in document}})

        try:
            return self._reply(await store.update(key, change))
        except UnknownDocument:
            if not self.resource.is_named_by_clients or 201 not in self._statuses:
                raise
            new = {**body, **self._parents(arguments), self.resource.identity: self._identity(arguments)}
            return self._reply(await store.create(self._generated(new)), 201)

    async def merge(self, arguments: Arguments, store: Store) -> Reply:
        """Merge a patch into a document (RFC 7396), if the result is valid."""
        await self._expect_ancestors(arguments, store)
        patch = arguments.get("body", {})
        by_server = self.resource.server_members.union(self._kept)
        unjudged = by_server - self.resource.input_members

        def change(document: Document) -> Document:
            self._expect(arguments, document)
            if not isinstance(patch, dict):
                raise InvalidResult(Finding("type", "body", "must be object", pointer=""))
            self._check_contradictions(arguments, patch)
            merged = patched(document, {name: value for name, value in patch.items() if name not in by_server})
            judged = {name: value for name, value in self._visible(merged).items() if name not in unjudged}
            if findings := self._judge.findings(judged, "body"):
                raise InvalidResult(*findings)
            filled = self._judge.fill_defaults(judged)
            return self._generated({**filled, **{name: document[name] for name in self._kept if name in document}})

        return self._reply(await store.update(self._key(arguments), change))

    async def delete(self, arguments: Arguments, store: Store) -> Reply:
        """Delete a document, and the documents that belong to it."""
        await self._expect_ancestors(arguments, store)
        deleted = await store.update(self._key(arguments), lambda document: self._expect(arguments, document))
        for below, member in self.action.below:
            table = store.table(below.table)
            for text in await table.find(**{member: deleted[self.resource.identity]}):
                await table.delete(below.key(orjson.loads(text)))
        return self._reply(deleted)

    def _body(self, arguments: Arguments, draw: Draw) -> Document:
        """The body of a request. One that is not read, such as XML, is replaced by a generated one."""
        body = arguments.get("body") or {}
        if isinstance(body, dict):
            return body
        made = self._contract.values("request").value(self.resource.input, draw())
        members = made.items() if isinstance(made, dict) else ()
        return {name: value for name, value in members if name != self.resource.identity}

    def _parents(self, arguments: Arguments) -> Document:
        """The members that hold the parents, with their values in the path."""
        return {member: arguments[parameter] for parameter, member in self.action.parents.items()}

    def _identity(self, arguments: Arguments) -> Json:
        """The identity in the path, or else in the body. Raises MissingIdentity where there is none."""
        if self.action.parameter:
            return arguments[self.action.parameter]
        name, body = self.resource.identity, arguments.get("body")
        if not isinstance(body, dict) or name not in body:
            raise MissingIdentity(name)
        return body[name]

    def _key(self, arguments: Arguments) -> str:
        return self.resource.key_below(self._parents(arguments), self._identity(arguments))

    async def _expect_ancestors(self, arguments: Arguments, store: Store) -> None:
        """Raises UnknownDocument when a parent in the path does not exist."""
        for parameter, ancestor in self.action.ancestors:
            inside = {member: arguments[name] for name, member in ancestor.parents.items() if name in arguments}
            key = ancestor.key_below(inside, arguments[parameter])
            document = await store.table(ancestor.table).get(key)
            if any(document.get(member) != value for member, value in inside.items()):
                raise UnknownDocument(arguments[parameter])

    def _expect(self, arguments: Arguments, document: Document) -> None:
        """Raises UnknownDocument for a document of another parent, PreconditionFailed for another version."""
        for member, value in self._parents(arguments).items():
            if document.get(member) != value:
                raise UnknownDocument(self._identity(arguments))
        condition = arguments.get(self._if_match)
        if condition is not None and not _names(str(condition), current := version_of(self._visible(document))):
            raise PreconditionFailed(str(condition), current)

    def _is_not_modified(self, arguments: Arguments, document: Document) -> bool:
        """Whether the client has this version, and the contract documents a 304."""
        condition = arguments.get(self._if_none_match)
        if condition is None or 304 not in self._statuses:
            return False
        return _names(str(condition), version_of(self._visible(document)))

    def _check_contradictions(self, arguments: Arguments, body: Document) -> None:
        """Raises ContradictingId."""
        if not self.resource.refuses_contradiction:
            return
        said = {self.resource.identity: arguments[self.action.parameter]} if self.action.parameter else {}
        for member, value in {**said, **self._parents(arguments)}.items():
            if body.get(member, value) != value:
                raise ContradictingId(value, body[member], member)

    def _visible(self, document: Document) -> Document:
        """A document without its hidden members."""
        if not self._hidden:
            return document
        return {name: value for name, value in document.items() if name not in self._hidden}

    def _version(self, document: Document) -> dict[str, str]:
        return {"ETag": version_of(self._visible(document))} if self._tells_version else {}

    def _reply(self, document: Document, status: int = 0) -> tuple[Json, int, dict[str, str]]:
        """The reply with the document, where the operation shows it; `status` is the usual success by default."""
        shown: Json = self._visible(document) if self._shows else self._other
        if self._shows and self.action.envelope:
            shown = {**self._envelope, self.action.envelope: shown}
        return shown, status or self._status, {**self._headers, **self._version(document)}


HANDLERS: Mapping[Kind, Handler] = {
    "create": Target.create,
    "list": Target.list_all,
    "read": Target.read,
    "replace": Target.replace,
    "merge": Target.merge,
    "delete": Target.delete,
}


class GeneratedMembers:
    """The required members of responses that requests may omit, with generated values."""

    def __init__(self, resource: Resource, contract: Contract, taken: Mapping[str, Any] | None = None) -> None:
        """`taken` is the schema of the requests, where it differs from the resource's input."""
        generator = contract.values("response")
        request = flattened(resource.input if taken is None else taken, contract.resolve)
        members = {name: contract.resolve.followed(each) for name, each in request.get("properties", {}).items()}
        by_server = {name for name in resource.required if members.get(name, {"readOnly": True}).get("readOnly")}
        self._shown_otherwise = {
            name: Schema(schema, contract.resolve, "response")
            for name, schema in resource.properties.items()
            if name in members and members[name] != schema and name not in resource.server_members
        }
        self._values: dict[str, Json] = {}
        for name in sorted((resource.required | self._shown_otherwise.keys()) - resource.server_members):
            schema = resource.properties.get(name, {})
            if "default" in schema or schema.get("nullable"):
                self._values[name] = schema.get("default")
            elif schema.get("type") == "boolean" and "enum" not in schema:
                self._values[name] = False
            elif (value := generator.value(schema, otherwise=ABSENT)) is not ABSENT:
                self._values[name] = value
        self._required = resource.required & self._values.keys()
        self.names = tuple(name for name in self._values if name in by_server)
        """The members that no request may have."""

    def __call__(self, body: Document) -> Document:
        """The body with these members; its own values stay, unless they are invalid in responses."""
        unshown = {
            name
            for name, schema in self._shown_otherwise.items()
            if name in body and name in self._values and not schema.accepts(body[name])
        }
        lacking = (self._required - body.keys()) | unshown
        return {**body, **copy.deepcopy({name: self._values[name] for name in lacking})} if lacking else body


def version_of(document: Document) -> str:
    """The strong entity tag of a document without hidden members (RFC 9110, section 8.8.3)."""
    return f'"{blake2b(orjson.dumps(document), digest_size=8).hexdigest()}"'


def _names(condition: str, version: str) -> bool:
    """Whether a list of entity tags has this one, or is `*`."""
    return condition.strip() == "*" or version in (each.strip().removeprefix("W/") for each in condition.split(","))
