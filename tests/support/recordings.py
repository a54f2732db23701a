"""Recordings, read back."""

from pathlib import Path

from callconfig.contract.interaction import Interaction
from callconfig.traffic.reader import read_recording


def interactions(path: Path | str) -> list[Interaction]:
    """All that a recording has; what cannot be read raises."""
    found = []
    for read, _ in read_recording(str(path)):
        if not isinstance(read, Interaction):
            raise read
        found.append(read)
    return found
