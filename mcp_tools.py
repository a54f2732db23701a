"""Operations of a contract as tools for agents: arguments become a request, a response becomes a result."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from typing import Any
from urllib.parse import quote

import httpx2
from mcp import types

from .contract.dialect import with_bounds, with_schemas
from .contract.document import Contract
from .contract.media import is_json
from .contract.operation import Operation
from .contract.schema import Json, did_you_mean
from .controls.controls import SESSION_HEADER
from .documentation.samples import add_credentials

_ONLY_OPENAPI = {"discriminator", "externalDocs", "xml", "nullable"}
_NO_NAME = re.compile("[^A-Za-z0-9_.-]+")
"""Characters that a tool's name must not have (Model Context Protocol 2025-11-25, tools)."""
MAX_NAME_LENGTH = 120
"""Characters of an operation's name in the tool's name; hosts accept 128."""


@dataclass(frozen=True, slots=True)
class ServedContract:
    """A contract with the base URL of its operations, and the header fields of every request to them."""

    contract: Contract
    url: str
    headers: Mapping[str, str]
    accepts_any_credentials: bool = False
    """Whether made-up credentials are sent where an operation requires some."""


def tools_of(*places: ServedContract) -> "Iterator[OperationTool]":
    """A tool for each operation, with a unique valid name."""
    taken = set[str]()
    for place in places:
        for operation in place.contract.operations.values():
            plain = _NO_NAME.sub("_", operation.id)[:MAX_NAME_LENGTH]
            numbered = (f"{plain}_{number}" for number in count(2))
            name = next(each for each in chain([plain], numbered) if each not in taken)
            taken.add(name)
            yield OperationTool(name, operation, place)


class WrongArguments(Exception):
    """Arguments that do not fit the operation's parameters."""


class OperationTool:
    """An operation as a tool, in the session that the place's header fields name.

    Its arguments are the operation's parameters and `body`, which the server judges.
    """

    def __init__(self, name: str, operation: Operation, place: ServedContract) -> None:
        self.name = name
        self._operation, self._place = operation, place
        parameters = [each for each in operation.parameters if each.place in ("path", "query", "header")]
        self._parameters = {each.name: each for each in parameters if each.name.lower() != SESSION_HEADER}
        self._body = operation.json_body
        self._names = [*self._parameters, *(["body"] if self._body else [])]

    def described(self) -> types.Tool:
        declared, method = self._operation.declared, self._operation.method
        said = [declared.get("summary", ""), declared.get("description", "").strip()]
        return types.Tool(
            name=self.name,
            title=declared.get("summary"),
            description="\n\n".join(filter(None, said)) or None,
            input_schema=self._input_schema(),
            annotations=types.ToolAnnotations(  # the properties of a method (RFC 9110, section 9.2)
                read_only_hint=method == "GET",
                destructive_hint=method in ("PUT", "PATCH", "DELETE"),
                idempotent_hint=method in ("GET", "PUT", "DELETE"),
                open_world_hint=False,
            ),
        )

    def _input_schema(self) -> dict[str, Any]:
        """The schema of the arguments, in JSON Schema 2020-12."""
        words = {name: each.source.get("description") for name, each in self._parameters.items()}
        schemas = {name: each.schema for name, each in self._parameters.items()}
        required = [name for name, each in self._parameters.items() if each.required]
        if self._body:
            declared = self._operation.declared_body
            schemas["body"], words["body"] = self._body[1].schema, declared.get("description")
            required += ["body"] if declared.get("required") else []
        properties, definitions = dict[str, Any](), dict[str, Any]()
        for name, schema in schemas.items():
            translated = json_schema(schema.json_schema)
            definitions |= translated.pop("$defs", {})
            properties[name] = translated | ({"description": words[name]} if words[name] else {})
        whole = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        return whole | ({"$defs": definitions} if definitions else {})

    async def call(self, client: httpx2.AsyncClient, arguments: Mapping[str, Json]) -> types.CallToolResult:
        """The result `{"status": …, "body": …}`; an error in words for a problem, or where no request could be sent."""
        try:
            answer = await client.send(self._request(client, arguments))
        except (WrongArguments, httpx2.HTTPError) as error:
            text = str(error) if isinstance(error, WrongArguments) else f"No whole answer came: {reason(error)}."
            return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
        body, failed = _body(answer), answer.status_code >= 400
        result = {"status": answer.status_code} | ({} if body is None else {"body": body})
        text = in_words(answer.status_code, body) if failed else json.dumps(result, ensure_ascii=False)
        return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=result, is_error=failed)

    def _request(self, client: httpx2.AsyncClient, arguments: Mapping[str, Json]) -> httpx2.Request:
        """Raises WrongArguments."""
        for name in arguments:
            if name not in self._names:
                taken = ", ".join(self._names) or "none"
                raise WrongArguments(
                    f"{name!r} is no argument{did_you_mean(name, self._names)}; the tool takes {taken}."
                )
        path, query, headers = self._operation.path, list[str](), dict(self._place.headers)
        if self._place.accepts_any_credentials:
            cookies = list[str]()
            add_credentials(self._operation, query, headers, cookies)
            headers |= {"Cookie": "; ".join(cookies)} if cookies else {}
        for name, parameter in self._parameters.items():
            encode = str if parameter.place == "header" else partial(quote, safe="")
            texts = parameter.written(arguments[name], encode) if name in arguments else []
            if parameter.place == "path":
                if (text := "".join(text for _, text in texts)) in ("", ".", ".."):
                    raise WrongArguments(f"{name!r} is required, as a path parameter.")
                path = path.replace(f"{{{name}}}", text)
            elif parameter.place == "query":
                query += map("=".join, texts)
            else:
                headers |= {header: text for header, text in texts if text}
        content = None
        if "body" in arguments and self._body:
            headers["Content-Type"] = self._body[0]
            content = json.dumps(arguments["body"])
        url = self._place.url + path + (f"?{'&'.join(query)}" if query else "")
        return client.build_request(self._operation.method, url, headers=headers, content=content)


def _body(answer: httpx2.Response) -> Json:
    """The body as JSON, or as text where it is not JSON; None without a body."""
    if answer.content and is_json(answer.headers.get("content-type", "")):
        with contextlib.suppress(ValueError):
            return answer.json()
    return answer.text or None


def reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def in_words(status: int, body: Json) -> str:
    """A problem (RFC 9457) and its findings, a line for each; any other body as JSON."""
    if not isinstance(body, dict) or "title" not in body:
        return f"{status}: {body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)}"
    lines = [f"{status} {body['title']}: {body.get('detail', '')}"]
    for each in body.get("errors", ()):
        where = each.get("pointer") or each.get("name")
        lines.append(f"- {each['in']}{f' {where}' if where else ''}: {each['detail']} ({each['rule']})")
    return "\n".join(lines)


def json_schema(schema: Any) -> Any:
    """A compiled schema, which may be of draft 4 with keywords of OpenAPI, in JSON Schema 2020-12.

    Definitions get names without slashes: not every reader of a `$ref` unescapes them.
    """
    if not isinstance(schema, Mapping):
        return schema  # additionalProperties may be a boolean
    kept = {name: value for name, value in schema.items() if name not in _ONLY_OPENAPI and not name.startswith("x-")}
    if "$defs" in kept:
        kept["$defs"] = {name.replace("/", "."): each for name, each in kept["$defs"].items()}
    if "$ref" in kept:
        kept["$ref"] = kept["$ref"].replace("~1", ".")
    if "example" in kept:
        kept["examples"] = [kept.pop("example")]
    return with_bounds(with_schemas(kept, json_schema))
