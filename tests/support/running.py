"""`callconfig serve` in a process that ends with its context."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx2 as httpx

PATIENCE = 20.0
"""Seconds to wait for a response, or for the end of the process."""
Address = tuple[str, int]
_OURS = ("anyio", "cacheprovider", "hypothesispytest", "schemathesis", "timeout", "xdist")
PYTEST: tuple[str | Path, ...] = (sys.executable, "-m", "pytest", "-q", *(f"-pno:{plugin}" for plugin in _OURS))
"""pytest for a client team's suite, without the plugins of our own environment, which are slow to start."""


class Server:
    """A running `callconfig serve`, and a client of it."""

    def __init__(self, process: subprocess.Popen[str], greeting: str) -> None:
        self.process, self.greeting = process, greeting
        found = re.search(r"API +(http://(.+):(\d+))/", greeting)
        assert found, greeting
        self.url = found[1]
        self.address: Address = (found[2], int(found[3]))
        # No certificate is needed, and reading all trusted ones takes 20 ms.
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE, verify=False)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM, *, within: float = PATIENCE) -> tuple[int, str]:
        """Stop the process; returns the exit code and the text on standard error, also when called again."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        _, errors = self.process.communicate(timeout=within)
        return self.process.returncode, errors


@contextlib.contextmanager
def serving(
    *options: str,
    command: Sequence[str | Path] = (sys.executable, "-m", "callconfig"),
    folder: Path | None = None,
    **environment: str,
) -> Iterator[Server]:
    """A server with these options, from its greeting on."""
    process = subprocess.Popen(
        [*command, "serve", "--port", "0", *options],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        server = Server(process, _greeting(process))
        with contextlib.closing(server.client):
            yield server
        server.stop()
    finally:
        process.kill()  # when it has not ended by itself
        process.communicate()


def _greeting(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    greeting = ""
    while "Ctrl-C" not in greeting:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        greeting += line
    return greeting
