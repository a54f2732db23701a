"""The contract: an OpenAPI document, loaded and compiled, the source of every fact of the API."""

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from .actions import Action, read_actions
from .finding import Level
from .generator import Generator
from .grammar import METHODS, objects
from .operation import Operation
from .paths import Paths, Route
from .references import Bundle, InvalidContract, References, read_file
from .resource import Resource
from .schema import Direction
from .security import Security
from .severity import Severities
from .yaml_tree import InvalidYaml, MarkedYaml, read_yaml

__all__ = ["BUILT_IN", "METHODS", "Contract", "InvalidContract", "read_document"]

NOTHING: Mapping[str, Level] = MappingProxyType({})
BUILT_IN = (Path(__file__).parent.parent / "openapi.yaml").resolve()  # installers may link each file


class Contract:
    """A compiled OpenAPI 3.0 or 3.1 document, self-contained.

    `base_path` is the prefix of its paths on a mock without another prefix.
    """

    def __init__(
        self, document: Mapping[str, Any], base_path: str = "", *, severity: Mapping[str, Level] = NOTHING
    ) -> None:
        """`severity` overrides the document's own `x-severity`. Raises InvalidContract."""
        self.document, self.base_path = document, base_path
        self.severities = Severities(document.get("x-severity", {}), severity)
        self.path: Path | None = None
        """The file of the document, if it is a single one."""
        self.text = b""
        """The text of the document's first file, which may be a pipe."""
        self.title: str = document["info"]["title"]
        self.version: str = str(document["info"]["version"])
        self.resolve = References(document)
        """Resolves a `$ref` inside the document; raises InvalidContract."""
        self.operations: dict[str, Operation] = {}
        self._generators = {direction: Generator(self.resolve, direction) for direction in get_args(Direction)}
        self.problems: Mapping[str, Mapping[str, Any]] = document.get("x-problems", {})
        """The `x-problems` declaration: status and title by kind of problem."""
        self.path_items: Mapping[str, Mapping[str, Any]] = {
            path: item for path, item in document.get("paths", {}).items() if not path.startswith("x-")
        }
        """The path items by path, in the order of the document."""
        by_path = {
            path: {method.upper(): self._operation(path, method, item) for method in METHODS if method in item}
            for path, item in self.path_items.items()
        }
        for operations in by_path.values():
            self.operations |= {operation.id: operation for operation in operations.values()}
        self._paths = Paths(by_path.items())

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        asked = item[method].get("security", self.document.get("security", ()))
        security = Security(asked, self.security_schemes)
        return Operation(path, method, item, self.resolve, self.severities, security)

    @classmethod
    def load(
        cls, path: Path = BUILT_IN, *, validate: bool = True, severity: Mapping[str, Level] = NOTHING
    ) -> "Contract":
        """The contract of a file. Raises InvalidContract, also for an unreadable file."""
        text = _read(path)
        document, files = document_of(str(path), text), 1
        try:
            if validate:
                from .validation import judge  # slow to load

                files = len(Bundle(document, path).files)
                judge(document)
            contract = cls(document, severity=severity)
            if validate:
                _ = contract.actions  # raises InvalidContract for a wrong x-resource now
        except InvalidContract as error:
            line = _line(text, error.at)
            raise InvalidContract(f"{path}{f':{line}' if line else ''}: {error}") from error
        contract.path, contract.text = path if files == 1 else None, text
        return contract

    def route(self, path: str) -> Route | None:
        """The route of a percent-encoded path; None for an unknown one."""
        return self._paths.find(path)

    @cached_property
    def _read_actions(self) -> tuple[list[Resource], dict[str, Action]]:
        return read_actions(self.document, self.operations, self.resolve)

    @property
    def resources(self) -> list[Resource]:
        """The resources that the contract declares, in its order."""
        return self._read_actions[0]

    @property
    def actions(self) -> Mapping[str, Action]:
        """The actions on resources by operationId; other operations have none."""
        return self._read_actions[1]

    @property
    def resource(self) -> Resource | None:
        """The first resource that the contract declares."""
        return next(iter(self.resources), None)

    @cached_property
    def security_schemes(self) -> Mapping[str, Mapping[str, Any]]:
        declared = self.document.get("components", {}).get("securitySchemes", {})
        return {name: self.resolve.followed(each) for name, each in declared.items()}

    @cached_property
    def roles(self) -> Mapping[str, list[str]]:
        """The `x-roles` declaration: by role, the members of a document that must equal those of the caller's token."""
        return next((each["x-roles"] for each in self.security_schemes.values() if "x-roles" in each), {})

    @cached_property
    def rules(self) -> Mapping[str, Mapping[str, Any]]:
        """The rules across members by id: for each a schema that declares it (`x-rule`)."""
        schemas = (node for kind, _, node in objects(dict(self.document)) if kind == "schema")
        return {each["x-rule"]["id"]: each for each in schemas if isinstance(each.get("x-rule"), dict)}

    def values(self, direction: Direction) -> Generator:
        """The generator of values of the schemas, for one direction."""
        return self._generators[direction]

    def served_at(self, base_path: str, *, authenticated: bool = False) -> dict[str, Any]:
        """The document with `base_path` as its only server.

        `authenticated` says that the server requires a token.
        """
        here = base_path or "/"
        servers = [each for each in self.document.get("servers", ()) if each.get("url") == here] or [{"url": here}]
        paths = {path: _without_servers(item) for path, item in self.document.get("paths", {}).items()}
        served = {**self.document, "servers": servers, "paths": paths}
        return {**served, "security": [{name: []} for name in self.security_schemes]} if authenticated else served


def _without_servers(item: Any) -> Any:
    """A path item, or an operation, without `servers`."""
    if not isinstance(item, Mapping):
        return item
    return {
        name: _without_servers(each) if name in METHODS else each for name, each in item.items() if name != "servers"
    }


def read_document(path: Path) -> dict[str, Any]:
    """The OpenAPI document in a file, not validated. Raises InvalidContract."""
    return document_of(str(path), _read(path))


def _read(path: Path) -> bytes:
    """Raises InvalidContract."""
    try:
        return read_file(path)
    except OSError as error:
        raise InvalidContract(f"{path}: cannot be read: {error.strerror}") from error


def document_of(name: str, text: bytes) -> dict[str, Any]:
    """The OpenAPI document in a text, not validated; `name` is for messages. Raises InvalidContract."""
    try:
        document = read_yaml(text)
    except InvalidYaml as error:
        raise InvalidContract(f"{name}: {error}") from error
    version = document.get("openapi", document.get("swagger")) if isinstance(document, dict) else None
    if not isinstance(document, dict) or not re.match(r"3\.[01]\.", str(version)) or "openapi" not in document:
        found = f"it says {str(version)[:20]}" if version is not None else "it does not say which version it is"
        raise InvalidContract(f"{name}: is not an OpenAPI 3.0 or 3.1 document: {found}")
    return document


def _line(text: bytes, at: tuple[str | int, ...]) -> int | None:
    try:
        return MarkedYaml(text).line(at)
    except InvalidYaml:
        return None
