"""The access log: a line for each request, with the first reason when it was refused."""

import asyncio
from collections.abc import Callable

from ..outcome import printable
from ..traffic.redaction import Redaction
from .exchange import Exchange


class AccessLog:
    """Hands lines without secrets to `write`, together for all requests that end in one turn of the event loop."""

    def __init__(self, write: Callable[[str], object], redaction: Redaction) -> None:
        self._write, self._redaction = write, redaction
        self._lines: list[str] = []

    def note(self, exchange: Exchange) -> None:
        entry = exchange.entry
        reason = f"  {exchange.reason}" if entry.status >= 400 else ""
        target, milliseconds = entry.target.decode("latin-1"), entry.seconds * 1000
        if "?" in target:
            target = self._redaction.url(target)
        line = f"{entry.method} {target} {entry.status or 'gone'} {milliseconds:.1f} ms{reason}"
        self._lines.append(printable(line))
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what was noted and is not written yet."""
        if self._lines:
            self._write("".join(f"{line}\n" for line in self._lines))
            self._lines.clear()
