"""One revision of a contract: an OpenAPI document from a file or from git, with the lines of its parts."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from ..contract.dialect import unescape
from ..contract.document import METHODS
from ..contract.operation import Operation
from ..contract.schema import Direction, dereferenced
from ..contract.side import Side, Translation
from ..contract.yaml_tree import NotPlain, marked_yaml, read_yaml
from ..outcome import CouldNotRun
from .change import Place

Json = Any
Steps = tuple[str, ...]
"""Where something stands in a document: the keys that lead to it, references on the way left out."""


class NotThere(CouldNotRun):
    """A commit does not have the file."""


@dataclass(frozen=True)
class Declared:
    """An operation as a document declares it, with what it has from its path and from the document."""

    path: str
    method: str
    steps: Steps
    item: Mapping[str, Json]
    revision: "Revision"

    @property
    def declared(self) -> Mapping[str, Json]:
        operation: Mapping[str, Json] = self.item[self.method]
        return operation

    @property
    def id(self) -> str:
        return str(self.declared.get("operationId", f"{self.method.upper()} {self.path}"))

    @cached_property
    def parameters(self) -> dict[tuple[str, str], tuple[Mapping[str, Json], Steps]]:
        """By place and name; header names in lower case, path parameters by their position."""
        found = {}
        for steps, owner in ((self.steps[:-1], self.item), (self.steps, self.declared)):
            for index, each in enumerate(owner.get("parameters", ())):
                declared = self.revision.followed(each)
                place, name = declared["in"], declared["name"]
                if place == "header" and name.lower() in ("accept", "content-type", "authorization"):
                    continue  # OpenAPI says these are not parameters
                found[place, self._key(place, name)] = (declared, (*steps, "parameters", str(index)))
        return found

    def _key(self, place: str, name: str) -> str:
        if place == "path":
            names = re.findall(r"\{([^}]+)\}", self.path)
            return str(names.index(name)) if name in names else name
        return name.lower() if place == "header" else name

    @cached_property
    def responses(self) -> dict[str, tuple[Mapping[str, Json], Steps]]:
        return {
            str(status).upper(): (self.revision.followed(each), (*self.steps, "responses", str(status)))
            for status, each in self.declared.get("responses", {}).items()
        }

    @property
    def body(self) -> Mapping[str, Json] | None:
        declared = self.declared.get("requestBody")
        return None if declared is None else self.revision.followed(declared)

    @property
    def security(self) -> list[Mapping[str, list[str]]]:
        """The alternatives, of which one is needed; an empty one is nobody's credentials."""
        alternatives = self.declared.get("security", self.revision.document.get("security", []))
        return list(alternatives) or [{}]

    @cached_property
    def engine(self) -> Operation | None:
        """The operation as the mock judges it; None where it is of a version that the mock does not serve."""
        if self.revision.is_31:
            return None
        return Operation(self.path, self.method, self.item, self.revision.resolve)


class Revision:
    """A document, and what `diff` asks of it."""

    def __init__(self, name: str, file: Path, text: bytes, same_as: "Revision | None" = None) -> None:
        """A text that another revision has, too, is not read again. Raises CouldNotRun."""
        self.name, self.file, self.text = name, file, text
        self.document: Json
        try:
            self.document = same_as.document if same_as is not None and same_as.text == text else read_yaml(text)
        except NotPlain as error:
            raise CouldNotRun(f"{name}: {error}") from error
        version = str(self.document.get("openapi", "")) if isinstance(self.document, dict) else ""
        if not version.startswith(("3.0", "3.1")):
            raise CouldNotRun(f"{name}: is not an OpenAPI 3.0 or 3.1 document")
        self.is_31 = version.startswith("3.1")
        self.version = str(self.document.get("info", {}).get("version", ""))
        self.title = str(self.document.get("info", {}).get("title", ""))
        self._translations: dict[str, Translation] = {}
        self.bodies: dict[tuple[int, Direction], list[Json]] = {}
        """Examples of the bodies of a media type, by its identity."""
        self._nodes: dict[Steps, tuple[Any, int, bool]] = {}
        self._entries: dict[int, dict[str, tuple[Any, Any]]] = {}

    @classmethod
    def load(cls, name: str, same_as: "Revision | None" = None) -> "Revision":
        """From a file, or from `git-ref:file`. Raises CouldNotRun; NotThere where the commit has no such file."""
        return cls(name, *_read(name), same_as)

    @cached_property
    def operations(self) -> dict[tuple[str, str], Declared]:
        """By the path without the names of its parameters, and the method."""
        items = {path: self.followed(item) for path, item in self.document.get("paths", {}).items()}
        return {
            (template(path), method): Declared(path, method, ("paths", path, method), item, self)
            for path, item in items.items()
            for method in METHODS
            if method in item
        }

    @cached_property
    def root(self) -> Any:
        """The YAML node of the text, whose parts know their lines. Raises CouldNotRun."""
        try:
            return marked_yaml(self.text)
        except NotPlain as error:
            raise CouldNotRun(f"{self.name}: {error}") from error

    @property
    def roles(self) -> set[str]:
        """The roles that its tokens may have."""
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        return {role for scheme in schemes.values() for role in scheme.get("x-roles", ())}

    def resolve(self, reference: str, above: Steps = ()) -> Json:
        """Raises CouldNotRun for what is not inside the document."""
        if not reference.startswith("#/") or reference in above:
            wrong = "refers to itself" if reference in above else "only references inside the document are followed"
            raise CouldNotRun(f"{self.name}: {reference}: {wrong}")
        node: Json = self.document
        for step in steps_to(reference):
            try:
                node = node[int(step)] if isinstance(node, list) else node[step]
            except (LookupError, ValueError, TypeError) as error:
                raise CouldNotRun(f"{self.name}: {reference}: refers to nothing") from error
            if isinstance(node, dict) and node.keys() == {"$ref"}:
                node = self.resolve(node["$ref"], (*above, reference))
        return node

    def followed(self, node: Mapping[str, Json]) -> Mapping[str, Json]:
        return dereferenced(node, self.resolve)

    def side(self, schema: Json, direction: Direction) -> Side:
        if direction not in self._translations:
            bodies = self._bodies(direction)
            self._translations[direction] = Translation(self.resolve, direction, is_31=self.is_31, bodies=bodies)
        return self._translations[direction].side(schema)

    def _bodies(self, direction: Direction) -> Iterator[Json]:
        for operation in self.operations.values():
            asked, given = [operation.body or {}], [each for each, _ in operation.responses.values()]
            for part in asked if direction == "request" else given:
                yield from (each["schema"] for each in part.get("content", {}).values() if "schema" in each)

    def place(self, steps: Steps) -> Place:
        """The line of a part, or of what is nearest around it."""
        return Place(self.file.as_posix(), self._node(steps)[1])

    def place_of_value(self, steps: Steps, inside: Sequence[str], rule: str) -> Place:
        """The line of the keyword `rule` for a place inside the values of the schema at `steps`."""
        here = steps
        for step in inside:
            ways = ((*here, "properties", step), (*here, "items"), (*here, "additionalProperties"))
            found = next(filter(None, map(self._member, ways)), None)
            if found is None:
                break
            here = found
        return self.place(self._member((*here, rule)) or here)

    def _member(self, steps: Steps) -> Steps | None:
        """The steps themselves where they lead to something, or those through a part of `allOf`."""
        if self._node(steps)[2]:
            return steps
        cut = -2 if len(steps) > 1 and steps[-2] == "properties" else -1
        parts, _, found = self._node((*steps[:cut], "allOf"))
        if not found or not isinstance(parts, yaml.SequenceNode) or len(steps) > 60:
            return None
        ways = ((*steps[:cut], "allOf", str(index), *steps[cut:]) for index in range(len(parts.value)))
        return next(filter(None, map(self._member, ways)), None)

    def _node(self, steps: Steps) -> tuple[Any, int, bool]:
        """The node that the steps lead to, or as far as they lead, its line, and whether they lead there."""
        if steps not in self._nodes:
            node, line, found = self._node(steps[:-1]) if steps else (self.root, 1, True)
            following = self._entry(self._behind(node), steps[-1]) if steps and found else None
            if following is not None:
                node, line = following[1], following[0].start_mark.line + 1
            self._nodes[steps] = node, line, following is not None or not steps
        return self._nodes[steps]

    def _behind(self, node: Any) -> Any:
        reference = self._entry(node, "$ref")
        if reference is None or not isinstance(reference[1].value, str):
            return node
        return self._behind(self._node(steps_to(reference[1].value))[0])

    def _entry(self, node: Any, key: str) -> tuple[Any, Any] | None:
        """The key and the value of an entry of a YAML node."""
        if id(node) not in self._entries:
            if isinstance(node, yaml.SequenceNode):
                self._entries[id(node)] = {str(index): (each, each) for index, each in enumerate(node.value)}
            else:
                entries = node.value if isinstance(node, yaml.MappingNode) else ()
                self._entries[id(node)] = {name.value: (name, value) for name, value in reversed(entries)}
        return self._entries[id(node)].get(key)


def template(path: str) -> str:
    """A path without the names of its parameters, which nobody sends."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def steps_to(reference: str) -> Steps:
    """The steps of a reference inside its document."""
    return tuple(map(unescape, reference.removeprefix("#/").split("/")))


def _read(name: str) -> tuple[Path, bytes]:
    reference, colon, path = name.partition(":")
    file = Path(name)
    try:
        if not colon or file.exists():
            return file, file.read_bytes()
    except OSError as error:
        raise CouldNotRun(f"{name}: cannot be read: {error.strerror}") from error
    inside = path if path.startswith(("./", "../", "/")) else f"./{path}"
    command = ["git", "show", "--end-of-options", f"{reference}:{inside}"]
    try:
        shown = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 (no shell)
    except OSError as error:
        raise CouldNotRun(f"{name}: is no file, and to read it from git, git must be installed") from error
    if shown.returncode:
        kind = NotThere if _has_not(reference, inside) else CouldNotRun
        raise kind(f"{name}: cannot be read: {' '.join(shown.stderr.decode(errors='replace').split())}")
    return Path(path), shown.stdout


def _has_not(reference: str, path: str) -> bool:
    """Whether git knows a commit, and a file is not in it; before the first commit, no file is in `HEAD`."""
    in_commit = _git("ls-tree", "--end-of-options", reference, "--", path)
    if in_commit is None and reference == "HEAD":
        return _git("rev-parse", "--quiet", "--verify", "HEAD") is None and _git("symbolic-ref", "HEAD") is not None
    return in_commit == b""


def _git(*arguments: str) -> bytes | None:
    """The output of a command that git carries out, or None."""
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)  # noqa: S603, S607 (no shell)
    return None if done.returncode else done.stdout
