"""From the schemas of a contract to what a reader wants to know of each object and each member."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..contract.document import Contract
from ..contract.operation import Operation
from ..contract.schema import Json
from .examples import named, operations, request_examples
from .forms import Forms
from .schemas import SCHEMAS, Fact, Node, Schemas, name_of, value


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object. `required` says so for each way in (an operation, or "" for the object itself)."""

    name: str
    anchor: str
    type: str
    description: str
    required: Mapping[str, str]
    facts: list[Fact]
    notes: Mapping[str, str]
    nested: "Object | None" = None
    link: "Link | None" = None

    @property
    def requirement(self) -> str:
        """When it has to be sent, in a few words."""
        ways = self.required
        kinds = set(ways.values())
        if len(kinds) == 1:
            kind = kinds.pop()
            return kind if kind != "required" or "" in ways else f"required on {' and '.join(ways)}"
        return ", ".join(f"{kind} on {way}" for way, kind in ways.items() if kind != "read-only")


@dataclass(frozen=True, slots=True)
class Link:
    """A way to the one place where a schema is described."""

    title: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    anchor: str
    description: str
    members: list[Member]
    excerpt: Json = None


@dataclass(frozen=True, slots=True)
class Object:
    """A schema that has members, or alternatives."""

    title: str
    anchor: str
    description: str
    ways: list[str]
    groups: list[Group] = field(default_factory=list)
    alternatives: list["Object | Link | str"] = field(default_factory=list)
    others: str = ""

    @property
    def members(self) -> list[Member]:
        return [member for group in self.groups for member in group.members]


class Objects:
    """The objects of a contract, each described once: in a section of its own, or inside the first that has it.

    A schema that is only the form in which another is sent is described with that other one.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._schemas = Schemas(contract)
        self._forms = Forms(contract, self._schemas)
        self._placed = {name for name in self._forms.used if self._schemas.is_object(self._schemas.named[name])}
        self.sections = [self._section(name) for name in self._forms.used if name in self._placed]
        """The objects with a section of their own: those that operations answer and take, then what is left."""
        for name, schema in self._schemas.named.items():
            if name not in self._placed | self._forms.folded and self._schemas.is_object(schema):
                self.sections.append(self._section(name))

    def link(self, schema: Node) -> Link | None:
        """Where the schema of a body is described: its own section, or that of what it is a form of."""
        name = name_of(schema) or name_of(schema.get("items", {}))
        home = name and self._forms.home(name)
        return next((Link(each.title, each.anchor) for each in self.sections if each.anchor == home), None)

    def parameter(self, operation: Operation, declared: Node) -> Member:
        contents = ({"schema": declared.get("schema", {})}, *declared.get("content", {}).values())
        schema: Node = next((each["schema"] for each in contents if each.get("schema")), {})
        required = {"": "required" if declared.get("required") else "optional"}
        member = self._member(f"{place(operation.id)}.{declared['in']}", declared["name"], schema, required, {})
        examples = [each["value"] for each in named(self._contract, declared).values() if "value" in each]
        facts = [(word, fact) for word, fact in member.facts if word != "Example"]
        return replace(
            member,
            description=declared.get("description") or member.description,
            facts=facts + [("Example", value(each)) for each in examples],
        )

    def body(self, anchor: str, schema: Node) -> Object | None:
        """A body whose schema has no name, and so no section."""
        inner = self._schemas.innermost(schema)
        if self.link(schema) or name_of(inner) in self._placed or not self._schemas.is_object(inner):
            return None
        return self._object(anchor, inner, {})

    def _section(self, name: str) -> Object:
        self._placed.add(name)
        return self._object(name, {"$ref": SCHEMAS + name}, self._forms.of(name))

    def _object(self, anchor: str, schema: Node, forms: Mapping[str, Node]) -> Object:
        resolved = self._schemas.resolved(schema)
        members = {
            name: self._member_of(anchor, name, nested, forms or {"": resolved})
            for name, nested in self._schemas.properties(resolved).items()
        }
        groups = [
            self._group(each, [members.pop(name) for name in each["members"] if name in members])
            for each in resolved.get("x-groups", ())
        ]
        if members:
            groups.append(Group("", "", "", list(members.values())))
        more = resolved.get("additionalProperties")
        alternatives = [*resolved.get("oneOf", ()), *resolved.get("anyOf", ())]
        return Object(
            title=str(resolved.get("title") or name_of(schema) or anchor),
            anchor=anchor,
            description=resolved.get("description", ""),
            ways=list(forms),
            groups=groups,
            alternatives=[
                self._alternative(f"{anchor}.{number}", each) for number, each in enumerate(alternatives, start=1)
            ],
            others=self._schemas.type(more) if isinstance(more, dict) else "any" if more is True else "",
        )

    def _group(self, declared: Node, members: list[Member]) -> Group:
        anchor = place(declared["title"].lower())
        excerpt = self._excerpt([member.name for member in members])
        return Group(declared["title"], anchor, declared.get("description", ""), members, excerpt)

    def _alternative(self, anchor: str, schema: Node) -> "Object | Link | str":
        if not self._schemas.is_object(schema):
            return self._schemas.type(schema)
        name = name_of(schema)
        if name is None:
            return self._object(anchor, schema, {})
        return Link(self._schemas.title(name), name) if name in self._placed else self._section(name)

    def _member_of(self, anchor: str, name: str, schema: Node, forms: Mapping[str, Node]) -> Member:
        inside = {way: self._schemas.properties(form).get(name) for way, form in forms.items()}
        required = {
            way: "read-only"
            if nested is None or self._schemas.resolved(nested).get("readOnly")
            else "required"
            if name in self._schemas.required(forms[way])
            else "optional"
            for way, nested in inside.items()
        }
        return self._member(anchor, name, schema, required, {way: each for way, each in inside.items() if each and way})

    def _member(
        self, anchor: str, name: str, schema: Node, required: Mapping[str, str], forms: Mapping[str, Node]
    ) -> Member:
        description = self._description(schema)
        notes = {
            way: said
            for way, form in forms.items()
            if (said := self._description(form)) not in ("", description) and not self._schemas.is_object(form)
        }
        here = place(f"{anchor}.{name}")
        nested, link = self._inside(here, schema, forms)
        facts = list(self._schemas.facts(schema))
        return Member(name, here, self._schemas.type(schema), description, required, facts, notes, nested, link)

    def _inside(self, here: str, schema: Node, forms: Mapping[str, Node]) -> tuple[Object | None, Link | None]:
        """The members of a member that is an object or an array of them, or where they are described."""
        inner = self._schemas.innermost(schema)
        if not self._schemas.is_object(inner):
            return None, None
        name = name_of(inner)
        if name in self._placed:
            return None, Link(self._schemas.title(name), name)
        if name is not None:
            self._placed.add(name)
        return self._object(
            name or here, inner, {way: self._schemas.innermost(form) for way, form in forms.items()}
        ), None

    def _description(self, schema: Node) -> str:
        return str(self._schemas.resolved(schema).get("description", ""))

    def _excerpt(self, names: list[str]) -> Json:
        """The members of one group in the example that shows most of them."""
        candidates = [{name: each[name] for name in names if name in each} for each in self._examples]
        return max(candidates, key=_telling, default=None) or None

    @cached_property
    def _examples(self) -> list[dict[str, Json]]:
        """The objects among the examples of bodies, requests first."""
        every = operations(self._contract)
        requests = [body for each in every for body in request_examples(self._contract, each).values()]
        answers = [
            example.get("value")
            for operation in every
            for declared in operation.declared["responses"].values()
            for content in self._schemas.resolved(declared).get("content", {}).values()
            for example in named(self._contract, content).values()
        ]
        return [body for body in (*requests, *answers) if isinstance(body, dict)]


def place(name: str) -> str:
    """A name as an address inside the page."""
    return re.sub(r"[^\w.]+", "-", name).strip("-")


def _telling(values: Mapping[str, Json]) -> tuple[int, int]:
    return sum(each not in (None, [], {}) for each in values.values()), len(json.dumps(values))
