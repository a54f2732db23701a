"""Parameters: from the text of a path, a query or a header to JSON values, in the styles of OpenAPI 3.0."""

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any
from urllib.parse import unquote_to_bytes

from .finding import MOST_FINDINGS, Finding, Place, told
from .schema import Resolve, Schema, dereferenced, did_you_mean

_DEFAULT_STYLE = {"query": "form", "path": "simple", "header": "simple", "cookie": "form"}
_SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")

QueryItems = list[tuple[str, str]]


class Parameter:
    """One parameter of an operation, compiled."""

    def __init__(self, declared: Mapping[str, Any], resolve: Resolve) -> None:
        self.name: str = declared["name"]
        self.place: Place = declared["in"]
        self.required: bool = declared.get("required", False)
        self.style: str = declared.get("style", _DEFAULT_STYLE[self.place])
        self.explode: bool = declared.get("explode", self.style == "form")
        schema = declared.get("schema") or next(iter(declared["content"].values()))["schema"]
        resolved = dereferenced(schema, resolve)
        self.declared: Mapping[str, Any] = resolved
        self.schema = Schema(schema, resolve, "request")
        self._type: str = resolved.get("type", "string")
        self._item_type: str = resolved.get("items", {}).get("type", "string")
        self._member_types = {
            name: nested.get("type", "string") for name, nested in resolved.get("properties", {}).items()
        }
        self.default: Any = resolved.get("default")

    def read(self, texts: list[str]) -> tuple[Any, list[Finding]]:
        """The value that the texts stand for, and what is wrong with it."""
        if self._type not in ("array", "object") and len(texts) > 1:
            return None, [Finding("repeated-parameter", self.place, f"is given {len(texts)} times", name=self.name)]
        value = self._parse(texts)
        return value, self.schema.findings(value, self.place, self.name)

    def find(self, items: QueryItems) -> tuple[list[str], set[str]]:
        """The parameter's texts in a query, and the names they have there."""
        if self.style != "deepObject":
            return [value for name, value in items if name == self.name], {self.name}
        prefix = f"{self.name}["
        members = [(name, value) for name, value in items if name.startswith(prefix) and name.endswith("]")]
        return [f"{name[len(prefix) : -1]}={value}" for name, value in members], {name for name, _ in members}

    def _parse(self, texts: list[str]) -> Any:
        if self._type == "array":
            items = (
                texts if self.explode and self.place == "query" else texts[0].split(_SEPARATORS.get(self.style, ","))
            )
            return [primitive(item, self._item_type) for item in items]
        if self._type == "object":
            parts = texts if self.style == "deepObject" else texts[0].split(_SEPARATORS.get(self.style, ","))
            exploded = (part.partition("=")[::2] for part in parts)
            pairs = exploded if self.explode else zip(parts[::2], parts[1::2], strict=False)
            return {name: primitive(text, self._member_types.get(name, "string")) for name, text in pairs}
        return primitive(texts[0], self._type)


def primitive(text: str, expected: str) -> Any:
    """The JSON value that a text stands for; the text itself where it does not stand for one of that type."""
    if expected == "boolean" and text in ("true", "false"):
        return text == "true"
    if expected in ("integer", "number") and _NUMBER.fullmatch(text) and len(text) < 400:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    return text


def parse_query(query: bytes) -> tuple[QueryItems, list[Finding]]:
    """The pairs of a query string, up to where too much is wrong with it.

    Unlike the URL standard, bytes that are not UTF-8 are an error, not a guess.
    """
    items: QueryItems = []
    findings = []
    for part in filter(None, query.split(b"&")):
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        try:
            items.append((unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()))
        except UnicodeDecodeError:
            shown = unquote_to_bytes(name).decode(errors="replace")
            findings.append(Finding("percent-encoding", "query", "must be percent-encoded UTF-8", name=shown))
            if len(findings) > MOST_FINDINGS:
                break
    return items, findings


def read_parameters(
    parameters: Iterable[Parameter],
    path: Mapping[str, str],
    query: bytes,
    headers: Mapping[str, str],
) -> tuple[dict[str, Any], list[Finding]]:
    """The arguments of a request by parameter name, and its violations, unknown query parameters included.

    `headers` has lower-case names. An optional parameter that is absent and has no default is no argument.
    """
    items, findings = parse_query(query) if query else ([], [])
    arguments: dict[str, Any] = {}
    known: set[str] = set()
    for parameter in parameters:
        name = parameter.name
        if parameter.place == "query":
            texts, names = parameter.find(items)
            known |= names
        elif parameter.place == "path":
            texts = [str(path[name])] if name in path else []  # a router may have read it as a number
        elif parameter.place == "header":
            texts = [headers[name.lower()]] if name.lower() in headers else []
        else:
            continue  # cookies are not judged
        if texts:
            arguments[name], wrong = parameter.read(texts)
            findings += wrong
        elif parameter.required:
            findings.append(Finding("required", parameter.place, "is required and missing", name=name))
        elif parameter.default is not None:
            arguments[name] = parameter.default
    unknown = (name for name in dict.fromkeys(key for key, _ in items) if name not in known)
    return arguments, told(chain(findings, (_unknown(name, known) for name in unknown)))


def _unknown(name: str, known: Iterable[str]) -> Finding:
    return Finding("unknown-parameter", "query", f"is not a known parameter{did_you_mean(name, known)}", name=name)
