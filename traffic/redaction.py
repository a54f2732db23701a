"""Redaction: the one place that removes secrets from everything that this package prints, keeps or writes."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote_plus

from ..contract.document import Contract
from ..contract.grammar import objects
from ..contract.interaction import Interaction

Fields = Iterable[tuple[str, str]]

REDACTED = "[redacted]"

_CREDENTIAL = re.compile(r"authorization|cookie|token|secret|api-?_?key|passw(or)?d|credential", re.IGNORECASE)
_PARAMETER = re.compile(r"(?P<before>^|[?&;#])(?P<name>[^=&;?#\s]+)=[^&;#\s]*")
_USER = re.compile(r"(?<=://)[^/?#\s]*@")


class Redaction:
    """Replaces the secrets of a contract: members that are `writeOnly` or passwords, and its credentials.

    Members are matched by name, at any depth: a secret in the wrong place is still a secret. `known` are secrets by
    value, such as the token of this run; they are matched as whole words and numbers only.
    """

    def __init__(self, contract: Contract, known: Iterable[str] = ()) -> None:
        self._names = set(_secret_names(dict(contract.document)))
        self._lower_names = {name.lower() for name in self._names}
        words = {word for text in known for word in (text, text.partition(" ")[2].strip()) if word}
        spelled = sorted({form for word in words for form in (word, quote(word, safe=""))}, key=len, reverse=True)
        self._known = re.compile("|".join(map(_whole, spelled))) if spelled else None
        names = "|".join(map(re.escape, sorted(self._names))) or "(?!)"
        self._member = re.compile(
            rf"""((["'])(?:{names})\2\s*:\s*)("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^,}}\]\s]+)"""
        )

    def interaction(self, shown: Interaction) -> Interaction:
        """A copy without secrets."""
        return replace(
            shown,
            url=self.url(shown.url),
            request_headers=tuple(self.headers(shown.request_headers)),
            request_body=self.body(shown.request_body),
            response_headers=tuple(self.headers(shown.response_headers)),
            response_body=self.body(shown.response_body),
            error=self.text(shown.error),
        )

    def url(self, url: str) -> str:
        """A URL, or the target of a request, without secrets."""
        place = min((url + mark).index(mark) for mark in "?#")
        return self._without_known(_USER.sub("", url[:place]) + self._parameters(url[place:]))

    def text(self, text: str) -> str:
        """Text that may quote a request or a response, without secrets."""
        return self._without_known(self._member.sub(lambda found: f'{found[1]}"{REDACTED}"', text))

    def headers(self, fields: Fields) -> list[tuple[str, str]]:
        """Header fields without secrets, also in URLs such as a `Location`."""
        return [(name, self._shown(name, value)) for name, value in fields]

    def _shown(self, name: str, value: str) -> str:
        if self._is_credential(name):
            return REDACTED
        value = value.rpartition("@")[2] if name.lower() == "host" else value
        return self._without_known(_USER.sub("", self._parameters(value) if "?" in value else value))

    def body(self, body: bytes) -> bytes:
        """A body with its secrets replaced; unchanged to the byte where it has none."""
        text = body.decode(errors="surrogateescape")
        # An escape can hide a name, so a body with one is always parsed.
        if not ("\\u" in text or any(name in text for name in self._names) or self._knows(text)):
            return body
        try:
            value = json.loads(text)
            shown = self._value(value)
            if shown == value:
                return body
            text = json.dumps(shown, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = self._without_known(self._parameters(self.text(text), only=self._names))
        try:
            return text.encode(errors="surrogateescape")
        except UnicodeEncodeError:  # a lone surrogate from an escape
            return text.encode(errors="surrogatepass")

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                self._without_known(name): REDACTED
                if name in self._names and nested is not None
                else self._value(nested)
                for name, nested in value.items()
            }
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, str):
            return self._without_known(value)
        return REDACTED if type(value) in (int, float) and self._knows(json.dumps(value)) else value

    def _parameters(self, text: str, only: set[str] | None = None) -> str:
        def shown(found: re.Match[str]) -> str:
            name = unquote_plus(found["name"])
            secret = name in self._names or (only is None and self._is_credential(name))
            return f"{found['before']}{found['name']}={REDACTED}" if secret else found[0]

        return _PARAMETER.sub(shown, text)

    def _is_credential(self, name: str) -> bool:
        return name.lower() in self._lower_names or bool(_CREDENTIAL.search(name))

    def _knows(self, text: str) -> bool:
        return self._known is not None and bool(self._known.search(text))

    def _without_known(self, text: str) -> str:
        return self._known.sub(REDACTED, text) if self._known is not None else text


MAX_WORD_LENGTH = 15
"""The longest alphanumeric secret that may occur in a longer word by chance."""
_ESCAPED = r"(?<=%[0-9A-Fa-f]{2})|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})"
_BEFORE = rf"(?:(?<!\w)(?<!\d[.])|{_ESCAPED})"
_BEFORE_DIGIT = rf"(?:(?<!\w)(?<!\d[.])(?<!^[-+])(?<![^\w][-+])(?<!\d[eE][-+])|{_ESCAPED})"


def _whole(secret: str) -> str:
    """A pattern of a secret that is not part of a longer word or number, but may follow an escape."""
    if len(secret) > MAX_WORD_LENGTH and not secret.isalpha() and not secret.isdecimal():
        return re.escape(secret)
    before = ""
    if secret[0].isalnum() or secret[0] == "_":
        before = _BEFORE_DIGIT if secret[0].isdecimal() else _BEFORE
    after = r"(?!\w)(?![.]\d)" if secret[-1].isalnum() or secret[-1] == "_" else ""
    return f"{before}{re.escape(secret)}{after}"


def _secret_names(document: dict[str, Any]) -> Iterator[str]:
    """The names of secret members and parameters, and of API keys."""
    for kind, path, node in objects(document):
        if kind == "schema" and path[-2] == "properties" and _is_secret(node):
            yield str(path[-1])
        elif isinstance(node.get("name"), str) and (node.get("type") == "apiKey" or _is_secret(node.get("schema"))):
            yield node["name"]


def _is_secret(schema: Any) -> bool:
    return isinstance(schema, dict) and (schema.get("writeOnly") is True or schema.get("format") == "password")
