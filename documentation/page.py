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

from ..contract.document import Contract
from .execution import Answer
from .facts import Facts
from .samples import text_of
from .snippets import SNIPPETS
from .wording import literal, longest_run, phrase

_CODE_OR_TEXT = re.compile(r"(`+)(?!`)(?:.*?)(?<!`)\1(?!`)|<", re.DOTALL)

_STRING = r"""(?P<s>"(?:[^"\\\n]|\\.)*")"""
_NUMBER = r"(?P<m>-?\b\d[\d.]*\b)"
_TOKENS = {
    "json": re.compile(rf'(?P<nt>"(?:[^"\\\n]|\\.)*"(?=:))|{_STRING}|{_NUMBER}|(?P<k>\b(?:true|false|null)\b)'),
    "python": re.compile(rf"{_STRING}|{_NUMBER}|(?P<k>\b(?:import|True|False|None)\b)"),
    "javascript": re.compile(rf"{_STRING}|{_NUMBER}|(?P<k>\b(?:const|await|true|false|null)\b)"),
    "bash": re.compile(r"""(?P<s>'[^']*'(?:"'"'[^']*')*)"""),
}
"""The parts of code that have a colour, by language; the names of the groups are classes of the style sheet."""

_PLAIN = re.compile(r"[A-Za-z](?:[^\W_]|[ ,.;:()'/?%=-])*(?<! )")
"""Text that CommonMark leaves as it is, which most is."""

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
    facts = Facts(contract, answers)
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
    html = _environment(html=True, links=facts.links).get_template("index.html.jinja")
    markdown = _environment(html=False).get_template("reference.md.jinja")
    page = html.render(
        facts=facts,
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704
        early=Markup(early),  # noqa: S704
        # Opened from a file, or from a site, the page may ask the server that its reader names.
        policy=f"{policy}; connect-src http: https:",
        try_it=_script_data(facts.try_it),
        served_at=_script_data(base_path),
    )
    text = _FENCED_OR_GAP.sub(lambda found: found[0] if found[1] else "\n\n", markdown.render(facts=facts))
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

    @cache
    def block(text: str) -> Markup:
        plain = _PLAIN.fullmatch(text)
        return Markup(f"<p>{escape(text)}</p>\n" if plain else markdown.render(text))  # noqa: S704 (see _markdown)

    @cache
    def inline(text: str) -> Markup:
        return Markup(escape(text) if _PLAIN.fullmatch(text) else markdown.renderInline(text))  # noqa: S704

    environment.globals["snippets"] = SNIPPETS
    environment.tests["contains"] = lambda values, value: value in values
    environment.filters |= {
        "markdown": block,
        "inline": inline,
        "code": _code,
        "codespan": literal,
        "phrase": phrase,
        "fence": lambda text: "`" * max(3, longest_run(text) + 1),
        "json": text_of,
        "breakable": lambda name: Markup(str(escape(name)).replace("_", "_<wbr>")),  # noqa: S704
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
    """Code with its parts in colour."""
    parts: list[str] = []
    end = 0
    for token in _TOKENS[language].finditer(text):
        parts += [escape(text[end : token.start()]), f'<span class="{token.lastgroup}">{escape(token[0])}</span>']
        end = token.end()
    return Markup("".join([*parts, escape(text[end:])]))  # noqa: S704 (every part is escaped)


def _asset(name: str) -> str:
    return (files("callconfig.documentation") / "assets" / name).read_text("utf-8")


def _hash(text: str) -> str:
    """A source that the policy allows, by what it says (Content Security Policy Level 3, section 8)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _script_data(value: Any) -> Markup:
    """JSON inside a script element: no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704
