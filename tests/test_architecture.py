"""The imports and the catalogues in ARCHITECTURE.md are those of the code."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.rulebook import ENGINE_RULES

ROOT = Path(__file__).parent.parent
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
MAY_IMPORT = {
    package: set() if parts == "nothing" else set(parts.split(", "))
    for package, parts in re.findall(r"^([a-z]+) +-> (.+)$", ARCHITECTURE, re.MULTILINE)
}


def imported(package: str) -> set[str]:
    """The sub-packages and modules of this package that a sub-package imports."""
    found: set[str] = set()
    for path in (ROOT / package).rglob("*.py"):
        depth = len(path.relative_to(ROOT).parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == depth:
                found |= {node.module.partition(".")[0]} if node.module else {alias.name for alias in node.names}
    return found - {package}


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_point_one_way(package: str) -> None:
    assert imported(package) <= MAY_IMPORT[package]


def test_every_package_is_described() -> None:
    described = re.findall(r"^([a-z_]+)/ ", ARCHITECTURE, re.MULTILINE)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(described) == set(MAY_IMPORT) == packages - {"benchmarks", "tests"}


def test_a_file_name_stands_for_one_thing() -> None:
    packages = [*ROOT.glob("*.py"), *(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))]
    names = Counter(path.name for path in packages if not path.name.startswith("__"))
    assert [name for name, files in names.items() if files > 1] == []


def test_the_stations_of_a_create_are_there() -> None:
    for module, name in re.findall(r"`([a-z_.]+)\.([A-Z]\w+|[a-z]+_[a-z_]+)(?:\.\w+)?`", ARCHITECTURE):
        path = ROOT / f"{module.replace('.', '/')}.py"
        assert path.is_file(), module
        assert re.search(rf"(class|def) {name}\b", path.read_text()), f"{module}.{name}"


def test_every_operation_has_a_handler_of_its_name(contract: Contract) -> None:
    source = (ROOT / "handlers" / "configurations.py").read_text()
    for identity in contract.operations:
        name = re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", identity)
        assert f"async def {name}(" in source


def test_every_rule_of_the_engine_is_emitted_somewhere() -> None:
    source = "".join(
        path.read_text()
        for package in ("contract", "handlers", "controls", "verification")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "finding.py"
    )
    for rule in ENGINE_RULES:
        assert f'"{rule}"' in source, rule


def test_nothing_of_the_api_is_repeated_in_the_engine(contract: Contract) -> None:
    """No member, enum value or path of the API occurs in the engine and the stores."""
    schemas = contract.document["components"]["schemas"]
    members = {name for schema in schemas.values() for name in schema.get("properties", {})}
    telling = {name for name in members if "_" in name} - {"created_at", "updated_at"}
    for package in ("contract", "storage"):
        for path in (ROOT / package).rglob("*.py"):
            strings = {
                node.value
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
            assert not telling & strings, path
