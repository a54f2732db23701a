"""The session of one test on a mock: its state, journal, rules, clock and ids."""

import json
import secrets
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, Unpack

from .declarations import Json, Match, NewRule, Rule, Scenario
from .recorded import Recorded, near_misses
from .server import MockError, MockServer

P = ParamSpec("P")
T = TypeVar("T")

__tracebackhide__ = True
"""pytest's tracebacks omit this module."""
ALL = 100_000
"""A limit above the number of requests that a journal keeps."""


class Rules:
    """The rules of this test's session, which replace the usual responses."""

    def __init__(self, mock: "Mock") -> None:
        self._mock = mock

    def add(self, **rule: Unpack[NewRule]) -> str:
        """Add a rule, with the members of `POST /_mock/rules`, and return its id. Raises MockError.

        `add(match={"operation": "createConfiguration"}, answers=[503, 503])` refuses the next two requests.
        """
        identity: str = self._mock.control("POST", "/rules", rule)["id"]
        return identity

    def all(self) -> list[Rule]:
        """Every rule, oldest first, with the numbers of requests that it matched and answered."""
        rules: list[Rule] = self._mock.control("GET", "/rules")
        return rules

    def delete(self, identity: str) -> None:
        self._mock.control("DELETE", f"/rules/{identity}")

    def clear(self) -> None:
        self._mock.control("DELETE", "/rules")


class Clock:
    """The clock of this test's session. Times are RFC 3339, such as `2025-01-15T10:30:00Z`."""

    def __init__(self, mock: "Mock") -> None:
        self._mock = mock

    def now(self) -> str:
        now: str = self._mock.control("GET", "/clock")["now"]
        return now

    def freeze(self, at: str | None = None) -> None:
        """Stop the clock, at a time or now."""
        self._mock.control("PUT", "/clock", {"now": at} if at else {})

    def set(self, now: str) -> None:
        """Set the time, from which the clock goes on."""
        self._mock.control("PUT", "/clock", {"now": now, "frozen": False})

    def advance(self, seconds: float) -> None:
        self._mock.control("POST", "/clock/advance", {"seconds": seconds})

    def release(self) -> None:
        self._mock.control("DELETE", "/clock")


class Mock:
    """The session of one test on a mock. A client that uses `base_url` is in the session, and needs no header field.

    A client with another URL is in the session when it sends `headers` with each request.
    """

    def __init__(self, server: MockServer, session: str, *, strict: bool = False) -> None:
        self._server, self.session, self.strict = server, session, strict
        self.base_url = f"{server.root}/_mock/in/{session}{server.base_path}"
        self.headers = {"X-Mock-Session": session}
        self.rules, self.clock = Rules(self), Clock(self)
        self.aio = Aio(self)
        self._expected: list[tuple[int, Match]] = []
        self._forks: list[Mock] = []

    def control(self, method: str, path: str, body: Json = None) -> Json:
        """Call any control of `/_mock/openapi.json` in this session. Raises MockError."""
        return self._server.control(method, path, body, session=self.session)

    def seed(self, documents: Iterable[Mapping[str, Any]], *, table: str | None = None) -> list[dict[str, Any]]:
        """Replace all stored documents, and return them as stored. Raises MockError without any change.

        A contract of several resources has a table for each; the other tables keep their documents.
        """
        given: Json = [dict(each) for each in documents]
        if table is not None:
            state = self.control("GET", "/state")
            _documents(state, table)
            given = {**state, table: given}
        try:
            stored = self.control("PUT", "/state", given)
        except MockError:
            _documents(self.control("GET", "/state"), table)  # raises where `table` is missing
            raise
        return _documents(stored, table)

    def state(self, *, table: str | None = None) -> list[dict[str, Any]]:
        """The stored documents, oldest first; a contract of several resources needs `table`. Raises MockError."""
        return _documents(self.control("GET", "/state"), table)

    def configuration(self, table: str | None = None, /, **changes: Json) -> dict[str, Any]:
        """A valid request body: the contract's example, with these members changed. Raises MockError.

        Where the contract has several resources, it creates one of `table`, or of the first. An invalid one is made by
        hand: `{**mock.configuration(), "max_retry": -1}`.
        """
        from urllib.parse import quote

        query = "" if table is None else f"?table={quote(table)}"
        made: dict[str, Any] = self.control("POST", f"/configuration{query}", changes)
        return made

    def load(self, scenario: Scenario | Path | str) -> None:
        """Load state, rules, clock and ids, from a value or a JSON file. Raises MockError, OSError."""
        if isinstance(scenario, Path | str):
            scenario = json.loads(Path(scenario).read_bytes())
        self.control("PUT", "/scenario", scenario)

    def snapshot(self, name: str) -> None:
        """Save the stored documents under a name, for `restore` and `fork`."""
        self.control("PUT", f"/snapshots/{name}")

    def restore(self, name: str) -> None:
        """Replace the stored documents by those of a snapshot. Raises MockError when there is no such snapshot."""
        self.control("POST", f"/snapshots/{name}/restore")

    def fork(self, snapshot: str | None = None) -> "Mock":
        """A second session that begins with the documents of this one, or of a snapshot, and with this clock.

        It ends with the test, which checks its expectations as well.
        """
        name = f"{self.session[:110]}-{secrets.token_hex(4)}"
        self.control("POST", "/sessions", {"name": name, **({"snapshot": snapshot} if snapshot else {})})
        self._forks.append(Mock(self._server, name, strict=self.strict))
        return self._forks[-1]

    def ids(self, *following: str, seed: int | None = None) -> None:
        """Set the ids of the next created resources."""
        self.control("PUT", "/ids", {"next": list(following), **({"seed": seed} if seed is not None else {})})

    def requests(self, *, after: int = 0, **match: Unpack[Match]) -> list[Recorded]:
        """The matching requests with a response, oldest first: `requests(operation="createConfiguration")`.

        `after` is the number of a request: only later ones are returned.
        """
        return [Recorded(entry) for entry in self._find(match, after=after)["requests"]]

    def wait_for(
        self, *, at_least: int = 1, timeout: float = 5, after: int = 0, **match: Unpack[Match]
    ) -> list[Recorded]:
        """The matching requests, as soon as there are `at_least` of them. Raises AssertionError after `timeout` s."""
        found = self._find(match, at_least=at_least, timeout=timeout, after=after)
        if not found["met"]:
            came = f"{found['count']} of {at_least} requests came in {timeout} s that match {json.dumps(match)}"
            raise AssertionError("\n".join([came, *near_misses(found)]))
        return [Recorded(entry) for entry in found["requests"]]

    def expect(self, *, times: int = 1, **match: Unpack[Match]) -> None:
        """Let the test fail at its end unless the number of matching requests is `times`."""
        self._expected.append((times, match))

    def failures(self) -> list[str]:
        """The expectations that were not met; when strict, also each request that broke the contract."""
        broken = self.requests(valid=False) if self.strict else []
        lines = [f"a request broke the contract: {request!r}" for request in broken]
        for times, match in self._expected:
            found = self._find(match, at_least=max(times, 1))
            if found["count"] != times:
                lines.append(f"expected {times} requests that match {json.dumps(match)}, and {found['count']} came")
                lines += [f"  {Recorded(entry)!r}" for entry in found["requests"]] + near_misses(found)
        return lines + [line for fork in self._forks for line in fork.failures()]

    def journal(self) -> str:
        """The requests so far, a line for each."""
        return "\n".join(repr(Recorded(entry)) for entry in self.control("GET", "/requests")) or "none"

    def entries(self) -> list[dict[str, Any]]:
        """The whole journal, with those of forks, and with requests that have no response yet."""
        entries: list[dict[str, Any]] = self.control("GET", "/requests")
        return entries + [entry for fork in self._forks for entry in fork.entries()]

    def end(self) -> None:
        """Delete the session and its forks."""
        for fork in self._forks:
            fork.end()
        with suppress(MockError):  # the session was never used, or the test deleted it
            self._server.control("DELETE", f"/sessions/{self.session}", session="default")

    def _find(self, match: Match, *, at_least: int = 1, timeout: float = 0, after: int = 0) -> dict[str, Any]:
        search = {"match": match, "at_least": at_least, "timeout": timeout, "after": after, "limit": ALL}
        found: dict[str, Any] = self.control("POST", "/requests/find", search)
        return found


def _documents(state: Json, table: str | None) -> list[dict[str, Any]]:
    """The documents of one table, or all of them where the contract has one resource. Raises MockError."""
    tables: Mapping[str | None, list[dict[str, Any]]] = state if isinstance(state, dict) else {None: state}
    if table not in tables:
        raise MockError(
            f"table must be {' or '.join(map(repr, tables)) or 'of a contract that stores something'}, not {table!r}"
        )
    return tables[table]


class Aio:
    """The methods of `Mock` as coroutines, for tests on asyncio or trio."""

    def __init__(self, mock: Mock) -> None:
        self.control = _awaited(mock.control)
        self.seed = _awaited(mock.seed)
        self.state = _awaited(mock.state)
        self.configuration = _awaited(mock.configuration)
        self.load = _awaited(mock.load)
        self.snapshot = _awaited(mock.snapshot)
        self.restore = _awaited(mock.restore)
        self.fork = _awaited(mock.fork)
        self.ids = _awaited(mock.ids)
        self.requests = _awaited(mock.requests)
        self.wait_for = _awaited(mock.wait_for)
        self.add_rule = _awaited(mock.rules.add)


def _awaited(method: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A coroutine function that calls the method in a thread."""

    async def call(*arguments: P.args, **named: P.kwargs) -> T:
        import asyncio

        work = partial(method, *arguments, **named)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            import importlib

            # Without an event loop of asyncio, it is trio's.
            result: T = await importlib.import_module("trio").to_thread.run_sync(work)
            return result
        return await asyncio.to_thread(work)

    return call
