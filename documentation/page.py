"""The rendering of the reference: one self-contained HTML page, and the same facts in Markdown."""

import base64
import contextlib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from .facts import Facts
from .panels import panel, request_panel, status
from .parts import Parts, breakable
from .served import Page, ServingMock, write
from .snippets import SNIPPETS, curl
from .wording import Fact, literal, longest_run, phrase

if TYPE_CHECKING:
    from pathlib import Path

_CODE_OR_TEXT = re.compile(r"(`+)(?!`)(?:.*?)(?<!`)\1(?!`)|<", re.DOTALL)

_LETTER, _ALONE = r"[^\W\d_]", r"[^\x00-\x1f\x7f\\`*_\[\]<>&]"
_PLAIN = re.compile(rf"{_LETTER}(?:{_ALONE}++|(?<=[^\W_])_(?=[^\W_])|(?<! )\n(?={_LETTER}))*+(?<! )")
"""Text that CommonMark does not change, which is most text."""

_FENCED_OR_GAP = re.compile(r"^(`{3,}).*?\n\1$|\n{3,}", re.DOTALL | re.MULTILINE)


def render_page(facts: Facts, mock: ServingMock | None = None) -> Page:
    """The HTML page. Without a mock that serves it, the reader enters the server."""
    return assembled(
        environment(html=True, links=facts.links),
        "reference",
        # Opened from a file, or from a site, the page may send requests to the server that its reader enters.
        may_ask="http: https:",
        facts=facts,
        try_it=script_data(facts.try_it),
        served_at=script_data(
            mock
            and {
                "api": mock.base_path,
                "controls": mock.controls,
                "scenario": facts.example_scenario if mock.controls else {},
            }
        ),
        beside=mock.pages if mock else {},
        languages=[name for name, _ in SNIPPETS.values()],
    )


def render_markdown(facts: Facts) -> str:
    """The reference in Markdown."""
    markdown = environment(html=False).get_template("reference.md.jinja").render(facts=facts)
    text = _FENCED_OR_GAP.sub(lambda found: found[0] if found[1] else "\n\n", markdown)
    return text.strip() + "\n"


def assembled(templates: Environment, name: str, *, may_ask: str = "'self'", **values: Any) -> Page:
    """A page from the template, the style and the script of this name, after those that all pages share.

    `may_ask` is the `connect-src` of the page's own policy; a served page may send requests to its server only.
    """
    style, script, early = _asset("base.css", f"{name}.css"), _asset("base.js", f"{name}.js"), _asset("theme.js")
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
    page = templates.get_template(f"{name}.html.jinja").render(
        style=Markup(style),  # noqa: S704 (our own files)
        script=Markup(script),  # noqa: S704
        early=Markup(early),  # noqa: S704
        policy=f"{policy}; connect-src {may_ask}",
        **values,
    )
    return Page(page, f"{policy}; connect-src 'self'; frame-ancestors 'none'")


class TemplateCache(BytecodeCache):
    """The cache of compiled templates, in memory and in a folder, because compiling is slow."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key not in self._code and self.folder is not None:
            with contextlib.suppress(OSError):
                self._code[bucket.key] = (self.folder / f"template-{bucket.key}").read_bytes()
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        code = self._code[bucket.key] = bucket.bytecode_to_string()
        if self.folder is not None:
            with contextlib.suppress(OSError):
                write(self.folder / f"template-{bucket.key}", code)


COMPILED = TemplateCache()


def environment(*, html: bool, links: Mapping[str, str] | None = None) -> Environment:
    """The Jinja environment for HTML or Markdown. `links` are the anchors of names that texts have in code."""
    made = Environment(
        loader=PackageLoader("callconfig.documentation"),
        autoescape=html,  # noqa: S701 (Markdown has its own escapes)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=COMPILED,
    )
    markdown = _markdown(links or {})

    @cache
    def block(text: str) -> Markup:
        plain = _PLAIN.fullmatch(text)
        return Markup(f"<p>{escape(text)}</p>\n" if plain else markdown.render(text))  # noqa: S704 (see _markdown)

    @cache
    def inline(text: str) -> Markup:
        return Markup(escape(text) if _PLAIN.fullmatch(text) else markdown.renderInline(text))  # noqa: S704

    @cache
    def cell(text: str) -> str:
        return " ".join(text_of_markdown(text).split()).replace("|", "\\|")

    @cache
    def listed(facts: tuple[Fact, ...]) -> str:
        if not html:
            return "; ".join(f"{word} {cell(fact)}" for word, fact in facts)
        each = (f"<div><dt>{escape(word)}</dt><dd>{inline(fact)}</dd></div>\n" for word, fact in facts)
        return Markup(f'<dl class="facts">\n{"".join(each)}</dl>\n')  # noqa: S704

    made.globals |= {
        "parts": Parts(block, inline, lambda facts: listed(tuple(facts))),
        "panel": panel,
        "request_panel": request_panel,
        "status": status,
        "curl": curl,
    }
    made.filters |= {
        "markdown": block,
        "inline": inline,
        "codespan": literal,
        "phrase": phrase,
        "codes": lambda names: ", ".join(map(literal, names)),
        "fenced": fenced,
        "breakable": breakable,
        "text": text_of_markdown,
        "cell": cell,
        "facts": lambda facts: listed(tuple(facts)),
    }
    return made


def _markdown(links: Mapping[str, str]) -> MarkdownIt:
    """A renderer of CommonMark with tables, without images and HTML; names in code become links."""

    def code_inline(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        name = tokens[index].content
        code = f"<code>{escape(name)}</code>"
        inside_link = sum(token.nesting for token in tokens[:index] if token.type.startswith("link")) > 0
        return f'<a href="#{escape(links[name])}">{code}</a>' if name in links and not inside_link else code

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    markdown.add_render_rule("code_inline", code_inline)
    return markdown


def fenced(text: str, language: str) -> str:
    """A fenced code block that may contain backticks (CommonMark, section 4.5)."""
    fence = "`" * max(3, longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def text_of_markdown(text: str) -> str:
    """Markdown with HTML as text: a `<` outside of code becomes a character reference."""
    if "<" not in text:
        return text.strip()
    return _CODE_OR_TEXT.sub(lambda found: "&lt;" if found[0] == "<" else found[0], text).strip()


def _asset(*names: str) -> str:
    return "".join((files("callconfig.documentation") / "assets" / name).read_text("utf-8") for name in names)


def _hash(text: str) -> str:
    """The hash source of an inline style or script (Content Security Policy Level 3, section 8)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def script_data(value: Any) -> Markup:
    """JSON inside a script element, escaped so that no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704
