"""Interactions as they can be shown."""

from dataclasses import replace

from ..contract.interaction import Interaction
from ..contract.redaction import Redaction


def redacted(shown: Interaction, redaction: Redaction) -> Interaction:
    """A copy without secrets."""
    return replace(
        shown,
        url=redaction.url(shown.url),
        request_headers=tuple(redaction.headers(shown.request_headers)),
        request_body=redaction.body(shown.request_body),
        response_headers=tuple(redaction.headers(shown.response_headers)),
        response_body=redaction.body(shown.response_body),
        error=redaction.text(shown.error),
    )
