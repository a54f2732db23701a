"""Findings: what breaks the contract, where, and in words. Findings are data; nothing here knows of HTTP answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Place = Literal["body", "query", "path", "header", "status"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation. A place in a body has a JSON Pointer (RFC 6901), a parameter or header has a name."""

    rule: str
    place: Place
    detail: str
    pointer: str | None = None
    name: str | None = None
    severity: Severity = "error"

    def as_json(self) -> dict[str, Any]:
        """The violation as the contract's problem documents show it."""
        located = {"pointer": self.pointer, "name": self.name}
        return {
            "in": self.place,
            **{key: value for key, value in located.items() if value is not None},
            "rule": self.rule,
            "detail": self.detail,
        }

    def __str__(self) -> str:
        where = self.name if self.name is not None else self.pointer
        return f"{self.place} {where}: {self.detail}" if where else f"{self.place}: {self.detail}"


def json_pointer(path: Iterable[str | int]) -> str:
    """`["a/b", 0]` is `/a~1b/0` (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule asks, for the documentation, and how to mend what breaks it."""

    summary: str
    remedy: str


# Every rule of the engine. A rule that is a JSON Schema keyword has the keyword's name; rules across members are
# declared in the contract itself, as `x-rule`.
RULES: dict[str, Rule] = {
    "required": Rule("A required member, parameter, header or body is there.", "Send it."),
    "additionalProperties": Rule("Only known members are sent.", "Correct the spelling, or leave the member out."),
    "type": Rule("A value has the JSON type that the contract gives it.", "Send that type; `null` only where allowed."),
    "enum": Rule("A value is one of those listed.", "Choose one; they are case-sensitive."),
    "minimum": Rule("A number is not below its bound.", "Send a larger number."),
    "maximum": Rule("A number is not above its bound.", "Send a smaller number."),
    "multipleOf": Rule("A number is a multiple of another.", "Round the number."),
    "minLength": Rule("A string is not too short, counted in Unicode code points.", "Send a longer string."),
    "maxLength": Rule("A string is not too long, counted in Unicode code points.", "Send a shorter string."),
    "pattern": Rule("A string matches a regular expression.", "Write the string as the field reference shows it."),
    "format": Rule("A string has a format, such as a date-time or an IANA time zone.", "Use the format's notation."),
    "minItems": Rule("An array is not too short.", "Send more items."),
    "maxItems": Rule("An array is not too long.", "Send fewer items."),
    "uniqueItems": Rule("No item of an array is there twice.", "Send each item once."),
    "minProperties": Rule("An object does not have too few members.", "Send more members."),
    "maxProperties": Rule("An object does not have too many members.", "Send fewer members."),
    "anyOf": Rule("A value fits at least one of several alternatives.", "Make it fit one of them."),
    "oneOf": Rule("A value fits exactly one of several alternatives.", "Make it fit one of them and no other."),
    "not": Rule("A value is not of an excluded kind.", "Send another value."),
    "writeOnly": Rule("Members that are only written, such as secrets, are not in a response.", "Mend the server."),
    "contradicts-path": Rule("An identity in the body equals the one in the path.", "Send the same, or leave it out."),
    "unknown-parameter": Rule("Only known query parameters are sent.", "Correct the spelling, or leave it out."),
    "repeated-parameter": Rule("A parameter with one value is given once.", "Send it once."),
    "percent-encoding": Rule("A path or query is percent-encoded UTF-8.", "Encode the text as UTF-8, then in percent."),
    "media-type": Rule("A body has a media type that the contract names.", "Send `Content-Type` with that media type."),
    "accept": Rule("The client admits a media type that the operation answers with.", "Admit it in `Accept`."),
    "preference": Rule("A preference asks for what the contract has.", "Choose a code or an example that it has."),
    "content-length": Rule("A body is not larger than the server takes.", "Send less."),
    "json-encoding": Rule("A JSON body is UTF-8 (RFC 8259, section 8.1).", "Encode the body as UTF-8."),
    "json-syntax": Rule("A JSON body is JSON (RFC 8259).", "Mend the syntax at the line and column given."),
    "json-duplicate": Rule("No member of a JSON object is there twice (RFC 7493, section 2.3).", "Send it once."),
    "json-number": Rule("A number fits into 64 bits (RFC 7493, section 2.2).", "Send a smaller number, or a string."),
    "json-string": Rule("A string is Unicode, without lone surrogates (RFC 7493, section 2.1).", "Mend the escapes."),
    "json-depth": Rule("A JSON body is not nested too deeply.", "Send a flatter value."),
    "undocumented-path": Rule("A request goes to a path of the contract.", "Compare the path with the contract."),
    "undocumented-method": Rule("A request uses a method that its path has.", "Use a documented method."),
    "undocumented-status": Rule("A response has a documented status.", "Document it, or mend the server."),
    "undocumented-media-type": Rule("A response has a documented media type.", "Document it, or mend the server."),
}
