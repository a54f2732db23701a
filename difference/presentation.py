"""The difference of two revisions for people and for machines. A row in FORMATS adds a report."""

import re
from collections.abc import Callable
from importlib.metadata import version
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..contract.rulebook import DIFFERENCE_RULES
from ..outcome import printable
from ..traffic.curl import curl
from .change import MOST_NAMED, Change
from .diff import Difference

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_SHOWN = 300
"""Characters of a fact in a terminal; reports have all of it."""


def facts(change: Change, difference: Difference) -> list[tuple[str, str]]:
    """What a reader is told about a change: label and text."""
    if change.direction == "response" and change.new_answer:
        told = [("NEW may answer", f"{change.new_answer}  ({change.new})")]
        told += [("an OLD client finds", f"{change.old_answer}  ({change.old})")]
    elif change.new_answer:
        told = [("OLD documents", f"{change.old_answer}  ({change.old})")]
        told += [("NEW finds", f"{change.new_answer}  ({change.new})")]
    else:
        told = [("OLD", str(change.old)), ("NEW", str(change.new))]
    told = [*(("again", curl(each)) for each in change.interactions), *told]
    if change.verdict == "safe":
        return told
    if (entry := difference.accepted.get(change.fingerprint)) is not None:
        told.append(("accepted", f"until {entry.until}: {entry.reason}"))
    if difference.traffic is not None:
        told.append(("traffic", _hits(change, difference)))
    if len(change.operations) > MOST_NAMED:
        told.append(("operations", ", ".join(change.operations)))
    prints = ", ".join(f"{each.operation or 'the resource'} {each.fingerprint}" for each in change.all)
    return [("concerns", change.concerned), *told, ("fingerprints", prints)]


def _hits(change: Change, difference: Difference) -> str:
    hits = difference.hits(change)
    if not hits:
        return "no recorded request touches it"
    clients = {hit.client: sum(each.client == hit.client for each in hits) for hit in hits}
    named = ", ".join(f"{client} ({count})" for client, count in sorted(clients.items()))
    return f"hits {named}; the first is {hits[0].request} in {hits[0].source}"


def mark(change: Change, difference: Difference) -> str:
    """The verdict in one word, with how much it counts."""
    return "accepted" if change.fingerprint in difference.accepted else change.verdict


def _explained(change: Change, difference: Difference) -> str:
    return "\n".join([change.sentence, *(f"  {label}: {told}" for label, told in facts(change, difference))])


def text(difference: Difference) -> str:
    """For a terminal: what breaks first, then what is undecided, then what is safe in a line each."""
    lines: list[str] = []
    for change in [*difference.of("breaking"), *difference.of("undecided")]:
        word = mark(change, difference)
        lines.append(f"{word.upper() if difference.level(change) == 'error' else word} {change.sentence}")
        for label, told in facts(change, difference):
            lines.append(f"  {label}: {told if len(told) <= _MOST_SHOWN else told[:_MOST_SHOWN] + '…'}")
        lines.append("")
    lines += [f"safe {change.sentence} ({change.new})" for change in difference.of("safe")]
    for client, (sent, broken) in sorted((difference.traffic.clients if difference.traffic else {}).items()):
        lines.append(f"client {client}: {broken} of {sent} requests are touched")
    lines += [f"note: {note}" for note in difference.notes]
    if not difference.is_first:
        lines.append(f"version: {difference.advice}")
    count = len(difference.old.operations)
    lines.append(f"diff: {difference.verdict} ({count} operations in {difference.seconds:.1f} s)")
    return "".join(f"{printable(line)}\n" for line in lines)


def html(difference: Difference) -> str:
    """One page that works offline and without scripts."""
    return _page("diff.html", difference, autoescape=True)


def markdown(difference: Difference) -> str:
    """For a pull request: what to tell whom comes first, the evidence is folded."""
    return _page("diff.md", difference, autoescape=False)


def _page(template: str, difference: Difference, *, autoescape: bool) -> str:
    environment = Environment(
        loader=FileSystemLoader([Path(__file__).parent, Path(__file__).parent.parent]),  # with the style of reports
        autoescape=autoescape,  # noqa: S701 (Markdown escapes what stands in no fence itself)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "cell": lambda words: re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", words).replace("\n", " "),
        "fence": lambda told: max("```", "`" * (max(map(len, re.findall(r"`+", told)), default=0) + 1), key=len),
        "facts": lambda change: facts(change, difference),
        "mark": lambda change: mark(change, difference),
    }
    return environment.get_template(template).render(difference=difference)


def json(difference: Difference) -> str:
    """A break of several operations is one change, with each operation's fingerprint."""
    document = {
        "tool": {"name": "callconfig", "version": version("callconfig")},
        "command": "diff",
        **{side: {"name": each.name, "version": each.version} for side, each in _sides(difference)},
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


def _sides(difference: Difference) -> list[tuple[str, Any]]:
    return [("old", difference.old), ("new", difference.new)]


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
    """A test case for each operation of OLD, and for what is new or belongs to none."""
    cases: dict[str, list[Change]] = {operation.id: [] for operation in difference.old.operations.values()}
    for change in difference.changes:
        for operation in change.operations:
            cases.setdefault(operation, []).append(change)
    failed = sum(any(difference.level(each) == "error" for each in found) for found in cases.values())
    common: dict[str, Any] = {"name": "callconfig diff", "time": f"{difference.seconds:.3f}"}
    common |= {"tests": str(len(cases)), "failures": str(failed), "errors": "0"}
    started = difference.started.replace(microsecond=0, tzinfo=None).isoformat()
    root = Element("testsuites", **common)
    suite = SubElement(root, "testsuite", timestamp=started, skipped="0", **common)
    for operation, found in cases.items():
        test = SubElement(suite, "testcase", classname="callconfig diff", name=_xml(operation), time="0")
        for change in (each for each in found if difference.level(each) == "error"):
            failure = SubElement(test, "failure", type=change.rule, message=_xml(change.sentence))
            failure.text = _xml(_explained(change, difference))
        if others := [_explained(each, difference) for each in found if difference.level(each) != "error"]:
            SubElement(test, "system-out").text = _xml("\n\n".join(others))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _xml(words: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", words)


def sarif(difference: Difference) -> str:
    """SARIF 2.1.0; each result is at its line of NEW."""
    rules = sorted({change.rule for change in difference.changes})
    described = [
        {
            "id": name,
            "shortDescription": {"text": DIFFERENCE_RULES[name].summary},
            "help": {"text": DIFFERENCE_RULES[name].remedy},
        }
        for name in rules
    ]
    driver = {"name": "callconfig", "version": version("callconfig"), "rules": described}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "callconfig/diff/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(change, difference, rules.index(change.rule)) for change in difference.changes],
    }
    return dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _result(change: Change, difference: Difference, rule: int) -> dict[str, Any]:
    places = [
        {"physicalLocation": {"artifactLocation": {"uri": quote(place.file)}, "region": {"startLine": place.line}}}
        for place in (change.new, change.old)
    ]
    shown: dict[str, Any] = {
        "ruleId": change.rule,
        "ruleIndex": rule,
        "level": difference.level(change),
        "message": {"text": _explained(change, difference)},
        "locations": places[:1],
        "relatedLocations": [{**places[1], "message": {"text": "as it was"}}],
        "partialFingerprints": {"callconfig/v1": change.fingerprint},
    }
    if (entry := difference.accepted.get(change.fingerprint)) is not None:
        shown["suppressions"] = [{"kind": "external", "justification": f"until {entry.until}: {entry.reason}"}]
    return shown


FORMATS: dict[str, Callable[[Difference], str]] = {
    "junit": junit,
    "sarif": sarif,
    "json": json,
    "html": html,
    "markdown": markdown,
}
