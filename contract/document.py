"""The contract: an OpenAPI document, loaded and compiled. Everything that needs a fact of the API asks here."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from .finding import Level
from .operation import Operation
from .paths import Paths, Route
from .resource import Resource
from .schema import dereferenced
from .security import Security
from .severity import Severities
from .yaml_tree import NotPlain, read_yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
NOTHING: Mapping[str, Level] = MappingProxyType({})
BUILT_IN = Path(__file__).parent.parent / "openapi.yaml"


class InvalidContract(Exception):
    """A file that is not an OpenAPI 3.0 document; the message says which, where and why, in one line."""


class Contract:
    """A compiled OpenAPI 3.0 document. `base_path` is where its paths are on a mock that is mounted nowhere else."""

    def __init__(
        self, document: Mapping[str, Any], base_path: str = "", *, severity: Mapping[str, Level] = NOTHING
    ) -> None:
        """`severity` counts more than the document's own `x-severity`."""
        self.document, self.base_path = document, base_path
        self.severities = Severities(document.get("x-severity", {}), severity)
        self.title: str = document["info"]["title"]
        self.version: str = str(document["info"]["version"])
        self.operations: dict[str, Operation] = {}
        by_path = {
            path: {method.upper(): self._operation(path, method, item) for method in METHODS if method in item}
            for path, item in document["paths"].items()
        }
        for operations in by_path.values():
            self.operations |= {operation.id: operation for operation in operations.values()}
        self._paths = Paths(by_path.items())

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        asked = item[method].get("security", self.document.get("security", ()))
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        return Operation(path, method, item, self.resolve, self.severities, Security(asked, schemes, self.resolve))

    @classmethod
    def load(
        cls, path: Path = BUILT_IN, *, validate: bool = True, severity: Mapping[str, Level] = NOTHING
    ) -> "Contract":
        """Raises InvalidContract, also for a file that cannot be read."""
        document = read_document(path)
        if not validate:
            return cls(document, severity=severity)
        from .validation import validated  # what it needs takes a second to load

        try:
            return validated(document, lambda judged: cls(judged, severity=severity))
        except InvalidContract as error:
            raise InvalidContract(f"{path}: {error}") from error

    def resolve(self, reference: str, above: tuple[str, ...] = ()) -> Any:
        """What a `$ref` inside the document refers to. Nothing outside of it is ever read. Raises InvalidContract."""
        if not reference.startswith("#/"):
            raise InvalidContract(f"{reference}: only references inside the document are followed")
        if reference in above:
            raise InvalidContract(f"{reference}: refers to itself")
        node: Any = self.document
        for step in reference[2:].split("/"):
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key)] if isinstance(node, list) else node[key]
            except (KeyError, IndexError, ValueError, TypeError) as error:
                raise InvalidContract(f"{reference}: refers to nothing") from error
            if isinstance(node, dict) and isinstance(node.get("$ref"), str):
                node = self.resolve(node["$ref"], (*above, reference))
        return node

    def dereferenced(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The node itself, or what its `$ref` refers to."""
        return dereferenced(node, self.resolve)

    def route(self, path: str) -> Route | None:
        """The operations of a path, percent-encoded as it was sent; None for an unknown path."""
        return self._paths.find(path)

    @cached_property
    def resource(self) -> Resource | None:
        """What the contract says is stored."""
        return Resource.of(self.document)

    @property
    def stored(self) -> Resource:
        """What the contract says is stored. Raises InvalidContract where it says nothing."""
        if self.resource is None:
            raise InvalidContract(f"{self.title}: no schema has an x-resource, so there is nothing to store")
        return self.resource

    @cached_property
    def roles(self) -> Mapping[str, list[str]]:
        """The `x-roles` declaration: by role, the members in which what is stored must equal the caller's token."""
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        return next((scheme["x-roles"] for scheme in schemes.values() if "x-roles" in scheme), {})

    @property
    def problems(self) -> Mapping[str, Mapping[str, Any]]:
        """The `x-problems` declaration: status and title by kind of problem."""
        declared: Mapping[str, Mapping[str, Any]] = self.document.get("x-problems", {})
        return declared

    def served_at(self, base_path: str, *, authenticated: bool = False) -> dict[str, Any]:
        """The document as a server mounted at `base_path` shows it; `authenticated` says that it asks for a token."""
        servers = [{"url": base_path}] if base_path else self.document.get("servers", [{"url": "/"}])
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        served = {**self.document, "servers": servers}
        return {**served, "security": [{name: []} for name in schemes]} if authenticated else served


def read_document(path: Path) -> dict[str, Any]:
    """An OpenAPI 3.0 document as it is written, unjudged. Raises InvalidContract."""
    try:
        document = read_yaml(path.read_bytes())
    except OSError as error:
        raise InvalidContract(f"{path}: cannot be read: {error.strerror}") from error
    except NotPlain as error:
        raise InvalidContract(f"{path}: {error}") from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3.0"):
        raise InvalidContract(f"{path}: is not an OpenAPI 3.0 document")
    return document
