"""Parameters: the texts of a path, a query, a header or a cookie as JSON values, in every style of OpenAPI."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from .finding import MAX_FINDINGS, Finding, Place, first_findings
from .media import is_json
from .path_template import Decoded
from .references import References
from .schema import did_you_mean
from .strict_json import NotStrictJson, decode
from .text_values import Reader, nested, primitive

DEFAULT_STYLES = {"query": "form", "path": "simple", "header": "simple", "cookie": "form"}
_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}
_ENCODED_COMMA = re.compile(b"%2[Cc]")
IGNORED_HEADERS = {"accept", "content-type", "authorization"}
"""Header parameters with these names are ignored (OpenAPI, Parameter Object)."""

QueryItems = list[tuple[str, str]]


class Parameter:
    """One parameter of an operation, compiled."""

    def __init__(self, declared: Mapping[str, Any], resolve: References) -> None:
        self.source = declared
        """The Parameter Object."""
        self.name: str = declared["name"]
        self.place: Place = declared["in"]
        self.required: bool = declared.get("required", False)
        self.style: str = declared.get("style", DEFAULT_STYLES[self.place])
        self.explode: bool = declared.get("explode", self.style == "form")
        self.taken: Collection[str] = ()
        """The names of all query parameters, which are no members of an exploded object."""
        self._may_be_empty: bool = declared.get("allowEmptyValue", False)
        self._media_type = media_type = next(iter(declared.get("content", {})), "")
        self.raw = schema_of(declared)
        self.declared: Mapping[str, Any] = resolve.followed(self.raw)
        self.default: Any = self.declared.get("default")
        self._reader = Reader(self.raw, resolve)
        self.schema = self._reader.schema
        self._is_json = is_json(media_type)
        self.is_judged = self._is_json or not media_type or self._reader.is_scalar
        """Whether the value is judged: with a media type other than JSON, only where it is a scalar."""
        spread = self.explode and "object" in self._reader.types
        self._spreads = spread and self.style == "form" and not media_type
        self._begins = {"label": ".", "matrix": ";" if spread else f";{self.name}"}.get(self.style, "")
        # The type of a value that is always a single text.
        self._plain = None if media_type or self._begins or self._may_be_empty else self._reader.only
        is_joined = (self.style == "form" and not self.explode) or (self.place == "path" and self.style == "simple")
        self.splits = is_joined and not media_type and self._reader.only is None
        """Whether commas separate its items, other than percent-encoded ones."""

    def read(self, texts: list[str], encoded: str | None = None) -> tuple[Any, list[Finding]]:
        """The value of the texts, and its findings; `encoded` is the percent-encoded text."""
        if self._plain is not None and len(texts) == 1:
            value = texts[0] if self._plain == "string" else primitive(texts[0], self._plain)
            return value, self.schema.findings(value, self.place, self.name)
        if self._may_be_empty and texts == [""]:
            return "", []
        if self._is_json:
            return self._read_json(texts)
        if not self.is_judged:
            return texts[0], []
        first: tuple[Any, list[Finding]] | None = None
        for value in self._readings(texts, encoded):
            wrong = self.schema.findings(value, self.place, self.name)
            if not wrong:
                return value, []
            first = first or (value, wrong)
        return first or (None, [self._unreadable(texts)])

    def _unreadable(self, texts: list[str]) -> Finding:
        if len(texts) > 1:
            return Finding("repeated-parameter", self.place, f"is given {len(texts)} times", name=self.name)
        return Finding("parameter-style", self.place, f"must be written in style {self.style}", name=self.name)

    def find(self, items: QueryItems) -> tuple[list[str], set[str]]:
        """The parameter's texts in a query, and their names there."""
        if self.style == "deepObject":
            prefix = f"{self.name}["
            members = [(name, value) for name, value in items if name.startswith(prefix) and name.endswith("]")]
            return [f"{name[len(prefix) : -1]}={value}" for name, value in members], {name for name, _ in members}
        texts = [value for name, value in items if name == self.name]
        if texts or not self._spreads:
            return texts, {self.name}
        known, is_open = self._reader.properties, self._reader.is_open
        members = [(name, value) for name, value in items if name in known or (is_open and name not in self.taken)]
        return [f"{name}={value}" for name, value in members], {self.name, *(name for name, _ in members)}

    def written(self, value: Any, encode: Callable[[str], str] = str) -> list[tuple[str, str]]:
        """The texts of a value, each with its name; several only in a query or a cookie.

        `encode` is applied to names and texts, but not to the delimiters between them.
        """
        name = encode(self.name)
        if self._media_type:
            return [(name, encode(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))]
        is_spread = self.explode and self.style == "form"
        if isinstance(value, dict):
            pairs = [(encode(member), encode(joined(each))) for member, each in value.items()]
            if self.style == "deepObject":
                return [(f"{name}{encode('[')}{member}{encode(']')}", text) for member, text in pairs]
            if is_spread:
                return pairs
            texts = [f"{member}={text}" for member, text in pairs] if self.explode else list(chain(*pairs))
        else:
            texts = [encode(joined(each)) for each in (value if isinstance(value, list) else [value])]
            if is_spread:
                return [(name, text) for text in texts]
        if self.style == "matrix" and self.explode:
            named = texts if isinstance(value, dict) else [f"{name}={text}" for text in texts]
            return [(name, "".join(f";{text}" for text in named))]
        before = {"label": ".", "matrix": f";{name}="}.get(self.style, "")
        separator = "." if self.style == "label" and self.explode else ","
        separator = encode(_SEPARATORS[self.style]) if self.style in _SEPARATORS else separator
        return [(name, before + separator.join(texts))]

    def absent(self) -> tuple[Any, list[Finding]]:
        """The value of an absent parameter, None without one, and the findings."""
        if self.required and not (self._spreads and self.schema.accepts({})):
            return None, [Finding("required", self.place, "is required and missing", name=self.name)]
        return self.default, []

    def encoded(self, query: bytes) -> str | None:
        """The percent-encoded text in a query, where the encoding tells which commas are delimiters."""
        if not _ENCODED_COMMA.search(query):
            return None
        text = query.replace(b"+", b"%20").decode("latin-1")
        pairs = (part.partition("=")[::2] for part in text.split("&"))
        return next((value for name, value in pairs if unquote(name) == self.name), None)

    def _read_json(self, texts: list[str]) -> tuple[Any, list[Finding]]:
        try:
            value = decode(texts[0].encode(errors="surrogatepass"))
        except NotStrictJson as error:
            return None, [replace(each, place=self.place, pointer=None, name=self.name) for each in error.findings]
        return value, self.schema.findings(value, self.place, self.name)

    def _readings(self, texts: list[str], encoded: str | None) -> Iterator[Any]:
        """The possible values of the texts, the likeliest first. Several texts are an array, or an object."""
        reader = self._reader
        if not texts[0].startswith(self._begins):
            return
        if self.style == "deepObject":
            yield reader.build(nested(self._pairs(texts) or ()))
            return
        if "object" in reader.types:
            for sent in dict.fromkeys((encoded, None)):
                if (pairs := self._pairs(texts, sent)) is not None:
                    yield reader.build(nested(pairs))
        if "array" in reader.types:
            for items in self._items(texts, encoded):
                yield [reader.items.scalar(item) for item in items]
                if items == [""]:
                    yield []
        if len(texts) == 1 and (reader.types not in (["array"], ["object"]) or self._pairs(texts) is None):
            yield reader.scalar(self._stripped(texts[0]))

    def _stripped(self, text: str) -> str:
        """The text of a scalar without the prefix of its style."""
        if self.style == "label":
            return text.removeprefix(".")
        return text.removeprefix(f";{self.name}").removeprefix("=") if self.style == "matrix" else text

    def _split(self, text: str, encoded: str | None) -> list[str]:
        """The items of one text by the delimiter of its style; `encoded` is the percent-encoded text, if it matters."""
        if self.style == "matrix":
            parts = text.removeprefix(";").split(";")
            return parts if self.explode else [item for part in parts for item in part.partition("=")[2].split(",")]
        if self.style == "label":  # OpenAPI 3.0 shows dots where RFC 6570 has commas
            text = text.removeprefix(".")
            return text.split("." if self.explode or "," not in text else ",")
        if encoded is not None:
            return list(map(unquote, encoded.split(",")))
        parts = text.split(_SEPARATORS.get(self.style, ","))
        return [part.strip() for part in parts] if self.place == "header" else parts

    def _items(self, texts: list[str], encoded: str | None) -> Iterator[list[str]]:
        """The items of an array, in every way that they can be separated."""
        if self.place == "query" and self.explode:
            yield texts
        elif len(texts) == 1:
            for sent in dict.fromkeys((encoded, None)):
                parts = self._split(texts[0], sent)
                yield [part.partition("=")[2] for part in parts] if self.style == "matrix" and self.explode else parts

    def _pairs(self, texts: list[str], encoded: str | None = None) -> list[tuple[str, str]] | None:
        """The members of an object by name; None where the texts have none."""
        is_spread = self.style == "deepObject" or (self._spreads and "=" in texts[0])
        parts = texts if is_spread else self._split(texts[0], encoded)
        if self.explode or self.style == "deepObject":
            named = [part.partition("=") for part in parts]
            return [(name, value) for name, _, value in named] if all(mark for _, mark, _ in named) else None
        return list(zip(parts[::2], parts[1::2], strict=True)) if len(parts) % 2 == 0 else None


def schema_of(declared: Mapping[str, Any]) -> Any:
    """The schema of a parameter or a header, its own or that of its `content`; {} where it has none."""
    return next((each["schema"] for each in (declared, *declared.get("content", {}).values()) if "schema" in each), {})


def header_fields(declared: Mapping[str, Any], resolve: References) -> list[Parameter]:
    """The header fields that a response, or a part of a form, declares in `headers`."""
    return [
        Parameter({**resolve.followed(field), "name": name, "in": "header"}, resolve)
        for name, field in declared.get("headers", {}).items()
        if name.lower() != "content-type"
    ]


def header_findings(fields: Iterable[Parameter], headers: Mapping[str, str]) -> list[Finding]:
    """The findings in the header fields that a response, or a part of a form, declares."""
    findings: list[Finding] = []
    for field in fields:
        text = headers.get(field.name.lower())
        findings += (field.absent() if text is None else field.read([text]))[1]
    return first_findings(findings)


def joined(value: Any) -> str:
    """A value as one text; commas separate the items of an array."""
    if isinstance(value, list):
        return ",".join(map(joined, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parse_query(query: bytes) -> tuple[QueryItems, list[Finding]]:
    """The pairs of a query string, up to MAX_FINDINGS findings.

    Bytes that are not UTF-8 are findings, unlike in the URL standard; they are read as U+FFFD.
    """
    items: QueryItems = []
    findings = []
    for part in filter(None, query.split(b"&")):
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        shown = unquote_to_bytes(name).decode(errors="replace")
        try:
            items.append((unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()))
        except UnicodeDecodeError:
            findings.append(Finding("percent-encoding", "query", "must be percent-encoded UTF-8", name=shown))
            if len(findings) > MAX_FINDINGS:
                break
            if "\ufffd" not in shown:
                items.append((shown, unquote_to_bytes(value).decode(errors="replace")))
    return items, findings


def parse_cookies(header: str) -> QueryItems:
    """The pairs of a `Cookie` field (RFC 6265, section 4.2.1), percent-decoded as in style form."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [(name, unquote(value.strip('"'))) for name, mark, value in pairs if mark]


def read_parameters(
    parameters: Iterable[Parameter],
    path: Mapping[str, str],
    query: bytes,
    headers: Mapping[str, str],
    credentials: Collection[str] = (),
) -> tuple[dict[str, Any], list[Finding]]:
    """The arguments of a request by parameter name, and the findings, with unknown query parameters last.

    `headers` has lower-case names; `credentials` are the query parameters of security schemes. An absent optional
    parameter without a default is no argument.
    """
    items, findings = parse_query(query) if query else ([], [])
    cookies = parse_cookies(headers["cookie"]) if "cookie" in headers else []
    arguments: dict[str, Any] = {}
    known = set(credentials)
    for parameter in parameters:
        name, encoded = parameter.name, None
        if parameter.place == "query":
            texts, names = parameter.find(items)
            known |= names
            encoded = parameter.encoded(query) if parameter.splits and texts else None
        elif parameter.place == "path":
            value = path.get(name)
            texts = [] if value is None else [str(value)]  # a router may have converted it to a number
            encoded = value.sent if parameter.splits and isinstance(value, Decoded) else None
        elif parameter.place == "header":
            texts = [headers[name.lower()]] if name.lower() in headers else []
        else:
            texts, _ = parameter.find(cookies)
        argument, wrong = parameter.read(texts, encoded) if texts else parameter.absent()
        findings += wrong
        if texts or argument is not None:
            arguments[name] = argument
    unknown = (
        Finding("unknown-parameter", "query", f"is not a known parameter{did_you_mean(name, known)}", name=name)
        for name in dict.fromkeys(name for name, _ in items)
        if name not in known
    )
    return arguments, first_findings(chain(findings, unknown))
