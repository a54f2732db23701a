"""Code in HTML with highlighting: requests in each language, and responses."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from markupsafe import Markup

from .snippets import SNIPPETS
from .wording import phrase

_STRING = r"""(?P<s>"(?:[^"\\\n]|\\.)*")"""
_NUMBER = r"(?P<m>-?\b\d[\d.]*\b)"
_TOKENS = {
    "json": re.compile(rf'(?P<nt>"(?:[^"\\\n]|\\.)*"(?=:))|{_STRING}|{_NUMBER}|(?P<k>\b(?:true|false|null)\b)'),
    "python": re.compile(rf"{_STRING}|{_NUMBER}|(?P<k>\b(?:import|True|False|None)\b)"),
    "javascript": re.compile(rf"{_STRING}|{_NUMBER}|(?P<k>\b(?:const|await|true|false|null)\b)"),
    "bash": re.compile(r"""(?P<s>'[^']*'(?:"'"'[^']*')*)"""),
}
"""The highlighted tokens by language; the names of the groups are classes of the style sheet."""
_COPY = '<button type="button" class="copy" hidden>Copy</button>'


def panel(title: str, text: str, language: str, label: str = "") -> Markup:
    """Code below its title; `label` names it for screen readers."""
    caption = f"<figcaption><span>{escape(title)}</span>{_COPY}</figcaption>"
    return Markup(f'<figure class="panel">\n{caption}\n{_code(text, language, label or title)}</figure>\n')  # noqa: S704


def request_panel(sample: Mapping[str, Any]) -> Markup:
    """The request of an example in every language, one of which is visible."""
    about, anchor = escape(sample["example"].summary), escape(sample["anchor"])
    choices, snippets = list[str](), list[str]()
    for language, (name, write) in SNIPPETS.items():
        checked = "" if choices else " checked"
        choices.append(
            f'<label><input type="radio" name="{anchor}" value="{language}"{checked}><span>{name}</span></label>\n'
        )
        code = _code(write(sample["example"].sent, sample["server"]), language, f"{name}, {sample['example'].summary}")
        snippets.append(f'<div class="snippet {language}">{code}</div>\n')
    return Markup(  # noqa: S704 (escaped)
        '<div class="request">\n<fieldset class="languages">'
        f'<legend class="hidden">Language of the request: {about}</legend>\n'
        f"{''.join(choices)}{_COPY}\n</fieldset>\n{''.join(snippets)}</div>\n"
    )


def response_panel(sample: Mapping[str, Any]) -> str:
    """The response of an example; empty where there is none to show."""
    example = sample["example"]
    text, published, whole = sample["text"], sample["published"], sample["whole"]
    if not text and not sample["executed"]:
        return ""
    fields = "".join(
        f"<div><dt>{escape(name)}:</dt> <dd>{escape(value)}</dd></div>" for name, value in sample["headers"].items()
    )
    caption = f"<span>{status(example.status)} {escape(phrase(example.status))}</span>{_COPY if text else ''}"
    shown = [
        f"<figcaption>{caption}</figcaption>\n",
        f'<dl class="fields">{fields}</dl>\n' if fields else "",
        _code(text, "json", f"Answer, {example.summary}") if text else "",
        _more("As it was published, abbreviated", published, f"As published, {example.summary}") if published else "",
        _more("The complete response", whole, f"Complete response, {example.summary}") if whole else "",
    ]
    return f'<figure class="panel answer">\n{"".join(shown)}</figure>\n'


def status(code: str) -> Markup:
    """A status in the colour of its class."""
    return Markup(f'<span class="status s{escape(code[:1])}">{escape(code)}</span>')  # noqa: S704


def _more(summary: str, text: str, label: str) -> str:
    return f'<details class="whole"><summary>{summary}</summary>\n{_code(text, "json", label)}</details>\n'


def _code(text: str, language: str, label: str) -> str:
    coloured = _TOKENS[language].sub('<span class="{0.lastgroup}">{0[0]}</span>'.format, escape(text, quote=False))
    return f'<pre tabindex="0" role="group" aria-label="{escape(label)}"><code>{coloured}</code></pre>\n'
