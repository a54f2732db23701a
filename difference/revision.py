"""One revision of a contract: an OpenAPI document from files or from git, with the lines of its parts."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import yaml

from ..contract.document import document_of
from ..contract.finding import one_line
from ..contract.grammar import METHODS
from ..contract.normal_schema import NormalSchema, NormalSchemas
from ..contract.operation import Operation
from ..contract.parameters import Parameter
from ..contract.path_template import blank, parameters_of
from ..contract.pointer import steps_of
from ..contract.references import Bundle, InvalidContract, References, read_file, read_regular_file
from ..contract.schema import Direction, Json
from ..contract.yaml_tree import InvalidYaml, MarkedYaml
from ..outcome import CouldNotRun
from .change import SourceLine

Steps = tuple[str, ...]
"""The path of a part of a document: the keys along the way, without those of references."""


class FileNotInCommit(CouldNotRun):
    """The file is not in the commit."""


class RevisionOperation(Operation):
    """An operation of a revision, and where it stands."""

    def __init__(self, path: str, method: str, item: Mapping[str, Json], revision: "Revision") -> None:
        super().__init__(path, method, item, revision.resolve)
        self.revision, self._item = revision, item
        self.steps: Steps = ("paths", path, method)

    @cached_property
    def placed(self) -> dict[tuple[str, str], tuple[Parameter, Steps]]:
        """Its parameters and where each stands, by place and name: a header's in lower case, a path's its position."""
        places = {}
        for steps, owner in ((self.steps[:-1], self._item), (self.steps, self.declared)):
            for index, each in enumerate(map(self.resolve.followed, owner.get("parameters", ()))):
                places[each["name"], each["in"]] = (*steps, "parameters", str(index))
        found, names = {}, parameters_of(self.path)
        for parameter in self.parameters:
            key = parameter.name.lower() if parameter.place == "header" else parameter.name
            if parameter.place == "path" and key in names:
                key = str(names.index(key))
            found[str(parameter.place), key] = (parameter, places[parameter.name, parameter.place])
        return found

    def steps_of(self, status: str) -> Steps:
        """The steps of a response."""
        written = next(each for each in map(str, self.declared["responses"]) if each.upper() == status)
        return (*self.steps, "responses", written)

    @property
    def alternatives(self) -> list[Mapping[str, list[str]]]:
        """The security requirements, one of which is enough; an empty one needs no credentials."""
        alternatives = self.declared.get("security", self.revision.document.get("security", []))
        return list(alternatives) or [{}]


class Revision:
    """A document for `diff`: its operations, sides and lines."""

    def __init__(
        self,
        name: str,
        file: Path,
        text: bytes,
        same_as: "Revision | None" = None,
        read: Callable[[Path], bytes] = read_regular_file,
    ) -> None:
        """`read` returns the texts of other files. Files that `same_as` has, too, are not parsed again.

        Raises CouldNotRun.
        """
        self.name, self.file, self._read_text = name, file, read
        self._main = file.resolve()
        self.texts = {self._main: text}
        self.document: dict[str, Json]
        self.origins: dict[str, tuple[Path, str]]
        try:
            if same_as is not None and list(same_as.texts.values()) == [text]:
                self.document, self.origins = same_as.document, same_as.origins
            else:
                self.document = document_of(name, text)
                self.origins = self._whole()
            self.resolve = References(self.document)
        except InvalidContract as error:
            raise CouldNotRun(str(error)) from error
        info = self.document.get("info", {})
        if not isinstance(info, dict):
            raise CouldNotRun(f"{name}: /info must be an object")
        self.version, self.title = str(info.get("version", "")), str(info.get("title", ""))
        self._normal_schemas: dict[str, NormalSchemas] = {}
        self.bodies: dict[tuple[int, Direction], list[Json]] = {}
        """A cache of example bodies, by the id of the media type's content."""
        self._marked: dict[Path, MarkedYaml] = {}
        self._nodes: dict[tuple[Path, Steps], _Node] = {}

    @classmethod
    def load(cls, name: str, same_as: "Revision | None" = None) -> "Revision":
        """The revision in a file or `git-ref:file`. Raises CouldNotRun, FileNotInCommit."""
        reference, colon, path = name.partition(":")
        try:
            text = None if colon and not Path(name).exists() else read_file(Path(name))
        except OSError as error:
            raise CouldNotRun(f"{name}: cannot be read: {error.strerror}") from error
        if text is not None:
            return cls(name, Path(name), text, same_as)
        return cls(name, Path(path), _in_commit(name, reference, path), same_as, partial(_other_in_commit, reference))

    def _whole(self) -> dict[str, tuple[Path, str]]:
        """Make the document self-contained; returns the origin of each component, by the reference to it."""

        def read(file: Path) -> bytes:
            self.texts[file] = self._read_text(file)
            return self.texts[file]

        try:
            return Bundle(self.document, self.file, read).origins
        except InvalidContract as error:
            raise InvalidContract(f"{self.name}: {error}") from error

    @cached_property
    def operations(self) -> dict[tuple[str, str], RevisionOperation]:
        """The operations by path, without the names of parameters, and method."""
        return {
            (blank(path), method): RevisionOperation(path, method, item, self)
            for path, item in self.document.get("paths", {}).items()
            for method in METHODS
            if method in item
        }

    @property
    def roles(self) -> set[str]:
        """The roles of the contract."""
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        return {role for scheme in schemes.values() for role in scheme.get("x-roles", ())}

    def normal_schema(self, schema: Json, direction: Direction) -> NormalSchema:
        if direction not in self._normal_schemas:
            self._normal_schemas[direction] = NormalSchemas(self.resolve, direction, self._bodies(direction))
        return self._normal_schemas[direction].of(schema)

    def _bodies(self, direction: Direction) -> Iterator[Json]:
        for operation in self.operations.values():
            given = [each.representations for each in operation.responses.values()]
            for contents in [operation.request_body.contents] if direction == "request" else given:
                yield from (each.raw for each in contents.values())

    def place(self, steps: Steps) -> SourceLine:
        """The line of a part, or of the nearest one around it."""
        found = self._node(self._main, steps)
        file = self.file.parent / found.file.relative_to(self._main.parent)
        return SourceLine((self.file if found.file == self._main else file).as_posix(), found.line)

    def place_of_value(self, steps: Steps, inside: Sequence[str], rule: str) -> SourceLine:
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
        """The steps themselves where they exist, or those through a part of `allOf`."""
        if self._node(self._main, steps).is_there:
            return steps
        cut = -2 if len(steps) > 1 and steps[-2] == "properties" else -1
        parts = self._node(self._main, (*steps[:cut], "allOf"))
        if not parts.is_there or not isinstance(parts.node, yaml.SequenceNode) or len(steps) > 60:
            return None
        ways = ((*steps[:cut], "allOf", str(index), *steps[cut:]) for index in range(len(parts.node.value)))
        return next(filter(None, map(self._member, ways)), None)

    def _node(self, file: Path, steps: Steps) -> "_Node":
        """The node at the steps from the root of a file, or the last one that exists."""
        if (file, steps) not in self._nodes:
            self._nodes[file, steps] = self._found(file, steps)
        return self._nodes[file, steps]

    def _found(self, file: Path, steps: Steps) -> "_Node":
        if not steps:
            return _Node(self._yaml(file).root, file, 1, is_there=True)
        if len(steps) == 3 and file == self._main and (origin := self.origins.get(f"#/{'/'.join(steps)}")):
            return self._node(origin[0], tuple(steps_of(f"#{origin[1]}")))
        above = self._node(file, steps[:-1])
        behind = self._followed(above) if above.is_there else above
        entry = self._yaml(behind.file).entry(behind.node, steps[-1]) if above.is_there else None
        if entry is None:
            return above._replace(is_there=False)
        return _Node(entry[1], behind.file, entry[0].start_mark.line + 1, is_there=True)

    def _followed(self, found: "_Node") -> "_Node":
        """The node itself, or the target of its `$ref`."""
        reference = self._yaml(found.file).entry(found.node, "$ref")
        if reference is None or not isinstance(reference[1].value, str):
            return found
        path = reference[1].value.partition("#")[0]
        file = (found.file.parent / unquote(path)).resolve() if path else found.file
        return self._followed(self._node(file, tuple(steps_of(reference[1].value)))) if file in self.texts else found

    def _yaml(self, file: Path) -> MarkedYaml:
        """Raises CouldNotRun."""
        if file not in self._marked:
            try:
                self._marked[file] = MarkedYaml(self.texts[file])
            except InvalidYaml as error:
                raise CouldNotRun(f"{self.name}: {error}") from error
        return self._marked[file]


class _Node(NamedTuple):
    """A node of YAML, its file and its line."""

    node: Any
    file: Path
    line: int
    is_there: bool
    """Whether the node is at the steps, not the nearest one around."""


def _in_commit(name: str, reference: str, path: str) -> bytes:
    """The text of a file in a commit. Raises CouldNotRun; FileNotInCommit where the commit lacks the file."""
    inside = path if path.startswith(("./", "../", "/")) else f"./{path}"
    try:
        shown = _git("show", "--end-of-options", f"{reference}:{inside}")
    except OSError as error:
        raise CouldNotRun(f"{name}: is no file, and to read it from git, git must be installed") from error
    if shown.returncode == 0:
        return shown.stdout
    found = _git("ls-tree", "--end-of-options", reference, "--", inside)
    is_missing = found.returncode == 0 and not found.stdout
    if reference == "HEAD" and found.returncode:  # before the first commit
        is_born = _git("rev-parse", "--quiet", "--verify", "HEAD").returncode == 0
        is_missing = not is_born and _git("symbolic-ref", "HEAD").returncode == 0
    why = one_line(shown.stderr.decode(errors="replace"))
    raise (FileNotInCommit if is_missing else CouldNotRun)(f"{name}: cannot be read: {why}")


def _other_in_commit(reference: str, file: Path) -> bytes:
    """The text of another file in a commit. Raises FileNotFoundError."""
    shown = _git("show", "--end-of-options", f"{reference}:./{os.path.relpath(file)}")
    if shown.returncode:
        raise FileNotFoundError
    return shown.stdout


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], capture_output=True, check=False)  # noqa: S603, S607 (no shell)
