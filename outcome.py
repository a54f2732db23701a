"""How a command ends: its exit codes, and what stops it."""

OK, FINDINGS, USAGE, COULD_NOT_RUN = range(4)


class CouldNotRun(Exception):
    """What stops a command, in one line that says what is wrong and what to do."""
