"""One operation of the contract, compiled once: what it finds in a request, and in a response."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import orjson
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_options_header

from .finding import MOST_FINDINGS, Finding, told
from .parameters import Parameter, read_parameters
from .schema import Json, Resolve, Schema, dereferenced, show
from .strict_json import NotStrictJson, decode

Headers = Mapping[str, str]
"""Header fields by lower-case name."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the contract judges it, wherever it came from. `path` holds the decoded path parameters."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: bytes = b""
    headers: Headers = field(default_factory=dict)
    body: bytes = b""


MANY = 1_000
MANY_BYTES = 1 << 18


class EncodedArray(list[bytes]):
    """An array whose items are JSON texts already. What was judged before is neither parsed nor judged again."""

    @property
    def is_large(self) -> bool:
        """Whether it takes long to judge."""
        return len(self) > MANY or sum(map(len, self)) > MANY_BYTES


class LargeObject(dict[str, Json]):
    """An object that takes long to judge and to write."""


Reply = tuple[Json, int] | tuple[Json, int, Mapping[str, str]]
"""What an operation answers: the value of the body, the status, and header fields."""
WITHOUT_BODY = (204, 304)
"""Statuses whose response has no content (RFC 9110, section 6.4.1)."""
LONGEST_REMEMBERED = 200
"""Characters of a header field that a cache may be keyed by: a stranger's text is not kept for long."""


def media_type(content_type: str) -> tuple[str, str]:
    """The media type and the charset of a `Content-Type`, in lower case; the charset of JSON is UTF-8."""
    return (_media_type if len(content_type) <= LONGEST_REMEMBERED else _media_type.__wrapped__)(content_type)


@lru_cache(maxsize=256)
def _media_type(content_type: str) -> tuple[str, str]:
    name, parameters = parse_options_header(content_type)
    return name.lower(), parameters.get("charset", "utf-8").lower()


def is_json(name: str) -> bool:
    return name == "application/json" or name.endswith("+json")


def _accepts(accept: str, offered: tuple[str, ...]) -> bool:
    return (_admits if len(accept) <= LONGEST_REMEMBERED else _admits.__wrapped__)(accept, offered)


@lru_cache(maxsize=256)
def _admits(accept: str, offered: tuple[str, ...]) -> bool:
    return parse_accept_header(accept, MIMEAccept).best_match(offered) is not None


MAX_BYTES = 1 << 20
"""The largest request body that is read where the contract declares none with `x-max-bytes`."""
MOST_CONTAINERS = 100_000
"""Arrays and objects in each MAX_BYTES of a request body: each takes a hundred times the memory that its text does."""


class RequestBody:
    """What a request may carry."""

    def __init__(self, declared: Mapping[str, Any], resolve: Resolve, *, is_patch: bool = False) -> None:
        self._is_patch = is_patch
        self.required: bool = declared.get("required", False)
        self.max_bytes: int = declared.get("x-max-bytes", MAX_BYTES)
        self._most_containers = max(MOST_CONTAINERS, MOST_CONTAINERS * self.max_bytes // MAX_BYTES)
        self.schemas = {
            name.lower(): Schema(content["schema"], resolve, "request") if "schema" in content else None
            for name, content in declared["content"].items()
        }

    def read(self, headers: Headers, body: bytes) -> tuple[Json, list[Finding]]:
        """The value of a body with its defaults filled in, and every violation."""
        if not body:
            missing = [Finding("required", "body", "a body is required and missing", pointer="")]
            return None, missing if self.required else []
        if wrong := self._wrong_type(headers):
            return None, [Finding("media-type", "header", wrong, name="Content-Type")]
        name, _ = media_type(headers["content-type"])
        schema = self.schemas[name]
        if not is_json(name) or schema is None:
            return body, []
        if body.count(b"[") + body.count(b"{") > self._most_containers:
            detail = f"has more than {self._most_containers} brackets"
            return None, [Finding("json-size", "body", detail, pointer="")]
        try:
            value = decode(body)
        except NotStrictJson as error:
            return None, error.findings
        if findings := schema.findings(value, "body"):
            return value, findings
        return value if self._is_patch else schema.fill_defaults(value), []  # what a patch leaves out stays as it is

    def _wrong_type(self, headers: Headers) -> str | None:
        expected = f"The body must be {' or '.join(self.schemas)}"
        if (coding := headers.get("content-encoding", "identity").lower()) != "identity":
            return f"{expected} without a content coding, not {show(coding)}."
        if (content_type := headers.get("content-type")) is None:
            return f"{expected}; Content-Type is missing."
        name, charset = media_type(content_type)
        if name not in self.schemas:
            return f"{expected}, not {show(content_type)}."
        if is_json(name) and charset not in ("utf-8", "utf8"):
            return f"{expected} in UTF-8, not {show(content_type)}."
        return None


class Representation:
    """One media type of one response."""

    def __init__(self, content: Mapping[str, Any], resolve: Resolve) -> None:
        self.schema = Schema(content.get("schema", {}), resolve, "response")
        declared = dereferenced(content.get("schema", {}), resolve)
        # An array can be judged item by item where its schema says nothing but what its items are.
        by_items = declared.keys() <= {"type", "items", "title", "description"}
        self._items = Schema(declared["items"], resolve, "response") if by_items and "items" in declared else None
        self._judged: set[int] = set()

    def encode(self, value: Json) -> tuple[list[bytes], list[Finding]]:
        """The pieces of the JSON text to send, without writeOnly members, and every violation in it."""
        if not isinstance(value, EncodedArray):
            value = self.schema.without_write_only(value)
            return [orjson.dumps(value)], self.schema.findings(value, "body")
        if self._items is None:
            return self.encode([orjson.loads(item) for item in value])
        return self._encode_items(self._items, value)

    def _encode_items(self, items: Schema, texts: EncodedArray) -> tuple[list[bytes], list[Finding]]:
        """Of what was found right its hash is remembered: 64 bits with a key of this process, which nobody can aim at.

        A text with members to hide is read each time.
        """
        findings: list[Finding] = []
        shown: list[bytes] = []
        if len(self._judged) + len(texts) > MOST_JUDGED:
            self._judged.clear()
        for index, text in enumerate(texts):
            if hash(text) not in self._judged:
                value = items.without_write_only(stored := orjson.loads(text))
                wrong = items.findings(value, "body")
                findings += [replace(finding, pointer=f"/{index}{finding.pointer}") for finding in wrong]
                if len(findings) > MOST_FINDINGS:
                    break
                if value != stored:
                    text = orjson.dumps(value)
                elif not wrong:
                    self._judged.add(hash(text))
            shown.append(text)
        return [] if findings else list(_array(shown)), told(findings)


def _array(texts: Sequence[bytes]) -> Iterator[bytes]:
    """A JSON array of these texts, in pieces."""
    for start in range(0, len(texts), ITEMS_IN_PIECE):
        yield (b"," if start else b"[") + b",".join(texts[start : start + ITEMS_IN_PIECE])
    yield b"]" if texts else b"[]"


ITEMS_IN_PIECE = 200
MOST_JUDGED = 250_000
"""How many judged items are remembered before the memory is emptied."""


class Response:
    """One documented response of an operation."""

    def __init__(self, declared: Mapping[str, Any], resolve: Resolve) -> None:
        self.representations = {
            name.lower(): Representation(content, resolve) for name, content in declared.get("content", {}).items()
        }
        self.headers = [
            Parameter({**dereferenced(header, resolve), "name": name, "in": "header"}, resolve)
            for name, header in declared.get("headers", {}).items()
            if name.lower() != "content-type"
        ]
        self.provokable: bool = declared.get("x-provokable", True)

    def findings(self, headers: Headers) -> list[Finding]:
        return read_parameters(self.headers, {}, b"", headers)[1]


def operation_id(path: str, method: str, declared: Mapping[str, Any]) -> str:
    """The `operationId`, or the method and the path where there is none."""
    identity: str = declared.get("operationId", f"{method.upper()} {path}")
    return identity


class Operation:
    """An operation of the contract: its id, its route, its parameters, its body and its responses by status."""

    def __init__(self, path: str, method: str, path_item: Mapping[str, Any], resolve: Resolve) -> None:
        declared = path_item[method]
        self.path, self.method = path, method.upper()
        self.id: str = operation_id(path, method, declared)
        self.declared: Mapping[str, Any] = declared
        both = [
            dereferenced(each, resolve) for each in (*path_item.get("parameters", ()), *declared.get("parameters", ()))
        ]
        self.parameters = [
            Parameter(each, resolve) for each in {(each["name"], each["in"]): each for each in both}.values()
        ]
        self.request_body = (
            RequestBody(dereferenced(declared["requestBody"], resolve), resolve, is_patch=self.method == "PATCH")
            if "requestBody" in declared
            else None
        )
        self.responses = {
            str(status).upper(): Response(dereferenced(response, resolve), resolve)
            for status, response in declared.get("responses", {}).items()
            if not str(status).startswith("x-")
        }
        self._offered = tuple(
            name for status, response in self.responses.items() if status[0] == "2" for name in response.representations
        )
        self._minds_accept = self.response(406) is not None

    def compile(self) -> None:
        """Compile every schema now, not when it is first needed. Raises ValueError for one that cannot be."""
        for response in self.responses.values():
            for representation in response.representations.values():
                representation.schema.compile()
        for parameter in (
            *self.parameters,
            *(each for response in self.responses.values() for each in response.headers),
        ):
            parameter.schema.compile()
        for schema in self.request_body.schemas.values() if self.request_body else ():
            if schema is not None:
                schema.compile()

    def check_request(self, request: Request) -> tuple[dict[str, Json], list[Finding]]:
        """The arguments for a handler, `body` among them, and the violations, as many as `told` keeps."""
        arguments, findings = dict[str, Json](), list[Finding]()
        if self.parameters or request.query:
            arguments, findings = read_parameters(self.parameters, request.path, request.query, request.headers)
        accept = request.headers.get("accept")
        # Where no refusal is documented, what is acceptable is not minded (RFC 9110, section 12.4.1).
        if accept is not None and self._offered and self._minds_accept and not _accepts(accept, self._offered):
            offered = " or ".join(self._offered)
            detail = f"This operation answers with {offered}, which Accept {show(accept)} does not admit."
            findings.append(Finding("accept", "header", detail, name="Accept"))
        if self.request_body is not None:
            body, wrong = self.request_body.read(request.headers, request.body)
            findings += wrong
            if body is not None:
                arguments["body"] = body
        return arguments, told(findings)

    def response(self, status: int) -> Response | None:
        """The documented response for a status: the status itself, its class, or the default."""
        responses = self.responses
        return responses.get(str(status)) or responses.get(f"{status // 100}XX") or responses.get("DEFAULT")

    def encode_response(self, status: int, headers: Headers, value: Json) -> tuple[list[bytes], list[Finding]]:
        """A value as the pieces of the body to send, and every violation of the response that carries it.

        `headers` has `content-type` when there is a body to send; what is not JSON is given as bytes.
        """
        pieces, findings = self._judge(status, headers, lambda representation: representation.encode(value))
        return ([value] if isinstance(value, bytes) else pieces), findings

    def check_response(self, status: int, headers: Headers, body: bytes) -> list[Finding]:
        """Every violation in a response that somebody sent."""

        def judge(representation: Representation) -> tuple[list[bytes], list[Finding]]:
            try:
                return [body], representation.schema.findings(decode(body), "body")
            except NotStrictJson as error:
                return [body], error.findings

        return self._judge(status, headers, judge)[1]

    def _judge(
        self, status: int, headers: Headers, judge: Callable[[Representation], tuple[list[bytes], list[Finding]]]
    ) -> tuple[list[bytes], list[Finding]]:
        response = self.response(status)
        if response is None:
            detail = f"{status} is not documented for {self.id}, only {', '.join(self.responses)}"
            return [], [Finding("undocumented-status", "status", detail)]
        findings = response.findings(headers) if response.headers else []
        if not response.representations:
            return [], findings
        content_type = headers.get("content-type", "")
        name, _ = media_type(content_type)
        representation = response.representations.get(name)
        if representation is None:
            expected = " or ".join(response.representations)
            detail = f"must be {expected}, not {show(content_type)}"
            return [], [*findings, Finding("undocumented-media-type", "header", detail, name="Content-Type")]
        if not is_json(name):
            return [], findings
        pieces, wrong = judge(representation)
        return pieces, findings + wrong
