"""The plugin's types are those of the controls' contract, and type checkers enforce them in suites."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.shape import flattened
from callconfig.controls.bundle import load_controls
from callconfig.harness import CLIENT_MODULE, declarations

ROOT = Path(__file__).parents[2]
DECLARED: dict[str, Any] = {
    "Match": declarations.Match,
    "Answer": declarations.Answer,
    "Delay": declarations.Delay,
    "NewRule": declarations.NewRule,
    "Rule": declarations.Rule,
    "NewClock": declarations.NewClock,
    "Ids": declarations.Ids,
    "Scenario": declarations.Scenario,
}
"""The type of each schema."""
IN_JSON = {str: "string", int: "integer", float: "number", bool: "boolean"}


@pytest.fixture(scope="module")
def controls(contract: Contract) -> Contract:
    return load_controls(contract)


def properties(controls: Contract, name: str) -> dict[str, Mapping[str, Any]]:
    schema = controls.resolve(f"#/components/schemas/{name}")
    return {member: flattened(nested, controls.resolve) for member, nested in schema["properties"].items()}


@pytest.mark.parametrize("name", DECLARED)
def test_a_type_has_the_members_of_its_schema_and_requires_the_same(controls: Contract, name: str) -> None:
    schema = controls.resolve(f"#/components/schemas/{name}")
    declared = DECLARED[name]
    assert declared.__required_keys__ == set(schema.get("required", ()))
    assert declared.__required_keys__ | declared.__optional_keys__ == schema["properties"].keys()


@pytest.mark.parametrize("name", DECLARED)
def test_a_simple_member_has_the_type_of_its_schema(controls: Contract, name: str) -> None:
    hints = get_type_hints(DECLARED[name])
    for member, schema in properties(controls, name).items():
        if "enum" in schema:
            assert get_origin(hints[member]) is Literal
            assert set(get_args(hints[member])) == set(schema["enum"])
        elif schema.get("type") in IN_JSON.values():
            assert IN_JSON[hints[member]] == schema["type"], member


def test_the_matchers_are_those_of_the_contract(controls: Contract) -> None:
    kinds = get_args(declarations.Matcher)
    assert {name for kind in kinds for name in kind.__required_keys__} == properties(controls, "Matcher").keys()


@pytest.mark.parametrize("name", ["Match", "NewRule"])
def test_the_javascript_types_have_the_same_members(controls: Contract, name: str) -> None:
    (comment,) = [each for each in CLIENT_MODULE.read_text().split("/**") if f"@typedef {{object}} {name}\n" in each]
    named = set(re.findall(r"@property \{.*\} \[(\w+)\]", comment))
    assert named == properties(controls, name).keys()


RIGHT = """
from callconfig.pytest_plugin import Mock, absent, any_of, pattern

def test(mock: Mock) -> None:
    mock.rules.add(match={"operation": "a", "headers": {"b": absent}}, answers=[503, {"status": 201, "example": "c"}])
    mock.requests(operation="a", body={"b": any_of(1, 2), "c": pattern("^d")})[0].headers["e"].lower()
    mock.wait_for(at_least=2, timeout=0.5, path="/a", after=1)
    mock.expect(times=2, method="GET")
    mock.load({"rules": [{"fault": "reset"}], "clock": {"now": "2025-01-15T10:30:00Z"}})

async def test_async(mock: Mock) -> None:
    (await mock.aio.wait_for(operation="a", timeout=1))[0].status
    await mock.aio.add_rule(answer=503)
"""
WRONG = (
    "mock.rules.add(anser=503)",
    'mock.rules.add(answer="503")',
    "mock.rules.add(answers=503)",
    'mock.rules.add(fault="smoke")',
    'mock.rules.add(match={"operations": "a"}, answer=503)',
    'mock.rules.add(answer={"example": "a"})',
    'mock.rules.add(delay={"seconds": 1})',
    'mock.requests(operations="a")',
    "mock.wait_for(atleast=2)",
    "mock.expect(time=2)",
    'mock.load({"rule": []})',
    "mock.clock.freeze(5)",
    "mock.aio.wait_for(operations='a')",
    "mock.aio.add_rule(anser=503)",
)


def test_a_type_checker_takes_the_right_words_and_refuses_each_wrong_one(tmp_path: Path) -> None:
    (tmp_path / "callconfig").symlink_to(ROOT)
    (tmp_path / "right.py").write_text(RIGHT)
    lines = ["from callconfig.pytest_plugin import Mock", "", "async def test(mock: Mock) -> None:"]
    (tmp_path / "wrong.py").write_text("\n".join([*lines, *(f"    {each}" for each in WRONG)]) + "\n")
    cache = ROOT / ".cache" / "declarations"
    command: list[str | Path] = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, "right.py", "wrong.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    wrong = {line.split(":")[0] + ":" + line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line}
    assert wrong == {f"wrong.py:{len(lines) + number}" for number in range(1, len(WRONG) + 1)}, done.stdout
