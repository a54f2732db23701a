"""The contract of the controls: their own file, with what it shares with the API's contract put in its place."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..contract.document import Contract, read_document

BASE_PATH = "/_mock"
API = "../openapi.yaml"
"""What the file of the controls calls the contract of the API in its references."""
_FILE = Path(__file__).parent / "controls.yaml"


def load_controls(contract: Contract) -> Contract:
    """The controls of a mock of `contract`. Their problems are the API's, and some of their own.

    Their examples come about in the world of the API's, if it has one.
    """
    return Contract(_bundled(_own(), contract.document), BASE_PATH)


@cache
def _own() -> Mapping[str, Any]:
    return read_document(_FILE)


def _bundled(own: Mapping[str, Any], api: Mapping[str, Any]) -> dict[str, Any]:
    """One document: each component of the API that the controls refer to becomes a component of theirs."""
    components: dict[str, dict[str, Any]] = {}

    def localized(node: Any, *, foreign: bool) -> Any:
        """A node whose references stay inside the document."""
        if isinstance(node, list):
            return [localized(item, foreign=foreign) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str) and (foreign or reference.startswith(API)):
            _file, _, pointer = reference.partition("#")
            _, _, kind, name = pointer.split("/")
            if name not in components.setdefault(kind, {}):
                components[kind][name] = {}  # a recursive component meets itself here
                components[kind][name] = localized(api["components"][kind][name], foreign=True)
            return {"$ref": f"#{pointer}"}
        return {name: localized(value, foreign=foreign) for name, value in node.items()}

    document: dict[str, Any] = localized(own, foreign=False)
    for kind, shared in components.items():
        document["components"][kind] = {**shared, **document["components"].get(kind, {})}
    document["x-problems"] = {**api.get("x-problems", {}), **document["x-problems"]}
    document["x-examples"] = {**api.get("x-examples", {}), **document["x-examples"]}
    return document
