"""The reference laid out: one HTML page that needs nothing beside it, and the same facts in Markdown."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from ..contract.document import Contract
from .execution import Answer
from .reference import Reference
from .schemas import literal, longest_run

_CODE_OR_TEXT = re.compile(r"(`+)(?!`)(?:.*?)(?<!`)\1(?!`)|<", re.DOTALL)

_FENCED_OR_GAP = re.compile(r"^(`{3,}).*?\n\1$|\n{3,}", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """The HTML, and the Content-Security-Policy that a server sends with it: only what is in the page may run."""

    html: str
    content_security_policy: str


def render(contract: Contract, answers: Mapping[str, Answer], base_path: str | None = None) -> tuple[Page, str]:
    """The page, and the reference in Markdown.

    `base_path` is where the mock that serves the page has the API; without it the page asks for the server.
    """
    reference = Reference(contract, answers)
    style, script, early = (_asset(name) for name in ("reference.css", "reference.js", "theme.js"))
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)} {_hash(early)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    html = _environment(html=True, links=reference.links).get_template("index.html.jinja")
    markdown = _environment(html=False).get_template("reference.md.jinja")
    page = html.render(
        reference=reference,
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704
        early=Markup(early),  # noqa: S704
        # Opened from a file, or from a site, the page may ask the server that its reader names.
        policy=f"{policy}; connect-src http: https:",
        try_it=_script_data(reference.try_it),
        served_at=_script_data(base_path),
    )
    text = _FENCED_OR_GAP.sub(lambda found: found[0] if found[1] else "\n\n", markdown.render(reference=reference))
    return Page(page, f"{policy}; connect-src 'self'; frame-ancestors 'none'"), text.strip() + "\n"


def _environment(*, html: bool, links: Mapping[str, str] | None = None) -> Environment:
    environment = Environment(
        loader=PackageLoader("callconfig.documentation"),
        autoescape=html,  # noqa: S701 (Markdown has its own escapes)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    markdown = _markdown(links or {})
    environment.tests["contains"] = lambda values, value: value in values
    environment.filters |= {
        "markdown": lambda text: Markup(markdown.render(text)),  # noqa: S704 (it makes no HTML but its own)
        "inline": lambda text: Markup(markdown.renderInline(text)),  # noqa: S704
        "code": _code,
        "codespan": literal,
        "fence": lambda text: "`" * max(3, longest_run(text) + 1),
        "json": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
        "breakable": lambda name: Markup("_<wbr>").join(escape(part) for part in name.split("_")),
        "text": text_of_markdown,
        "cell": lambda text: " ".join(text_of_markdown(text).split()).replace("|", "\\|"),
    }
    return environment


def _markdown(links: Mapping[str, str]) -> MarkdownIt:
    """CommonMark and tables, without images, and where HTML is text; code that is a name of something leads there."""

    def code_inline(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        name = tokens[index].content
        code = f"<code>{escape(name)}</code>"
        inside_link = sum(token.nesting for token in tokens[:index] if token.type.startswith("link")) > 0
        return f'<a href="#{escape(links[name])}">{code}</a>' if name in links and not inside_link else code

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    markdown.add_render_rule("code_inline", code_inline)
    return markdown


def text_of_markdown(text: str) -> str:
    """Markdown in which HTML is text, too: a `<` outside of code is written as a reference."""
    return _CODE_OR_TEXT.sub(lambda found: "&lt;" if found[0] == "<" else found[0], text).strip()


def _code(text: str, language: str) -> Markup:
    return Markup(highlight(text, _lexer(language), _FORMATTER).rstrip("\n"))  # noqa: S704 (Pygments escapes)


_FORMATTER = HtmlFormatter(nowrap=True)
_lexer = cache(get_lexer_by_name)


def _asset(name: str) -> str:
    return (files("callconfig.documentation") / "assets" / name).read_text("utf-8")


def _hash(text: str) -> str:
    """A source that the policy allows, by what it says (Content Security Policy Level 3, section 8)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _script_data(value: Any) -> Markup:
    """JSON inside a script element: no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704
