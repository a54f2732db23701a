"""The pages beside the operations: the reference, the contract as YAML and JSON, and redirects to them."""

from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..contract.aside import aside
from ..contract.strict_json import encoded
from ..documentation.served import ServedReference


def reference_pages(
    place: str, reference: ServedReference, document: dict[str, Any], text: bytes | None = None
) -> list[Route]:
    """The pages of one contract below `place`; `text` is its original YAML, where that is served unchanged."""
    as_json = encoded(document, indent=True)

    async def openapi_yaml(_request: Request) -> Response:
        nonlocal text
        text = text or await aside(_dump, document)  # rarely requested
        return Response(text, media_type="application/yaml")

    return [
        *reference.routes(place),
        fixed(f"{place}/openapi.json", Response(as_json, media_type="application/json")),
        Route(f"{place}/openapi.yaml", openapi_yaml),
    ]


def fixed(place: str, response: Response) -> Route:
    """A route with a constant response."""
    return Route(place, response, methods=["GET"])


def _dump(document: dict[str, Any]) -> bytes:
    dumped: bytes = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120, encoding="utf-8")
    return dumped
