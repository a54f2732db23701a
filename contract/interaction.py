"""A request and its response as they went over the wire: what every recording becomes, and what every judge reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

Fields = tuple[tuple[str, str], ...]
"""Header fields as they were sent: in order, names in their own case, repeated ones repeated."""


UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request with its response. Where no complete response came, `status` is 0 and `error` says why."""

    method: str
    url: str
    status: int
    request_headers: Fields = ()
    request_body: bytes = b""
    response_headers: Fields = ()
    response_body: bytes = b""
    started: datetime = UNKNOWN_TIME
    seconds: float = 0.0
    error: str = ""
    unrecorded: frozenset[str] = frozenset()
    """`request` and `response`, where that body was there and is not known, or not whole."""
    source: str = ""
    """Where it was recorded, such as a file and an entry; empty for traffic of our own."""

    @property
    def path(self) -> str:
        """The path, percent-encoded as it was sent."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> bytes:
        return urlsplit(self.url).query.encode()

    @property
    def leads_to(self) -> str | None:
        """The path that `Location` leads to; None where there is none, or it is no URL."""
        location = by_name(self.response_headers).get("location")
        try:
            return None if location is None else urlsplit(urljoin(self.url, location)).path
        except ValueError:
            return None


def by_name(fields: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Header fields by lower-case name; a repeated one is a list in one field (RFC 9110, section 5.3)."""
    joined: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
