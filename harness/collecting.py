"""`--mock-coverage`: the coverage of the contract by a suite's clients, reported at the end of the suite."""

import json
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .server import MockServer
from .tools import Mock

KINDS = ("operations", "statuses", "members", "rules")
FORMATS = ("json", "html")

# Measuring runs in another process, because its imports are heavy.
_MEASURE = """
import sys
from callconfig.outcome import CouldNotRun
from callconfig.verification.coverage_table import measure
try:
    sys.exit(measure(sys.argv[1]))
except CouldNotRun as error:
    sys.exit(f"callconfig: {error}")
"""


@dataclass(frozen=True)
class Collected:
    """The journals of tests in a folder, a file for each process that runs tests."""

    folder: Path

    def keep(self, mock: Mock, server: MockServer) -> None:
        """Add the journal of a test."""
        if entries := mock.entries():
            contract = Path(server.contract).absolute() if server.contract is not None else None
            about = {"base_path": server.base_path, "contract": str(contract) if contract else None}
            (self.folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
            with (self.folder / f"{os.getpid()}.ndjson").open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(entry)}\n" for entry in entries)

    def measured(self, minimum: Iterable[tuple[str, float]], reports: Iterable[tuple[str, Path]]) -> tuple[bool, str]:
        """Whether the coverage reaches the minimum, and its report as text."""
        import subprocess

        files = sorted(map(str, self.folder.glob("*.ndjson")))
        if not files:
            return not list(minimum), "no test has used the mock"
        arguments = {
            "files": files,
            **json.loads((self.folder / "about.json").read_text(encoding="utf-8")),
            "report": [(name, str(path)) for name, path in reports],
            "minimum": list(minimum),
        }
        command = [sys.executable, "-P", "-c", _MEASURE, json.dumps(arguments)]
        done = subprocess.run(  # noqa: S603 (the command is ours)
            command, capture_output=True, text=True, encoding="locale", check=False
        )
        return done.returncode == 0, done.stdout + done.stderr


def minimum(text: str) -> tuple[str, float]:
    """Parse a minimum such as `members=80`, in percent. Raises ArgumentTypeError."""
    kind, _, percent = text.partition("=")
    with suppress(ValueError):
        if kind in KINDS and 0 <= float(percent) <= 100:
            return kind, float(percent)
    raise ArgumentTypeError(f"{text!r} is not KIND=PERCENT with one of {', '.join(KINDS)}")


def report(text: str) -> tuple[str, Path]:
    """Parse a report such as `html:coverage.html`. Raises ArgumentTypeError."""
    name, _, path = text.partition(":")
    if name not in FORMATS or not path:
        raise ArgumentTypeError(f"{text!r} is not FORMAT:PATH with one of {', '.join(FORMATS)}")
    return name, Path(path).absolute()
