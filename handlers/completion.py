"""Whole documents of a state or a seed: the members of a request, and those that the server sets."""

from ..contract.document import Contract
from ..contract.finding import Finding
from ..contract.resource import Resource
from ..contract.schema import Json, Schema
from ..storage.store import Document
from .resources import GeneratedMembers


class Completion:
    """Judges and completes the documents of one resource."""

    def __init__(self, resource: Resource, contract: Contract) -> None:
        parents, self._beside = resource.parents.values(), resource.not_in_requests
        self._judge = Schema(resource.input, contract.resolve, "request")
        times = {resource.creation, resource.deleted_at}
        hidden = {name: {"type": "string"} if name in times else {} for name in resource.hidden}
        known = {name: each for name, each in {**hidden, **resource.properties}.items() if name in self._beside}
        of_server = {"type": "object", "required": [*parents], "properties": known}
        self._of_server, self._members = Schema(of_server, contract.resolve, "response"), {*parents, *known}
        self.made = GeneratedMembers(resource, contract)

    def findings(self, document: Json) -> list[Finding]:
        """The findings in a document, whose server-set members may be missing or null; every non-object has some."""
        if not isinstance(document, dict):
            return self._judge.findings(document, "body") or [Finding("type", "body", "must be object", pointer="")]
        return self._judge.findings(self._given(document), "body") + self.findings_beside_requests(document)

    def findings_beside_requests(self, document: Document) -> list[Finding]:
        """The findings in what no request may give, and for missing parents, without which no path leads to it."""
        present = {name: document[name] for name in self._members if document.get(name) is not None}
        return self._of_server.findings(present, "body")

    def complete(self, document: Document) -> Document:
        """A valid document with its defaults, and the members that every response has."""
        beside = {name: document[name] for name in self._beside & document.keys()}
        return self.made({**self._judge.fill_defaults(self._given(document)), **beside})

    def _given(self, document: Document) -> Document:
        return {name: member for name, member in document.items() if name not in self._beside}
