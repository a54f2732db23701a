"""Recordings, read back."""

from pathlib import Path

from callconfig.contract.interaction import Interaction
from callconfig.traffic.reader import read_recording


def interactions(path: Path | str) -> list[Interaction]:
    """The interactions of a recording; raises an error where one cannot be read."""
    found = []
    for read, _ in read_recording(str(path)):
        if not isinstance(read, Interaction):
            raise read
        found.append(read)
    return found
