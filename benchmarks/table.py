"""The table of results: a row for each measurement of the mock beside a peer, with its promise."""

from dataclasses import dataclass
from operator import truediv
from statistics import median

WIDTHS = (50, 10, 11, 9, 6, 9, 5)


def line(*cells: str) -> str:
    return " | ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


HEAD = line("measured", "mock", "peer", "result", "by CPU", "promise", "holds")


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    mock: str
    peer: str
    result: float
    unit: str = ""
    by_cpu: float | None = None
    """The same ratio by CPU time for each request, which is less noisy."""
    at_least: float | None = None
    below: float | None = None

    @property
    def meets_promise(self) -> bool:
        """Whether the promise holds; true without one."""
        least, limit = self.at_least, self.below
        return (least is None or self.result >= least) and (limit is None or self.result < limit)

    def __str__(self) -> str:
        bounds = ((">=", self.at_least), ("<", self.below))
        promise = "".join(f"{sign} {bound:g}{self.unit}" for sign, bound in bounds if bound is not None)
        by_cpu = "" if self.by_cpu is None else f"{self.by_cpu:.2f}"
        meets_promise = "" if not promise else "yes" if self.meets_promise else "NO"
        return line(self.what, self.mock, self.peer, f"{self.result:.2f}{self.unit}", by_cpu, promise, meets_promise)


def beside(what: str, mock: list[float], peer: list[float], form: str, **more: float) -> Row:
    """Medians of rounds, in `form`, and the median of the ratios of each round."""
    return Row(what, form.format(median(mock)), form.format(median(peer)), median(map(truediv, mock, peer)), **more)  # type: ignore[arg-type]
