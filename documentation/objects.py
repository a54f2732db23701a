"""The objects of a contract and their members, each described once for all bodies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from ..contract.document import Contract
from ..contract.example import values_of
from ..contract.parameters import schema_of
from .exchanges import slug
from .forms import Forms
from .wording import Fact, Schemas, is_object, literal, name_of, reference_of, value

_DEEPEST = 4
"""The depth to which a named schema is described inside of others; a deeper one has its own section."""
_DEEPEST_NAMELESS = 20
_MAX_UNFOLDED = 60
"""The number of members of nested objects that an operation shows in place."""


@dataclass(slots=True)
class Member:
    """A member of an object, a parameter, a header field, an alternative, or a body by its media type.

    `required` is by form (`create`, `update`, or "" for the object itself), `notes` has the differences of the forms.
    """

    name: str
    anchor: str
    type: str
    description: str
    required: Mapping[str, str]
    facts: list[Fact]
    notes: list[tuple[str, str]] = field(default_factory=list)
    object: "Object | None" = None
    nested: bool = False
    """Whether the object is described here, not only linked."""
    words: list[str] = field(default_factory=list)
    """Other names for the search (`x-search`)."""

    @property
    def requirement(self) -> str:
        """When the member is required, in words."""
        kinds = set(self.required.values())
        if len(kinds) == 1:
            kind = kinds.pop()
            return kind if kind != "required" or "" in self.required else f"required on {' and '.join(self.required)}"
        return ", ".join(f"{kind} on {verb}" for verb, kind in self.required.items() if kind != "read-only")


@dataclass(slots=True)
class Object:
    """A schema with members, or alternatives; a group has a title, anchor, description and members."""

    title: str
    anchor: str
    description: str = ""
    verbs: list[str] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    alternatives: list[Member] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def members(self) -> list[Member]:
        return [member for group in self.groups for member in group["members"]]

    def fields(self, verb: str) -> tuple[list[Member], list[tuple[str, list[Member]]]]:
        """The required members of a form, and the optional ones by the title of their group."""

        def of(group: dict[str, Any], kind: str) -> list[Member]:
            return [each for each in group["members"] if each.required.get(verb, each.required.get("")) == kind]

        optional = [(group["title"], members) for group in self.groups if (members := of(group, "optional"))]
        return [member for group in self.groups for member in of(group, "required")], optional

    def unfolded(self, verb: str) -> set[str]:
        """The anchors of the members, at any depth, whose objects are shown in place: each once, while they are few.

        The others link to the section of their object.
        """
        anchors, seen, room, waiting = set(), {id(self)}, _MAX_UNFOLDED, [self]
        while waiting:
            needed, optional = waiting.pop(0).fields(verb)
            for member in chain(needed, *(members for _, members in optional)):
                inner = member.object
                if inner is None or id(inner) in seen or not 0 < len(inner.members) <= room:
                    continue
                anchors.add(member.anchor)
                seen.add(id(inner))
                room -= len(inner.members)
                waiting.append(inner)
        return anchors


class Anchors:
    """Unique anchors in the page."""

    def __init__(self, reserved: set[str]) -> None:
        self._taken = reserved

    def new(self, name: str) -> str:
        anchor = free = slug(name)
        number = 1
        while free in self._taken:
            number += 1
            free = f"{anchor}-{number}"
        self._taken |= {free, f"{free}-title", f"{free}-members", f"{free}-try"}
        return free


class Objects:
    """The objects: in a section where they are bodies of operations, else inside of the first object that has them.

    A form is described with its object.
    """

    def __init__(self, contract: Contract, anchors: Anchors) -> None:
        self._contract, self._anchors, self._schemas = contract, anchors, Schemas(contract)
        self._objects: dict[str, Object] = {}
        self._pending: dict[str, Object] = {}
        self._forms = Forms(contract, self._schemas)
        self.sections: list[Object] = []
        for reference in self._forms.used:
            if is_object(self._schemas.resolved({"$ref": reference})):
                self._register(reference)
        for name, schema in self._contract.document.get("components", {}).get("schemas", {}).items():
            reference = "#/components/schemas/" + name.replace("~", "~0").replace("/", "~1")
            if reference not in self._forms.folded and is_object(self._schemas.resolved(schema)):
                self.place_pending()
                if reference not in self._objects:
                    self._register(reference)
        self.place_pending()

    def place_pending(self) -> None:
        """Add a section for each linked object that is not described yet."""
        while self._pending:
            reference = next(iter(self._pending))
            described = self._pending.pop(reference)
            self._describe(described, {"$ref": reference}, self._forms.by_object.get(reference, {}), 0)
            self.sections.append(described)

    def parameter(self, anchor: str, name: str, declared: Mapping[str, Any]) -> Member:
        """A parameter or a header field."""
        schema = schema_of(declared)
        required = {"": "required" if declared.get("required") else "optional"}
        member = self._member(anchor, name, schema, required, {}, 0)
        facts = [(word, fact) for word, fact in member.facts if word != "Example"]
        if declared.get("deprecated"):
            facts.append(("Deprecated", "yes"))
        if "style" in declared or "explode" in declared:
            exploded = declared.get("explode", declared.get("style", "form") == "form")
            facts.append(("Style", f"{declared.get('style', 'the usual one')}, {'' if exploded else 'not '}exploded"))
        examples = values_of(declared, self._contract.resolve).values()
        member.facts = facts + [("Example", value(each)) for each in examples]
        member.description = declared.get("description") or member.description
        return member

    def contents(self, anchor: str, content: Mapping[str, Any]) -> list[Member]:
        """Bodies by media type; media types with the same schema are joined."""
        names: dict[str, list[str]] = {}
        schemas: dict[str, Any] = {}
        for media_type, each in content.items():
            schema = each.get("schema", {})
            same = next((name for name, other in schemas.items() if other == schema), media_type)
            schemas.setdefault(same, schema)
            names.setdefault(same, []).append(media_type)
        found = []
        for number, (media_type, schema) in enumerate(schemas.items()):
            here = f"{anchor}.{media_type}" if number else anchor
            described, nested = self._object_of(schema, here, {}, 1)
            words = self._schemas.type(schema) if schema else ""
            facts = [] if described else self._schemas.facts(schema)
            found.append(Member(", ".join(names[media_type]), here, words, "", {}, facts, [], described, nested))
        return found

    def _register(self, reference: str) -> Object:
        if reference not in self._objects:
            anchor = self._anchors.new(name_of(reference))
            self._objects[reference] = Object(self._schemas.title(reference), anchor)
            self._pending[reference] = self._objects[reference]
        return self._objects[reference]

    def _describe(self, described: Object, schema: Any, forms: Mapping[str, Any], depth: int) -> None:
        flat = self._schemas.resolved(schema)
        forms_by_verb = {name: self._schemas.resolved(form) for name, form in forms.items()} or {"": flat}
        members = {
            name: self._member_of(described.anchor, name, nested, forms_by_verb, depth)
            for name, nested in flat.get("properties", {}).items()
        }
        described.description, described.verbs = flat.get("description", ""), list(forms)
        for each in flat.get("x-groups", ()):
            inside = [members.pop(name) for name in each["members"] if name in members]
            anchor = self._anchors.new(each["title"].lower())
            described.groups.append({"description": "", **each, "anchor": anchor, "members": inside})
        if members:
            rest = {"title": "", "anchor": "", "description": "", "members": list(members.values())}
            described.groups.append(rest)
        for number, each in enumerate([*flat.get("oneOf", ()), *flat.get("anyOf", ())], start=1):
            described.alternatives.append(self._member(described.anchor, str(number), each, {}, {}, depth))
        if (more := flat.get("additionalProperties")) is True or isinstance(more, Mapping):
            each_is = self._schemas.type(more) if more is not True else "any"
            described.notes.append(f"Further members may have any name; each is {each_is}.")
        for pattern, each in flat.get("patternProperties", {}).items():
            described.notes.append(
                f"Members whose names match {literal(pattern)} may be there; each is {self._schemas.type(each)}."
            )
        if isinstance(flat.get("discriminator"), Mapping) and "propertyName" in flat["discriminator"]:
            described.notes.append(f"`{flat['discriminator']['propertyName']}` says which alternative it is.")

    def _member_of(self, anchor: str, name: str, schema: Any, forms_by_verb: Mapping[str, Any], depth: int) -> Member:
        inside = {where: form.get("properties", {}).get(name) for where, form in forms_by_verb.items()}
        required = {
            where: "required" if name in forms_by_verb[where].get("required", ()) else "optional" for where in inside
        } | {
            where: "read-only"
            for where, nested in inside.items()
            if nested is None or self._schemas.resolved(nested).get("readOnly")
        }
        others = {where: each for where, each in inside.items() if each is not None and where}
        return self._member(anchor, name, schema, required, others, depth)

    def _member(
        self, anchor: str, name: str, schema: Any, required: Mapping[str, str], forms: Mapping[str, Any], depth: int
    ) -> Member:
        here = self._anchors.new(f"{anchor}.{name}")
        facts = self._schemas.facts(schema)
        description = str(self._schemas.resolved(schema).get("description", ""))
        described, nested = self._object_of(schema, here, forms, depth + 1)
        notes = []
        for where, form in forms.items():
            said = str(self._schemas.resolved(form).get("description", ""))
            differing = [f"{word} {fact}" for word, fact in self._schemas.facts(form) if (word, fact) not in facts]
            if said in ("", description) or is_object(self._schemas.resolved(form)):
                said = ""
            if (said or differing) and form is not schema:
                notes.append((where, f"{said} {'; '.join(differing)}".strip()))
        flat = self._schemas.resolved(schema)
        words = [*flat.get("x-search", ()), *([flat["x-notation"]] if "x-notation" in flat else ())]
        return Member(
            name, here, self._schemas.type(schema), description, required, facts, notes, described, nested, words
        )  # fmt: skip

    def _object_of(self, schema: Any, here: str, forms: Mapping[str, Any], depth: int) -> tuple[Object | None, bool]:
        """The object of a schema, or of its arrays and maps, and whether it is described here."""
        inner = self._schemas.innermost(schema)
        flat = self._schemas.resolved(inner)
        if not is_object(flat):
            return None, False
        reference = reference_of(inner)
        inside = {where: self._schemas.innermost(form) for where, form in forms.items()}
        home = self._forms.home.get(reference or id(inner))
        if reference is None and home is None:
            if depth > _DEEPEST_NAMELESS:
                return None, False
            last = here.rpartition(".")[2]
            described = Object(str(inner.get("title") or (here if last.isdigit() else last)), here)
            self._describe(described, inner, inside, depth)
            return described, True
        if reference is None or home or reference in self._objects or depth > _DEEPEST:
            return self._register(home or reference or ""), False
        described = self._register(reference)
        del self._pending[reference]
        self._describe(described, inner, inside, depth)
        return described, True
