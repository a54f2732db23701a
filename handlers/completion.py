"""Whole documents as a state or a seed gives them: what a request may give, and beside it what the server makes."""

from dataclasses import replace

from ..contract.document import Contract
from ..contract.finding import Finding, json_pointer
from ..contract.resource import Resource
from ..contract.schema import Json, Schema
from ..storage.store import Document
from .resources import Made


class Completion:
    """Judges and completes the documents of one resource."""

    def __init__(self, resource: Resource, contract: Contract) -> None:
        self._parents, self._beside = resource.parents.values(), resource.beside_input
        self._judge = Schema(resource.input, contract.resolve, "request")
        times = {resource.creation, resource.deleted_at}
        hidden = {name: {"type": "string"} if name in times else {} for name in resource.hidden}
        self._of_server = {
            name: Schema(schema, contract.resolve, "response")
            for name, schema in {**hidden, **resource.properties}.items()
            if name in self._beside
        }
        self.made = Made(resource, contract)

    def findings(self, document: Json) -> list[Finding]:
        """What is wrong with it; what the server makes may be missing or null. Only an object has no finding."""
        if not isinstance(document, dict):
            return self._judge.findings(document, "body") or [Finding("type", "body", "must be object", pointer="")]
        found = self._judge.findings(self._given(document), "body")
        for name, schema in self._of_server.items():
            if document.get(name) is not None:
                of_member = schema.findings(document[name], "body")
                found += (replace(each, pointer=json_pointer([name]) + (each.pointer or "")) for each in of_member)
        return found + self.missing(document)

    def missing(self, document: Document) -> list[Finding]:
        """The parents that it does not say, without which nothing leads to it."""
        return [
            Finding("required", "body", "is required and missing", pointer=json_pointer([name]))
            for name in self._parents
            if document.get(name) is None
        ]

    def complete(self, document: Document) -> Document:
        """A document without findings, with its defaults and what every answer has."""
        beside = {name: document[name] for name in self._beside & document.keys()}
        return self.made({**self._judge.fill_defaults(self._given(document)), **beside})

    def _given(self, document: Document) -> Document:
        return {name: member for name, member in document.items() if name not in self._beside}
