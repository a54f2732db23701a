"""The catalogue of rules: every `rule` that a finding can have, for the documentation and for reports.

A contract adds its own, its rules across members, as `x-rule`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """The summary of a rule, and the remedy for a breach of it."""

    summary: str
    remedy: str = "Fix the server."


# Every rule of the engine. A rule that is a JSON Schema keyword has the keyword's name; rules across members are
# declared in the contract itself, as `x-rule`.
ENGINE_RULES: dict[str, Rule] = {
    "required": Rule("A required member, parameter, header field or body is present.", "Send it."),
    "additionalProperties": Rule("An object has only known members.", "Correct the spelling, or omit the member."),
    "type": Rule("A value has the JSON type that its schema requires.", "Send that type; `null` only where allowed."),
    "enum": Rule("A value is one of the listed values.", "Send one of them; they are case-sensitive."),
    "minimum": Rule("A number is not less than its minimum.", "Send a larger number."),
    "maximum": Rule("A number is not greater than its maximum.", "Send a smaller number."),
    "multipleOf": Rule("A number is a multiple of the given number.", "Round the number."),
    "minLength": Rule("A string has at least the minimum number of Unicode code points.", "Send a longer string."),
    "maxLength": Rule("A string has at most the maximum number of Unicode code points.", "Send a shorter string."),
    "pattern": Rule("A string matches its regular expression.", "Write the string as the field reference shows it."),
    "format": Rule(
        "A string has its format, such as a date-time or an IANA time zone.", "Write the string in its format."
    ),
    "minItems": Rule("An array has at least the minimum number of items.", "Send more items."),
    "maxItems": Rule("An array has at most the maximum number of items.", "Send fewer items."),
    "uniqueItems": Rule("The items of an array are unique.", "Send each item once."),
    "minProperties": Rule("An object has at least the minimum number of members.", "Send more members."),
    "maxProperties": Rule("An object has at most the maximum number of members.", "Send fewer members."),
    "anyOf": Rule("A value is valid against at least one of the alternatives.", "Make it valid against one of them."),
    "oneOf": Rule("A value is valid against exactly one of the alternatives.", "Make it valid against one alone."),
    "not": Rule("A value is not valid against the excluded schema.", "Send another value."),
    "writeOnly": Rule("Write-only members, such as secrets, are not in a response."),
    "contradicts-path": Rule(
        "An identity in the body equals the one in the path.", "Send the same identity, or omit it."
    ),
    "unknown-parameter": Rule(
        "A request has only known query parameters.", "Correct the spelling, or omit the parameter."
    ),
    "repeated-parameter": Rule("A parameter with a single value is not repeated.", "Send it once."),
    "parameter-style": Rule("A parameter is serialized in its `style`.", "Serialize it by `style` and `explode`."),
    "percent-encoding": Rule(
        "A path or query is percent-encoded UTF-8.", "Encode the text as UTF-8, then percent-encode it."
    ),
    "media-type": Rule("A body has a documented media type.", "Send `Content-Type` with that media type."),
    "content-coding": Rule("A request body has no content coding, such as gzip.", "Send the body without a coding."),
    "credentials": Rule("A request has credentials of a kind that the operation requires.", "Send them."),
    "accept": Rule("The client accepts a media type of the operation's responses.", "Add it to `Accept`."),
    "preference": Rule(
        "A preference names a response that the contract documents.", "Choose a documented status and example."
    ),
    "content-length": Rule("A body is not larger than the server's limit.", "Send a smaller body."),
    "form-syntax": Rule(
        "A `multipart/form-data` body has valid syntax (RFC 7578).", "Send the boundary, and end each part."
    ),
    "text-encoding": Rule("A text is in the charset of its `Content-Type`.", "Correct the charset, or the text."),
    "json-charset": Rule("JSON has no charset but UTF-8 (RFC 8259, section 8.1).", "Omit `charset`."),
    "json-encoding": Rule("A JSON body is UTF-8 (RFC 8259, section 8.1).", "Encode the body as UTF-8."),
    "json-syntax": Rule("A JSON body has valid syntax (RFC 8259).", "Correct the syntax at the given line and column."),
    "json-duplicate": Rule("The names in a JSON object are unique (RFC 7493, section 2.3).", "Send each member once."),
    "json-number": Rule("A number fits into 64 bits (RFC 7493, section 2.2).", "Send a smaller number, or a string."),
    "json-string": Rule(
        "A string is Unicode, without lone surrogates (RFC 7493, section 2.1).", "Correct the escapes."
    ),
    "json-depth": Rule("A JSON body is not nested deeper than the limit.", "Send a flatter value."),
    "json-size": Rule("A JSON body has no more arrays and objects than the limit.", "Send a smaller body."),
    "undocumented-path": Rule("A request has a documented path.", "Compare the path with the contract."),
    "undocumented-method": Rule("A request has a documented method of its path.", "Use a documented method."),
    "undocumented-status": Rule("A response has a documented status.", "Document it, or fix the server."),
    "undocumented-media-type": Rule("A response has a documented media type.", "Document it, or fix the server."),
}

MODEL_RULES: dict[str, Rule] = {
    "expected-status": Rule("A response has the status that follows from the request and the stored resources."),
    "stored-value": Rule(
        "A response has the stored values: those that were sent, and the defaults of omitted members."
    ),
    "list-content": Rule(
        "A list has each matching stored resource once, and no resource that was deleted or never stored."
    ),
    "list-part": Rule("A page of a list has at most the requested number of items."),
    "list-total": Rule("The total of a list is not less than the number of stored resources."),
    "list-filter": Rule("A list has only resources that match every filter."),
    "list-order": Rule("A list is in the order that the contract declares."),
    "identity": Rule("A created resource has a new identity, which never changes."),
    "created-at": Rule("The time of creation is no local time that claims to be UTC, and never changes."),
    "deleted-at": Rule("A deleted resource that is still shown has the time of its deletion."),
    "updated-at": Rule("The time of the last change increases with each change."),
    "location": Rule("`Location` refers to the created resource (RFC 9110, section 10.2.2)."),
    "allow": Rule("`Allow` names the methods of the path (RFC 9110, section 10.2.1)."),
    "problem-status": Rule("The `status` of a problem is the status of its response (RFC 9457, section 3.1.2)."),
    "violations": Rule("The problem of an invalid request names every violation with its place."),
    "no-response": Rule("A request gets a complete response in time."),
    "difference": Rule(
        "Two servers give equal responses to the same requests.", "Find out which one follows the contract."
    ),
    "coverage": Rule(
        "Recorded traffic exercises at least the required part of the contract.", "Exercise more, or require less."
    ),
    "unseen-status": Rule(
        "Every documented status that a client can provoke was seen.", "Provoke it, or correct the contract."
    ),
}
GENERATED_RULES: dict[str, Rule] = {
    "not-a-server-error": Rule("No request causes a server error (5xx)."),
    "status-code-conformance": Rule("A response has a documented status."),
    "content-type-conformance": Rule("A response has a documented media type."),
    "response-headers-conformance": Rule("A response has its documented header fields."),
    "response-schema-conformance": Rule("A response is valid against its schema."),
    "negative-data-rejection": Rule("A request that breaks the contract is refused."),
    "positive-data-acceptance": Rule("A request that keeps to the contract is accepted."),
    "missing-required-header": Rule("A request without a required header field is refused."),
    "unsupported-method": Rule("A method that a path does not have gets 405 with `Allow`."),
    "allow-header-conformance": Rule("`Allow` names the documented methods of a path."),
    "use-after-free": Rule("A deleted resource no longer exists."),
    "ensure-resource-availability": Rule("A created resource exists."),
    "ignored-auth": Rule("An operation with security requirements refuses a request without credentials."),
    "object-level-authorization": Rule("No caller can read the resources of another."),
    "generation": Rule(
        "Requests can be generated for every operation.", "Correct the contract at the place in the detail."
    ),
}
"""The checks of Schemathesis, by their names."""

DIFFERENCE_RULES: dict[str, Rule] = {
    "operation-removed": Rule(
        "No operation that clients call is removed.", "Keep it, deprecate it, or release a major version."
    ),
    "operation-moved": Rule("An operation keeps its path and its method.", "Serve the old path, too."),
    "operation-shadowed": Rule(
        "A new path matches no request to an old path.", "Choose a path that no parameter value can match."
    ),
    "sent-to-clients": Rule(
        "Callbacks and webhooks are unchanged.", "Compare the requests that clients receive by hand."
    ),
    "operation-added": Rule("A new operation breaks nobody.", "Nothing."),
    "parameter-removed": Rule("A parameter that clients send is still known.", "Keep it, if only to ignore it."),
    "parameter-added": Rule("A new optional parameter breaks nobody.", "Nothing."),
    "parameter-required": Rule("No parameter is newly required.", "Make it optional, with a default."),
    "parameter-value": Rule("A parameter accepts every value that it accepted.", "Accept the old values, too."),
    "parameter-style": Rule("A parameter is serialized as before.", "Keep `style` and `explode`."),
    "default": Rule("An omitted member or parameter means what it meant.", "Keep the default."),
    "request-body-required": Rule("No body is newly required.", "Make it optional."),
    "request-body-removed": Rule("A request body that clients send is still read.", "Keep it."),
    "request-body-size": Rule("A request body may be as large as before.", "Keep `x-max-bytes`."),
    "request-media-type": Rule(
        "A request body may have every media type that it could have.", "Accept the old media type, too."
    ),
    "request-body": Rule("A request body that was valid is valid.", "Accept the old values, too."),
    "response-status": Rule("A response has a status that clients know.", "Keep the documented statuses."),
    "response-media-type": Rule("A response has a media type that clients accept.", "Offer the old one, too."),
    "response-body": Rule(
        "A response body is valid against the old schema.", "Keep responses valid against the old schema."
    ),
    "response-header": Rule("A documented header field is present, and valid against the old schema.", "Keep it."),
    "security": Rule("Credentials that were sufficient are sufficient.", "Accept the old ones, too."),
    "roles": Rule("Roles that were sufficient are sufficient.", "Permit the old ones, too."),
    "resource-unique": Rule("Resources conflict in the same unique members as before.", "Keep `unique`."),
    "resource-identity": Rule("A resource has the same identity as before.", "Keep the identity."),
    "resource-order": Rule("A list has the same order as before.", "Keep `order`."),
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
