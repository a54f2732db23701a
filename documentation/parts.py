"""The HTML of parts that a large contract has ten thousands of; a template takes three times as long."""

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

from markupsafe import Markup

from .objects import Member, Object
from .panels import request_panel, response_panel, status
from .wording import Fact


class Parts:
    """The parts, all escaped. `block`, `inline` and `facts` render Markdown, Markdown in a line, and facts."""

    def __init__(
        self, block: Callable[[str], str], inline: Callable[[str], str], facts: Callable[[Iterable[Fact]], str]
    ) -> None:
        self._block, self._inline, self._facts = block, inline, facts

    def members(self, members: Iterable[Member], level: int = 4) -> str:
        """Members with all facts, with headings of `level`."""
        return "".join(self._member(each, level) for each in members)

    def object(self, described: Object, level: int = 4) -> str:
        """The description of an object."""
        description = self._block(described.description) if level > 4 and described.description else ""
        return f"{description}{self.members(described.members, level)}{self.rest(described, level)}"

    def rest(self, described: Object, level: int = 4) -> str:
        """The notes and the alternatives of an object."""
        notes = "".join(f'<p class="note">{self._inline(note)}</p>\n' for note in described.notes)
        if not described.alternatives:
            return notes
        each = "".join(f"<li>{self._alternative(each, level)}</li>\n" for each in described.alternatives)
        count = f'<p class="note">One of {len(described.alternatives)} alternatives:</p>\n'
        return f'{notes}{count}<ul class="alternatives">\n{each}</ul>\n'

    def fields(self, described: Object, verb: str, *, repeats: bool) -> str:
        """The fields of a body beside an example: required ones open, optional ones folded by group.

        Where it `repeats` fields that an operation above describes, the required ones are folded, too.
        """
        return self._fields(described, verb, described.unfolded(verb), repeats)

    def bodies(self, bodies: list[Member]) -> str:
        """Bodies by media type; plain JSON needs no name, and problems are described elsewhere."""
        shown = (each for each in bodies if each.name != "application/problem+json" or not each.object or each.nested)
        return "".join(self._body(each, len(bodies) > 1) for each in shown)

    def responses(self, responses: Iterable[Mapping[str, Any]], *, fold: bool = False) -> str:
        """Responses by status; errors may be folded."""
        errors = [each for each in responses if fold and each["is_error"]]
        others = (each for each in responses if not fold or not each["is_error"])
        found = f'<dl class="responses">{"".join(map(self._response, others))}</dl>\n'
        if errors:
            statuses = " ".join(status(each["status"]) for each in errors)
            folded = f'<dl class="responses">{"".join(map(self._response, errors))}</dl>'
            found += _folded(f"<b>Errors</b> {statuses}", folded)
        return found

    def samples(self, samples: Iterable[Mapping[str, Any]], operation: str) -> str:
        """The examples of the operation with this anchor, the first one open."""
        return "".join(self._sample(each, operation, number == 0) for number, each in enumerate(samples))

    def _member(self, member: Member, level: int) -> str:
        anchor = escape(member.anchor)
        words = f' data-words="{escape("|".join(member.words))}"' if member.words else ""
        inside = ""
        if member.object is not None:
            inside = (
                self._nested(member.object, member.anchor, "Members of ", level)
                if member.nested
                else f"<p>Members: {_link(member.object)}</p>\n"
            )
        notes = (f'<p class="note"><b>On {escape(verb)}:</b> {self._inline(note)}</p>\n' for verb, note in member.notes)
        return (
            f'<div class="member" id="{anchor}"{words}>\n'
            f'<h{level}><code>{breakable(member.name)}</code> <span class="type">{escape(member.type)}</span> '
            f"{_requirement(member.requirement)}"
            f'<a class="anchor" href="#{anchor}" aria-label="Link to this place">#</a></h{level}>\n'
            f"{self._text(member)}{''.join(notes)}{self._facts_of(member)}{inside}</div>\n"
        )

    def _nested(self, described: Object, outer: str, before: str, level: int) -> str:
        anchor = described.anchor if described.anchor != outer else f"{outer}-members"
        return _folded(f"{before}<b>{escape(described.title)}</b>", self.object(described, min(level + 1, 6)), anchor)

    def _alternative(self, member: Member, level: int) -> str:
        if member.object is None:
            return f"{escape(member.type)}{self._facts_of(member)}"
        return self._nested(member.object, "", "", level) if member.nested else _link(member.object)

    def _fields(self, described: Object, verb: str, unfolded: set[str], repeats: bool) -> str:
        needed, optional = described.fields(verb)
        shown, folds = ([], [("Required", needed), *optional]) if repeats else (needed, optional)
        found = [self._field(each, verb, unfolded) for each in shown]
        for title, members in folds:
            names = ", ".join(f"<code>{escape(each.name)}</code>" for each in members)
            inside = "".join(self._field(each, verb, unfolded) for each in members)
            found.append(_folded(f"<b>{escape(title or 'Optional')}</b> {names}", inside))
        return "".join(found)

    def _field(self, member: Member, verb: str, unfolded: set[str]) -> str:
        required = member.required.get(verb, member.required.get("")) == "required"
        notes = (f'<p class="note">{self._inline(note)}</p>\n' for where, note in member.notes if where == verb)
        inside = ""
        if member.object is not None and member.anchor in unfolded:
            fields = self._fields(member.object, verb, unfolded, False)
            inside = _folded(f"Members of <b>{escape(member.object.title)}</b>", fields)
        elif member.object is not None:
            inside = f"<p>Members: {_link(member.object)}</p>\n"
        return (
            f'<div class="field">\n<p><a href="#{escape(member.anchor)}"><code>{breakable(member.name)}</code></a> '
            f'<span class="type">{escape(member.type)}</span> {_requirement("required") if required else ""}</p>\n'
            f"{self._text(member)}{''.join(notes)}{self._facts_of(member)}{inside}</div>\n"
        )

    def _body(self, body: Member, several: bool) -> str:
        name = f"<code>{escape(body.name)}</code> " if several or body.name != "application/json" else ""
        is_array = body.type.startswith("array ")
        if body.object is None:
            facts = "".join(f", {escape(word.lower())} {self._inline(fact)}" for word, fact in body.facts)
            return f'<span class="body">Body: <code>{escape(body.name)}</code> {escape(body.type)}{facts}</span>\n'
        if not body.nested:
            words = escape(body.type if "array" in body.type else body.object.title)
            return f'<span class="body">Body: {name}<a href="#{escape(body.object.anchor)}">{words}</a></span>\n'
        said = f'<span class="body">Body: {name}{escape(body.type)}</span>\n' if name or is_array else ""
        return said + _folded("Members of the body", self.object(body.object, 4), body.object.anchor)

    def _response(self, response: Mapping[str, Any]) -> str:
        headers = "".join(
            f'<span class="body" id="{escape(each.anchor)}"><code>{escape(each.name)}</code> header: '
            f"{self._inline(each.description or each.type)}</span>\n"
            for each in response["headers"]
        )
        return (
            f"<div><dt>{status(response['status'])} <span>{escape(response['phrase'])}</span></dt>\n"
            f"<dd>{self._inline(response['description'])}\n{self.bodies(response['bodies'])}{headers}"
            f"{''.join(map(self._then, response['links']))}</dd></div>\n"
        )

    def _then(self, link: Mapping[str, Any]) -> str:
        to = escape(str(link["to"]))
        named = f'<a href="#{escape(link["anchor"])}">{to}</a>' if link["anchor"] else f"<code>{to}</code>"
        description = self._inline(f": {link['description']}") if link["description"] else ""
        known = f", where {self._inline(link['known'])}" if link["known"] else ""
        return f'<span class="body">Then {named}{description}{known}</span>\n'

    def _sample(self, sample: Mapping[str, Any], operation: str, is_open: bool) -> str:
        example, anchor = sample["example"], escape(sample["anchor"])
        given = ", ".join(
            f'<a href="#given.{escape(sent.name)}"><code>{escape(sent.method)} {escape(sent.target)}</code></a>'
            for sent in example.given
        )
        varying = ", ".join(self._inline(f"`{name}`") for name in sorted(example.varying))
        trying = f'<button type="button" data-try="{escape(operation)}" data-sample="{anchor}">Try it</button>'
        shown = [
            f'<p class="given">Requests before it:\n{given}.</p>\n' if given else "",
            "" if sample["repeats"] else request_panel(sample),
            response_panel(sample),
            f'<p class="given">Different each time: {varying}.</p>\n' if varying else "",
            "" if sample["repeats"] else f'<p class="try-link" hidden>{trying}</p>\n',
        ]
        return (
            f'<details class="sample" id="{anchor}"{" open" if is_open else ""}>\n'
            f"<summary>{status(example.status)} <span>{escape(example.summary)}</span></summary>\n"
            f"{''.join(shown)}</details>\n"
        )

    def _text(self, member: Member) -> str:
        return self._block(member.description) if member.description else ""

    def _facts_of(self, member: Member) -> str:
        return self._facts(member.facts) if member.facts else ""


def breakable(name: str) -> Markup:
    """A name that may break after a `_`."""
    return Markup(escape(name).replace("_", "_<wbr>"))  # noqa: S704


def _folded(summary: str, inside: str, anchor: str = "") -> str:
    place = f' id="{escape(anchor)}"' if anchor else ""
    return f'<details class="nested"{place}>\n<summary>{summary}</summary>\n{inside}</details>\n'


def _link(described: Object) -> str:
    return f'<a href="#{escape(described.anchor)}">{escape(described.title)}</a>'


def _requirement(words: str) -> str:
    kind = " required" if words.startswith("required") else ""
    return f'<span class="need{kind}">{escape(words)}</span> ' if words else ""
