"""Everything that the reference tells, gathered from the contract and from the answers to its examples."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from ..contract.document import Contract
from ..contract.operation import Operation
from ..contract.problem import type_of
from ..contract.rules import RULES, Rule
from ..contract.schema import Json
from .entries import ErrorEntry, OperationEntry, ProblemEntry, ResponseEntry, RuleAcross, Sample
from .examples import ABSENT, Example, Sent, examples, operations, request_examples
from .execution import Answer
from .members import Member, Objects, place
from .rules import Breach, breach
from .snippets import LOCAL_MOCK


class Reference:
    """The facts that the templates lay out. `answers` are those of the executed examples, by anchor."""

    def __init__(self, contract: Contract, answers: Mapping[str, Answer]) -> None:
        document = contract.document
        self._contract, self._answers = contract, answers
        self.title, self.version = contract.title, contract.version
        self.description: str = document["info"].get("description", "")
        self.servers: list[Mapping[str, Any]] = document.get("servers", [])
        first = str(self.servers[0]["url"]) if self.servers else ""
        self.server = first.rstrip("/") if first.startswith(("http://", "https://")) else LOCAL_MOCK
        self._objects = Objects(contract)
        self.sections = self._objects.sections
        self._examples = examples(contract)
        self.samples = {example.anchor: self._sample(example) for example in self._examples}
        self.operations = [self._operation(operation) for operation in operations(contract)]
        self.rules = list(self._rules_across(document.get("components", {}).get("schemas", {})))
        self.problems = [self._problem(kind, declared) for kind, declared in contract.problems.items()]
        self.errors = [
            ErrorEntry(status, phrase(str(status)), [each for each in self.problems if each.status == status])
            for status in sorted({problem.status for problem in self.problems})
        ]
        self.security = [
            (_security(scheme), scheme.get("description", ""), dict(scheme.get("x-roles", {})))
            for scheme in map(contract.dereferenced, document.get("components", {}).get("securitySchemes", {}).values())
        ]
        self.known_differences: list[Mapping[str, str]] = document.get("x-known-differences", [])
        self.executed = sum(sample.executed for sample in self.samples.values())
        self.is_served_by_the_mock = "x-problems" in document

    @property
    def engine_rules(self) -> list[tuple[str, Rule, Breach | None]]:
        """The rules of the engine; they concern a reader only where answers name them."""
        return [(name, rule, breach(name)) for name, rule in RULES.items()] if self.problems else []

    @property
    def links(self) -> dict[str, str]:
        """Where the names in the text lead: members of the main object, operations."""
        named = {member.name: member.anchor for section in self.sections[:1] for member in section.members}
        return named | {operation.id: operation.anchor for operation in self.operations}

    @property
    def try_it(self) -> dict[str, Any]:
        """What the page's script needs to send requests."""
        return {
            entry.anchor: {
                "method": entry.method,
                "path": entry.path,
                "samples": {
                    sample.anchor: {
                        "summary": f"{sample.status} {sample.summary}",
                        "target": sample.sent.target,
                        "headers": dict(sample.sent.headers),
                        "body": None if sample.sent.body is ABSENT else _text(sample.sent.body),
                    }
                    for sample in entry.samples
                },
                "links": self._links_of(self._contract.operations[entry.id]),
            }
            for entry in self.operations
        }

    def _links_of(self, operation: Operation) -> list[Mapping[str, Any]]:
        return [
            {
                "operation": place(link["operationId"]),
                "parameters": link.get("parameters", {}),
                "body": link.get("requestBody"),
            }
            for response in operation.declared["responses"].values()
            for link in self._contract.dereferenced(response).get("links", {}).values()
            if "operationId" in link
        ]

    def _sample(self, example: Example) -> Sample:
        answer = self._answers.get(example.anchor)
        documented = "" if example.body is ABSENT else _text(example.body)
        whole = _text(answer.body) if answer and answer.body != example.body else ""
        headers = {"Content-Type": example.media_type} if example.media_type else {}
        if answer:
            shown = [name for name in ("Location", "Allow", "Retry-After") if name.lower() in answer.headers]
            headers |= {name: answer.headers[name.lower()] for name in shown}
        return Sample(
            place(example.anchor), example.summary, example.sent, list(example.given),
            example.status, phrase(example.status), headers, documented, whole, answer is not None,
        )  # fmt: skip

    def _operation(self, operation: Operation) -> OperationEntry:
        declared = operation.declared
        parameters: dict[str, list[Member]] = {}
        for each in (*self._path_item(operation).get("parameters", ()), *declared.get("parameters", ())):
            parameter = self._contract.dereferenced(each)
            parameters.setdefault(parameter["in"], []).append(self._objects.parameter(operation, parameter))
        body = self._contract.dereferenced(declared.get("requestBody", {}))
        schema: Mapping[str, Any] = next((each.get("schema", {}) for each in body.get("content", {}).values()), {})
        described = body.get("description") or self._contract.dereferenced(schema).get("description", "")
        return OperationEntry(
            operation.id,
            place(operation.id),
            operation.method,
            operation.path,
            declared.get("deprecated", False),
            declared.get("x-roles", []),
            declared.get("summary", operation.id),
            declared.get("description", ""),
            list(parameters.items()),
            described if body else "",
            self._objects.body(f"{operation.id}.body", schema) if schema else None,
            self._objects.link(schema) if schema else None,
            list(self._contract.dereferenced(schema).get("required", ())),
            [
                self._response(operation, status, self._contract.dereferenced(each))
                for status, each in sorted(declared["responses"].items())
            ],
            [self.samples[each.anchor] for each in self._examples if each.operation is operation],
        )

    def _response(self, operation: Operation, status: str, declared: Mapping[str, Any]) -> ResponseEntry:
        headers = [
            (name, self._contract.dereferenced(header).get("description", ""))
            for name, header in declared.get("headers", {}).items()
        ]
        content = [
            (media_type, self._objects.link(each.get("schema", {})))
            for media_type, each in declared.get("content", {}).items()
        ]
        schema: Mapping[str, Any] = next((each.get("schema", {}) for each in declared.get("content", {}).values()), {})
        body = self._objects.body(f"{place(operation.id)}.{status}", schema)
        return ResponseEntry(str(status), phrase(str(status)), declared.get("description", ""), headers, content, body)

    def _rules_across(self, node: Any) -> Iterator[RuleAcross]:
        if isinstance(node, dict):
            if "x-rule" in node:
                rule = node["x-rule"]
                breaking = dict(self._breaking(rule["id"]))
                yield RuleAcross(
                    rule["id"], node.get("title", rule["id"]), node.get("description", ""), rule.get("members", []),
                    rule.get("remedy", ""), next(iter(breaking.values()), None),
                    [self.samples[anchor] for anchor in breaking],
                )  # fmt: skip
            for nested in node.values():
                yield from self._rules_across(nested)
        elif isinstance(node, list):
            for nested in node:
                yield from self._rules_across(nested)

    def _breaking(self, rule: str) -> Iterator[tuple[str, Json]]:
        """The examples whose answer names a rule, and what it says of it."""
        for anchor, answer in self._answers.items():
            errors = answer.body.get("errors", ()) if isinstance(answer.body, dict) else ()
            yield from ((anchor, error) for error in errors if error["rule"] == rule)

    def _problem(self, kind: str, declared: Mapping[str, Any]) -> ProblemEntry:
        uri = type_of(kind, declared)
        answers = {
            anchor: answer.body
            for anchor, answer in self._answers.items()
            if isinstance(answer.body, dict) and answer.body.get("type") == uri
        }
        made = {"type": uri, "title": declared["title"], "status": declared["status"], "detail": declared.get("detail")}
        return ProblemEntry(
            kind, declared["status"], declared["title"], declared.get("cause", ""), declared.get("remedy", ""),
            _text(next(iter(answers.values()), made)), [self.samples[anchor] for anchor in answers], bool(answers),
        )  # fmt: skip

    def _path_item(self, operation: Operation) -> Mapping[str, Any]:
        item: Mapping[str, Any] = self._contract.document["paths"][operation.path]
        return item

    def given_name(self, given: Sent) -> str:
        """The name of the request example that was sent before."""
        creating = self._contract.operations[self._contract.document["x-examples"]["given_by"]]
        bodies = request_examples(self._contract, creating)
        return next(name for name, body in bodies.items() if body == given.body)


def _security(scheme: Mapping[str, Any]) -> str:
    """What a request has to carry, in Markdown."""
    if scheme["type"] == "http":
        return f"`Authorization: {str(scheme['scheme']).capitalize()} …`"
    return f"`{scheme['name']}` in the {scheme['in']}" if scheme["type"] == "apiKey" else f"{scheme['type']}"


def phrase(status: str) -> str:
    """What RFC 9110 calls a status."""
    if status == "413":
        return "Content Too Large"  # older Pythons have the name of an older RFC
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:
        return ""  # a class such as 4XX, or the default


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
