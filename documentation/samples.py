"""Sample requests: from the examples of a contract, or made from its schemas where it has none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import orjson

from ..contract.document import Contract
from ..contract.example import values_of
from ..contract.media import first_json, is_json, media_type
from ..contract.operation import Operation
from ..contract.parameters import Parameter, joined
from ..contract.schema import Direction, Json
from ..contract.strict_json import encoded
from ..contract.witness import ABSENT
from .wording import resolved

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


class File(str):
    """The name of a file whose content is sent."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """A request: its target is a path with its query, percent-encoded, from the root of a mock.

    `name` is that of the example of its body, or of the request itself where it goes before an example.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = ABSENT
    name: str = ""

    @property
    def media_type(self) -> str:
        return media_type(self.headers.get("Content-Type", ""))[0]

    @property
    def fields(self) -> list[tuple[str, str]] | None:
        """The fields of a form; None for another body."""
        if self.media_type not in (URLENCODED, MULTIPART) or not isinstance(self.body, dict):
            return None
        pairs = ((name, each if isinstance(each, list) else [each]) for name, each in self.body.items())
        return [(name, each if isinstance(each, File) else joined(each)) for name, every in pairs for each in every]

    @property
    def content(self) -> bytes | None:
        """The body in bytes; None where there is none, and for files."""
        text = self.text
        if text is None or self.fields is not None or isinstance(self.body, str):
            return None if text is None else text.encode()
        return orjson.dumps(self.body)

    @property
    def text(self) -> str | None:
        """The body as text; None where there is none, and for multipart forms and files."""
        if self.body is ABSENT or isinstance(self.body, File):
            return None
        if self.fields is not None:
            return urlencode(self.fields) if self.media_type == URLENCODED else None
        return text_of(self.body)


def text_of(value: Json) -> str:
    if isinstance(value, str):
        return value
    return "" if value is ABSENT else encoded(value, indent=True).decode()


def request(contract: Contract, operation: Operation, described: Mapping[str, Any], name: str) -> SampleRequest:
    """The request that `x-request` describes, completed by the examples of that name, or any.

    Without an `x-request` it has the parameters that have an example or are required, the required credentials, and a
    body made from its schema where it has no example.
    """
    path, query = contract.base_path + operation.path, list[str]()
    if described.get("query"):
        query.append(urlencode(described["query"], doseq=True))
    headers, cookies = dict(described.get("headers", {})), list[str]()
    for parameter in operation.parameters:
        value = described.get("path", {}).get(parameter.name, _parameter_value(contract, parameter, name))
        if value is ABSENT:
            continue
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", parameter.written(value, partial(quote, safe=""))[0][1])
        elif parameter.place == "query" and not described:
            query += map("=".join, parameter.written(value, quote_plus))
        elif parameter.required and not described:
            texts = parameter.written(value)
            headers |= dict(texts) if parameter.place == "header" else {}
            cookies += map("=".join, texts) if parameter.place == "cookie" else []
    if not described:
        add_credentials(operation, query, headers, cookies)
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    target = f"{path}?{'&'.join(query)}" if query else path
    if "requestBody" not in operation.declared:
        return SampleRequest(operation.method, target, headers)
    content_type, body, name = _body(contract, operation, described, name)
    headers = headers if body is ABSENT else {"Content-Type": content_type, **headers}
    return SampleRequest(operation.method, target, headers, body, name)


def _body(contract: Contract, operation: Operation, described: Mapping[str, Any], name: str) -> tuple[str, Json, str]:
    """The media type, the body and the name of its example."""
    body = described.get("body", name if not described else ABSENT)
    content_type, content = first_content(operation)
    if isinstance(body, str):
        name, bodies = body, values_of(content, contract.resolve)
        body = bodies.get(body, next(iter(bodies.values()), ABSENT))
        body = _made_body(contract, content_type, content) if body is ABSENT else body
    return content_type, body, name


def add_credentials(operation: Operation, query: list[str], headers: dict[str, str], cookies: list[str]) -> None:
    """Add placeholders for the credentials of the first alternative, unless one needs none."""
    for scheme in operation.security.first:
        if scheme.place == "query":
            query.append(f"{quote_plus(scheme.field)}=KEY")
        elif scheme.place == "cookie":
            cookies.append(f"{scheme.field}=KEY")
        elif scheme.is_seen:
            headers[scheme.field] = f"{scheme.challenge} CREDENTIALS" if scheme.challenge != "ApiKey" else "KEY"


def first_content(operation: Operation) -> tuple[str, Mapping[str, Any]]:
    """The media type of the request body to show, JSON where there is one, and its content."""
    declared: Mapping[str, Mapping[str, Any]] = operation.declared_body.get("content", {})
    return first_json(declared) or next(iter(declared.items()), ("application/octet-stream", {}))


def request_examples(operation: Operation) -> dict[str, Json]:
    """The bodies of an operation's request examples, by name."""
    return values_of(first_content(operation)[1], operation.resolve)


def _parameter_value(contract: Contract, parameter: Parameter, name: str) -> Json:
    """The example with that name, or any; a made value for a required parameter."""
    found = values_of(parameter.source, contract.resolve)
    value = found.get(name, next(iter(found.values()), ABSENT))
    value = ABSENT if value is None else value  # an example of no value
    return made(contract, parameter.raw) if value is ABSENT and parameter.required else value


def _made_body(contract: Contract, content_type: str, content: Mapping[str, Any]) -> Json:
    name = media_type(content_type)[0]
    if is_json(name) or name in (URLENCODED, MULTIPART):
        return made(contract, content["schema"]) if "schema" in content else ABSENT
    value = made(contract, content.get("schema", {"type": "string", "format": "binary"}))
    return value if isinstance(value, str) else File("body")  # XML and the like cannot be made


def made(contract: Contract, schema: Any, direction: Direction = "request") -> Json:
    """A value for a request without an example, or for a response; None where none is found."""
    if (file := _file(contract, schema)) is not None:
        return file
    value = contract.values(direction).simplest(schema)
    members = resolved(contract, schema).get("properties", {}) if isinstance(value, dict) else {}
    files = {name: file for name, each in members.items() if (file := _file(contract, each)) and name in value}
    return {**value, **files} if files else value


def _file(contract: Contract, schema: Any) -> File | list[File] | None:
    """The name of a file, or of several, where a schema is of binary content."""
    flat = resolved(contract, schema)
    if flat.get("format") == "binary" or ("contentMediaType" in flat and "contentEncoding" not in flat):
        return File("file")
    return [File("file")] if "items" in flat and _file(contract, flat["items"]) else None
