"""What must not be shown: the one place that takes secrets out of everything this package prints, keeps or writes."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .document import Contract

Fields = Iterable[tuple[str, str]]

REDACTED = "[redacted]"

_CREDENTIAL_FIELD = re.compile(r"authorization|cookie|token|secret|api-?key|password|credential", re.IGNORECASE)


class Redaction:
    """Knows the secrets of a contract: members that are `writeOnly` or passwords, and where its credentials travel.

    Members are known by name, at any depth: a secret in the wrong place is a secret all the same. `known` are secrets
    known by value, such as the token of this run.
    """

    def __init__(self, contract: Contract, known: Iterable[str] = ()) -> None:
        self._names = set(_secret_names(contract.document))
        self._known = sorted({text for text in known if text}, key=len, reverse=True)
        names = "|".join(map(re.escape, sorted(self._names))) or "(?!)"
        self._member = re.compile(
            rf"""((["'])(?:{names})\2\s*:\s*)("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^,}}\]\s]+)"""
        )
        self._parameter = re.compile(rf"((?:^|[?&])(?:{names})=)[^&\s]*")

    def url(self, url: str) -> str:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return self._without_known(
            urlunsplit(parts._replace(netloc=host, query=self._parameter.sub(rf"\1{REDACTED}", parts.query)))
        )

    def text(self, text: str) -> str:
        """Prose that may quote a request or a response."""
        return self._without_known(self._member.sub(lambda found: f'{found[1]}"{REDACTED}"', text))

    def headers(self, fields: Fields) -> list[tuple[str, str]]:
        return [(name, REDACTED if self._is_credential(name) else self._without_known(value)) for name, value in fields]

    def _is_credential(self, name: str) -> bool:
        return name in self._names or bool(_CREDENTIAL_FIELD.search(name))

    def body(self, body: bytes) -> bytes:
        """A body with its secrets replaced; it is unchanged, to the byte, where it has none."""
        text = body.decode(errors="surrogateescape")
        # An escape can hide a name, so a body with one is read even where no name shows.
        if any(name in text for name in self._names) or "\\u" in text:
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                text = self._parameter.sub(rf"\1{REDACTED}", self.text(text))
            else:
                shown = self._value(value)
                text = text if shown == value else json.dumps(shown, ensure_ascii=False)
        return self._without_known(text).encode(errors="surrogateescape")

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: REDACTED if name in self._names and nested is not None else self._value(nested)
                for name, nested in value.items()
            }
        return [self._value(item) for item in value] if isinstance(value, list) else value

    def _without_known(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, REDACTED)
        return text


def _secret_names(node: Any) -> Iterator[str]:
    """Names of secret members and parameters, and of the places where API keys travel."""
    if isinstance(node, list):
        for item in node:
            yield from _secret_names(item)
    elif isinstance(node, dict):
        if node.get("type") == "apiKey" and isinstance(node.get("name"), str):
            yield node["name"]
        if isinstance(node.get("name"), str) and _is_secret(node.get("schema")):
            yield node["name"]
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from (name for name, schema in properties.items() if _is_secret(schema))
        for nested in node.values():
            yield from _secret_names(nested)


def _is_secret(schema: Any) -> bool:
    return isinstance(schema, dict) and (schema.get("writeOnly") is True or schema.get("format") == "password")
