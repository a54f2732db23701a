"""The rules that traffic can break beside those of the engine: what only a memory of earlier requests can tell."""

from ..contract.finding import RULES as ENGINE_RULES
from ..contract.finding import Rule

_SERVER = "Mend the server."

MODEL_RULES: dict[str, Rule] = {
    "expected-status": Rule("A response has the status that what is stored, and what was sent, ask for.", _SERVER),
    "stored-value": Rule("A response shows what was stored: what was sent, and the default of what was not.", _SERVER),
    "list-content": Rule(
        "A list has everything stored that matches, once, and nothing that was never stored.", _SERVER
    ),
    "list-filter": Rule("A list has only what equals every filter.", _SERVER),
    "list-order": Rule("A list is in the order that the contract declares.", _SERVER),
    "identity": Rule("An identity is new on create, and stays the same ever after.", _SERVER),
    "created-at": Rule("The time of creation never changes.", _SERVER),
    "updated-at": Rule("The time of the last change moves on with every change.", _SERVER),
    "location": Rule("`Location` leads to what was created (RFC 9110, section 10.2.2).", _SERVER),
    "allow": Rule("`Allow` names the methods of the path (RFC 9110, section 10.2.1).", _SERVER),
    "problem-status": Rule(
        "The `status` of a problem is the status of its response (RFC 9457, section 3.1.2).", _SERVER
    ),
    "no-response": Rule("A request gets a complete response in time.", _SERVER),
    "difference": Rule(
        "Two servers answer the same conversation alike.", "Find out which one the contract agrees with."
    ),
    "unseen-status": Rule(
        "Every documented status that can be provoked was seen.", "Provoke it, or mend the contract."
    ),
}
GENERATED_RULES: dict[str, Rule] = {
    "not-a-server-error": Rule("No request makes the server fail.", _SERVER),
    "status-code-conformance": Rule("A response has a documented status.", _SERVER),
    "content-type-conformance": Rule("A response has a documented media type.", _SERVER),
    "response-headers-conformance": Rule("A response has its documented header fields.", _SERVER),
    "response-schema-conformance": Rule("A response fits its schema.", _SERVER),
    "negative-data-rejection": Rule("A request that breaks the contract is refused.", _SERVER),
    "positive-data-acceptance": Rule("A request that keeps to the contract is accepted.", _SERVER),
    "missing-required-header": Rule("A request without a required header is refused.", _SERVER),
    "unsupported-method": Rule("A method that a path does not have is answered with 405 and `Allow`.", _SERVER),
    "allow-header-conformance": Rule("`Allow` names the documented methods of a path.", _SERVER),
    "use-after-free": Rule("What was deleted is gone.", _SERVER),
    "ensure-resource-availability": Rule("What was created is there.", _SERVER),
    "ignored-auth": Rule("An operation with authentication refuses who has none.", _SERVER),
    "object-level-authorization": Rule("Nobody sees what belongs to somebody else.", _SERVER),
    "generation": Rule("Requests can be generated for every operation.", "Mend the contract where the detail says."),
}
"""What Schemathesis checks, by the names of its checks."""

RULES: dict[str, Rule] = {**ENGINE_RULES, **MODEL_RULES, **GENERATED_RULES}
