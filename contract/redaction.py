"""What must not be shown of a request or an answer, wherever it is shown: tokens, and the members that are secrets."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from .document import Contract
from .strict_json import NotStrictJson, decode

REDACTED = "[redacted]"
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


class Redactor:
    """Knows the secrets of a contract: the members that are `writeOnly` or have `format: password`."""

    def __init__(self, contract: Contract) -> None:
        self._names = frozenset(_secret_names(contract.document))
        names = "|".join(map(re.escape, sorted(self._names)))
        # What is no JSON may hold a secret all the same, up to the end of a string that is not closed.
        self._text = re.compile(rf'("(?:{names})"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s,}}\]]+)') if names else None

    def headers(self, fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name, REDACTED if name.lower() in SECRET_HEADERS else value) for name, value in fields]

    def value(self, value: Any) -> Any:
        """A copy of a JSON value with every secret replaced, wherever a member has a secret's name."""
        if isinstance(value, dict):
            return {
                name: REDACTED if name in self._names and member is not None else self.value(member)
                for name, member in value.items()
            }
        return [self.value(item) for item in value] if isinstance(value, list) else value

    def body(self, body: bytes) -> bytes:
        """A body with its secrets replaced; it is unchanged, to the byte, where it has none."""
        if self._text is None or not self._may_hold_secret(body):
            return body
        try:
            value = decode(body)
            redacted = self.value(value)
            return body if redacted == value else orjson.dumps(redacted)
        except (NotStrictJson, TypeError):
            text = body.decode(errors="replace")
            return self._text.sub(rf"\1{json.dumps(REDACTED)}", text).encode()

    def _may_hold_secret(self, body: bytes) -> bool:
        # A name may be written with escapes, so a backslash makes any body suspicious.
        return b"\\" in body or any(name.encode() in body for name in self._names)


def _secret_names(node: Any) -> Iterator[str]:
    """The names of the properties that are secrets, anywhere in a document."""
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            for name, schema in properties.items():
                if isinstance(schema, dict) and (schema.get("writeOnly") or schema.get("format") == "password"):
                    yield name
        for nested in node.values():
            yield from _secret_names(nested)
    elif isinstance(node, list):
        for nested in node:
            yield from _secret_names(nested)
