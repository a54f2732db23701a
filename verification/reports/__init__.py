"""Reports: views of a result for machines and people. A row in FORMATS adds a format."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from ...contract.interaction import Interaction
from ...outcome import CouldNotRun
from ...traffic.har import HarWriter
from ..result import Result
from .html import html
from .json import json
from .standards import junit, sarif

FORMATS: dict[str, Callable[[Result], str]] = {"junit": junit, "sarif": sarif, "json": json, "html": html}
"""Formats that are written after the run. `har` is written during it."""


class Reports:
    """The report files of a run, opened before it begins, so that an unwritable one fails early."""

    def __init__(self, wanted: Sequence[tuple[str, Path]]) -> None:
        """Raises CouldNotRun."""
        self._stack = ExitStack()
        self._files, self._archives, self._broken = [], [], dict[Path, str]()
        for name, path in wanted:
            try:
                if name == "har":
                    self._archives.append((path, self._stack.enter_context(HarWriter(path))))
                else:
                    file = self._stack.enter_context(path.open("w", encoding="utf-8", errors="backslashreplace"))
                    self._files.append((name, path, file))
            except OSError as error:
                self.discard()
                raise CouldNotRun(f"report {path}: cannot be written: {error.strerror}") from error

    @property
    def on_interaction(self) -> Callable[[Interaction], None] | None:
        """The function that records every interaction, if a report needs one."""
        return self._record if self._archives else None

    def _record(self, interaction: Interaction) -> None:
        for path, archive in self._archives:
            self._try(path, partial(archive.write, interaction))

    def write(self, result: Result) -> None:
        """Write and close every report, also after one failed. Raises CouldNotRun."""
        for name, path, file in self._files:
            self._try(path, lambda: file.write(FORMATS[name](result)))  # noqa: B023 (called at once)
            self._try(path, file.close)
        for path, archive in self._archives:
            self._try(path, archive.close)
        if self._broken:
            raise CouldNotRun("; ".join(f"report {path}: {reason}" for path, reason in self._broken.items()))

    def discard(self) -> None:
        """Close the reports, and remove those that would be empty; a HAR file has what it has."""
        with suppress(OSError):
            self._stack.close()
            for _, path, _ in self._files:
                if path.is_file() and not path.is_symlink():  # such as /dev/stdout
                    path.unlink()

    def _try(self, path: Path, write: Callable[[], object]) -> None:
        if path not in self._broken:
            try:
                write()
            except OSError as error:
                self._broken[path] = f"cannot be written: {error.strerror or error}"
