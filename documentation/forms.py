"""Which schemas are only forms of others: what a server takes to make what it answers, such as a body to create."""

import re
from collections.abc import Iterator, Mapping

from ..contract.document import Contract
from ..contract.operation import Operation
from .examples import operations
from .schemas import SCHEMAS, Node, Schemas, name_of


class Forms:
    """The forms of each object that operations answer, by the way in: `{"Thing": {"create": "ThingToCreate"}}`.

    A form has no other members than its object, so a reader needs one description of both.
    """

    def __init__(self, contract: Contract, schemas: Schemas) -> None:
        self._contract, self._schemas = contract, schemas
        self.by_object: dict[str, dict[str, str]] = {}
        used: tuple[list[str], ...] = ([], [], [])
        answers, requests, problems = used
        for operation in operations(contract):
            answered = self._answered(operation, success=True)
            taken = _names(self._taken(operation))
            answers += answered
            requests += taken
            problems += self._answered(operation, success=False)
            if answered and taken and self._members(taken[0]) <= self._members(answered[0]):
                self.by_object.setdefault(answered[0], {})[way(operation)] = taken[0]
        forms = {form for of in self.by_object.values() for form in of.values()} - self.by_object.keys()
        self.used = [name for name in dict.fromkeys((*answers, *requests, *problems)) if name not in forms]
        """The named schemas of bodies that are no forms: answers, requests, problems."""
        self.folded = forms.union(*map(self._inside_of, self.by_object))
        """The forms, and the schemas that only occur inside of forms."""

    def of(self, name: str) -> dict[str, Node]:
        return {way: {"$ref": SCHEMAS + form} for way, form in self.by_object.get(name, {}).items()}

    def home(self, name: str) -> str:
        """The object that a schema is a form of, or the schema itself."""
        return next((main for main, forms in self.by_object.items() if name in forms.values()), name)

    def _answered(self, operation: Operation, *, success: bool) -> list[str]:
        contents = (
            content
            for status, declared in operation.declared["responses"].items()
            if (str(status)[0] == "2") is success
            for content in self._schemas.resolved(declared).get("content", {}).values()
        )
        return _names(contents)

    def _taken(self, operation: Operation) -> list[Node]:
        return list(self._schemas.resolved(operation.declared.get("requestBody", {})).get("content", {}).values())

    def _members(self, name: str) -> set[str]:
        return set(self._schemas.properties({"$ref": SCHEMAS + name}))

    def _inside_of(self, name: str) -> set[str]:
        main: Node = {"$ref": SCHEMAS + name}
        return {folded for form in self.of(name).values() for folded in self._inside(main, form, frozenset())}

    def _inside(self, main: Node, form: Node, above: frozenset[str]) -> Iterator[str]:
        """What a form refers to where its object refers to another schema."""
        main, form = self._schemas.innermost(main), self._schemas.innermost(form)
        name = name_of(form)
        if name in above:
            return
        if name is not None:
            above |= {name}
            if name != name_of(main):
                yield name
        ours = self._schemas.properties(main)
        for member, theirs in self._schemas.properties(form).items():
            if member in ours:
                yield from self._inside(ours[member], theirs, above)


def way(operation: Operation) -> str:
    """What an operation does, in a word: `create` for createConfiguration."""
    word = re.match(r"[a-z]+(?=[A-Z_])", operation.id)
    return word[0] if word else operation.id


def _names(contents: Iterator[Mapping[str, Node]] | list[Node]) -> list[str]:
    """The names of the schemas of bodies, or of their items."""
    schemas = [content.get("schema", {}) for content in contents]
    return [name for schema in schemas for each in (schema, schema.get("items", {})) if (name := name_of(each))]
