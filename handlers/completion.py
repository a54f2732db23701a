"""Whole documents of a state or a seed: the members of a request, and those that the server sets."""

from dataclasses import replace

from ..contract.document import Contract
from ..contract.finding import Finding
from ..contract.pointer import json_pointer
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
        """The findings in a document, whose server-set members may be missing or null; every non-object has some."""
        if not isinstance(document, dict):
            return self._judge.findings(document, "body") or [Finding("type", "body", "must be object", pointer="")]
        found = self._judge.findings(self._given(document), "body")
        for name, schema in self._of_server.items():
            if document.get(name) is not None:
                of_member = schema.findings(document[name], "body")
                found += (replace(each, pointer=json_pointer([name]) + (each.pointer or "")) for each in of_member)
        return found + self.missing(document)

    def missing(self, document: Document) -> list[Finding]:
        """The findings for missing parents, without which no path leads to the document."""
        return [
            Finding("required", "body", "is required and missing", pointer=json_pointer([name]))
            for name in self._parents
            if document.get(name) is None
        ]

    def complete(self, document: Document) -> Document:
        """A valid document with its defaults, and the members that every response has."""
        beside = {name: document[name] for name in self._beside & document.keys()}
        return self.made({**self._judge.fill_defaults(self._given(document)), **beside})

    def _given(self, document: Document) -> Document:
        return {name: member for name, member in document.items() if name not in self._beside}
