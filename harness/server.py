"""A running mock and its controls over HTTP: a process that ends with the suite, or a server that runs already."""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .declarations import Json
from .recorded import violations

__tracebackhide__ = True
"""pytest's tracebacks omit this module."""
STARTUP_SECONDS = 60
CONTROL_SECONDS = 120
"""Seconds for the response of a control; waiting for requests takes up to a minute."""

# The server ends with the suite even when the suite is killed: then its standard input ends.
_SERVER = """
import os, signal, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os.kill(os.getpid(), signal.SIGTERM)), daemon=True).start()
from callconfig.cli import main
sys.exit(main())
"""


@dataclass(frozen=True)
class MockSettings:
    """The choice of the suite's mock. Override the fixture `mock_settings` to return your own.

    With a `url`, such as that of a mock in a container, nothing is started, and parallel workers share that mock.
    Without it, each worker starts one, with these further options of `callconfig serve`.
    """

    url: str | None = None
    base_path: str = ""
    control_token: str | None = None
    options: Sequence[str] = ()
    contract: str | Path | None = None
    """An OpenAPI file to mock instead of the built-in contract; with a `url`, the contract of that mock."""


class MockError(Exception):
    """The mock refused a request of a test to its controls, or is unreachable; the message has the reasons."""


@dataclass(frozen=True)
class MockServer:
    """A running mock: `root` is the URL of the server, `base_path` the prefix of the API's paths."""

    root: str
    base_path: str = ""
    control_token: str | None = None
    contract: str | Path | None = None

    @classmethod
    def at(cls, url: str, control_token: str | None = None, contract: str | Path | None = None) -> "MockServer":
        """The mock whose API has this URL."""
        root = re.sub(r"^(\w+://[^/]+).*", r"\1", url)
        return cls(root, url[len(root) :].rstrip("/"), control_token, contract)

    @property
    def base_url(self) -> str:
        """The URL of the API in the default session."""
        return self.root + self.base_path

    def control(self, method: str, path: str, body: Json = None, *, session: str) -> Json:
        """Call a control below `/_mock`, and return the JSON or the text of its response. Raises MockError."""
        status, text = self._exchange(method, path, body, session)
        try:
            answer: Json = json.loads(text) if text else None
        except ValueError:
            if status < 400:
                return text.decode()
            raise MockError(f"{method} {self.root}/_mock{path}: status {status}; that is no mock") from None
        if status >= 400:
            reasons = violations(answer) if isinstance(answer, dict) else []
            detail = answer.get("detail") if isinstance(answer, dict) else None
            raise MockError("\n".join([f"{method} /_mock{path}: {detail or status}", *reasons]))
        return answer

    def _exchange(self, method: str, path: str, body: Json, session: str) -> tuple[int, bytes]:
        from http.client import HTTPConnection, HTTPException, HTTPSConnection
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
            return response.status, response.read()
        except (OSError, HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise MockError(f"{method} {self.root}/_mock{path}: the mock does not respond: {reason}") from None
        finally:
            connection.close()


@contextmanager
def started(settings: MockSettings) -> Iterator[MockServer]:
    """A mock in another process. Raises MockError."""
    import subprocess
    from tempfile import TemporaryFile
    from threading import Timer

    options = ["--port", "0", "--store", ":memory:", "--quiet", "--base-path", settings.base_path, *settings.options]
    if settings.contract is not None:
        options += ["--contract", str(settings.contract)]
    # -P: no module of the suite's working directory hides one of the server's.
    command = [sys.executable, "-P", "-c", _SERVER, "serve", *options]
    # The mock of a suite does not depend on environment variables for other mocks.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLCONFIG_")}
    if settings.control_token is not None:
        environment["CALLCONFIG_CONTROL_TOKEN"] = settings.control_token
    with (
        TemporaryFile("w+", encoding="locale") as errors,
        subprocess.Popen(  # noqa: S603 (the command is ours)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="locale",
            env=environment,
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
            yield MockServer(root, settings.base_path.rstrip("/"), settings.control_token, settings.contract)
        finally:
            process.terminate()
