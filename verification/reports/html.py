"""One HTML page for people: it works offline, can be read without scripts, and all that came over the wire is text."""

import base64
import contextlib
import hashlib
import json
from collections import Counter
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...traffic.curl import curl
from ..result import Failure, Result
from ..terminal import lines, meaning

ROOT = Path(__file__).parent.parent.parent
"""Where the style is that reports share."""
MOST_SHOWN = 20_000
"""Characters of a response body that are shown."""
COPYING = """for (const button of document.querySelectorAll("button")) {
  button.hidden = false;
  button.onclick = () => navigator.clipboard.writeText(button.nextElementSibling.textContent).then(() => { button.textContent = "Copied"; });
}"""  # noqa: E501 (JavaScript)


def html(result: Result) -> str:
    """The page as text."""
    templates = FileSystemLoader([Path(__file__).parent, ROOT])
    environment = Environment(
        loader=templates, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"curl": curl, "text": _text}
    environment.finalize = lambda value: lines(value) if type(value) is str else value
    judged: Counter[str] = Counter()
    for (_, operation), times in result.judged.items():
        judged[operation] += times
    return environment.get_template("report.html").render(
        result=result,
        causes=_causes(result),
        judged=judged,
        meaning=partial(meaning, contract=result.contract),
        copying=COPYING,
        copying_hash=base64.b64encode(hashlib.sha256(COPYING.encode()).digest()).decode(),
    )


def _causes(result: Result) -> list[list[Failure]]:
    """The failures that one mistake can explain, together; those that count come first."""
    causes: dict[tuple[str, str, str, int], list[Failure]] = {}
    for failure in result.failures.values():
        causes.setdefault(failure.cause, []).append(failure)
    return sorted(causes.values(), key=lambda each: -sum(map(result.counts, each)))


def _text(body: bytes) -> str:
    """A body with a member in each line where it is JSON without white space, else as it came."""
    text = body.decode(errors="backslashreplace")[:MOST_SHOWN]
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(text)
        if json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text:
            return json.dumps(value, ensure_ascii=False, indent=2)
    return text
