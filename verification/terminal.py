"""Failures in words: the one text that the terminal, JUnit and SARIF show; and what a terminal sees of a run."""

import sys
from typing import TextIO

from ..contract.interaction import Interaction, by_name
from ..outcome import printable
from ..traffic.curl import curl
from .result import Failure, Result

MOST_SHOWN = 600
"""Characters of a response body that are shown."""


def explain(failure: Failure, result: Result) -> str:
    """What was expected and what came, where, and the requests that show it, oldest first."""
    finding = failure.finding
    lines = [f"{failure.operation}: {finding}", f"  rule {finding.rule}, found by {failure.part or result.command}"]
    if failure.interactions:
        last = failure.interactions[-1]
        lines[1] += f", in {last.source}" if last.source else ""
        lines += [f"  came: {_answer(last)}", "  again:", *(f"    {curl(each)}" for each in failure.interactions)]
    return "\n".join(lines)


def _answer(interaction: Interaction) -> str:
    if not interaction.status:
        return f"no complete answer ({interaction.error})"
    content_type = by_name(interaction.response_headers).get("content-type", "no content type")
    body = interaction.response_body.decode(errors="backslashreplace")
    shown = body if len(body) <= MOST_SHOWN else f"{body[:MOST_SHOWN]}… ({len(body)} characters)"
    return f"{interaction.status} {content_type} {shown}".rstrip()


def lines(text: str) -> str:
    """A text of several lines without what a terminal would obey, or could not show."""
    return "\n".join(map(printable, text.split("\n")))


class Progress:
    """What a person sees while a run goes on: a line that changes on a terminal, plain lines elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._drawn = False

    def part(self, name: str) -> None:
        """A part of the run begins."""
        if not self._is_terminal:
            print(f"  {printable(name)}", file=self._stream, flush=True)

    def count(self, part: str, interactions: int) -> None:
        """So many interactions were judged."""
        if self._is_terminal and interactions % 10 == 0:
            print(f"\r\x1b[2K  {printable(part)}: {interactions} requests", end="", file=self._stream, flush=True)
            self._drawn = True

    def failure(self, failure: Failure, result: Result) -> None:
        """A failure was found."""
        self.clear()
        kind = result.kind(failure)
        mark = "ERROR" if kind == "error" else kind
        print(f"{mark} {lines(explain(failure, result))}\n", flush=True)

    def clear(self) -> None:
        if self._drawn:
            print("\r\x1b[2K", end="", file=self._stream, flush=True)
            self._drawn = False


def summarize(result: Result) -> None:
    """The last lines of a run."""
    errors, found = len(result.errors), len(result.failures)
    if result.coverage is not None and result.command == "check":  # recorded traffic owes nobody completeness
        covered = ", ".join(f"{name} {seen} of {of}" for name, (seen, of) in result.coverage.summary().items())
        print(f"coverage: {covered}")
        for name, each in result.coverage.operations.items():
            if each.unseen:
                print(printable(f"  {name}: never seen {', '.join(each.unseen)}"))
    for note in result.notes:
        print(printable(f"note: {note}"))
    others = f", {found - errors} accepted or warnings" if found > errors else ""
    seed = f", seed {result.seed}" if result.seed is not None else ""
    verdict = "holds" if not errors else f"{errors} error{'s' if errors > 1 else ''}"
    judged = result.judged.total()
    print(f"{result.command}: {verdict}{others} ({judged} interactions in {result.seconds:.1f} s{seed})")
