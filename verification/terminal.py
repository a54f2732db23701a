"""The text of a failure for terminal, JUnit and SARIF; and the progress and summary of a run on a terminal."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from ..contract.document import Contract
from ..contract.finding import counted
from ..contract.interaction import Interaction, by_name
from ..contract.rulebook import RULES, Rule
from ..outcome import has_colours, lines, printable
from ..traffic.curl import curl
from .result import Failure, Result
from .timing import Deadline

MAX_SHOWN = 600
"""Characters of a response body that are shown."""


def explain(failure: Failure, result: Result) -> str:
    """The text of a failure: finding, rule, response, and the requests that reproduce it, oldest first."""
    return "\n".join([*_head(failure, result), *_evidence(failure)])


def _head(failure: Failure, result: Result) -> list[str]:
    finding = failure.finding
    found = f"  rule {finding.rule}, found by {failure.part or result.command}"
    if failure.interactions and failure.interactions[-1].source:
        found += f", in {failure.interactions[-1].source}"
    return [f"{failure.operation}: {finding}", found]


def _evidence(failure: Failure) -> list[str]:
    if not failure.interactions:
        return []
    commands = [f"    {curl(each)}" for each in failure.interactions]
    return [f"  response: {_response_line(failure.interactions[-1])}", "  reproduce:", *commands]


def _response_line(interaction: Interaction) -> str:
    if not interaction.status:
        return f"no complete response ({interaction.error})"
    content_type = by_name(interaction.response_headers).get("content-type", "no content type")
    body = interaction.response_body.decode(errors="backslashreplace")
    shown = body if len(body) <= MAX_SHOWN else f"{body[:MAX_SHOWN]}… ({len(body)} characters)"
    return f"{interaction.status} {content_type} {shown}".rstrip()


def meaning(rule: str, contract: Contract) -> Rule:
    """The description and the remedy of a rule: of the engine, or of the contract (`x-rule`)."""
    declared = contract.rules.get(rule, {})
    own = Rule(str(declared.get("description", rule)), str(declared.get("x-rule", {}).get("remedy", "")))
    return RULES.get(rule, own)


class Progress:
    """The progress of a run: a live line on a terminal, plain lines elsewhere."""

    def __init__(self, result: Result) -> None:
        self.deadline = Deadline()
        self.sent: Callable[[], int] = result.judged.total
        """The number of requests so far."""
        self._result, self._stream = result, sys.stderr
        self._part, self._live = "starting", None
        self._causes: set[tuple[str, str, str, int]] = set()
        if self._stream.isatty():
            from rich.console import Console  # not before there is a terminal to draw on
            from rich.live import Live

            self._live = Live(
                console=Console(file=self._stream, highlight=False, markup=False, emoji=False),
                get_renderable=self._line,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def _line(self) -> str:
        shown_lines = [f"{self.sent()} requests", f"{len(self._result.errors)} errors", f"{self._result.seconds:.0f} s"]
        if self.deadline.remaining < float("inf"):
            shown_lines.append(f"{self.deadline.remaining:.0f} s left")
        return f"  {printable(self._part)}: {', '.join(shown_lines)}"

    def part(self, name: str) -> None:
        """Announce a part of the run."""
        self._part = name
        if self._live is None:
            print(f"  {printable(name)}", file=self._stream, flush=True)

    def failures(self, failures: Sequence[Failure]) -> None:
        """Print failures that were found together; the requests once, and not again for a cause that was shown."""
        shown_lines = []
        for failure in failures:
            kind = self._result.kind(failure)
            mark = styled("ERROR", "red") if kind == "error" else styled(kind, "yellow")
            head = _head(failure, self._result)
            shown_lines.append(f"{mark} {lines(head[0])}")
            if failure.cause not in self._causes:
                shown_lines += map(lines, head[1:])
        if not {failure.cause for failure in failures} <= self._causes:
            longest = max(failures, key=lambda failure: len(failure.interactions))
            shown_lines += [*map(lines, _evidence(longest)), ""]
        self._causes |= {failure.cause for failure in failures}
        with self.paused():
            print("\n".join(shown_lines), flush=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Draw no live line meanwhile."""
        if self._live is None:
            yield
            return
        self._live.stop()
        yield
        self._live.start(refresh=True)

    def end(self) -> None:
        if self._live is not None:
            self._live.stop()


def styled(text: str, colour: str) -> str:
    """The text in a colour where standard output has colours."""
    return click.style(text, fg=colour, bold=True) if has_colours(sys.stdout) else text


def summarize(result: Result) -> None:
    if result.coverage is not None and result.command == "check":  # recorded traffic need not be complete
        covered = ", ".join(f"{name} {seen} of {of}" for name, (seen, of) in result.coverage.summary().items())
        print(f"coverage: {covered}")
        for name, each in result.coverage.operations.items():
            if each.unseen:
                print(printable(f"  {name}: never seen {', '.join(each.unseen)}"))
    for cause, failures in causes(result).items():
        if (times := sum(result.times[each.fingerprint] for each in failures)) > 1:
            operation, rule, place, status = cause
            places = f" in {len(failures)} places" if len(failures) > 1 else ""
            print(printable(f"{times} times {operation}: {rule} ({place}{places}, status {status or 'none'})"))
    for note in result.notes:
        print(printable(f"note: {note}"))
    kinds = Counter(map(result.kind, result.failures.values()))
    named = {"warning": counted(kinds["warning"], "warning"), "accepted": f"{kinds['accepted']} accepted"}
    others = "".join(f", {words}" for kind, words in named.items() if kinds[kind])
    seed = f", seed {result.seed}" if result.seed is not None else ""
    judged = counted(result.judged.total(), "interaction")
    print(f"{result.command}: {verdict(result)}{others} ({judged} in {result.seconds:.1f} s{seed})")


def causes(result: Result) -> dict[tuple[str, str, str, int], list[Failure]]:
    """The failures by cause."""
    found: dict[tuple[str, str, str, int], list[Failure]] = {}
    for failure in result.failures.values():
        found.setdefault(failure.cause, []).append(failure)
    return found


def verdict(result: Result) -> str:
    """The verdict in words: errors and causes; `holds` only where the run was complete."""
    count, of = len(result.errors), len({failure.cause for failure in result.errors})
    errors = f"{count} error{'s' if count > 1 else ''}" if count else ""
    errors += f" of {of} cause{'s' if of > 1 else ''}" if of < count else ""
    if result.ended == "interrupted":
        return styled(f"interrupted, {errors or 'no error'} so far", "red" if count else "yellow")
    if not errors:
        return styled("no error so far", "yellow") if result.ended else styled("holds", "green")
    return styled(errors, "red")
