"""The journal of a session: requests and responses, kept raw and rendered on demand."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from ..contract.finding import MAX_FINDINGS, Finding
from ..contract.interaction import Interaction
from ..contract.problem import Problem
from ..contract.threads import LARGE
from ..traffic import har as archive
from ..traffic.recording import text_of
from ..traffic.redaction import Redaction
from .budget import Budget, LimitReached
from .refusals import Refused

Fields = list[tuple[bytes, bytes]]
"""Header fields in ASGI's form."""

ENTRY_OVERHEAD = 2000
"""Approximate bytes of an entry beside its texts."""
STEP = 1 << 16
"""The step, in bytes, in which the journal takes from its budget."""
LARGEST_BODY = 1 << 20
"""Bytes of a body above which it is not kept, so that a large list does not displace other entries."""


@dataclass(slots=True)
class Entry:
    """One request and its response. `status` is 0 without a response, `ended` while one may still come."""

    started: float
    method: str
    scheme: str
    path: str
    target: bytes
    headers: Fields
    number: int = 0
    seconds: float = 0.0
    operation: str | None = None
    rule: str | None = None
    request_body: bytes = b""
    status: int = 0
    response_headers: Fields = field(default_factory=list)
    response_body: bytes = b""
    findings: list[Finding] = field(default_factory=list)
    ended: int = 0
    """The number of the entry in the order of completion."""
    size: int = 0
    """Approximate bytes, once the entry is complete."""

    def measured(self) -> int:
        fields = sum(map(len, chain.from_iterable((*self.headers, *self.response_headers))))
        self.size = ENTRY_OVERHEAD + len(self.target) + fields + len(self.request_body) + len(self.response_body)
        for finding in self.findings:
            self.size += len(finding.detail) + len(finding.pointer or "")
        return self.size

    @property
    def _url(self) -> str:
        target = self.target.decode("latin-1")
        host = next((value.decode("latin-1") for name, value in self.headers if name == b"host"), "localhost")
        url = f"{self.scheme}://{host}{target}"
        try:
            urlsplit(url)
        except ValueError:  # an invalid Host or target
            return f"{self.scheme}://localhost{quote(target, safe='/?&=;%')}"
        return url

    def interaction(self, redaction: Redaction) -> Interaction:
        """The interaction, without secrets."""
        request_headers = texts(self.headers)
        return Interaction(
            method=self.method,
            url=redaction.url(self._url),
            status=self.status,
            request_headers=tuple(redaction.headers(request_headers)),
            request_body=redaction.body(self.request_body),
            response_headers=tuple(redaction.headers(texts(self.response_headers))),
            response_body=redaction.body(self.response_body),
            started=datetime.fromtimestamp(self.started, UTC),
            seconds=self.seconds,
            error="" if self.status else "a fault left it without an answer" if self.ended else "no answer came yet",
        )

    def as_json(self, redaction: Redaction) -> dict[str, Any]:
        """The entry for the controls and for `callconfig verify`, without secrets."""
        shown = self.interaction(redaction)
        return {
            "number": self.number,
            "started": shown.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "milliseconds": round(self.seconds * 1000, 3),
            "operation": self.operation,
            "rule": self.rule,
            "request": {
                "method": shown.method,
                "url": shown.url,
                "headers": shown.request_headers,
                **_body(shown.request_body),
            },
            "response": {
                "status": shown.status or None,
                "headers": shown.response_headers,
                **_body(shown.response_body),
            },
            "findings": self.json_findings(),
        }

    def json_findings(self) -> list[dict[str, Any]]:
        return [finding.as_json() for finding in self.findings[:MAX_FINDINGS]]


class Journal:
    """The latest entries in order of arrival, bounded in number and in bytes, and by the session's budget.

    An entry is added at arrival, and completed at its end. With 0 entries none is kept.
    """

    def __init__(self, most_entries: int, most_bytes: int, budget: Budget) -> None:
        self._most_entries, self._most_bytes, self._budget = most_entries, most_bytes, budget
        self._entries: deque[Entry] = deque()
        self._bytes = self._held = 0
        self.last = 0
        """The number of the latest entry, kept or not; 0 before the first."""
        self.ended = 0
        """The number of complete entries, kept or not."""
        self._news, self._stopped = asyncio.Event(), False

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    @property
    def is_large(self) -> bool:
        """Whether a search of all entries is slow."""
        return self._bytes > LARGE

    def begin(self, entry: Entry) -> None:
        """Add an entry."""
        if self._most_entries:
            self.last += 1
            entry.number = self.last
            self._entries.append(entry)
            self._remove_oldest()

    def end(self, entry: Entry) -> None:
        """Complete an entry, drop bodies that are too large, and wake waiting searches."""
        self.ended += 1
        entry.ended = self.ended
        if len(entry.request_body) > LARGEST_BODY:
            entry.request_body = b""
        if len(entry.response_body) > LARGEST_BODY:
            entry.response_body = b""
        if self._entries and entry.number >= self._entries[0].number:
            self._bytes += entry.measured()
            self._remove_oldest()
        self._news.set()
        self._news.clear()

    def get(self, number: int) -> Entry:
        """The entry with this number. Raises Refused where it does not exist, or is no longer kept."""
        for entry in self._entries:
            if entry.number == number:
                return entry
        raise Refused(Problem("unknown-request", f"The journal holds no request {number}."))

    def clear(self) -> None:
        """Remove every entry; numbering goes on."""
        self._entries.clear()
        self._bytes = 0
        self._remove_oldest()

    async def ended_after(self, ended: int) -> None:
        """Return when more than `ended` entries are complete. Raises TimeoutError when the journal stops before."""
        if self.ended <= ended:
            await self._news.wait()
            if self._stopped:
                raise TimeoutError

    def stop(self) -> None:
        """End all waiting with TimeoutError."""
        self._stopped = True
        self._news.set()

    def _remove_oldest(self) -> None:
        while len(self._entries) > self._most_entries or (self._bytes > self._most_bytes and len(self._entries) > 1):
            self._bytes -= self._entries.popleft().size
        while (held := -(-self._bytes // STEP) * STEP) != self._held:
            try:
                self._budget.hold(self, held)
            except LimitReached:
                self._bytes -= self._entries.popleft().size
            else:
                self._held = held


def ndjson(entries: Iterable[Entry], redaction: Redaction) -> bytes:
    """The entries as NDJSON."""
    return b"".join(orjson.dumps(entry.as_json(redaction), option=orjson.OPT_APPEND_NEWLINE) for entry in entries)


def har(entries: Iterable[Entry], redaction: Redaction) -> dict[str, Any]:
    """The entries as HAR 1.2; findings are in `_findings`."""
    shown = ({**archive.entry(entry.interaction(redaction)), "_findings": entry.json_findings()} for entry in entries)
    return archive.har(list(shown))


def texts(fields: Fields) -> list[tuple[str, str]]:
    """Header fields as text."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]


def _body(body: bytes) -> dict[str, Any]:
    """A body as text, or in base64 where it is not UTF-8."""
    text, encoding = text_of(body)
    return {"body": text or None, **({"encoding": encoding} if encoding else {})}
