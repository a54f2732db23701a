"""The standard streams of a process: a closed, full or unread one ends no command."""

import os
import select
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any, cast


class Output(FileIO):
    """An open file whose writes do not fail: what cannot be written is lost, and `failure` is the reason."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            while (written := cast("int | None", super().write(data))) is None:  # non-blocking, set by another process
                select.select([], [self], [])
        except OSError as error:
            self.failure = error
            return memoryview(data).nbytes
        return written


def steady_streams() -> Output:
    """Replace the standard streams of this process; returns standard output."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # a file would get its number, and what is written to it
            null = os.open(os.devnull, os.O_RDWR)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(null, mode, closefd=False))  # noqa: SIM115 (a descriptor)
    sys.stderr, _ = _steady(sys.stderr)
    sys.stdout, output = _steady(sys.stdout)
    return output


def _steady(stream: Any) -> tuple[TextIOWrapper, Output]:
    output = Output(stream.fileno(), "w", closefd=False)
    text = TextIOWrapper(
        BufferedWriter(output),
        stream.encoding,
        "backslashreplace",
        line_buffering=stream.line_buffering or stream.write_through,  # the latter is PYTHONUNBUFFERED
    )
    return text, output
