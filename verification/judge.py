"""The judge of an interaction: finds its operation, and asks the engine about the request and the response."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from ..contract.document import Contract
from ..contract.finding import Finding
from ..contract.interaction import Interaction, by_name
from ..contract.media import media_type
from ..contract.operation import Operation, Request
from ..contract.problem import PROBLEM_JSON
from ..contract.schema import Json, show
from ..contract.strict_json import NotStrictJson, decode
from ..traffic.redaction import REDACTED

NO_OPERATION = "undocumented"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings in an interaction: in the request, and in the response."""

    operation: str
    """The operationId, or NO_OPERATION."""
    request: Sequence[Finding]
    response: Sequence[Finding]

    @property
    def findings(self) -> list[Finding]:
        return [*self.request, *self.response]


class Judge:
    """Judges interactions with servers that mount the contract below `base_path`."""

    def __init__(self, contract: Contract, base_path: str = "") -> None:
        self.contract, self.base_path = contract, base_path.rstrip("/")

    @classmethod
    def of_url(cls, contract: Contract, url: str) -> "Judge":
        return cls(contract, urlsplit(url).path)

    def concerns(self, interaction: Interaction) -> bool:
        """Whether an interaction is below the base path and is no CORS preflight, which browsers send by themselves."""
        preflight = interaction.method == "OPTIONS" and "access-control-request-method" in by_name(
            interaction.request_headers
        )
        return not preflight and f"{interaction.path}/".startswith(f"{self.base_path}/")

    def locate(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]] | Finding:
        """The operation for a method and a path with its path parameters, or why there is none."""
        known = self.contract.route(path.removeprefix(self.base_path)) if path.startswith(self.base_path) else None
        if known is None:
            return Finding("undocumented-path", "path", "is no path of the contract", name=path)
        operations, parameters = known
        operation = operations.get("GET" if method == "HEAD" and "HEAD" not in operations else method)
        if operation is None:
            return Finding("undocumented-method", "path", f"has no {method}, only {', '.join(operations)}", name=path)
        return operation, parameters

    def judge(self, interaction: Interaction) -> Verdict:
        """The findings in both directions. A wrong request is an error where the server accepted it, else a warning."""
        found = self.locate(interaction.method, interaction.path)
        if isinstance(found, Finding):
            if found.rule == "undocumented-method" and interaction.method == "OPTIONS":
                return Verdict(NO_OPERATION, [], [])  # it asks for the options of a path (RFC 9110, section 9.3.7)
            findings = self.contract.severities.with_severities([found])
            return Verdict(NO_OPERATION, _by_status(findings, interaction.status), [])
        operation, parameters = found
        request = Request(parameters, interaction.query, by_name(interaction.request_headers), interaction.request_body)
        of_request = _without_unrecorded(operation.check_request(request)[1], "request", interaction)
        of_response = _without_unrecorded(response_findings(operation, interaction), "response", interaction)
        if interaction.source:
            of_request, of_response = (
                _without_redacted(of_request, _redacted(request)),
                _without_redacted(of_response, set()),
            )
        return Verdict(operation.id, _by_status(of_request, interaction.status), of_response)

    def problem_findings(self, interaction: Interaction) -> list[Finding]:
        """The findings in the refusal of a request without an operation, where the contract declares all problems."""
        operations = self.contract.operations.values() if self.contract.problems else ()
        for each in operations:
            if (refusal := each.response(400)) is not None and refusal.representations.find(PROBLEM_JSON):
                return each.check_response(400, by_name(interaction.response_headers), interaction.response_body)
        return []

    def base_path_of(self, path: str) -> str | None:
        """The prefix below which a path is one of the contract; None where there is no such prefix."""
        slashes = (index for index, character in enumerate(path) if character == "/")
        return next((path[:index] for index in slashes if self.contract.route(path[index:]) is not None), None)


def response_findings(operation: Operation, interaction: Interaction) -> list[Finding]:
    """Every finding in the response of an operation."""
    if interaction.status == 0:
        return [Finding("no-response", "status", f"no complete response: {interaction.error}")]
    headers = by_name(interaction.response_headers)
    if operation.response(interaction.status) is None and _is_of_http(interaction):
        return []
    if interaction.method == "HEAD":
        response = operation.response(interaction.status)
        return response.findings(headers) if response else []
    findings = operation.check_response(interaction.status, headers, interaction.response_body)
    if not findings and media_type(headers.get("content-type", ""))[0] == PROBLEM_JSON:
        problem = json_value(interaction.response_body)
        said = problem.get("status", interaction.status) if isinstance(problem, dict) else interaction.status
        if said != interaction.status:
            detail = f"must be the response's {interaction.status}, not {show(said)}"
            findings.append(Finding("problem-status", "body", detail, pointer="/status"))
    return findings


def json_value(body: bytes) -> Json:
    """The value of a body; None where it is not strict JSON."""
    try:
        return decode(body)
    except NotStrictJson:
        return None


_CONDITIONS = {
    206: ("range",),
    304: ("if-none-match", "if-modified-since"),
    412: ("if-match", "if-none-match", "if-unmodified-since"),
    416: ("range",),
}
"""Statuses that need no documentation where the request has one of these fields (RFC 9110, sections 13 and 14)."""


def _is_of_http(interaction: Interaction) -> bool:
    headers = by_name(interaction.request_headers)
    return any(name in headers for name in _CONDITIONS.get(interaction.status, ()))


def _without_redacted(findings: Sequence[Finding], redacted: set[tuple[str, str]]) -> Sequence[Finding]:
    """The findings, without those on redacted values.

    Missing credentials and cookies are warnings: recorders rightly leave them out.
    """
    kept = (each for each in findings if _field(each) not in redacted and REDACTED not in each.detail)
    return [
        replace(each, severity="warning") if each.rule == "credentials" or each.place == "cookie" else each
        for each in kept
    ]


def _field(finding: Finding) -> tuple[str, str]:
    """The place and the name, in lower case, of the part of a request that a finding is about."""
    return ("header", "cookie") if finding.place == "cookie" else (finding.place, (finding.name or "").lower())


def _redacted(request: Request) -> set[tuple[str, str]]:
    """The parts whose values were not recorded."""
    fields = {("header", name) for name, value in request.headers.items() if value == REDACTED}
    pairs = parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)
    return fields | {("query", name.lower()) for name, value in pairs if value == REDACTED}


def _without_unrecorded(findings: Sequence[Finding], side: str, interaction: Interaction) -> Sequence[Finding]:
    """The findings, without those on an unrecorded body."""
    return [each for each in findings if each.place != "body"] if side in interaction.unrecorded else findings


def _by_status(findings: Sequence[Finding], status: int) -> list[Finding]:
    """The findings in a request: warnings where the server redirected or refused it (3xx, 4xx)."""
    refused = 300 <= status < 500
    return [replace(finding, severity="warning") for finding in findings] if refused else list(findings)
