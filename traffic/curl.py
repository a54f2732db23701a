"""A request as a curl command that sends it again."""

import shlex

from ..contract.interaction import Interaction

_CURL_SENDS = {
    "host",
    "content-length",
    "accept-encoding",
    "connection",
    "user-agent",
    "transfer-encoding",
    "x-schemathesis-testcaseid",
}
"""Header fields that curl makes itself, or that say nothing."""


def curl(interaction: Interaction) -> str:
    """The command for a POSIX shell, on one line; of a redacted interaction it shows no secret."""
    words = ["curl", "-i"]
    if interaction.method == "HEAD":
        words.append("--head")
    elif interaction.method != ("POST" if interaction.request_body else "GET"):
        words += ["-X", interaction.method]
    for name, value in interaction.request_headers:
        if name.lower() not in _CURL_SENDS:
            words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if interaction.request_body:
        if not any(name.lower() == "content-type" for name, _ in interaction.request_headers):
            words += ["-H", "Content-Type:"]
        words += ["--data-binary", _text(interaction.request_body)]
    return " ".join([*map(shlex.quote, words[:1]), *map(shlex.quote, [*words[1:], interaction.url])])


def _text(body: bytes) -> str:
    if len(body) > MOST_SHOWN:
        return f"@body-of-{len(body)}-bytes"
    return body.decode(errors="backslashreplace")


MOST_SHOWN = 20_000
"""Bytes of a body that fit on a line which people may still look at; a longer one is only named."""
