"""One HTML page for people: it works offline and without scripts, and everything that came over the wire is text."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...traffic.curl import curl
from ..result import Result
from ..terminal import lines

MOST_SHOWN = 20_000
"""Characters of a response body that are shown."""


def html(result: Result) -> str:
    """The page as text."""
    templates = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=templates, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"curl": curl, "text": lambda body: body.decode(errors="backslashreplace")[:MOST_SHOWN]}
    environment.finalize = lambda value: lines(value) if type(value) is str else value
    return environment.get_template("report.html").render(result=result)
