"""One operation of the contract, compiled once: the judge of its requests and responses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from .body import Content, Headers, RequestBody
from .finding import MAX_FINDINGS, Finding, first_findings
from .media import LONGEST_REMEMBERED, ByMediaType, concrete, first_json, is_range, media_type
from .parameters import IGNORED_HEADERS, Parameter, header_fields, header_findings, read_parameters
from .references import References
from .schema import Json, Schema, show
from .security import NO_SECURITY, Security
from .severity import DEFAULT, Severities


class Request(NamedTuple):
    """A request to judge. `path` holds the decoded path parameters."""

    path: Mapping[str, str] = MappingProxyType({})
    query: bytes = b""
    headers: Headers = MappingProxyType({})
    body: bytes = b""


MANY = 1_000
MANY_BYTES = 1 << 18


class EncodedArray(list[bytes]):
    """An array whose items are JSON texts. Items that were judged before are neither parsed nor judged again."""

    @property
    def is_large(self) -> bool:
        """Whether the array takes long to judge."""
        return len(self) > MANY or sum(map(len, self)) > MANY_BYTES


class LargeObject(dict[str, Json]):
    """An object that takes long to judge and to write."""


Reply = tuple[Json, int] | tuple[Json, int, Mapping[str, str]]
"""The reply of an operation: the value of the body, the status, and header fields."""
WITHOUT_BODY = (204, 205, 304)
"""Statuses whose response has no content (RFC 9110, sections 6.4.1 and 15.3.6)."""


def _accepts(accept: str, offered: tuple[str, ...]) -> bool:
    return (_admits if len(accept) <= LONGEST_REMEMBERED else _admits.__wrapped__)(accept, offered)


@lru_cache(maxsize=256)
def _admits(accept: str, offered: tuple[str, ...]) -> bool:
    return parse_accept_header(accept, MIMEAccept).best_match(offered) is not None


class Representation(Content):
    """One media type of one response."""

    def __init__(self, name: str, content: Mapping[str, Any], resolve: References, severities: Severities) -> None:
        super().__init__(name, content, resolve, "response", severities)
        declared = resolve.followed(content.get("schema", {}))
        # An array can be judged item by item where its schema declares its items alone.
        by_items = declared.keys() <= {"type", "items", "title", "description"}
        self._items = Schema(declared["items"], resolve, "response") if by_items and "items" in declared else None
        self._judged: set[int] = set()

    def encode(self, value: Json) -> tuple[list[bytes], list[Finding]]:
        """The pieces of the JSON text to send, without writeOnly members, and every finding in it."""
        if not isinstance(value, EncodedArray):
            value = self.schema.without_write_only(value)
            return [orjson.dumps(value)], self.schema.findings(value, "body")
        if self._items is None:
            return self.encode([orjson.loads(item) for item in value])
        return self._encode_items(self._items, value)

    def _encode_items(self, items: Schema, texts: EncodedArray) -> tuple[list[bytes], list[Finding]]:
        """The pieces of an array. The hashes of valid items are remembered: 64 bits, keyed by this process.

        An item with writeOnly members is decoded each time.
        """
        findings: list[Finding] = []
        shown: list[bytes] = []
        if len(self._judged) + len(texts) > MAX_JUDGED:
            self._judged.clear()
        for index, text in enumerate(texts):
            if hash(text) not in self._judged:
                value = items.without_write_only(stored := orjson.loads(text))
                wrong = items.findings(value, "body")
                findings += [replace(finding, pointer=f"/{index}{finding.pointer}") for finding in wrong]
                if len(findings) > MAX_FINDINGS:
                    break
                if value != stored:
                    text = orjson.dumps(value)
                elif not wrong:
                    self._judged.add(hash(text))
            shown.append(text)
        return [] if findings else list(_array(shown)), first_findings(findings)


def _array(texts: Sequence[bytes]) -> Iterator[bytes]:
    """A JSON array of these texts, in pieces."""
    for start in range(0, len(texts), ITEMS_IN_PIECE):
        yield (b"," if start else b"[") + b",".join(texts[start : start + ITEMS_IN_PIECE])
    yield b"]" if texts else b"[]"


ITEMS_IN_PIECE = 200
MAX_JUDGED = 250_000
"""The number of judged items that are remembered before the memory is emptied."""


class Response:
    """One documented response of an operation."""

    def __init__(self, declared: Mapping[str, Any], resolve: References, severities: Severities = DEFAULT) -> None:
        self.declared = declared
        contents = declared.get("content", {})
        self.representations = ByMediaType(
            {name: Representation(name, content, resolve, severities) for name, content in contents.items()}
        )
        self.has_content = len(contents) > 0
        self.headers = header_fields(declared, resolve)
        self.provokable: bool = declared.get("x-provokable", True)

    @cached_property
    def json(self) -> tuple[str, Representation] | None:
        """The media type and the representation that is JSON, or may be, `application/json` before any other."""
        return first_json({concrete(name): each for name, each in self.representations.items()})

    def findings(self, headers: Headers) -> list[Finding]:
        return header_findings(self.headers, headers)


def operation_id(path: str, method: str, declared: Mapping[str, Any]) -> str:
    """The `operationId`, or the method and the path where there is none."""
    return str(declared.get("operationId", f"{method.upper()} {path}"))


class Operation:
    """An operation of the contract: its id, its route, its parameters, its body and its responses by status."""

    def __init__(
        self,
        path: str,
        method: str,
        path_item: Mapping[str, Any],
        resolve: References,
        severities: Severities = DEFAULT,
        security: Security = NO_SECURITY,
    ) -> None:
        declared = path_item[method]
        self.path, self.method = path, method.upper()
        self.id: str = operation_id(path, method, declared)
        self.declared: Mapping[str, Any] = declared
        self._severities, self.security, self.resolve = severities, security, resolve
        conjunction = [
            resolve.followed(each) for each in (*path_item.get("parameters", ()), *declared.get("parameters", ()))
        ]
        self.declared_parameters = [*{(each["name"], each["in"]): each for each in conjunction}.values()]
        """The parameters of the path item, unless the operation overrides them, and those of the operation."""
        self.parameters = [
            Parameter(each, resolve)
            for each in self.declared_parameters
            if each["in"] != "header" or each["name"].lower() not in IGNORED_HEADERS
        ]
        taken = {*security.query_names, *(each.name for each in self.parameters if each.place == "query")}
        for parameter in self.parameters:
            parameter.taken = taken
        self.declared_body: Mapping[str, Any] = resolve.followed(declared.get("requestBody", {}))
        self.request_body = RequestBody(self.declared_body, resolve, severities, is_patch=self.method == "PATCH")
        """Without contents where the contract declares none."""
        self.responses = {
            str(status).upper(): Response(resolve.followed(response), resolve, severities)
            for status, response in declared.get("responses", {}).items()
            if not str(status).startswith("x-")
        }
        offered = [
            name for status, response in self.responses.items() if status[0] == "2" for name in response.representations
        ]
        # Where a response may have any type, every `Accept` is acceptable.
        is_open = any(is_range(name) or "/" not in name for name in offered)  # an invalid name fits no `Accept`
        self._offered = () if is_open else tuple(media_type(name)[0] for name in offered)
        self._minds_accept = self.response(406) is not None

    def check_request(self, request: Request) -> tuple[dict[str, Json], list[Finding]]:
        """The arguments for a handler, `body` among them, and the findings, as many as `first_findings` keeps."""
        arguments, findings = dict[str, Json](), list[Finding]()
        if self.parameters or request.query:
            known = self.security.query_names
            arguments, findings = read_parameters(self.parameters, request.path, request.query, request.headers, known)
        accept = request.headers.get("accept")
        # Where no 406 is documented, `Accept` is ignored (RFC 9110, section 12.4.1).
        if accept is not None and self._offered and self._minds_accept and not _accepts(accept, self._offered):
            offered = " or ".join(self._offered)
            detail = f"This operation answers with {offered}, which Accept {show(accept)} does not admit."
            findings.append(Finding("accept", "header", detail, name="Accept"))
        if self.security.is_needed:
            findings += self.security.findings(request.headers, request.query)
        if self.request_body.contents:
            body, wrong = self.request_body.read(request.headers, request.body)
            findings += wrong
            if body is not None:
                arguments["body"] = body
        return arguments, self._by_severity(findings)

    def _by_severity(self, findings: list[Finding]) -> list[Finding]:
        """The findings by severity, errors first, and as many as `first_findings` keeps."""
        if not findings:
            return findings
        return first_findings(
            sorted(self._severities.with_severities(findings), key=lambda finding: finding.severity != "error")
        )

    @cached_property
    def json_body(self) -> tuple[str, Content] | None:
        """The media type and the content of a JSON request body, `application/json` before any other."""
        return first_json(self.request_body.contents)

    @property
    def shown(self) -> Mapping[str, Any] | None:
        """The schema of the first success response with JSON; None where there is none."""
        successes = (response.json for status, response in self.responses.items() if status[0] == "2")
        return next((json[1].raw for json in successes if json), None)

    def response(self, status: int) -> Response | None:
        """The documented response for a status: the status itself, its class, or the default."""
        responses = self.responses
        return responses.get(str(status)) or responses.get(f"{status // 100}XX") or responses.get("DEFAULT")

    def encode_response(self, status: int, headers: Headers, value: Json) -> tuple[list[bytes], list[Finding]]:
        """A value as the pieces of the body to send, and every finding in the response.

        `headers` has `content-type` when there is a body to send; a body that is not JSON is given as bytes.
        """
        if isinstance(value, bytes):
            return [value], self.check_response(status, headers, value)
        representation, findings = self._represented(status, headers)
        pieces, wrong = representation.encode(value) if representation else ([], [])
        return pieces, self._by_severity(findings + wrong)

    def check_response(self, status: int, headers: Headers, body: bytes) -> list[Finding]:
        """Every finding in a response that a server sent."""
        representation, findings = self._represented(status, headers)
        return self._by_severity(findings + (representation.read(headers, body)[1] if representation else []))

    def _represented(self, status: int, headers: Headers) -> tuple[Representation | None, list[Finding]]:
        """The representation that judges the body of a response, if it has one, and the findings beside the body."""
        response = self.response(status)
        if response is None:
            detail = f"{status} is not documented for {self.id}, only {', '.join(self.responses)}"
            return None, [Finding("undocumented-status", "status", detail)]
        findings = response.findings(headers)
        if not response.has_content or status in WITHOUT_BODY:
            return None, findings
        content_type = headers.get("content-type", "")
        if (representation := response.representations.find(content_type)) is None:
            sent = f"not {show(content_type)}" if content_type else "and Content-Type is missing"
            detail = f"must be {' or '.join(response.representations)}, {sent}"
            findings.append(Finding("undocumented-media-type", "header", detail, name="Content-Type"))
        return representation, findings
