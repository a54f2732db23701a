"""The contract of the controls: their own file, with what it shares with the API's contract put in its place."""

import json
from pathlib import Path
from typing import Any

from ..contract.document import Contract, read_document

SHARED = "../openapi.yaml#/"
_FILE = Path(__file__).parent / "controls.yaml"


def load_controls(contract: Contract) -> Contract:
    """The controls of a mock of `contract`. Their problems are the API's, and some of their own."""
    own = read_document(_FILE)
    document: dict[str, Any] = json.loads(json.dumps(own).replace(f'"{SHARED}', '"#/'))
    components = contract.document["components"]
    document["components"] = {
        kind: {**components.get(kind, {}), **document["components"].get(kind, {})}
        for kind in {*components, *document["components"]}
        if kind != "securitySchemes"
    } | {"securitySchemes": document["components"]["securitySchemes"]}
    document["x-problems"] = {**contract.problems, **document["x-problems"]}
    return Contract(document)
