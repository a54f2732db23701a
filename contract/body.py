"""Bodies: the content of requests and responses by media type, decoded and judged.

JSON, forms, text and binary content are judged by their schemas; other content, such as XML and streams of values,
by its media type only, which `unjudged` tells.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from .finding import MAX_FINDINGS, Finding, first_findings
from .media import OCTETS, ByMediaType, is_json, is_range, is_xml, media_type, parameters_of
from .parameters import Parameter, QueryItems, header_fields, header_findings, parse_query
from .pointer import json_pointer
from .references import NO_REFERENCES, References
from .schema import Direction, Json, Schema, show
from .severity import DEFAULT, Severities
from .strict_json import UNREADABLE, NotStrictJson, decode
from .text_values import Reader

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
STREAMS = {
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq", "text/event-stream",
}  # fmt: skip
"""Media types of sequences of values: whether the schema is that of the sequence or of a value is not defined."""
MAX_RANGE_TYPES = 20
"""The number of media types within a range that are remembered for `unjudged`."""
MAX_BYTES = 1 << 20
"""The largest request body that is read where the contract declares none with `x-max-bytes`."""
MAX_CONTAINERS = 100_000
"""Arrays and objects in each MAX_BYTES of a request body: each takes a hundred times the memory of its text."""
Headers = Mapping[str, str]
"""Header fields by lower-case name."""


class Content:
    """One media type, or a range, of a request or a response body."""

    def __init__(
        self,
        name: str,
        declared: Mapping[str, Any],
        resolve: References,
        direction: Direction,
        severities: Severities,
        most_containers: int = 0,
    ) -> None:
        """`most_containers` bounds the arrays and objects of JSON; 0 is no bound."""
        self.name, self._severities = media_type(name)[0], severities
        self.raw = declared.get("schema", {})
        self.schema = Schema(self.raw, resolve, direction)
        self.declared = declared
        self._resolve, self._direction = resolve, direction
        self._passed_over: set[str] = set()
        self._most_containers = most_containers

    @property
    def unjudged(self) -> list[str]:
        """The parts of the schema that are not judged for this media type, in sentences."""
        if not self.raw or is_json(self.name):
            return []
        if is_range(self.name):
            return [f"a body of {name} is judged by its media type, not by its schema" for name in self._passed_over]
        if self.name in (FORM, MULTIPART):
            fields = ", ".join(self._as_form.unjudged)
            return [f"fields of a form that are declared to be no JSON are not judged: {fields}"] if fields else []
        if self.name not in STREAMS and self._reader.is_scalar and not is_xml(self.name):
            return []
        return [f"a body of {self.name} is judged by its media type, not by its schema"]

    def read(self, headers: Headers, body: bytes) -> tuple[Json, list[Finding]]:
        """The value of a body, or its bytes where no schema judges it, and every finding."""
        name, charset = media_type(headers.get("content-type", OCTETS))
        if is_json(name):
            return self._read_json(body)
        if name in (FORM, MULTIPART):
            return self._as_form.read(headers["content-type"], body)
        if name in STREAMS or is_xml(name) or not self._reader.is_scalar:
            if is_range(self.name) and len(self._passed_over) < MAX_RANGE_TYPES:
                self._passed_over.add(name)
            return body, []
        return self._read_text(name, charset, body)

    def _read_json(self, body: bytes) -> tuple[Json, list[Finding]]:
        findings: list[Finding] = []
        try:
            value = self._decoded(body)
        except NotStrictJson as error:
            findings, value = self._severities.with_severities(error.findings), error.value
            if value is UNREADABLE or any(each.severity == "error" for each in findings):
                return None, findings
        return value, [*self.schema.findings(value, "body"), *findings]

    def _decoded(self, body: bytes) -> Json:
        """Raises NotStrictJson."""
        if self._most_containers and body.count(b"[") + body.count(b"{") > self._most_containers:
            detail = f"has more than {self._most_containers} brackets"
            raise NotStrictJson([Finding("json-size", "body", detail, pointer="")])
        return decode(body)

    def _read_text(self, name: str, charset: str, body: bytes) -> tuple[Json, list[Finding]]:
        """A scalar. Binary content has a character for each octet, so that a schema bounds its length."""
        is_text = name.startswith("text/") or name in ("application/javascript", "application/yaml")
        text = body.decode("latin-1")
        if is_text:
            try:
                text = body.decode(charset)
            except LookupError:
                return body, []  # a charset that is unknown here may be right
            except UnicodeDecodeError as error:
                return body, [Finding("text-encoding", "body", f"must be {charset}; {error.reason}", pointer="")]
        findings = self.schema.findings(self._reader.scalar(text), "body")
        return (self._reader.scalar(text) if is_text else body), findings

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.raw, self._resolve)

    @cached_property
    def _as_form(self) -> "_Form":
        return _Form(self.raw, self.declared.get("encoding", {}), self._resolve, self._direction)


class RequestBody:
    """The body of a request, as the Request Body Object declares it."""

    def __init__(
        self,
        declared: Mapping[str, Any],
        resolve: References,
        severities: Severities = DEFAULT,
        *,
        is_patch: bool = False,
    ) -> None:
        self._is_patch = is_patch
        self.required: bool = declared.get("required", False)
        self.max_bytes: int = declared.get("x-max-bytes", MAX_BYTES)
        most = max(MAX_CONTAINERS, MAX_CONTAINERS * self.max_bytes // MAX_BYTES)
        self.contents = ByMediaType(
            {
                name: Content(name, content, resolve, "request", severities, most)
                for name, content in declared.get("content", {}).items()
            }
        )
        self._severities = severities

    def read(self, headers: Headers, body: bytes) -> tuple[Json, list[Finding]]:
        """The value of a body with its defaults filled in, and every finding."""
        content_type = headers.get("content-type", "")
        if not body and not (self.required and _may_be_empty(content_type)):
            missing = [Finding("required", "body", "a body is required and missing", pointer="")]
            return None, missing if self.required else []
        stricter: list[Finding] = []
        if "content-encoding" in headers or "charset" in content_type:
            stricter = self._severities.with_severities(self._stricter(headers, content_type))
            if any(each.severity == "error" for each in stricter):
                return None, stricter
        content = self.contents.find(content_type)
        if content is None:
            return None, [*stricter, self._wrong_type(content_type)]
        if _is_coded(headers):
            return body, stricter
        value, findings = content.read(headers, body)
        if findings:
            findings = self._severities.with_severities(findings)
        is_right = not findings or all(finding.severity == "warning" for finding in findings)
        if is_right and not self._is_patch and not isinstance(value, bytes):  # a patch has no defaults
            value = content.schema.fill_defaults(value)
        return value, [*findings, *stricter] if stricter else findings

    def _stricter(self, headers: Headers, content_type: str) -> list[Finding]:
        """Findings that HTTP permits a server to refuse: content codings and charsets."""
        expected = f"The body must be {' or '.join(self.contents)}"
        if _is_coded(headers):
            detail = f"{expected} without a content coding, not {show(headers['content-encoding'])}."
            return [Finding("content-coding", "header", detail, name="Content-Encoding")]
        name, charset = media_type(content_type)
        if is_json(name) and charset not in ("utf-8", "utf8"):
            detail = f"{expected} in UTF-8, not {show(content_type)}."
            return [Finding("json-charset", "header", detail, name="Content-Type")]
        return []

    def _wrong_type(self, content_type: str) -> Finding:
        sent = f", not {show(content_type)}." if content_type else "; Content-Type is missing."
        detail = f"The body must be {' or '.join(self.contents)}{sent}"
        return Finding("media-type", "header", detail, name="Content-Type")


def _may_be_empty(content_type: str) -> bool:
    """Whether an empty body is valid for a media type, such as a text, or a form without a field."""
    name = media_type(content_type)[0]
    return bool(name) and name != MULTIPART and not is_json(name) and not is_xml(name)


def _is_coded(headers: Headers) -> bool:
    return "content-encoding" in headers and headers["content-encoding"].strip().lower() not in ("identity", "")


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a multipart body; `headers` by lower-case name."""

    name: str
    headers: Headers
    content: bytes
    is_file: bool


class _Form:
    """The fields of a form: a schema's properties, with their Encoding Objects."""

    def __init__(self, schema: Any, encoding: Mapping[str, Any], resolve: References, direction: Direction) -> None:
        reader = Reader(schema, resolve)
        self._fields = {
            name: _Field(name, nested, encoding.get(name, {}), resolve) for name, nested in reader.properties.items()
        }
        unread: dict[str, Any] = {name: {} for name, field in self._fields.items() if field.unjudged}
        if unread and len(reader.forms) == 1:
            schema = {**reader.forms[0], "properties": {**reader.forms[0]["properties"], **unread}}
            schema.pop("allOf", None)
        self._schema = Schema(schema, resolve, direction)

    @property
    def unjudged(self) -> list[str]:
        """The names of the fields that are not judged by their schemas."""
        return [name for name, field in self._fields.items() if field.unjudged]

    def read(self, content_type: str, body: bytes) -> tuple[Json, list[Finding]]:
        is_multipart = media_type(content_type)[0] == MULTIPART
        value, findings = self._multipart(content_type, body) if is_multipart else self._urlencoded(body)
        if value is None:
            return body, findings
        wrong = {finding.pointer for finding in findings}
        findings += [each for each in self._schema.findings(value, "body") if each.pointer not in wrong]
        return value, first_findings(findings)

    def _urlencoded(self, body: bytes) -> tuple[Json, list[Finding]]:
        items, findings = parse_query(body)
        findings = [
            replace(each, place="body", pointer=json_pointer([each.name or ""]), name=None) for each in findings
        ]
        value: dict[str, Any] = {}
        known: set[str] = set()
        for name, field in self._fields.items():
            texts, names, parameter = field.find(items)
            if texts:
                known |= names
                value[name] = field.value(texts, parameter)
        return value | {name: text for name, text in items if name not in known}, findings

    def _multipart(self, content_type: str, body: bytes) -> tuple[Json, list[Finding]]:
        try:
            parts = list(_parts(parameters_of(content_type).get("boundary", ""), body))
        except (ValueError, UnicodeDecodeError) as error:
            return None, [Finding("form-syntax", "body", f"is no {MULTIPART}: {error}", pointer="")]
        value: dict[str, Any] = {}
        findings: list[Finding] = []
        for part in parts:
            field = self._fields.get(part.name) or _Field(part.name, {}, {}, NO_REFERENCES)
            read, wrong = field.part(part)
            findings += wrong
            if len(findings) > MAX_FINDINGS:
                break
            if not field.is_array or (is_json(part.headers.get("content-type", "")) and isinstance(read, list)):
                value[part.name] = read
            else:
                value.setdefault(part.name, []).append(read)
        return value, findings


class _Field:
    """One field of a form. An object without a style is JSON, or `a[b]=c`, a common form without a standard."""

    def __init__(self, name: str, schema: Any, encoding: Mapping[str, Any], resolve: References) -> None:
        self.name = name
        self._reader = Reader(schema, resolve)
        self.is_array = "array" in self._reader.types
        self._content_types = ByMediaType(
            {each.strip(): each.strip() for each in encoding.get("contentType", "").split(",") if each.strip()}
        )
        style = {keyword: encoding[keyword] for keyword in ("style", "explode") if keyword in encoding}
        declared = {"name": name, "in": "query", "schema": schema}
        self._is_styled = bool(style)
        self._parameter = Parameter({**declared, **style}, resolve)
        self._brackets = Parameter({**declared, "style": "deepObject", "explode": True}, resolve)
        self._headers = header_fields(encoding, resolve)
        self._inner = self._reader.items if self.is_array else self._reader

    @property
    def unjudged(self) -> bool:
        """Whether the field has members, and a media type other than JSON."""
        declared = list(self._content_types)
        return bool(declared) and not self._inner.is_scalar and not any(map(is_json, declared))

    def find(self, items: QueryItems) -> tuple[list[str], set[str], Parameter]:
        """The field's texts in a urlencoded form, their names there, and the parameter that reads them."""
        own = [text for name, text in items if name == self.name]
        if own and not self._is_styled:
            return own, {self.name}, self._parameter
        for parameter in (self._parameter, self._brackets) if self._is_styled else (self._brackets,):
            texts, names = parameter.find(items)
            if texts:
                return texts, names, parameter
        return [], set(), self._parameter

    def value(self, texts: list[str], parameter: Parameter) -> Json:
        if not self._inner.is_scalar and not self._is_styled and parameter is self._parameter:
            values = [_json_or_text(text) for text in texts]
            return values if self.is_array and not isinstance(values[0], list) else values[0]
        return parameter.read(texts)[0]

    def part(self, part: _Part) -> tuple[Json, list[Finding]]:
        """The value of one part of a multipart form, or of one item of it, and the findings in the part."""
        pointer = json_pointer([self.name])
        content_type = part.headers.get("content-type", "text/plain")
        findings = [
            replace(each, place="body", pointer=pointer, name=None, detail=f"its header {each.name} {each.detail}")
            for each in header_findings(self._headers, part.headers)
        ]
        if len(self._content_types) and self._content_types.find(content_type) is None:
            expected = " or ".join(self._content_types)
            detail = f"must be {expected}, not {show(content_type)}"
            findings.append(Finding("media-type", "body", detail, pointer=pointer))
        name, charset = media_type(content_type)
        if is_json(name) or not (self._inner.is_scalar or self.unjudged):
            try:
                return decode(part.content), findings
            except NotStrictJson as error:
                inside = [replace(each, pointer=pointer + (each.pointer or "")) for each in error.findings]
                return None if error.value is UNREADABLE else error.value, [*findings, *inside]
        if part.is_file or not name.startswith("text/"):
            return part.content.decode("latin-1"), findings
        try:
            return self._inner.scalar(part.content.decode(charset)), findings
        except (LookupError, UnicodeDecodeError):
            return part.content.decode("latin-1"), findings


def _json_or_text(text: str) -> Json:
    try:
        return decode(text.encode(errors="surrogatepass"))
    except NotStrictJson:
        return text


def _parts(boundary: str, body: bytes) -> Iterator[_Part]:
    """Raises ValueError."""
    from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder  # slow to load

    if not boundary:
        raise ValueError("Content-Type names no boundary")
    decoder = MultipartDecoder(boundary.encode("latin-1"), max_parts=None)
    decoder.receive_data(body)
    decoder.receive_data(None)
    part: Field | File | None = None
    content = bytearray()
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, Field | File):
            part, content = event, bytearray()
        elif isinstance(event, Data) and part is not None:
            content += event.data
            if not event.more_data:
                headers = {name.lower(): value for name, value in part.headers.items()}
                yield _Part(part.name or "", headers, bytes(content), isinstance(part, File))
