"""Loading the contract of a command."""

from collections.abc import Mapping
from pathlib import Path

from .contract.document import BUILT_IN, NOTHING, Contract, InvalidContract
from .contract.finding import Level
from .outcome import CouldNotRun


def load_contract(path: Path | None, severity: Mapping[str, Level] = NOTHING) -> Contract:
    """The contract of a file, or the built-in one, which is not validated. Raises CouldNotRun."""
    try:
        return Contract.load(path or BUILT_IN, validate=path is not None, severity=severity)
    except InvalidContract as error:
        raise CouldNotRun(f"contract {error}") from error
