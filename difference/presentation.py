"""The difference of two revisions for people and for machines. A row in FORMATS adds a report."""

import re
from collections.abc import Callable
from html import escape
from importlib.metadata import version
from json import dumps
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..contract.rulebook import DIFFERENCE_RULES
from ..traffic.curl import curl
from .change import Change
from .diff import Difference

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_SHOWN = 300
"""Characters of a curl command in a terminal; reports have all of it."""


def facts(change: Change, difference: Difference) -> list[tuple[str, str]]:
    """What a reader is told about a change: label and text."""
    told = [("concerns", change.concerned)] if change.verdict != "safe" else []
    told += [("again", curl(each)) for each in change.interactions]
    if change.direction == "response" and change.new_answer:
        told += [("NEW may answer", f"{change.new_answer}  ({change.new})")]
        told += [("an OLD client finds", f"{change.old_answer}  ({change.old})")]
    elif change.new_answer:
        told += [("OLD documents", f"{change.old_answer}  ({change.old})")]
        told += [("NEW finds", f"{change.new_answer}  ({change.new})")]
    else:
        told += [("OLD", str(change.old)), ("NEW", str(change.new))]
    if (entry := difference.accepted.get(change.fingerprint)) is not None:
        told.append(("accepted", f"until {entry.until}: {entry.reason}"))
    if difference.traffic is not None and change.verdict != "safe":
        told.append(("traffic", _hits(change, difference)))
    return [*told, ("fingerprint", change.fingerprint)] if change.verdict != "safe" else told


def _hits(change: Change, difference: Difference) -> str:
    hits = difference.traffic.hits.get(change.fingerprint, []) if difference.traffic else []
    if not hits:
        return "no recorded request touches it"
    clients = {hit.client: sum(each.client == hit.client for each in hits) for hit in hits}
    named = ", ".join(f"{client} ({count})" for client, count in sorted(clients.items()))
    return f"hits {named}; the first is {hits[0].request} in {hits[0].source}"


def mark(change: Change, difference: Difference) -> str:
    """The verdict in one word, with how much it counts."""
    return "accepted" if change.fingerprint in difference.accepted else change.verdict


def sentence(change: Change) -> str:
    return f"{change.operation or 'the resource'}: {change.part} {change.detail}"


def text(difference: Difference) -> str:
    """For a terminal: what breaks first, then what is undecided, then what is safe in a line each."""
    lines: list[str] = []
    for change in [*difference.of("breaking"), *difference.of("undecided")]:
        word = mark(change, difference)
        lines.append(f"{word.upper() if difference.level(change) == 'error' else word} {sentence(change)}")
        told = facts(change, difference)
        lines += [
            f"  {label}: {shown if len(shown) <= _MOST_SHOWN else shown[:_MOST_SHOWN] + '…'}" for label, shown in told
        ]
        lines.append("")
    lines += [f"safe {sentence(change)} ({change.new})" for change in difference.of("safe")]
    for client, (sent, broken) in sorted((difference.traffic.clients if difference.traffic else {}).items()):
        lines.append(f"client {client}: {broken} of {sent} requests are touched")
    lines += [f"note: {note}" for note in difference.notes]
    lines.append(f"version: {difference.advice}")
    lines.append(
        f"diff: {difference.verdict} ({len(difference.old.operations)} operations in {difference.seconds:.1f} s)"
    )
    return "".join(f"{_harmless(line)}\n" for line in lines)


def _harmless(line: str) -> str:
    """Without what a terminal would obey, or could not show."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in line)


def markdown(difference: Difference) -> str:
    """For a pull request: what to tell whom comes first, the evidence is folded."""
    old, new = difference.old, difference.new
    lines = [f"## {new.title}: {difference.verdict}", "", f"`{old.name}` to `{new.name}`; {difference.advice}.", ""]
    shown = [*difference.of("breaking"), *difference.of("undecided")]
    if shown:
        lines += ["| verdict | change | who must be told | line |", "|---|---|---|---|"]
        lines += [
            f"| {mark(each, difference)} | {_cell(sentence(each))} | {_cell(each.concerned)} | {_cell(str(each.new))} |"
            for each in shown
        ]
        lines.append("")
    for change in shown:
        lines += [f"<details><summary>{escape(mark(change, difference))}: {escape(sentence(change))}</summary>", ""]
        for label, told in facts(change, difference):
            fence = "`" * (max(map(len, re.findall(r"`+", told)), default=2) + 1)
            fence = fence if len(fence) > 2 else "```"
            lines += [f"{label}:", "", fence, told, fence, ""]
        lines += ["</details>", ""]
    lines += [f"- safe: {_cell(sentence(each))}" for each in difference.of("safe")]
    lines += [f"- note: {_cell(note)}" for note in difference.notes]
    return "\n".join(lines) + "\n"


def _cell(words: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", words).replace("\n", " ")


def html(difference: Difference) -> str:
    """One page that works offline and without scripts."""
    articles = "".join(
        f'<article class="{difference.level(each)}" id="{each.fingerprint}"><h2>{escape(mark(each, difference))}: '
        f"{escape(sentence(each))}</h2><dl>"
        + "".join(f"<dt>{escape(label)}<dd><code>{escape(told)}</code>" for label, told in facts(each, difference))
        + "</dl></article>\n"
        for each in (*difference.of("breaking"), *difference.of("undecided"), *difference.of("safe"))
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>callconfig diff</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{escape(difference.new.title)}: {escape(difference.verdict)}</h1>\n"
        f"<p>{escape(difference.old.name)} to {escape(difference.new.name)}; {escape(difference.advice)}</p>\n"
        + "".join(f"<p>{escape(note)}</p>\n" for note in difference.notes)
        + articles
        + "</body></html>\n"
    )


_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: .3rem 0 } dd { margin: 0 0 .5rem }
article { border-left: .3rem solid #8888; padding: 0 1rem; margin: 1rem 0 } code { overflow-wrap: anywhere }
article.error { border-color: #c62828 } article.warning { border-color: #b26a00 }
"""


def document(difference: Difference) -> dict[str, Any]:
    """What the JSON report says."""
    hits = difference.traffic.hits if difference.traffic else {}
    return {
        "tool": {"name": "callconfig", "version": version("callconfig")},
        "command": "diff",
        "old": {"name": difference.old.name, "version": difference.old.version},
        "new": {"name": difference.new.name, "version": difference.new.version},
        "errors": len(difference.errors),
        "deserved": difference.deserved,
        "promised": difference.promised,
        "advice": difference.advice,
        "notes": difference.notes,
        "changes": [
            {
                "verdict": change.verdict,
                "level": difference.level(change),
                "accepted": change.fingerprint in difference.accepted,
                "fingerprint": change.fingerprint,
                "operation": change.operation,
                "rule": change.rule,
                "direction": change.direction,
                "part": change.part,
                "detail": change.detail,
                "old": {"file": change.old.file, "line": change.old.line, "answer": change.old_answer},
                "new": {"file": change.new.file, "line": change.new.line, "answer": change.new_answer},
                "findings": [finding.as_json() for finding in change.findings],
                "curl": [curl(each) for each in change.interactions],
                "hits": [
                    {"client": hit.client, "source": hit.source, "request": hit.request}
                    for hit in hits.get(change.fingerprint, [])
                ],
            }
            for change in difference.changes
        ],
        "clients": {
            name: {"requests": sent, "broken": broken}
            for name, (sent, broken) in (difference.traffic.clients if difference.traffic else {}).items()
        },
    }


def json(difference: Difference) -> str:
    return dumps(document(difference), indent=2, ensure_ascii=False) + "\n"


def _explained(change: Change, difference: Difference) -> str:
    return "\n".join([sentence(change), *(f"  {label}: {told}" for label, told in facts(change, difference))])


def junit(difference: Difference) -> str:
    """A test case for each operation of OLD, and for what is new or belongs to none."""
    cases: dict[str, list[Change]] = {operation.id: [] for operation in difference.old.operations.values()}
    for change in difference.changes:
        cases.setdefault(change.operation or "the resource", []).append(change)
    errors = {change.fingerprint for change in difference.errors}
    failed = sum(any(change.fingerprint in errors for change in found) for found in cases.values())
    counts: dict[str, Any] = {"tests": str(len(cases)), "failures": str(failed), "errors": "0"}
    seconds = f"{difference.seconds:.3f}"
    root = Element("testsuites", name="callconfig diff", time=seconds, **counts)
    started = difference.started.replace(microsecond=0, tzinfo=None).isoformat()
    suite = SubElement(
        root, "testsuite", name="callconfig diff", timestamp=started, time=seconds, skipped="0", **counts
    )
    for operation, found in cases.items():
        test = SubElement(suite, "testcase", classname="callconfig diff", name=_xml(operation), time="0")
        for change in (each for each in found if each.fingerprint in errors):
            failure = SubElement(test, "failure", type=change.rule, message=_xml(sentence(change)))
            failure.text = _xml(_explained(change, difference))
        others = [_explained(each, difference) for each in found if each.fingerprint not in errors]
        if others:
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
