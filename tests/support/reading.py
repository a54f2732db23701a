"""The readable text of a page."""

import re
from html.parser import HTMLParser

_VOID = {"meta", "link", "input", "br", "wbr", "img", "hr"}


class Reading(HTMLParser):
    """`text` is all readable text; `places` has the text inside the element of each id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.places: dict[str, str] = {}
        self.code: list[str] = []
        self._open: list[tuple[str, str | None]] = []
        self._parts: list[str] = []
        self._starts: dict[str, int] = {}
        self.feed(html)
        self.text = squeezed("".join(self._parts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        identity = dict(attrs).get("id")
        if identity is not None:
            assert identity not in self._starts, f"{identity} is there twice"
            self._starts[identity] = len(self._parts)
        if tag not in _VOID:
            self._open.append((tag, identity))
            if tag == "pre":
                self._starts["pre"] = len(self._parts)
        if tag not in ("span", "wbr", "code", "a", "b", "strong"):
            self._parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            closed, identity = self._open.pop()
            if closed == "pre":
                self.code.append("".join(self._parts[self._starts["pre"] :]).strip())
            if identity is not None:
                self.places[identity] = squeezed("".join(self._parts[self._starts[identity] :]))
            if closed == tag:
                break
        self._parts.append("" if tag in ("span", "code", "a", "b", "strong") else " ")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] not in ("script", "style"):
            self._parts.append(data)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
