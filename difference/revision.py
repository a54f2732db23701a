"""One revision of a contract: an OpenAPI document from a file or from git, with the lines of its parts."""

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from ..contract.document import METHODS
from ..contract.operation import Operation
from ..contract.schema import Direction, dereferenced
from ..outcome import CouldNotRun
from .side import Side, Translation

Json = Any
Steps = tuple[str, ...]
"""Where something stands in a document: the keys that lead to it, references on the way left out."""


class _Loader(yaml.CSafeLoader):
    """YAML as JSON has it: a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


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
        self.root: Any
        self.document: Json
        try:
            if same_as is not None and same_as.text == text:
                self.root, self.document = same_as.root, same_as.document
            else:
                self.root, self.document = _parsed(text)
        except (yaml.YAMLError, ValueError, TypeError) as error:
            raise CouldNotRun(f"{name}: is neither YAML nor JSON: {' '.join(str(error).split())}") from error
        version = str(self.document.get("openapi", "")) if isinstance(self.document, dict) else ""
        if not version.startswith(("3.0", "3.1")):
            raise CouldNotRun(f"{name}: is not an OpenAPI 3.0 or 3.1 document")
        self.is_31 = version.startswith("3.1")
        self.version = str(self.document.get("info", {}).get("version", ""))
        self._translations: dict[str, Translation] = {}
        self.title = str(self.document.get("info", {}).get("title", ""))

    @classmethod
    def load(cls, name: str, same_as: "Revision | None" = None) -> "Revision":
        """From a file, or from `git-ref:file`. Raises CouldNotRun."""
        return cls(name, *_read(name), same_as)

    @cached_property
    def operations(self) -> dict[tuple[str, str], Declared]:
        """By the path without the names of its parameters, and the method."""
        return {
            (template(path), method): Declared(path, method, ("paths", path, method), self.followed(item), self)
            for path, item in self.document.get("paths", {}).items()
            for method in METHODS
            if method in self.followed(item)
        }

    def resolve(self, reference: str) -> Json:
        """Raises CouldNotRun for what is not inside the document."""
        if not reference.startswith("#/"):
            raise CouldNotRun(f"{self.name}: {reference}: only references inside the document are followed")
        node: Json = self.document
        for step in _steps(reference):
            try:
                node = node[int(step)] if isinstance(node, list) else node[step]
            except (KeyError, IndexError, ValueError, TypeError) as error:
                raise CouldNotRun(f"{self.name}: {reference}: refers to nothing") from error
            if isinstance(node, dict) and node.keys() == {"$ref"}:
                node = self.resolve(node["$ref"])
        return node

    def followed(self, node: Mapping[str, Json]) -> Mapping[str, Json]:
        return dereferenced(node, self.resolve)

    def side(self, schema: Json, direction: Direction) -> Side:
        if direction not in self._translations:
            self._translations[direction] = Translation(self.resolve, direction, is_31=self.is_31)
        return self._translations[direction].side(schema)

    def line(self, steps: Steps) -> int:
        """The line of a part, or of what is nearest around it."""
        return int(self._node(steps)[1])

    def line_of_value(self, steps: Steps, inside: Iterable[str], rule: str) -> int:
        """The line of the keyword `rule` for a place inside the values of the schema at `steps`."""
        here = steps
        for step in inside:
            for way in ((*here, "properties", step), (*here, "items"), (*here, "additionalProperties")):
                if (found := self._member(way)) is not None:
                    here = found
                    break
            else:
                break
        return self.line(self._member((*here, rule)) or here)

    def _member(self, steps: Steps) -> Steps | None:
        """The steps themselves where they lead to something, or those through a part of `allOf`."""
        node, _, whole = self._node(steps)
        if whole and node is not None:
            return steps
        cut = -2 if len(steps) > 1 and steps[-2] == "properties" else -1
        parts, _, found = self._node((*steps[:cut], "allOf"))
        if not found or not isinstance(parts, yaml.SequenceNode) or len(steps) > 60:
            return None
        ways = (self._member((*steps[:cut], "allOf", str(index), *steps[cut:])) for index in range(len(parts.value)))
        return next(filter(None, ways), None)

    def _node(self, steps: Steps) -> tuple[Any, int, bool]:
        """The node that the steps lead to, or as far as they lead, its line, and whether they lead there."""
        node, line = self.root, 1
        for step in steps:
            node = self._node_behind(node)
            following = _entry(node, step)
            if following is None:
                return node, line, False
            key, node = following
            line = key.start_mark.line + 1
        return node, line, True

    def _node_behind(self, node: Any) -> Any:
        reference = _entry(node, "$ref")
        if reference is None or not isinstance(reference[1].value, str):
            return node
        return self._node_behind(self._node(tuple(_steps(reference[1].value)))[0])


def _parsed(text: bytes) -> tuple[Any, Json]:
    """The nodes of a YAML text, which know their lines, and the document that they are."""
    loader = _Loader(text)
    root = loader.get_single_node()
    if b"<<" in text:  # merge keys: the library knows what they mean
        return root, json.loads(json.dumps(loader.construct_document(root)))
    return root, _value(root, loader)


def _value(node: Any, loader: Any) -> Json:
    """A node as JSON has it: names are strings, and nothing is shared."""
    if isinstance(node, yaml.MappingNode):
        return {name.value: _value(each, loader) for name, each in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, loader) for each in node.value]
    return node.value if node.tag == "tag:yaml.org,2002:str" else loader.construct_object(node)


def template(path: str) -> str:
    """A path without the names of its parameters, which nobody sends."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def _steps(reference: str) -> list[str]:
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.removeprefix("#/").split("/")]


def _entry(node: Any, key: str) -> tuple[Any, Any] | None:
    """The key and the value of an entry of a YAML node."""
    if isinstance(node, yaml.SequenceNode) and key.isdecimal() and int(key) < len(node.value):
        return node.value[int(key)], node.value[int(key)]
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(((name, value) for name, value in node.value if name.value == key), None)


def _read(name: str) -> tuple[Path, bytes]:
    reference, colon, path = name.partition(":")
    file = Path(name)
    try:
        if not colon or file.exists():
            return file, file.read_bytes()
        inside = path if path.startswith(("./", "../", "/")) else f"./{path}"
        shown = subprocess.run(  # noqa: S603 (no shell, and git says what is wrong)
            ["git", "show", "--end-of-options", f"{reference}:{inside}"],  # noqa: S607
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise CouldNotRun(f"{name}: cannot be read: {error.strerror}") from error
    if shown.returncode:
        raise CouldNotRun(f"{name}: cannot be read: {' '.join(shown.stderr.decode(errors='replace').split())}")
    return Path(path), shown.stdout
