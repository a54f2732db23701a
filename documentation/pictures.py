"""Pictures of an example's values as SVG, each with the same in words.

`x-day` names the members of a day, `x-checks` the order of an operation's checks. Pictures are 300 wide, for
telephones; the style sheet has their colours.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from markupsafe import Markup, escape

from ..contract.document import Contract
from ..contract.operation import Operation
from .exchanges import Example, operations
from .execution import ExampleResponse
from .samples import request_examples
from .wording import literal, value

WIDTH = 300
DAY = 24 * 60
Configuration = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG, and the same in Markdown."""

    title: str
    svg: Markup
    text: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """Minutes since the midnight before the first attempt: when it fell due, and when it was placed."""

    due: float
    placed: float


def pictures_of_day(contract: Contract) -> dict[str, Picture]:
    """The pictures by member: the day of the most complete example, a night, and the attempts."""
    day = contract.resource.schema.get("x-day") if contract.resource else None
    if day is None:
        return {}
    needed = {day["windows"][0]["start"], day["windows"][0]["end"], *day["attempts"].values()}
    bodies = (body for each in operations(contract) for body in request_examples(each).values())
    examples = [body for body in bodies if isinstance(body, dict) and needed <= body.keys()]
    if not examples:
        return {}
    names = [name for window in day["windows"] for name in (window["start"], window["end"])]
    shown = max(examples, key=lambda each: sum(each.get(name) is not None for name in names))
    return {
        day["windows"][0]["start"]: _day(day, shown),
        day["windows"][0]["end"]: _night(day, shown),
        day["attempts"]["retries"]: _line(day["attempts"], examples[0]),
    }


def attempts(day: Mapping[str, Any], configuration: Configuration, wanted: float) -> list[Attempt]:
    """The attempts of a call that is due at a minute of the day, and that always fails at once."""
    window, names = day["windows"][0], day["attempts"]
    start, end = minutes(configuration[window["start"]]), minutes(configuration[window["end"]])
    due, found = wanted + configuration[names["delay"]] / 60, []
    for _ in range(1 + configuration[names["retries"]]):
        is_open = (due - start) % DAY <= (end - start) % DAY
        placed = due if is_open else due + (start - due) % DAY
        found.append(Attempt(due, placed))
        due = placed + configuration[names["between"]] / 60
    return found


def minutes(time: str) -> int:
    hours, _, rest = time.partition(":")
    return int(hours) * 60 + int(rest)


def clock(minute: float) -> str:
    """HH:MM, with the second where there is one."""
    seconds = round(minute % DAY * 60)
    shown = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{shown}:{seconds % 60:02}" if seconds % 60 else shown


def _day(day: Mapping[str, Any], shown: Configuration) -> Picture:
    outbound, names = day["windows"][0], day["attempts"]
    between, end = shown[names["between"]], shown[outbound["end"]]
    # Due so that a few attempts fit, and the next one is outside.
    wanted = minutes(end) - (3 * between + shown[names["delay"]]) / 60
    made = attempts(day, shown, wanted)
    parts = [*_hours(0, 74)]
    words = []
    for row, window in enumerate(day["windows"]):
        start, to = shown.get(window["start"]), shown.get(window["end"])
        y = 14 + 30 * row
        zone = f" in {value(shown[window['zone']])}" if window.get("zone") and shown.get(window["zone"]) else ""
        parts += [_text(2, y - 3, window["title"], "label"), *_band(start, to, y, f"band{row}", 0)]
        words.append(f"{window['title']}: {f'{start} to {to}' if start and to else 'around the clock'}{zone}")
        if outside := [shown[name] for name in window.get("outside", ()) if shown.get(name) is not None]:
            words[-1] += f"; outside, {' '.join(map(str, outside))}"
            parts.append(_text(WIDTH - 2, y - 3, f"outside: {' '.join(map(str, outside))}", "label end"))
    parts += [
        f'<circle class="{"waits" if each.due != each.placed else "dot"}" cx="{_x(each.due, 0)}" cy="19" r="3.2"/>'
        for each in made
        if each.due < DAY
    ]
    times = ", ".join(clock(each.placed) for each in made if each.placed < DAY)
    later = [each.placed for each in made if each.placed >= DAY]
    words.append(f"A call that is wanted at {clock(wanted)} and always fails at once is placed at {times}")
    if (waits := next((each for each in made if each.due != each.placed), None)) is not None:
        parts.append(f'<path class="arrow" d="M{_x(waits.due, 0) + 4} 19H{WIDTH - 4}m-4 -3l4 3l-4 3"/>')
        parts.append(_text(WIDTH - 2, 11, f"waits until {clock(waits.placed)}", "label end bad"))
        words[-1] += f"; the next falls due at {clock(waits.due)}, waits until {clock(waits.placed)} of the next day"
        words[-1] += f", and all of that day are at {', '.join(map(clock, later))}" if len(later) > 1 else ""
    parts += [f'<circle class="dot later" cx="{_x(each, 0)}" cy="19" r="3.2"/>' for each in later]
    return _picture("A day", 88, parts, f"{'. '.join(words)}.")


def _night(day: Mapping[str, Any], shown: Configuration) -> Picture:
    """The picture of the window with its ends exchanged, so that it passes midnight."""
    window = day["windows"][0]
    start, end = sorted((shown[window["start"]], shown[window["end"]]), reverse=True)
    noon = DAY // 2
    parts = [
        *_hours(noon, 40),
        _text(2, 11, window["title"], "label"),
        *_band(start, end, 14, "band0", noon),
        f'<path class="midnight" d="M{_x(DAY, noon)} 2V40"/>',
    ]
    text = (
        f"With `{window['start']}` {value(start)} and `{window['end']}` {value(end)}, the window opens at {start} and "
        f"closes at {end} of the next day: midnight is inside."
    )
    return _picture("A window that passes midnight", 54, parts, text)


def _line(names: Mapping[str, str], shown: Configuration) -> Picture:
    """The picture of attempts one after the other, not to scale."""
    retries, between, delay = (shown[names[name]] for name in ("retries", "between", "delay"))
    drawn = min(retries, 3)
    step = (WIDTH - 70) / (drawn + 1)
    parts = [
        '<path class="axis" d="M8 30H292"/>',
        '<path class="midnight" d="M8 24V36"/>',
        _text(8, 18, "wanted", "label"),
    ]
    for number in range(drawn + 1):
        x = 8 + step * (0.85 + number)
        gap = f"{delay} s" if number == 0 else f"{between} s"
        parts += [
            f'<circle class="dot" cx="{x:.1f}" cy="30" r="5"/>',
            _text(x, 18, str(number + 1), "label middle"),
            _text(x - step * (0.42 if number == 0 else 0.5), 44, gap, "label middle"),
        ]
    if drawn < retries:
        parts.append(_text(292, 18, f"… {retries + 1}", "label end"))
    text = (
        f"`{names['delay']}` {value(delay)}: the first attempt is made {delay} seconds after the call is wanted. "
        f"`{names['retries']}` {value(retries)} and `{names['between']}` {value(between)}: while it fails, up to "
        f"{retries} more follow, each {between} seconds after the one before has ended, at most {retries + 1} in all."
    )
    return _picture("Attempts", 52, parts, text)


def picture_of_replacement(
    contract: Contract, example: Example, responses: Mapping[str, ExampleResponse]
) -> Picture | None:
    """The picture of a replacement's effect on each member: sent, reset to its default, or set by the server."""
    response, resource = responses.get(example.anchor), contract.resource
    if resource is None or response is None or not isinstance(example.sent.body, dict) or not example.given:
        return None
    before, sent, after = example.given[0].body, example.sent.body, response.body
    if not isinstance(before, dict) or not isinstance(after, dict):
        return None
    kinds: dict[str, list[str]] = {"as it was sent": [], "back to its default": [], "the server's": []}
    for name in after:
        server = name in resource.server_members
        kinds["the server's" if server else "as it was sent" if name in sent else "back to its default"].append(name)
    lost = [name for name in kinds["back to its default"] if name in before and before[name] != after[name]]
    parts, y = [], 12
    for number, (kind, names) in enumerate(kinds.items()):
        parts.append(_text(2, y, f"{kind} ({len(names)})", "label strong"))
        differing = [f"{name}: {_short(before.get(name))} → {_short(after[name])}" for name in names if name in lost]
        rest = [name for name in names if name not in lost]
        lines = differing + wrap(", ".join(rest), 46)
        parts.append(f'<path class="side{number}" d="M4 {y + 5}V{y + 3 + 13 * len(lines)}"/>')
        parts += [_text(12, y + 14 + 13 * at, line, "code") for at, line in enumerate(lines)]
        y += 22 + 13 * len(lines)
    notes = [f"{kind}: {', '.join(f'`{name}`' for name in names if name not in lost)}" for kind, names in kinds.items()]
    notes += [f"`{name}` goes from {value(before[name])} to {value(after[name])}" for name in lost]
    return _picture("What a replacement leaves", y, parts, f"Members are {'; '.join(notes)}.")


def picture_of_checks(contract: Contract, operation: Operation) -> Picture:
    """The picture of an operation's checks, one after the other, with the problem of each."""
    checks: Sequence[Mapping[str, str]] = operation.declared["x-checks"]
    parts, words = [], []
    for number, check in enumerate(checks):
        problem = contract.problems[check["problem"]]
        y = 4 + 27 * number
        parts += [
            f'<rect class="step" x="1" y="{y}" width="138" height="20" rx="5"/>',
            _text(7, y + 14, check["of"], "label strong"),
            f'<path class="arrow" d="M139 {y + 10}H149m-4 -3l4 3l-4 3"/>',
            _text(153, y + 14, f"{problem['status']} {problem['title']}", "label bad"),
            f'<path class="arrow" d="M20 {y + 20}V{y + 27}"/>',
        ]
        words.append(f"{check['of']} ({problem['status']}, {problem['title'].lower()})")
    y = 4 + 27 * len(checks)
    success = min(operation.responses)
    parts.append(f'<rect class="step good" x="1" y="{y}" width="138" height="20" rx="5"/>')
    parts.append(_text(7, y + 14, f"{success}: it is done", "label strong"))
    return _picture(
        "The order of checks",
        y + 24,
        parts,
        f"One after the other: {', '.join(words)}. The first that fails decides the response.",
    )


def _picture(title: str, height: int, parts: Iterable[str], text: str) -> Picture:
    inside = "".join(parts)
    svg = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}: described below">{inside}</svg>'
    return Picture(title, Markup(svg), text)  # noqa: S704 (every text in it is escaped)


def _hours(first: int, height: int) -> Iterator[str]:
    """The hours of a day that begins at a minute, and lines for them."""
    for hour in range(0, 25, 6):
        x = _x(first + hour * 60, first)
        yield f'<path class="axis" d="M{x} 14V{height}"/>'
        side = {0: "", 24: " end"}.get(hour, " middle")
        yield _text(x, height + 11, clock(first + hour * 60), f"label quiet{side}")


def _band(start: str | None, end: str | None, y: int, kind: str, first: int) -> Iterator[str]:
    """The part of the day between two times, both included; all of it without them."""
    low, high = (minutes(start), minutes(end) + 1) if start and end else (first, first + DAY)
    low, high = (each if each >= first else each + DAY for each in (low, high))
    spans = [(low, high)] if low <= high else [(first, high), (low, first + DAY)]
    for left, right in spans:
        x, to = _x(left, first), _x(right, first)
        yield f'<rect class="{kind}" x="{x}" y="{y}" width="{round(to - x, 1)}" height="10" rx="2"/>'


def _x(minute: float, first: int) -> float:
    return round(2 + (minute - first) % (DAY + 0.001) / DAY * (WIDTH - 4), 1)


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _short(shown: Any) -> str:
    text = literal(value(shown).strip("`")).strip("`")
    return text if len(text) <= 16 else f"{text[:15]}…"
