"""The catalogue of rules: every `rule` that a finding can have, for the documentation and for reports.

A contract adds its own, its rules across members, as `x-rule`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """The summary of a rule, and the remedy for a breach of it."""

    summary: str
    remedy: str = "Mend the server."


# Every rule of the engine. A rule that is a JSON Schema keyword has the keyword's name; rules across members are
# declared in the contract itself, as `x-rule`.
ENGINE_RULES: dict[str, Rule] = {
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
    "parameter-style": Rule("A parameter is written in its `style`.", "Write it as `style` and `explode` say."),
    "percent-encoding": Rule("A path or query is percent-encoded UTF-8.", "Encode the text as UTF-8, then in percent."),
    "media-type": Rule("A body has a media type that the contract names.", "Send `Content-Type` with that media type."),
    "content-coding": Rule("A request's body has no content coding, such as gzip.", "Send the body as it is."),
    "credentials": Rule("A request has credentials of the kind that the operation asks for.", "Send them."),
    "accept": Rule("The client admits a media type that the operation answers with.", "Admit it in `Accept`."),
    "preference": Rule("A preference asks for what the contract has.", "Choose a code or an example that it has."),
    "content-length": Rule("A body is not larger than the server takes.", "Send less."),
    "form-syntax": Rule("A `multipart/form-data` body is one (RFC 7578).", "Send the boundary, and end each part."),
    "text-encoding": Rule("A text is in the charset that its `Content-Type` names.", "Mend the charset, or the text."),
    "json-charset": Rule("JSON says no charset but UTF-8 (RFC 8259, section 8.1).", "Leave `charset` out."),
    "json-encoding": Rule("A JSON body is UTF-8 (RFC 8259, section 8.1).", "Encode the body as UTF-8."),
    "json-syntax": Rule("A JSON body is JSON (RFC 8259).", "Mend the syntax at the line and column given."),
    "json-duplicate": Rule("No member of a JSON object is there twice (RFC 7493, section 2.3).", "Send it once."),
    "json-number": Rule("A number fits into 64 bits (RFC 7493, section 2.2).", "Send a smaller number, or a string."),
    "json-string": Rule("A string is Unicode, without lone surrogates (RFC 7493, section 2.1).", "Mend the escapes."),
    "json-depth": Rule("A JSON body is not nested too deeply.", "Send a flatter value."),
    "json-size": Rule("A JSON body has no more arrays and objects than the server takes.", "Send less."),
    "undocumented-path": Rule("A request goes to a path of the contract.", "Compare the path with the contract."),
    "undocumented-method": Rule("A request uses a method that its path has.", "Use a documented method."),
    "undocumented-status": Rule("A response has a documented status.", "Document it, or mend the server."),
    "undocumented-media-type": Rule("A response has a documented media type.", "Document it, or mend the server."),
}

MODEL_RULES: dict[str, Rule] = {
    "expected-status": Rule("A response has the status that what is stored, and what was sent, ask for."),
    "stored-value": Rule("A response shows what was stored: what was sent, and the default of what was not."),
    "list-content": Rule(
        "A list has everything stored that matches, once, and nothing that was never stored, or was deleted."
    ),
    "list-part": Rule("A part of a list has no more than was asked for."),
    "list-total": Rule("What is told to be there in all is no less than what was stored."),
    "list-filter": Rule("A list has only what equals every filter."),
    "list-order": Rule("A list is in the order that the contract declares."),
    "identity": Rule("An identity is new on create, and stays the same ever after."),
    "created-at": Rule("The time of creation never changes."),
    "deleted-at": Rule("What is deleted and still shown says when it was deleted."),
    "updated-at": Rule("The time of the last change moves on with every change."),
    "location": Rule("`Location` leads to what was created (RFC 9110, section 10.2.2)."),
    "allow": Rule("`Allow` names the methods of the path (RFC 9110, section 10.2.1)."),
    "problem-status": Rule("The `status` of a problem is the status of its response (RFC 9457, section 3.1.2)."),
    "no-response": Rule("A request gets a complete response in time."),
    "difference": Rule(
        "Two servers answer the same conversation alike.", "Find out which one the contract agrees with."
    ),
    "coverage": Rule(
        "Recorded traffic exercises as much of the contract as was asked for.", "Exercise it, or ask for less."
    ),
    "unseen-status": Rule(
        "Every documented status that can be provoked was seen.", "Provoke it, or mend the contract."
    ),
}
GENERATED_RULES: dict[str, Rule] = {
    "not-a-server-error": Rule("No request makes the server fail."),
    "status-code-conformance": Rule("A response has a documented status."),
    "content-type-conformance": Rule("A response has a documented media type."),
    "response-headers-conformance": Rule("A response has its documented header fields."),
    "response-schema-conformance": Rule("A response fits its schema."),
    "negative-data-rejection": Rule("A request that breaks the contract is refused."),
    "positive-data-acceptance": Rule("A request that keeps to the contract is accepted."),
    "missing-required-header": Rule("A request without a required header is refused."),
    "unsupported-method": Rule("A method that a path does not have is answered with 405 and `Allow`."),
    "allow-header-conformance": Rule("`Allow` names the documented methods of a path."),
    "use-after-free": Rule("What was deleted is gone."),
    "ensure-resource-availability": Rule("What was created is there."),
    "ignored-auth": Rule("An operation with authentication refuses who has none."),
    "object-level-authorization": Rule("Nobody sees what belongs to somebody else."),
    "generation": Rule("Requests can be generated for every operation.", "Mend the contract where the detail says."),
}
"""The checks of Schemathesis, by their names."""

DIFFERENCE_RULES: dict[str, Rule] = {
    "operation-removed": Rule(
        "An operation that clients call stays.", "Keep it, deprecate it, or release a major version."
    ),
    "operation-moved": Rule("An operation keeps its path and its method.", "Serve the old path, too."),
    "operation-shadowed": Rule("A new path takes no request from an old one.", "Choose a path that no value can be."),
    "sent-to-clients": Rule("A callback or a webhook stays as it is.", "Compare by hand what clients receive."),
    "operation-added": Rule("A new operation breaks nobody.", "Nothing."),
    "parameter-removed": Rule("A parameter that clients send is still known.", "Keep it, if only to ignore it."),
    "parameter-added": Rule("A new optional parameter breaks nobody.", "Nothing."),
    "parameter-required": Rule("No parameter is newly required.", "Make it optional, with a default."),
    "parameter-value": Rule("A parameter takes every value that it took.", "Take the old values, too."),
    "parameter-style": Rule("A parameter is written as it was.", "Keep `style` and `explode`."),
    "default": Rule("What a client leaves out means what it meant.", "Keep the default."),
    "request-body-required": Rule("No body is newly required.", "Make it optional."),
    "request-body-removed": Rule("A body that clients send is still heeded.", "Keep it."),
    "request-body-size": Rule("A body may be as large as it was.", "Keep `x-max-bytes`."),
    "request-media-type": Rule("A body may have every media type that it had.", "Take the old media type, too."),
    "request-body": Rule("A body that was taken is taken.", "Take the old values, too."),
    "response-status": Rule("An operation answers with statuses that clients know.", "Keep the documented statuses."),
    "response-media-type": Rule("An answer has a media type that clients ask for.", "Offer the old one, too."),
    "response-body": Rule("An answer fits what clients were promised.", "Answer within the old schema."),
    "response-header": Rule("A promised header field is there, and fits.", "Keep it."),
    "security": Rule("The credentials that were enough are enough.", "Admit the old ones, too."),
    "roles": Rule("The roles that were enough are enough.", "Admit the old ones, too."),
    "resource-unique": Rule("What could be stored beside one another still can, and nothing more.", "Keep `unique`."),
    "resource-identity": Rule("What is stored is identified as it was.", "Keep the identity."),
    "resource-order": Rule("A list has the order that it had.", "Keep `order`."),
}
"""The rules of `diff`, by the names of changes."""

HOUSE_RULES = frozenset(
    {
        *("accept", "content-coding", "percent-encoding", "unknown-parameter", "unsupported-method"),
        *("json-charset", "json-depth", "json-duplicate", "json-number", "json-size", "json-string"),
    }
)
"""Rules that no standard requires: warnings, unless the contract or the command sets another severity."""

RULES: dict[str, Rule] = {**ENGINE_RULES, **MODEL_RULES, **GENERATED_RULES}
"""The rules that a request or a response can break."""
