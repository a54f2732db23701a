"""Pairs of schemas: whether one accepts all values of the other."""

from pathlib import Path
from typing import Any

import pytest
from callconfig.contract.normal_schema import NormalSchemas
from callconfig.contract.references import References
from callconfig.contract.yaml_tree import read_yaml
from callconfig.difference.containment import contained

PAIRS: list[dict[str, Any]] = read_yaml((Path(__file__).parent / "pairs.yaml").read_bytes())
CASES = [
    pytest.param(pair, direction, id=f"{pair['name']}, {direction}")
    for pair in PAIRS
    for direction in ("request", "response")
]


def sides(pair: dict[str, Any], direction: str) -> tuple[Any, Any]:
    """The producer and the consumer: a request goes from OLD to NEW, a response from NEW to OLD."""

    def side(which: str) -> Any:
        schemas = pair.get(f"{which}_schemas", {})
        document = {"openapi": pair.get("version", "3.0"), "components": {"schemas": schemas}}
        return NormalSchemas(References(document), direction).of(pair[which])  # type: ignore[arg-type]

    return (side("old"), side("new")) if direction == "request" else (side("new"), side("old"))


@pytest.mark.parametrize(("pair", "direction"), CASES)
def test_a_pair_is_judged_as_it_is(pair: dict[str, Any], direction: str) -> None:
    producer, consumer = sides(pair, direction)
    verdict = contained(producer, consumer)
    word = "safe" if verdict.is_safe else "breaking" if verdict.breaks else "undecided"
    assert word == pair[direction], verdict
    for each in verdict.breaks[:1]:
        assert producer.accepts(each.value)
        assert not consumer.accepts(each.value)
        assert consumer.findings(each.value, "body")
