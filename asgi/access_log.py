"""The access log: a line for each request, with the first reason when it was refused."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

import orjson

from ..controls.controls import SESSION_HEADER, is_control
from ..controls.sessions import DEFAULT
from ..outcome import printable
from ..traffic.redaction import Redaction
from .exchange import Exchange

_COLOURS = {2: "32", 4: "33", 5: "31", 0: "31"}
"""Terminal colours by the class of a status (ECMA-48, section 8.3.117)."""


@lru_cache(maxsize=8)  # requests of one second share it
def _time_of_day(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))


class AccessLog:
    """Gives redacted lines to `write`, together for all requests that end in one turn of the event loop.

    The lines are text, with `colour` for a terminal; or with `as_json` JSON, whose members are stable.
    """

    def __init__(
        self, write: Callable[[str], object], redaction: Redaction, *, as_json: bool = False, colour: bool = False
    ) -> None:
        self._write, self._redaction = write, redaction
        self._line = self._json if as_json else self._text
        self._colour = colour
        self._lines: list[str] = []

    def note(self, exchange: Exchange) -> None:
        target = exchange.entry.target.decode("latin-1")
        self._lines.append(self._line(exchange, self._redaction.url(target) if "?" in target else target))
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write the pending lines."""
        if self._lines:
            self._write("".join(f"{line}\n" for line in self._lines))
            self._lines.clear()

    def _text(self, exchange: Exchange, target: str) -> str:
        entry, session = exchange.entry, _session(exchange)
        at, status = _time_of_day(int(entry.started)), str(entry.status or "gone")
        where = f"  session {session}" if session is not None and session != DEFAULT else ""
        rule = f"  {entry.rule}" if entry.rule else ""
        reason = f"  {exchange.reason}" if entry.status >= 400 and exchange.reason else ""
        before, after = printable(f"{entry.method} {target}"), printable(f"{where}{rule}{reason}")
        if self._colour:
            at, status = f"\x1b[2m{at}\x1b[0m", f"\x1b[{_COLOURS.get(entry.status // 100, '0')}m{status}\x1b[0m"
        return f"{at} {before} {status} {entry.seconds * 1000:.1f} ms{after}"

    def _json(self, exchange: Exchange, target: str) -> str:
        entry = exchange.entry
        line = {
            "time": datetime.fromtimestamp(entry.started, UTC).isoformat(timespec="milliseconds"),
            "session": _session(exchange),
            "method": entry.method,
            "target": target,
            "operation": entry.operation,
            "status": entry.status or None,
            "milliseconds": round(entry.seconds * 1000, 3),
            "rule": entry.rule,
            "reason": (exchange.reason or None) if entry.status >= 400 else None,
        }
        return orjson.dumps(line).decode()


def _session(exchange: Exchange) -> str | None:
    """The name of the session; None where the server has none."""
    if exchange.session is not None:
        return exchange.session.name
    return exchange.headers.get(SESSION_HEADER, DEFAULT) if is_control(exchange.entry.path) else None
