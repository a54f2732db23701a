"""The targets of `$ref`: inside the document, and, while it is loaded, in other files below its folder.

A loaded document is self-contained: objects of other files are among its components, path items take the place of the
references to them, and anchors and ids of JSON Schema become JSON Pointers. No URL is fetched, and no file outside of
the folder is read.
"""

import errno
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from .dialect import NEVER, Translator, dialect_of, is_31
from .formats import is_pattern
from .grammar import COMPONENTS, inside, is_container, objects
from .pointer import fragment, json_pointer, steps_of
from .yaml_tree import InvalidYaml, copied, read_yaml

MAX_FILES = 5_000
MAX_BYTES = 100_000_000
"""The most files of a document, and the most bytes of a file, and of all of them."""

_MEMBER_OF = {kind: member for member, kind in COMPONENTS.items()}


class InvalidContract(Exception):
    """A file that is no valid OpenAPI document; the message is one line with the reason and the place.

    `at` is the path of the invalid object, if any.
    """

    def __init__(self, message: str, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{json_pointer(at)} {message}" if at else message)
        self.at = at


class References:
    """The references of a loaded document, all of them inside of it; and the dialect of its schemas."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Raises InvalidContract for an unknown dialect."""
        self._document = document
        self.is_31 = is_31(document)
        try:
            self.dialect = dialect_of(document)
        except LookupError as error:
            raise InvalidContract(f"/jsonSchemaDialect: {error} is not known") from error
        self.judges: Callable[[str], bool] = lru_cache(10_000)(partial(is_pattern, dialect=self.dialect))
        """Whether the engine supports a regular expression."""
        self.translators = {hidden: Translator(self, hidden, self.judges) for hidden in ("readOnly", "writeOnly")}
        """The shared translators, by the keyword of the members that a direction does not have."""
        self._targets: dict[str, Any] = {}
        """The targets of references that were followed."""
        self._merged: dict[int, tuple[Any, Mapping[str, Any]]] = {}  # with the node, so that its id is not reused
        self.flat: dict[int, tuple[Any, dict[str, Any]]] = {}
        """The results of `shape.flattened`, by the id of the schema, with the schema."""

    def __call__(self, reference: str, above: Collection[str] = ()) -> Any:
        """The target of a `$ref` inside the document. Raises InvalidContract."""
        passed: set[str] = set()
        while reference not in self._targets:
            if reference != "#" and not reference.startswith("#/"):
                raise InvalidContract(f"{reference}: only references inside the document are followed")
            if reference in passed or reference in above:
                raise InvalidContract(f"{reference}: refers to itself")
            passed.add(reference)
            node: Any = self._document
            for step in steps_of(reference):
                following = _step(node, step)
                if following is _NOTHING and isinstance(node, dict) and isinstance(node.get("$ref"), str):
                    following = _step(self(node["$ref"], passed.union(above)), step)
                if following is _NOTHING:
                    raise InvalidContract(f"{reference}: refers to nothing")
                node = following
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str) or (len(node) > 1 and self.is_31):
                self._targets[reference] = node
            else:
                reference = node["$ref"]
        target = self._targets[reference]
        self._targets |= dict.fromkeys(passed, target)
        return target

    def followed(self, node: Any) -> Mapping[str, Any]:
        """The node itself, or the target of its `$ref`; in 3.1 with the siblings of the reference merged into it.

        A boolean schema becomes an equivalent object.
        """
        if not isinstance(node, Mapping):
            return NEVER if node is False else {}
        if not isinstance(node.get("$ref"), str):
            return node
        if len(node) == 1 or not self.is_31:
            return self.followed(self(node["$ref"]))
        if id(node) not in self._merged:
            beside = {name: value for name, value in node.items() if name != "$ref"}
            self._merged[id(node)] = node, {**self.followed(self(node["$ref"])), **beside}
        return self._merged[id(node)][1]


NO_REFERENCES = References({})
"""The references of schemas without any."""
_NOTHING = object()


def _step(node: Any, step: str) -> Any:
    if isinstance(node, dict):
        return node.get(step, _NOTHING)
    if isinstance(node, list) and step.isdecimal() and int(step) < len(node):
        return node[int(step)]
    return _NOTHING


def read_file(path: Path) -> bytes:
    """The content of a file that a user named. Raises OSError, also where it has more than MAX_BYTES."""
    with path.open("rb") as file:
        pieces = iter(partial(file.read, 1_000_000), b"")
        content = b"".join(islice(pieces, MAX_BYTES // 1_000_000 + 1))
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"is larger than {MAX_BYTES // 1_000_000} MB", str(path))
    return content


def read_regular_file(path: Path) -> bytes:
    """As `read_file`, for a path in a document, which may lead to a device. Raises OSError."""
    if not path.is_file():
        raise FileNotFoundError
    return read_file(path)


class _Open(NamedTuple):
    """An object whose references are still to be followed, with its file and its path in the document."""

    kind: str
    path: tuple[str | int, ...]
    node: dict[str, Any]
    file: Path


class Bundle:
    """Makes the document of a file self-contained."""

    def __init__(
        self,
        document: dict[str, Any],
        path: Path,
        read: Callable[[Path], bytes] = read_regular_file,
        known: Mapping[Path, Any] = MappingProxyType({}),
    ) -> None:
        """`read` returns the text of a file that is not in `known`, or raises an OSError. Raises InvalidContract."""
        self._document, self._main, self._read_text = document, path.resolve(), read
        self._folder = self._main.parent
        self.files: dict[Path, Any] = {self._main: document, **known}
        self._bytes = 0
        self._names: dict[tuple[Path, str, str], str] = {}
        """The references to the components from other files, by file, pointer and kind."""
        self._open = [_Open("document", (), document, self._main)]
        self._known = dict(_anchors(document)) if is_31(document) else {}
        while self._open:
            each = self._open.pop()
            file = self._follow(each)
            files = self._fill_in(each._replace(file=file))
            found = [
                _Open(kind, (*each.path, *inner), node, files.get(str(inner[0]), file))
                for kind, inner, node in inside(each.kind, each.node)
            ]
            self._open += reversed(found)

    @property
    def origins(self) -> dict[str, tuple[Path, str]]:
        """The file and the pointer of each component from another file, by the reference to it."""
        return {reference: (file, pointer) for (file, pointer, _), reference in self._names.items()}

    def _fill_in(self, here: _Open) -> dict[str, Path]:
        """Replace references where OpenAPI has none, such as that to all paths; returns the files by member."""
        files = {}
        for member, value in here.node.items():
            if not isinstance(value, dict) or not self._is_far(value, here) or not is_container(here.kind, member):
                continue
            file, _, target = self._target(value["$ref"], here._replace(path=(*here.path, member)))
            beside = {name: each for name, each in value.items() if name != "$ref"}
            here.node[member] = {**copied(target), **beside} if isinstance(target, dict) else copied(target)
            files[member] = file
        return files

    def _is_far(self, node: dict[str, Any], here: _Open) -> bool:
        """Whether a node is a reference to another file."""
        reference = node.get("$ref")
        return isinstance(reference, str) and not (here.file == self._main and reference.startswith("#"))

    def _follow(self, here: _Open) -> Path:
        """Make the references of one object local; returns the file of the objects inside of it."""
        node, file = here.node, here.file
        if here.kind == "schema":
            self._anchored(node)
            discriminator = node.get("discriminator")
            named = discriminator.get("mapping") if isinstance(discriminator, dict) else None
            mapping = named if isinstance(named, dict) else {}
            for name, target in mapping.items():
                if isinstance(target, str) and ("/" in target or target.endswith((".yaml", ".yml", ".json"))):
                    mapping[name] = self._local(target, here)
        if not isinstance(node.get("$ref"), str):
            return file
        if here.kind == "pathItem" or (here.kind not in _MEMBER_OF and self._is_far(node, here)):
            return self._put_in_place(here)
        if here.kind in _MEMBER_OF:
            node["$ref"] = self._local(node["$ref"], here)
        return file

    def _anchored(self, node: dict[str, Any]) -> None:
        """Replace references by anchor or id with JSON Pointers; a dynamic one becomes one to its own declaration."""
        if "$dynamicRef" in node and "$ref" not in node:
            node["$ref"] = node.pop("$dynamicRef")
        if isinstance(node.get("$ref"), str):
            node["$ref"] = self._known.get(node["$ref"], node["$ref"])

    def _put_in_place(self, here: _Open) -> Path:
        """Replace the reference to a path item with it, merged with the siblings; returns its file."""
        file, seen = here.file, []
        while isinstance(reference := here.node.pop("$ref", None), str):
            file, pointer, target = self._target(reference, here._replace(file=file))
            ends = target is not here.node and (file, pointer) not in seen
            if not ends or not isinstance(target, dict):
                what = "refers to nothing" if ends else "refers to itself"
                raise InvalidContract(f"{reference}: {what}", here.path)
            seen.append((file, pointer))
            beside = dict(here.node)
            here.node.clear()
            here.node.update({**copied(target), **beside})
        return file

    def _local(self, reference: str, here: _Open) -> str:
        """The equivalent reference inside the document."""
        if here.file == self._main and reference.startswith("#"):
            return reference
        file, pointer, target = self._target(reference, here)
        if file == self._main:
            return f"#{pointer}"
        key = file, pointer, here.kind
        if key not in self._names:
            member = _MEMBER_OF.get(here.kind, "schemas")
            components = self._document.setdefault("components", {})
            named = components.setdefault(member, {}) if isinstance(components, dict) else {}
            name = free = _name((steps_of(f"#{pointer}") or [file.stem])[-1])
            number = 1
            while free in named:
                number += 1
                free = f"{name}-{number}"
            named[free] = copied(target)
            self._names[key] = f"#/components/{member}/{free}"
            if isinstance(target, dict):
                self._open.append(_Open(here.kind, ("components", member, free), named[free], file))
        return self._names[key]

    def _target(self, reference: str, here: _Open) -> tuple[Path, str, Any]:
        """The file, the pointer and the target of a reference. Raises InvalidContract."""
        parts = urlsplit(reference)
        if parts.scheme or parts.netloc or parts.path.startswith("/"):
            raise InvalidContract(f"{reference}: {_LIMITS}", here.path)
        try:
            file = (here.file.parent / unquote(parts.path)).resolve() if parts.path else here.file
        except (OSError, ValueError, RuntimeError) as error:
            raise InvalidContract(f"{reference}: is no path of a file", here.path) from error
        if file not in self.files and not file.is_relative_to(self._folder):
            raise InvalidContract(f"{reference}: {_LIMITS}", here.path)
        node = self._read(file, reference, here.path)
        for step in steps_of(reference):
            node = _step(node, step)
        if node is _NOTHING:
            raise InvalidContract(f"{reference}: refers to nothing", here.path)
        return file, parts.fragment, node

    def _read(self, file: Path, reference: str, at: tuple[str | int, ...]) -> Any:
        if file not in self.files:
            try:
                text = self._read_text(file)
                self._bytes += len(text)
                if len(self.files) >= MAX_FILES or self._bytes > MAX_BYTES:
                    raise InvalidContract(f"refers to more than {MAX_FILES} files, or to more than {MAX_BYTES} bytes")
                self.files[file] = read_yaml(text)
            except FileNotFoundError as error:
                raise InvalidContract(f"{reference}: there is no such file", at) from error
            except OSError as error:
                raise InvalidContract(f"{reference}: cannot be read: {error.strerror}", at) from error
            except InvalidYaml as error:
                raise InvalidContract(f"{reference}: {error}", at) from error
        return self.files[file]


_LIMITS = "references lead into the document, and into files in its folder or below"


def _name(text: str) -> str:
    """A text as a valid name of a component."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-") or "part"


def _anchors(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The references by `$anchor` and by `$id` that a document defines, each with its pointer."""
    for kind, path, node in objects(document):
        if kind == "schema":
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(node.get(keyword), str):
                    yield f"#{node[keyword]}", fragment(path)
            if isinstance(node.get("$id"), str):
                yield node["$id"], fragment(path)
