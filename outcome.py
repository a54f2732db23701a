"""How a command ends: its exit codes, and what stops it; and text that is safe to show on a terminal."""

OK, FINDINGS, USAGE, COULD_NOT_RUN = range(4)


class CouldNotRun(Exception):
    """What stops a command, in one line that says what is wrong and what to do."""


def printable(text: str) -> str:
    """The text with every character escaped that would steer a terminal or begin a new line."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode("ascii") for each in text
    )


def lines(text: str) -> str:
    """A text of several lines without what a terminal would obey, or could not show."""
    return "\n".join(map(printable, text.split("\n")))
