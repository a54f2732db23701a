"""A row of the benchmark's table says whether its promise holds."""

import pytest
from callconfig.benchmarks.table import Row, beside


@pytest.mark.parametrize(
    ("result", "promise", "meets_promise", "said"),
    [
        (0.45, {"at_least": 0.45}, True, ">= 0.45"),
        (0.44, {"at_least": 0.45}, False, ">= 0.45"),
        (2.99, {"below": 3}, True, "< 3"),
        (3.0, {"below": 3}, False, "< 3"),
        (9.0, {}, True, ""),
    ],
)
def test_a_promise_holds_or_not(result: float, promise: dict[str, float], meets_promise: bool, said: str) -> None:
    row = Row("creates", "1/s", "2/s", result, **promise)  # type: ignore[arg-type]
    assert row.meets_promise is meets_promise
    cells = [cell.strip() for cell in str(row).split("|")]
    assert cells[-2:] == [said, ("yes" if meets_promise else "NO") if said else ""]


def test_a_row_has_medians_and_the_median_of_the_ratios_of_each_round() -> None:
    row = beside("creates", [10, 20, 90], [20, 10, 30], "{:.0f}/s")
    assert (row.mock, row.peer, row.result) == ("20/s", "20/s", 2)
