"""The client of the runs: one HTTP request in, one `Interaction` out, whatever the server does."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType

import httpx2

from ..contract.interaction import Fields, Interaction
from ..outcome import CouldNotRun

TIMEOUT = 30.0
"""Seconds that a server has for an answer."""


class Pace:
    """Keeps requests a certain time apart, over all threads that ask one at a time."""

    def __init__(self, per_second: float | None) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next = 0.0

    def wait(self) -> None:
        if not self._interval:
            return
        now = time.monotonic()
        time.sleep(max(0.0, self._next - now))
        self._next = max(now, self._next) + self._interval


class Client:
    """Sends to one server. It follows no redirects, keeps no cookies and trusts no proxy settings."""

    def __init__(self, url: str, headers: Iterable[tuple[str, str]] = (), pace: Pace | None = None) -> None:
        self.url, self._headers, self._pace = url, tuple(headers), pace or Pace(None)
        self._http = httpx2.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False)

    def probe(self) -> None:
        """Raises CouldNotRun when there is no server."""
        try:
            self._http.get(self.url, headers=list(self._headers))
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise CouldNotRun(f"nothing answers at {self.url}: {reason}; is the server running?") from error

    def send(self, method: str, target: str, headers: Fields = (), body: bytes = b"") -> Interaction:
        """The interaction; where no complete answer came it has status 0. `target` comes after the server's URL."""
        self._pace.wait()
        url = self.url + target
        fields = (*self._headers, *headers)
        started, clock = datetime.now(UTC), time.perf_counter()
        request = self._http.build_request(method, url, headers=list(fields), content=body or None)
        if not any(name.lower() == "user-agent" for name, _ in fields):
            request.headers["User-Agent"] = "callconfig"
        try:
            response = self._http.send(request)
        except httpx2.HTTPError as error:
            reason = f"{type(error).__name__} {error}".strip()
            seconds = time.perf_counter() - clock
            return Interaction(method, url, 0, fields, body, started=started, seconds=seconds, error=reason)
        self._http.cookies.clear()
        return Interaction(
            method,
            url,
            response.status_code,
            fields,
            body,
            tuple(response.headers.multi_items()),
            response.content,
            started,
            time.perf_counter() - clock,
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._http.close()
