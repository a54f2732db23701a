"""A result as one HTML page, readable without scripts; everything from the wire is escaped."""

import base64
import contextlib
import hashlib
import json
from collections import Counter
from functools import partial
from pathlib import Path

from ...contract.finding import counted
from ...reports.skeleton import page
from ...traffic.curl import curl
from ..result import Result
from ..terminal import causes, meaning

MAX_SHOWN = 20_000
"""Characters of a response body that are shown."""
COPYING = """for (const button of document.querySelectorAll("button")) {
  button.hidden = false;
  button.onclick = () => navigator.clipboard.writeText(button.nextElementSibling.textContent).then(() => { button.textContent = "Copied"; });
}"""  # noqa: E501 (JavaScript)


def html(result: Result) -> str:
    """The HTML page; causes with errors come first."""
    judged: Counter[str] = Counter()
    for (_, operation), times in result.judged.items():
        judged[operation] += times
    errors = len(result.errors)
    seed = f", seed {result.seed}" if result.seed is not None else ""
    ended = f"; the run ended early: {result.ended}" if result.ended else ""
    return page(
        Path(__file__).parent / "report.html",
        {"curl": curl, "text": _text},
        command=result.command,
        title=f"{result.contract.title} {result.contract.version}",
        about=f"{result.redaction.url(result.target)}, {result.started:%Y-%m-%d %H:%M} UTC{seed}",
        errors=errors,
        verdict=f"{errors} error{'s' if errors > 1 else ''}" if errors else "holds",
        remarks=[f"{counted(result.judged.total(), 'interaction')} in {result.seconds:.1f} s{ended}", *result.notes],
        result=result,
        causes=sorted(causes(result).values(), key=lambda each: -sum(map(result.counts, each))),
        judged=judged,
        meaning=partial(meaning, contract=result.contract),
        copying=COPYING,
        script_hash=base64.b64encode(hashlib.sha256(COPYING.encode()).digest()).decode(),
    )


def _text(body: bytes) -> str:
    """A body as text: indented where it is compact JSON, else unchanged; at most MAX_SHOWN characters."""
    text = body.decode(errors="backslashreplace")[:MAX_SHOWN]
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(text)
        if json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text:
            return json.dumps(value, ensure_ascii=False, indent=2)
    return text
