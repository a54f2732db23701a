"""`callconfig lint`: checks contracts, fast enough for a hook before each commit."""

import sys
from collections.abc import Sequence
from pathlib import Path

from .contract.document import Contract, InvalidContract
from .outcome import FINDINGS, OK, printable


def lint(files: Sequence[Path]) -> int:
    """Print a line on standard error for each invalid contract; returns FINDINGS when there is one."""
    wrong = [finding for path in files if (finding := _finding(path)) is not None]
    for finding in wrong:
        print(printable(finding), file=sys.stderr)
    return FINDINGS if wrong else OK


def _finding(path: Path) -> str | None:
    try:
        Contract.load(path)
    except InvalidContract as error:
        return str(error)
    return None
