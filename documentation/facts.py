"""The facts of a contract for its reference, in the order of the page, which templates render."""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from ..contract.document import BUILT_IN, METHODS, Contract
from ..contract.operation import Operation
from ..contract.problem import PROBLEM_JSON, type_of
from ..contract.rulebook import RULES
from ..contract.severity import DEFAULT
from ..contract.witness import ABSENT
from .exchanges import Example, examples, operations, responses, slug, tag_of
from .execution import ExampleResponse
from .forms import verb
from .objects import Anchors, Objects
from .pictures import Picture, picture_of_checks, picture_of_replacement, pictures_of_day
from .samples import SampleRequest, text_of
from .snippets import LOCAL_MOCK
from .violations import violation
from .wording import literal, phrase, resolved

Node = Mapping[str, Any]

_PAGE = {
    "content", "contents", "search", "results", "expand", "theme", "run-the-mock", "authentication", "webhooks",
    "errors", "rules", "rules-across-members", "known-differences", "operations", "server", "given",
}  # fmt: skip
"""The ids of the page itself."""


class Facts:
    """All facts of the reference. `executed_responses` are the responses to executed examples, by anchor.

    `mocked` is the contract of the mock that serves the reference, if any, to which readers send examples.
    """

    def __init__(
        self, contract: Contract, executed_responses: Mapping[str, ExampleResponse], *, mocked: Contract | None = None
    ) -> None:
        document = contract.document
        self._mocked = mocked
        self._contract, self._responses = contract, executed_responses
        self.title, self.version, self.base_path = contract.title, contract.version, contract.base_path
        self.description: str = document["info"].get("description", "")
        self.servers = [self._server(each) for each in document.get("servers", ())]
        self.server = self._server_of(None)
        every = examples(contract)
        self.rules = list(self._rules_across())
        self.given = {sent.name: sent for each in every for sent in each.given}
        reserved = (*contract.problems, *(each.anchor for each in every), *(f"given.{name}" for name in self.given))
        self._anchors = Anchors({*_PAGE, *reserved})
        self._anchors_of = {each.id: self._anchors.new(each.id) for each in operations(contract)}
        for name in (*(rule["id"] for rule in self.rules), *(RULES if contract.problems else ())):
            self._anchors.new(f"rule-{name}")
        self._objects = Objects(contract, self._anchors)
        self.samples = {each.anchor: self._sample(each) for each in every}
        by_operation: dict[str, list[dict[str, Any]]] = {}
        for sample in self.samples.values():
            if sample["example"].operation:
                others = by_operation.setdefault(sample["example"].operation.id, [])
                sample["repeats"] = any(_is_same_request(sample, other) for other in others)
                others.append(sample)
        self.pictures = pictures_of_day(contract)
        self._described: set[int] = set()
        self.operations = [self._operation(each, by_operation[each.id]) for each in operations(contract)]
        described = {each["name"]: each.get("description", "") for each in document.get("tags", ())}
        for tag, each in self.operations_by_tag:
            each[0]["begins"] = described.get(tag, "")  # the description of the tag whose operations begin here
        self.webhooks = [
            self._call(name, method, declared)
            for name, item in (document.get("webhooks") or {}).items()
            for method, declared in self._methods(item)
        ]
        self._objects.place_pending()
        self.sections = self._objects.sections
        self.problems = [self._problem(kind, declared) for kind, declared in contract.problems.items()]
        self.engine_rules = [(name, rule, violation(name)) for name, rule in RULES.items()] if self.problems else []
        """The rules of the engine with a violation of each; none where no problem names rules."""
        self.needed = self._needed(document.get("security"))
        """The security requirements of operations that declare none."""
        self.security = [self._scheme(name, each) for name, each in contract.security_schemes.items()]
        self.known_differences: list[Mapping[str, str]] = document.get("x-known-differences", [])
        number, of = sum(sample["executed"] for sample in self.samples.values()), len(self.samples)
        self.executed = (f"All {of}" if number == of else f"{number} of the {of}") if number else ""
        self.is_built_in = (mocked or contract).path == BUILT_IN

    def severity(self, rule: str) -> str:
        """The severity of a rule in this contract, and by default."""
        here, usual = self._contract.severities.of(rule), DEFAULT.of(rule)
        return here if here == usual else f"{here}; {usual} where a contract does not say so"

    @property
    def operations_by_tag(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The operations by the title of their group; one group where the contract has no two tags."""
        groups = [(tag, list(each)) for tag, each in groupby(self.operations, itemgetter("tag"))]
        if len(groups) == 1:
            return [("Operations", self.operations)]
        return [(tag or "Other operations", each) for tag, each in groups]

    @property
    def links(self) -> dict[str, str]:
        """The anchors of names in texts: members of the main object, operations."""
        named = {member.name: member.anchor for section in self.sections[:1] for member in section.members}
        return named | {each["id"]: each["anchor"] for each in self.operations}

    @property
    def example_scenario(self) -> dict[str, Any]:
        """The scenario for a mock before an example: the clock and the ids of `x-examples`."""
        example_scenario = self._contract.document.get("x-examples", {})
        clock = {"clock": {"now": example_scenario["now"]}} if "now" in example_scenario else {}
        return clock | ({"ids": {"next": example_scenario["ids"]}} if "ids" in example_scenario else {})

    @property
    def try_it(self) -> dict[str, Any]:
        """The requests and the links between operations, for the page's script."""
        return {
            entry["anchor"]: {
                "path": entry["path"],
                "server": entry["samples"][0]["server"],
                "samples": {
                    sample["anchor"]: {
                        "summary": f"{sample['example'].status} {sample['example'].summary}",
                        **_try_it_request(sample["example"].sent),
                        "given": [_try_it_request(given) for given in sample["example"].given],
                    }
                    for sample in entry["samples"]
                    if not sample["repeats"]
                },
                "links": [
                    {
                        "operation": link["anchor"],
                        "parameters": link.get("parameters", {}),
                        "body": link.get("requestBody"),
                    }
                    for response in entry["responses"]
                    for link in response["links"]
                    if link["anchor"]
                ],
            }
            for entry in self.operations
        }

    def _operation(self, operation: Operation, samples: list[dict[str, Any]]) -> dict[str, Any]:
        anchor, declared = self._anchors_of[operation.id], operation.declared
        by_place: dict[str, list[Any]] = {}
        for each in operation.declared_parameters:
            member = self._objects.parameter(f"{anchor}.{each['in']}", each["name"], each)
            by_place.setdefault(each["in"], []).append(member)
        call = self._call(anchor, operation.method, declared, anchor)
        problems = (
            body
            for each in call["responses"]
            for body in each["bodies"]
            if PROBLEM_JSON in body.name and body.object and not body.nested
        )
        main = id(call["bodies"][0].object) if call["bodies"] else 0
        repeats = main in self._described  # an operation above describes its fields
        self._described.add(main)
        return call | {
            "id": operation.id,
            "repeats": repeats,
            "pictures": list(self._pictures(operation, samples)),
            "path": self._contract.base_path + operation.path,
            "verb": verb(operation),
            "tag": tag_of(operation),
            "begins": "",
            "deprecated": declared.get("deprecated", False),
            "words": declared.get("x-search", []),
            "roles": declared.get("x-roles", []),
            "parameters": by_place,
            "problem": next((body.object for body in problems), None),
            "security": self._needed(declared.get("security")),
            "callbacks": [
                self._call(f"{name} {expression}", method, each, slug(f"{anchor}.{name}.{method}"))
                for name, callback in declared.get("callbacks", {}).items()
                for expression, item in self._contract.resolve.followed(callback).items()
                for method, each in self._methods(item)
            ],
            "samples": samples,
        }

    def _pictures(self, operation: Operation, samples: list[dict[str, Any]]) -> Iterator[Picture]:
        """The pictures of an operation: the order of its checks, and the effects of its largest replacement."""
        if operation.declared.get("x-checks"):
            yield picture_of_checks(self._contract, operation)
        if operation.method == "PUT":
            drawn = (picture_of_replacement(self._contract, each["example"], self._responses) for each in samples)
            yield from sorted(filter(None, drawn), key=lambda each: -len(each.text))[:1]

    def _call(self, name: str, method: str, declared: Node, anchor: str = "") -> dict[str, Any]:
        """The facts that an operation, a callback and a webhook share."""
        anchor = anchor or slug(f"{name}.{method}")
        body = self._contract.resolve.followed(declared.get("requestBody", {}))
        bodies = self._objects.contents(f"{anchor}.body", body.get("content", {}))
        schema: Node = next((each.get("schema", {}) for each in body.get("content", {}).values()), {})
        flat = resolved(self._contract, schema)
        return {
            "name": name,
            "anchor": anchor,
            "method": method.upper(),
            "summary": declared.get("summary") or declared.get("operationId") or name,
            "description": declared.get("description", ""),
            "bodies": bodies,
            "body_description": (body.get("description") or flat.get("description", "")) if body else "",
            "required": flat.get("required", ()),
            "responses": [
                self._response(anchor, status, each) for status, each in responses(self._contract, declared).items()
            ],
        }

    def _response(self, anchor: str, status: str, declared: Node) -> dict[str, Any]:
        followed = self._contract.resolve.followed
        return {
            "status": status,
            "is_error": status.startswith(("4", "5")),
            "phrase": phrase(status),
            "description": declared.get("description", ""),
            "headers": [
                self._objects.parameter(f"{anchor}.{status}.header", name, followed(each))
                for name, each in declared.get("headers", {}).items()
            ],
            "bodies": self._objects.contents(f"{anchor}.{status}", declared.get("content", {})),
            "links": [self._link(name, followed(each)) for name, each in declared.get("links", {}).items()],
        }

    def _link(self, name: str, declared: Node) -> dict[str, Any]:
        to = declared.get("operationId") or declared.get("operationRef", "")
        given = declared.get("parameters", {})
        known = ", ".join(f"`{each}` is {literal(str(value))}" for each, value in given.items())
        anchor = self._anchors_of.get(to, "")
        description = declared.get("description", "").rstrip().removesuffix(".")  # a sentence follows
        return {**declared, "description": description, "name": name, "to": to, "anchor": anchor, "known": known}

    def _sample(self, example: Example) -> dict[str, Any]:
        """An example with its complete response, `whole`, where the documented one is abbreviated.

        One that `repeats` was not executed and has the request of another one, so only its response matters.
        """
        response = self._responses.get(example.anchor)
        headers = {"Content-Type": example.media_type} if example.media_type else {}
        if response:
            shown = [name for name in ("Location", "Allow", "Retry-After") if name.lower() in response.headers]
            headers |= {name: response.headers[name.lower()] for name in shown}
        abbreviated = response and not example.varying and example.body not in (ABSENT, response.body)
        return {
            "example": example,
            "anchor": example.anchor,
            "server": self._server_of(example.operation),
            "headers": headers,
            "text": text_of(example.body),
            "published": text_of(example.published),
            "whole": text_of(response.body) if response and abbreviated else "",
            "executed": response is not None,
            "repeats": False,
        }

    def _server_of(self, operation: Operation | None) -> str:
        """The base URL of a sample: that of the mock, or of the operation, its path, or the document."""
        if self._mocked:
            return LOCAL_MOCK
        item = self._contract.path_items[operation.path] if operation else {}
        declared = (operation.declared.get("servers") if operation else None) or item.get("servers")
        servers = [self._server(each) for each in declared] if declared else self.servers
        first = str(servers[0]["url"]) if servers else ""
        return first.rstrip("/") if first.startswith(("http://", "https://")) else LOCAL_MOCK

    @staticmethod
    def _server(declared: Node) -> dict[str, Any]:
        """A server with the defaults of its variables filled in."""
        variables = declared.get("variables") or {}
        url = re.sub(
            r"\{([^}]+)\}",
            lambda found: str(variables.get(found[1], {}).get("default", found[0])),
            declared.get("url", "/"),
        )
        return {"description": "", **declared, "url": url, "variables": variables}

    def _methods(self, item: Any) -> list[tuple[str, Node]]:
        """The operations of a path item, which may be a reference to one."""
        item = self._contract.resolve.followed(item) if isinstance(item, Mapping) else {}
        return [(method, item[method]) for method in item if method in METHODS]

    def _scheme(self, name: str, declared: Node) -> dict[str, Any]:
        """A security scheme; `sent` describes its credential in Markdown, `roles` has the rights of each role."""
        kind = declared.get("type", "")
        sent = f"`{name}`: {kind}"
        if kind == "http":
            sent = f"`Authorization: {str(declared.get('scheme', '')).capitalize()} …`"
        elif kind == "apiKey":
            sent = f"`{declared.get('name')}` in the {declared.get('in')}"
        elif kind == "openIdConnect":
            sent = f"OpenID Connect, as `{declared.get('openIdConnectUrl')}` describes it"
        flows = declared.get("flows", {}) if kind == "oauth2" else {}
        return {
            "words": declared.get("x-search", []),
            "sent": "OAuth 2.0" if kind == "oauth2" else sent,
            "description": declared.get("description", ""),
            "roles": [
                (role, members, [each for each in self.operations if role in each["roles"]])
                for role, members in declared.get("x-roles", {}).items()
            ],
            "flows": {name: flow for name, flow in flows.items() if isinstance(flow, Mapping)},
        }

    @staticmethod
    def _needed(security: Any) -> str:
        """The security requirements of an operation itself, in Markdown; alternatives are separated by `or`."""
        if security is None:
            return ""
        forms_by_verb = [
            " and ".join(f"`{name}`" + (f" ({', '.join(scopes)})" if scopes else "") for name, scopes in verb.items())
            for verb in security
        ]
        return ", or ".join(verb or "no credentials" for verb in forms_by_verb) or "no credentials"

    def _rules_across(self) -> Iterator[dict[str, Any]]:
        """The rules across members, each once, with the examples that break it."""
        breaking: dict[str, list[tuple[str, Any]]] = {}
        for anchor, response in self._responses.items():
            for error in response.body.get("errors", ()) if isinstance(response.body, dict) else ():
                breaking.setdefault(error["rule"], []).append((anchor, error))
        for name, rule in self._contract.rules.items():
            broken = breaking.get(name, [])
            described: dict[str, Any] = {"title": name, "description": "", "members": [], "remedy": ""}
            texts: dict[str, Any] = {name: rule[name] for name in ("title", "description") if name in rule}
            yield {
                **described, **rule["x-rule"], **texts,
                "violation": next((error for _, error in broken), None), "breaking": [anchor for anchor, _ in broken],
            }  # fmt: skip

    def _problem(self, kind: str, declared: Node) -> dict[str, Any]:
        """A kind of problem; `shown` is the problem document, from a response where there is one."""
        uri = type_of(kind, declared)
        bodies = {
            anchor: response.body
            for anchor, response in self._responses.items()
            if isinstance(response.body, dict) and response.body.get("type") == uri
        }
        made = {"type": uri, "title": declared["title"], "status": declared["status"], "detail": declared.get("detail")}
        return {
            "cause": "", "remedy": "", **declared, "kind": kind, "shown": text_of(next(iter(bodies.values()), made)),
            "samples": [self.samples[anchor] for anchor in bodies], "executed": bool(bodies),
        }  # fmt: skip


def _try_it_request(sent: SampleRequest) -> dict[str, Any]:
    shown = {"name": sent.name, "method": sent.method, "target": sent.target}
    return shown | {"headers": dict(sent.headers), "body": sent.text}


def _is_same_request(sample: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    one, same = sample["example"], other["example"]
    return not sample["executed"] and one.body is not ABSENT and (one.given, one.sent) == (same.given, same.sent)
