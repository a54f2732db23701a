"""The forms of objects: request bodies whose members are all in the response, such as that of a create."""

import re
from collections.abc import Iterator
from typing import Any

from ..contract.document import Contract
from ..contract.operation import Operation
from .exchanges import operations, responses
from .wording import Schemas, reference_of


class Forms:
    """The forms of each object in responses, which the reference describes together."""

    def __init__(self, contract: Contract, schemas: Schemas) -> None:
        self._contract, self._schemas = contract, schemas
        self.by_object: dict[str, dict[str, Any]] = {}
        """The schemas of the forms of each object, by the verb of the operation: `create`, `update`."""
        self.home: dict[str | int, str] = {}
        """The object of each form, by its reference, or by the id of a schema without a name."""
        used: tuple[list[str], ...] = ([], [], [])
        for operation in operations(self._contract):
            in_responses = self._response_references(operation, success=True)
            in_requests = [each.get("schema", {}) for each in operation.declared_body.get("content", {}).values()]
            used[0].extend(in_responses)
            used[1].extend(reference for each in in_requests if (reference := self._named(each)))
            used[2].extend(self._response_references(operation, success=False))
            if in_responses and in_requests:
                properties = self._schemas.resolved(self._schemas.innermost(in_requests[0])).get("properties", {})
                if (
                    properties
                    and properties.keys()
                    <= self._schemas.resolved({"$ref": in_responses[0]}).get("properties", {}).keys()
                ):
                    self.by_object.setdefault(in_responses[0], {})[verb(operation)] = in_requests[0]
        forms = set()
        for main, forms_by_verb in self.by_object.items():
            for form in forms_by_verb.values():
                inner = self._schemas.innermost(form)
                reference = reference_of(inner)
                if reference not in self.by_object:
                    self.home[reference or id(inner)] = main
                    forms.add(reference or "")
        seen: set[tuple[str | None, str | None]] = set()
        inside = (
            folded for main, forms_by_verb in self.by_object.items() for form in forms_by_verb.values()
            for folded in self._inside({"$ref": main}, form, seen)
        )  # fmt: skip
        self.used = [each for each in dict.fromkeys(used[0] + used[1] + used[2]) if each not in forms]
        """The references of bodies that are no forms: in responses, then requests, then problems."""
        self.folded = forms.union(inside)
        """The references of forms, and of the schemas that only forms refer to."""

    def _named(self, schema: Any) -> str | None:
        return reference_of(self._schemas.innermost(schema))

    def _response_references(self, operation: Operation, *, success: bool) -> list[str]:
        return [
            reference
            for status, answer in responses(self._contract, operation.declared).items()
            if (status[0] == "2") is success
            for each in answer.get("content", {}).values()
            if (reference := self._named(each.get("schema", {})))
        ]

    def _inside(self, main: Any, form: Any, seen: set[tuple[str | None, str | None]]) -> Iterator[str]:
        """The references in a form where its object refers to another schema."""
        main, form = self._schemas.innermost(main), self._schemas.innermost(form)
        pair = reference_of(main), reference_of(form)
        if pair[1] is not None:
            if pair in seen or pair[0] == pair[1]:
                return
            seen.add(pair)
            yield pair[1]
        ours = self._schemas.resolved(main).get("properties", {})
        for member, theirs in self._schemas.resolved(form).get("properties", {}).items():
            if member in ours:
                yield from self._inside(ours[member], theirs, seen)


def verb(operation: Operation) -> str:
    """The verb of an operation: `create` for createConfiguration."""
    word = re.match(r"[a-z]+(?=[A-Z_])", operation.id)
    return word[0] if word else operation.id
