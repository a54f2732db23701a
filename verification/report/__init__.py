"""Reports: views of a result for machines and people. A row in FORMATS adds a format."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from ...contract.interaction import Interaction
from ...outcome import CouldNotRun
from ..har import HarWriter
from ..result import Result
from .html import html
from .json import json
from .junit import junit
from .sarif import sarif

FORMATS: dict[str, Callable[[Result], str]] = {"junit": junit, "sarif": sarif, "json": json, "html": html}
"""Formats that are written when the run is over. `har` is written while it goes on."""


class Reports:
    """The report files of a run: opened before it begins, so that a place that cannot be written to costs nothing."""

    def __init__(self, wanted: list[tuple[str, Path]]) -> None:
        """Raises CouldNotRun."""
        self._stack = ExitStack()
        self._files = []
        self._archives = []
        for name, path in wanted:
            try:
                if name == "har":
                    self._archives.append(self._stack.enter_context(HarWriter(path)))
                else:
                    self._files.append(
                        (name, self._stack.enter_context(path.open("w", encoding="utf-8", errors="backslashreplace")))
                    )
            except OSError as error:
                self._stack.close()
                raise CouldNotRun(f"report {path}: cannot be written: {error.strerror}") from error

    @property
    def on_interaction(self) -> Callable[[Interaction], None] | None:
        """What wants to see every interaction, if anything does."""
        if not self._archives:
            return None

        def write(interaction: Interaction) -> None:
            for archive in self._archives:
                archive.write(interaction)

        return write

    def write(self, result: Result) -> None:
        """Write them all and close them. Raises CouldNotRun."""
        try:
            with self._stack:
                for name, file in self._files:
                    file.write(FORMATS[name](result))
        except OSError as error:
            raise CouldNotRun(f"a report cannot be written: {error.strerror}") from error
