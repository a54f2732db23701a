"""Reports on the difference of two revisions. A row in FORMATS adds one."""

import re
from collections.abc import Callable
from json import dumps
from pathlib import Path
from typing import Any

from ..contract.finding import counted
from ..contract.rulebook import DIFFERENCE_RULES
from ..outcome import printable, program
from ..reports.junit import Found
from ..reports.junit import junit as junit_xml
from ..reports.sarif import location, result
from ..reports.sarif import sarif as sarif_json
from ..reports.skeleton import page
from ..traffic.curl import curl
from .change import MAX_NAMED, Change
from .diff import Difference

_MAX_SHOWN = 300
"""Characters of a fact on a terminal; reports have all of it."""


def facts(change: Change, difference: Difference) -> list[tuple[str, str]]:
    """The facts about a change: label and text."""
    if change.direction == "response" and change.new_answer:
        rows = [("NEW may respond", f"{change.new_answer}  ({change.new})")]
        rows += [("OLD finds", f"{change.old_answer}  ({change.old})")]
    elif change.new_answer:
        rows = [("OLD documents", f"{change.old_answer}  ({change.old})")]
        rows += [("NEW finds", f"{change.new_answer}  ({change.new})")]
    else:
        rows = [("OLD", str(change.old)), ("NEW", str(change.new))]
    rows = [*(("reproduce", curl(each)) for each in change.interactions), *rows]
    if change.verdict == "safe":
        return rows
    if (entry := difference.accepted.get(change.fingerprint)) is not None:
        rows.append(("accepted", f"until {entry.until}: {entry.reason}"))
    if difference.traffic is not None:
        rows.append(("traffic", _hits(change, difference)))
    if len(change.operations) > MAX_NAMED:
        rows.append(("operations", ", ".join(change.operations)))
    prints = ", ".join(f"{each.operation or 'the resource'} {each.fingerprint}" for each in change.all)
    return [("concerns", change.concerned), *rows, ("fingerprints", prints)]


def _hits(change: Change, difference: Difference) -> str:
    hits = difference.hits(change)
    if not hits:
        return "no recorded request touches it"
    clients = {hit.client: sum(each.client == hit.client for each in hits) for hit in hits}
    named = ", ".join(f"{client} ({count})" for client, count in sorted(clients.items()))
    return f"hits {named}; the first is {hits[0].request} in {hits[0].source}"


def mark(change: Change, difference: Difference) -> str:
    """The verdict in one word, with the severity."""
    return "accepted" if change.fingerprint in difference.accepted else change.verdict


def _explained(change: Change, difference: Difference) -> str:
    return "\n".join([change.sentence, *(f"  {label}: {value}" for label, value in facts(change, difference))])


def text(difference: Difference) -> str:
    """The report for a terminal: breaking changes, undecided ones, then safe ones in a line each."""
    lines: list[str] = []
    for change in [*difference.of("breaking"), *difference.of("undecided")]:
        word = mark(change, difference)
        lines.append(f"{word.upper() if difference.level(change) == 'error' else word} {change.sentence}")
        for label, value in facts(change, difference):
            lines.append(f"  {label}: {value if len(value) <= _MAX_SHOWN else value[:_MAX_SHOWN] + '…'}")
        lines.append("")
    lines += [f"safe {change.sentence} ({change.new})" for change in difference.of("safe")]
    for client, (sent, broken) in sorted((difference.traffic.clients if difference.traffic else {}).items()):
        lines.append(f"client {client}: {broken} of {sent} requests break")
    lines += [f"note: {note}" for note in difference.notes]
    if not difference.is_first:
        lines.append(f"version: {difference.advice}")
    count = len(difference.old.operations)
    lines.append(f"diff: {difference.verdict} ({counted(count, 'operation')} in {difference.seconds:.1f} s)")
    return "".join(f"{printable(line)}\n" for line in lines)


def html(difference: Difference) -> str:
    """The report as one HTML page that works offline and without scripts."""
    return _page(
        "diff.html",
        difference,
        command="diff",
        title=difference.new.title,
        about=f"{difference.old.name} {difference.new.name}, {difference.started:%Y-%m-%d %H:%M} UTC",
        errors=difference.errors,
        verdict=difference.verdict,
        remarks=["" if difference.is_first else difference.advice, *difference.notes],
    )


def markdown(difference: Difference) -> str:
    """The report for a pull request: changes and affected clients first, the evidence folded."""
    return _page("diff.md", difference, autoescape=False)


def _page(template: str, difference: Difference, **names: Any) -> str:
    filters: dict[str, Callable[..., Any]] = {
        "cell": lambda words: re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", words).replace("\n", " "),
        "fence": lambda text: max("```", "`" * (max(map(len, re.findall(r"`+", text)), default=0) + 1), key=len),
        "facts": lambda change: facts(change, difference),
        "mark": lambda change: mark(change, difference),
    }
    return page(Path(__file__).parent / template, filters, difference=difference, **names)


def json(difference: Difference) -> str:
    """The report as JSON. A break of several operations is one change, with each operation's fingerprint."""
    document = {
        "tool": program(),
        "command": "diff",
        "old": {"name": difference.old.name, "version": difference.old.version},
        "new": {"name": difference.new.name, "version": difference.new.version},
        "errors": len(difference.errors),
        "deserved": difference.deserved,
        "promised": difference.promised,
        "advice": difference.advice,
        "notes": difference.notes,
        "changes": [_change(change, difference) for change in difference.changes],
        "clients": {
            name: {"requests": sent, "broken": broken}
            for name, (sent, broken) in (difference.traffic.clients if difference.traffic else {}).items()
        },
    }
    return dumps(document, indent=2, ensure_ascii=False) + "\n"


def _change(change: Change, difference: Difference) -> dict[str, Any]:
    return {
        "verdict": change.verdict,
        "level": difference.level(change),
        "accepted": change.fingerprint in difference.accepted,
        "operations": [{"operation": each.operation, "fingerprint": each.fingerprint} for each in change.all],
        "rule": change.rule,
        "direction": change.direction,
        "part": change.part,
        "detail": change.detail,
        "old": {"file": change.old.file, "line": change.old.line, "answer": change.old_answer},
        "new": {"file": change.new.file, "line": change.new.line, "answer": change.new_answer},
        "findings": [finding.as_json() for finding in change.findings],
        "curl": [curl(each) for each in change.interactions],
        "hits": [
            {"client": hit.client, "source": hit.source, "request": hit.request} for hit in difference.hits(change)
        ],
    }


def junit(difference: Difference) -> str:
    """The report as JUnit: a test case for each operation of OLD, and for changes that belong to none."""
    cases: dict[tuple[str, str], list[Found]] = {("", each.id): [] for each in difference.old.operations.values()}
    for change in difference.changes:
        fails = difference.level(change) == "error"
        found = Found(change.rule, change.sentence, _explained(change, difference), fails=fails)
        for operation in change.operations:
            cases.setdefault(("", operation), []).append(found)
    return junit_xml("diff", difference.started, difference.seconds, cases, difference.notes)


def sarif(difference: Difference) -> str:
    """The report as SARIF 2.1.0; the location of each result is its line of NEW."""
    results = [_result(change, difference) for change in difference.changes]
    return sarif_json("diff", difference.started, results, DIFFERENCE_RULES.__getitem__, difference.notes)


def _result(change: Change, difference: Difference) -> dict[str, Any]:
    entry = difference.accepted.get(change.fingerprint)
    shown = result(
        change.rule,
        difference.level(change),
        _explained(change, difference),
        change.fingerprint,
        location(change.new.file, change.new.line),
        f"until {entry.until}: {entry.reason}" if entry else "",
    )
    related = {**location(change.old.file, change.old.line), "message": {"text": "as it was"}}
    return {**shown, "relatedLocations": [related]}


FORMATS: dict[str, Callable[[Difference], str]] = {
    "junit": junit,
    "sarif": sarif,
    "json": json,
    "html": html,
    "markdown": markdown,
}
