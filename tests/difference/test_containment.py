"""Pairs of schemas: whether one takes all that the other gives."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from callconfig.contract.references import References
from callconfig.contract.side import Sides
from callconfig.difference.containment import Breaking, Safe, Undecided, Verdict, contained

PAIRS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "pairs.yaml").read_text())
CASES = [
    pytest.param(pair, direction, id=f"{pair['name']}, {direction}")
    for pair in PAIRS
    for direction in ("request", "response")
]
WORDS = {Safe: "safe", Breaking: "breaking", Undecided: "undecided"}


def sides(pair: dict[str, Any], direction: str) -> tuple[Any, Any]:
    """The giver and the taker: a request goes from OLD to NEW, a response from NEW to OLD."""

    def side(which: str) -> Any:
        schemas = pair.get(f"{which}_schemas", {})
        document = {"openapi": pair.get("version", "3.0"), "components": {"schemas": schemas}}
        return Sides(References(document), direction).side(pair[which])  # type: ignore[arg-type]

    return (side("old"), side("new")) if direction == "request" else (side("new"), side("old"))


@pytest.mark.parametrize(("pair", "direction"), CASES)
def test_a_pair_is_judged_as_it_is(pair: dict[str, Any], direction: str) -> None:
    giver, taker = sides(pair, direction)
    verdict: Verdict = contained(giver, taker)
    assert WORDS[type(verdict)] == pair[direction], verdict
    if isinstance(verdict, Breaking):
        assert giver.accepts(verdict.value)
        assert not taker.accepts(verdict.value)
        assert taker.findings(verdict.value, "body")
