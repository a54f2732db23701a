"""A request and its response as they went over the wire: the common form of recordings and live traffic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

Fields = tuple[tuple[str, str], ...]
"""Header fields in the order, case and number in which they were sent."""


UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request with its response. Without a complete response, `status` is 0 and `error` has the reason."""

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
    """`request` and `response`, where that body was not recorded, or not whole."""
    source: str = ""
    """The place of the recording, such as a file and an entry; empty for live traffic."""

    @property
    def path(self) -> str:
        """The percent-encoded path."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> bytes:
        return urlsplit(self.url).query.encode()

    @property
    def leads_to(self) -> str | None:
        """The path of `Location`; None without a valid one."""
        location = by_name(self.response_headers).get("location")
        try:
            return None if location is None else urlsplit(urljoin(self.url, location)).path
        except ValueError:
            return None


def by_name(fields: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Header fields by lower-case name; repeated ones are joined to one (RFC 9110, section 5.3)."""
    joined: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
