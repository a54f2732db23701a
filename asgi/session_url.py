"""A session by its URL: `/_mock/in/{session}` in front of a path puts a request into that session."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from starlette.types import Scope

from ..controls.bundle import BASE_PATH

PREFIX = f"{BASE_PATH}/in/"
_SEGMENTS = PREFIX.count("/")
_IS_PATH = re.compile(rb"/(?!/)").match  # `//host` is another server's (RFC 3986, section 4.2)

Fields = Sequence[tuple[bytes, bytes]]


def named_session(scope: Scope) -> tuple[str | None, Scope]:
    """The session that the URL names, if any, and the scope with the prefix removed.

    The rest of the path keeps its percent-encoding, such as an encoded slash in an id.
    """
    path: str = scope["path"]
    if not path.startswith(PREFIX):
        return None, scope
    raw: bytes = (scope.get("raw_path") or path.encode()).partition(b"?")[0]
    segments = raw.split(b"/", _SEGMENTS + 1)
    name = unquote(segments[_SEGMENTS].decode("latin-1"))
    rest = b"/" + (segments[_SEGMENTS + 1] if len(segments) > _SEGMENTS + 1 else b"")
    return name, {**scope, "path": unquote(rest.decode("latin-1")), "raw_path": rest}


def with_session_prefix(session: str, fields: Fields) -> list[tuple[bytes, bytes]]:
    """The header fields of a response, with the session's prefix in a `Location` of this server."""
    prefix = f"{PREFIX}{session}".encode()
    return [
        (name, prefix + value if name.lower() == b"location" and _IS_PATH(value) else value) for name, value in fields
    ]
