"""Fixtures for client teams: a mock for the run, and for each test a session of its own on it.

pytest loads this module in every suite of an environment that has callconfig, so it imports next to nothing before a
fixture is used. The mock runs in a process of its own: nothing of it is in the suite's.
"""

import json
import os
import re
import secrets
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest

Json = Any
"""A JSON value as Python has it."""

STARTUP_SECONDS = 60
CONTROL_SECONDS = 120
"""How long a control may take; waiting for requests takes up to a minute."""

# The server ends with the suite even when the suite is killed: then its standard input ends.
_SERVER = """
import os, signal, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os.kill(os.getpid(), signal.SIGTERM)), daemon=True).start()
from callconfig.cli import main
sys.exit(main())
"""


@dataclass(frozen=True)
class MockSettings:
    """Which mock the suite uses. Override the fixture `mock_settings` to return your own.

    With a `url`, such as that of a mock in a container, nothing is started, and parallel workers share that mock.
    Without it, each worker starts one, with these further options of `callconfig serve`.
    """

    url: str | None = None
    base_path: str = ""
    control_token: str | None = None
    options: Sequence[str] = ()


class MockError(Exception):
    """The mock refused what a test told it; the message has its reasons."""


@dataclass(frozen=True)
class MockServer:
    """A mock that runs. `base_url` is where the API is, `root` where the server is."""

    root: str
    base_url: str
    control_token: str | None = None

    def control(self, method: str, path: str, body: Json = None, *, session: str) -> Json:
        """Use a control below `/_mock`, and return the JSON of its answer. Raises MockError."""
        from http.client import HTTPConnection, HTTPSConnection
        from urllib.parse import urlsplit

        root = urlsplit(self.root)
        connect = HTTPSConnection if root.scheme == "https" else HTTPConnection
        connection = connect(root.hostname or "", root.port, timeout=CONTROL_SECONDS)
        headers = {"Content-Type": "application/json", "X-Mock-Session": session}
        if self.control_token is not None:
            headers["Authorization"] = f"Bearer {self.control_token}"
        try:
            connection.request(method, f"/_mock{path}", None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        answer: Json = json.loads(text) if text else None
        if response.status >= 400:
            raise MockError("\n".join([f"{method} /_mock{path}: {answer['detail']}", *_violations(answer)]))
        return answer


class Recorded:
    """A request that came to the mock, and its answer. `entry` is all that the journal has of it."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.entry = entry
        self.operation: str | None = entry["operation"]
        self.method: str = entry["request"]["method"]
        self.url: str = entry["request"]["url"]
        self.headers: dict[str, str] = dict(entry["request"]["headers"])
        self.body: str | None = entry["request"]["body"]
        self.status: int | None = entry["response"]["status"]
        self.findings: list[dict[str, str]] = entry["findings"]

    @cached_property
    def json(self) -> Json:
        """The body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body or "")

    @cached_property
    def answer(self) -> Json:
        """The body of the answer as JSON; None when it has none."""
        text = self.entry["response"]["body"]
        return json.loads(text) if text else None

    def __repr__(self) -> str:
        found = "; ".join(_violations({"errors": self.findings}))
        path = re.sub(r"^\w+://[^/]+", "", self.url)
        return " ".join(filter(None, [self.method, path, str(self.status or "no answer"), found]))


class Rules:
    """What requests of this test get instead of the usual answer."""

    def __init__(self, mock: "Mock") -> None:
        self._mock = mock

    def add(self, **rule: Json) -> str:
        """Add a rule, with the members that `POST /_mock/rules` takes, and return its id.

        `add(match={"operation": "createConfiguration"}, answer={"status": 503}, times=1)`. Raises MockError.
        """
        identity: str = self._mock.control("POST", "/rules", rule)["id"]
        return identity

    def clear(self) -> None:
        self._mock.control("DELETE", "/rules")


class Clock:
    """The time of this test's session. Times are RFC 3339, such as `2025-01-15T10:30:00Z`."""

    def __init__(self, mock: "Mock") -> None:
        self._mock = mock

    def now(self) -> str:
        now: str = self._mock.control("GET", "/clock")["now"]
        return now

    def freeze(self, at: str | None = None) -> None:
        """Stand still, at a time or now."""
        self._mock.control("PUT", "/clock", {"now": at} if at else {})

    def set(self, now: str) -> None:
        """Go on from that time."""
        self._mock.control("PUT", "/clock", {"now": now, "frozen": False})

    def advance(self, seconds: float) -> None:
        self._mock.control("POST", "/clock/advance", {"seconds": seconds})

    def release(self) -> None:
        self._mock.control("DELETE", "/clock")


class Mock:
    """The mock as one test has it: a session of its own, with its state, journal, rules and clock.

    The client under test must send `headers` with each request; without them it is in nobody's session.
    """

    def __init__(self, server: MockServer, session: str) -> None:
        self._server = server
        self.session = session
        self.base_url = server.base_url
        self.headers = {"X-Mock-Session": session}
        self.rules = Rules(self)
        self.clock = Clock(self)

    def control(self, method: str, path: str, body: Json = None) -> Json:
        """Use any control of `/_mock/openapi.json` in this session. Raises MockError."""
        return self._server.control(method, path, body, session=self.session)

    def seed(self, configurations: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Replace all that is stored, and return it as it is stored. Raises MockError, and then nothing changed."""
        stored: list[dict[str, Any]] = self.control("PUT", "/state", [dict(each) for each in configurations])
        return stored

    def state(self) -> list[dict[str, Any]]:
        """All that is stored, oldest first."""
        stored: list[dict[str, Any]] = self.control("GET", "/state")
        return stored

    def ids(self, *following: str, seed: int | None = None) -> None:
        """Determine the ids of what is created next."""
        self.control("PUT", "/ids", {"next": list(following), **({"seed": seed} if seed is not None else {})})

    def requests(self, **match: Json) -> list[Recorded]:
        """The requests so far that match, oldest first: `requests(operation="createConfiguration")`."""
        return [Recorded(entry) for entry in self._find(match, 1, 0)["requests"]]

    def wait_for(self, *, at_least: int = 1, timeout: float = 5, **match: Json) -> list[Recorded]:
        """The requests that match, as soon as there are enough. Raises AssertionError when the time is over before."""
        __tracebackhide__ = True
        found = self._find(match, at_least, timeout)
        if not found["met"]:
            raise AssertionError(_not_met(match, at_least, timeout, found))
        return [Recorded(entry) for entry in found["requests"]]

    def journal(self) -> str:
        """All requests so far, a line for each."""
        return "\n".join(map(repr, self.requests())) or "none"

    def _find(self, match: Mapping[str, Json], at_least: int, timeout: float) -> dict[str, Any]:
        search = {"match": match, "at_least": at_least, "timeout": timeout, "limit": 100_000}
        found: dict[str, Any] = self.control("POST", "/requests/find", search)
        return found


@pytest.fixture(scope="session")
def mock_settings() -> MockSettings:
    """Override it to use another mock, or to start one with other options."""
    return MockSettings(url=os.environ.get("CALLCONFIG_URL"), control_token=os.environ.get("CALLCONFIG_CONTROL_TOKEN"))


@pytest.fixture
def mock_seed() -> Iterable[Mapping[str, Any]]:
    """Override it to give the configurations that each test begins with."""
    return ()


@pytest.fixture(scope="session")
def mock_server(mock_settings: MockSettings) -> Iterator[MockServer]:
    """The mock of this run, or of this worker when pytest-xdist runs several."""
    if mock_settings.url is not None:
        url = mock_settings.url.rstrip("/")
        root = re.sub(r"^(\w+://[^/]+).*", r"\1", url)
        yield MockServer(root, url, mock_settings.control_token)
    else:
        yield from _started(mock_settings)


@pytest.fixture
def mock(
    mock_server: MockServer, mock_seed: Iterable[Mapping[str, Any]], request: pytest.FixtureRequest
) -> Iterator[Mock]:
    """A session of the test's own: `base_url`, `headers`, `seed`, `requests`, `wait_for`, `rules`, `clock`."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:80].strip("-") or "test"
    session = Mock(mock_server, f"{readable}-{secrets.token_hex(4)}")
    if seed := list(mock_seed):
        session.seed(seed)
    yield session
    with suppress(MockError):  # when it was never used, or the test deleted it
        mock_server.control("DELETE", f"/sessions/{session.session}", session="default")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """When a test fails, its report shows what it asked of the mock."""
    report = yield
    mock = getattr(item, "funcargs", {}).get("mock")
    if call.when == "call" and report.failed and isinstance(mock, Mock):
        try:
            journal = mock.journal()
        except (MockError, OSError) as error:
            journal = f"the mock does not answer: {error}"
        report.sections.append(("Requests to the mock", journal))
    return report


def _started(settings: MockSettings) -> Iterator[MockServer]:
    import subprocess
    from tempfile import TemporaryFile
    from threading import Timer

    options = ["--port", "0", "--store", ":memory:", "--quiet", "--base-path", settings.base_path, *settings.options]
    # -P: no module of the suite's working directory stands in the way of the server's own.
    command = [sys.executable, "-P", "-c", _SERVER, "serve", *options]
    # The mock of a suite does not depend on what is set for mocks that run by hand.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLCONFIG_")}
    if settings.control_token is not None:
        environment["CALLCONFIG_CONTROL_TOKEN"] = settings.control_token
    with (
        TemporaryFile("w+") as errors,
        subprocess.Popen(  # noqa: S603 (the command is ours)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        ) as process,
    ):
        impatient = Timer(STARTUP_SECONDS, process.kill)
        impatient.start()
        root = next((found[0] for line in process.stdout or () if (found := re.search(r"\w+://[^/\s]+", line))), None)
        impatient.cancel()
        if root is None:
            errors.seek(0)
            raise MockError(f"the mock did not start: {errors.read().strip() or 'it gave no reason'}")
        try:
            yield MockServer(root, root + settings.base_path, settings.control_token)
        finally:
            process.terminate()


def _violations(problem: Mapping[str, Any]) -> list[str]:
    return [f"{each.get('pointer', each.get('name'))} {each['detail']}" for each in problem.get("errors", ())]


def _not_met(match: Mapping[str, Json], at_least: int, timeout: float, found: Mapping[str, Any]) -> str:
    lines = [f"{found['count']} of {at_least} requests came in {timeout} s that match {json.dumps(match)}"]
    for miss in found["near_misses"]:
        lines.append(f"  near: {Recorded(miss['request'])!r}")
        lines += [f"    {each['in']} {each['pointer']} {each['detail']}" for each in miss["mismatches"]]
    return "\n".join(lines)
