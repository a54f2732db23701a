"""The outcome of a command: exit codes, and the error that stops it; the version; text that is safe on a terminal."""

import os
import signal
from typing import TextIO

OK, FINDINGS, USAGE, COULD_NOT_RUN = range(4)
INTERRUPTING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CouldNotRun(Exception):
    """The error that stops a command; its message is one line with the reason and the remedy."""


def program() -> dict[str, str]:
    """The name and the version of this program; a copy of its files without the installed metadata has none."""
    from importlib.metadata import PackageNotFoundError, version  # slow to load

    try:
        return {"name": "callconfig", "version": version("callconfig")}
    except PackageNotFoundError:
        return {"name": "callconfig", "version": "unknown"}


def printable(text: str) -> str:
    """The text with control characters and line breaks escaped."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode("ascii") for each in text
    )


def lines(text: str) -> str:
    """A text of several lines with the control characters in each escaped."""
    return "\n".join(map(printable, text.split("\n")))


def has_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal with colours whose user wants them (https://no-color.org)."""
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
