"""The skeleton of a report page, which works offline and begins with the verdict."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..outcome import lines


def page(template: Path, filters: Mapping[str, Callable[..., Any]], *, autoescape: bool = True, **names: Any) -> str:
    """A rendered template; one of HTML extends `page.html`, which has the style."""
    environment = Environment(
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=autoescape,  # noqa: S701 (Markdown escapes what stands in no fence itself)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: lines(value) if type(value) is str else value,
    )
    environment.filters |= filters
    return environment.get_template(template.name).render(names)
