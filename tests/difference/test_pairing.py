"""Two documents: each change with its verdict and its evidence."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from callconfig.contract.document import Contract
from callconfig.contract.interaction import Interaction, by_name
from callconfig.contract.operation import Request
from callconfig.contract.rulebook import DIFFERENCE_RULES
from callconfig.contract.yaml_tree import read_yaml
from callconfig.difference.change import Change
from callconfig.difference.operation_changes import all_changes
from callconfig.difference.pairing import Comparison
from callconfig.difference.revision import Revision

TABLE: dict[str, Any] = read_yaml((Path(__file__).parent / "changes.yaml").read_bytes())
BASE: dict[str, Any] = TABLE["base"]


def patched(patch: dict[str, Any]) -> dict[str, Any]:
    document: Any = copy.deepcopy(BASE)
    for pointer, value in patch.items():
        *way, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))
        node = document
        for step in way:
            node = node[int(step)] if isinstance(node, list) else node[step]
        if value is None:
            del node[int(last) if isinstance(node, list) else last]
        elif isinstance(node, list) and int(last) == len(node):
            node.append(value)
        else:
            node[int(last) if isinstance(node, list) else last] = value
    return document  # type: ignore[no-any-return]


def revision(document: dict[str, Any], name: str) -> Revision:
    return Revision(name, Path(name), yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False).encode())


def changes(patch: dict[str, Any]) -> list[Change]:
    return list(all_changes(Comparison(revision(BASE, "old.yaml"), revision(patched(patch), "new.yaml"))))


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_a_change_is_judged_as_it_is(case: dict[str, Any]) -> None:
    found = changes(case["patch"])
    assert sorted(f"{each.verdict} {each.rule}" for each in found) == sorted(case["expect"]), found
    for each in found:
        assert each.rule in DIFFERENCE_RULES
        if each.verdict == "breaking":
            assert each.findings


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_what_breaks_is_taken_by_one_engine_and_refused_by_the_other(case: dict[str, Any]) -> None:
    old, new = Contract(BASE), Contract(patched(case["patch"]))
    for change in changes(case["patch"]):
        if change.verdict != "breaking" or not change.interactions:
            continue
        interaction = change.interactions[0]
        if change.rule.startswith(("operation", "security", "default", "parameter-style", "resource")):
            assert not request_findings(old, interaction)
        elif change.direction == "request":
            assert not request_findings(old, interaction)
            assert request_findings(new, interaction)
        else:
            assert response_findings(old, interaction)
            if change.detail != "is gone" or change.rule == "response-header":
                assert not response_findings(new, interaction)


def operation_of(contract: Contract, interaction: Interaction) -> tuple[Any, Any]:
    routed = contract.route(interaction.path)
    assert routed is not None
    return routed[0][interaction.method], routed[1]


def request_findings(contract: Contract, interaction: Interaction) -> list[Any]:
    """The findings in a request, except credentials, which example requests lack."""
    operation, path = operation_of(contract, interaction)
    headers = by_name(interaction.request_headers)
    findings = operation.check_request(Request(path, interaction.query, headers, interaction.request_body))[1]
    return [finding for finding in findings if finding.rule != "credentials"]


def response_findings(contract: Contract, interaction: Interaction) -> list[Any]:
    operation, _ = operation_of(contract, interaction)
    headers = by_name(interaction.response_headers)
    return list(operation.check_response(interaction.status, headers, interaction.response_body))


def test_a_request_that_shows_a_change_has_all_its_cookies() -> None:
    cookies = [{"name": each, "in": "cookie", "required": True, "schema": {"enum": [each]}} for each in ("a", "b")]
    old, new = (
        patched({"/paths/~1pets/get/parameters": [*cookies, {"name": "limit", "in": "query", "schema": schema}]})
        for schema in ({"type": "integer"}, {"type": "integer", "maximum": 9})
    )
    (found,) = all_changes(Comparison(revision(old, "old.yaml"), revision(new, "new.yaml")))
    assert (found.verdict, found.rule) == ("breaking", "parameter-value")
    assert by_name(found.interactions[0].request_headers)["cookie"] == "a=a; b=b"
