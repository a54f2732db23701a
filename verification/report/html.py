"""One HTML page for people: it works offline and without scripts, and everything that came over the wire is text."""

from html import escape

from ...contract.interaction import Interaction
from ..coverage import Coverage
from ..curl import curl
from ..result import Failure, Result

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --error: #c62828; --fine: #2e7d32; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2rem } article h2 { font-size: 1.1rem; margin: .3rem 0 }
article { border: 1px solid var(--line); border-left: .3rem solid var(--error); padding: .5rem 1rem; margin: 1rem 0 }
article.accepted, article.warning { border-left-color: var(--line) }
pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; margin: .3rem 0 }
table { border-collapse: collapse; font-size: .9rem } th, td { border: 1px solid var(--line); padding: .1rem .5rem;
text-align: left; vertical-align: top } .never { color: var(--error); font-weight: 600 } .fine { color: var(--fine) }
"""


def html(result: Result) -> str:
    """The page as text."""
    errors = len(result.errors)
    verdict = f'<b class="never">{errors} errors</b>' if errors else '<b class="fine">holds</b>'
    seed = f", seed {result.seed}" if result.seed is not None else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>callconfig {escape(result.command)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{escape(result.contract.title)} {escape(result.contract.version)}: {verdict}</h1>\n"
        f"<p>callconfig {escape(result.command)} {escape(result.redaction.url(result.target))}<br>"
        f"{result.judged.total()} interactions in {result.seconds:.1f} s{seed}, "
        f"{escape(result.started.isoformat(timespec='seconds'))}</p>\n"
        + "".join(f"<p>{escape(note)}</p>\n" for note in result.notes)
        + "".join(_article(failure, result) for failure in result.failures.values())
        + (_coverage(result.coverage) if result.coverage is not None else "")
        + "</body></html>\n"
    )


def _article(failure: Failure, result: Result) -> str:
    finding = failure.finding
    accepted = failure.fingerprint in result.accepted
    kind = "accepted" if accepted else finding.severity
    return (
        f'<article class="{kind}" id="{failure.fingerprint}">'
        f"<h2>{escape(failure.operation)}: {escape(str(finding))}</h2>"
        f"<p>{kind}, rule <code>{escape(finding.rule)}</code>, found by {escape(failure.part)}, "
        f"{result.times[failure.fingerprint]} times</p>"
        + "".join(map(_interaction, failure.interactions))
        + "</article>\n"
    )


def _interaction(interaction: Interaction) -> str:
    answered = f"{interaction.status}" if interaction.status else f"no answer: {interaction.error}"
    source = f" <small>{escape(interaction.source)}</small>" if interaction.source else ""
    body = interaction.response_body.decode(errors="backslashreplace")
    return (
        f"<pre><code>{escape(curl(interaction))}</code></pre><details><summary>{escape(answered)}{source}</summary>"
        f"<pre><code>{escape(body[:20_000])}</code></pre></details>"
    )


def _coverage(coverage: Coverage) -> str:
    counted = ", ".join(f"{name} {seen} of {of}" for name, (seen, of) in coverage.summary().items())
    text = f"<h2>Coverage</h2><p>{counted}</p>\n"
    for name, each in coverage.operations.items():
        statuses = "".join(
            f"<td{' class=never' if status in each.unseen else ''}>{status}: {each.statuses[status]}</td>"
            for status in each.operation.responses
        )
        rows = "".join(
            f"<tr><td>{escape(row.place)}</td><td>{escape(row.name)}</td>"
            f"<td{'' if row.sent else ' class=never'}>{row.sent}</td><td>"
            + ", ".join(
                f"<span{'' if times else ' class=never'}>{escape(keyword)} {times}</span>"
                for keyword, times in row.keywords.items()
            )
            + "</td></tr>\n"
            for row in each.rows.values()
        )
        text += (
            f"<details><summary>{escape(name)}</summary><table><tr>{statuses}</tr></table>\n"
            "<table><tr><th>in</th><th>member</th><th>sent</th><th>broken, by keyword</th></tr>\n"
            f"{rows}</table></details>\n"
        )
    return text
