"""Every breaking change of `diff` is replayed between mocks of OLD and NEW, and really breaks."""

import asyncio
import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from callconfig.app import example_mock
from callconfig.contract.document import Contract
from callconfig.contract.interaction import Interaction
from callconfig.contract.yaml_tree import read_yaml
from callconfig.difference.change import Change
from callconfig.difference.diff import compare
from callconfig.options import DiffOptions
from callconfig.verification.judge import Judge
from starlette.testclient import TestClient

TABLE: list[dict[str, Any]] = read_yaml((Path(__file__).parent / "pairs.yaml").read_bytes())
PLACES = ("query", "header", "path")
EMPTY = "only an empty object, or one inside another, breaks it, and neither can be written as a text"
NOT_SHOWN = {
    "a required member comes": (PLACES, EMPTY),
    "a member becomes required": (PLACES, EMPTY),
    "minProperties comes": (PLACES, EMPTY),
    "a nested bound": (PLACES, EMPTY),
    "a readOnly member becomes writable": (PLACES, EMPTY),
    "allOf gets a required part": (PLACES, EMPTY),
    "a list of children": (PLACES, EMPTY),
    "a child becomes required deep inside": (PLACES, EMPTY),
    "minItems comes": (("query", "path"), "an empty list is no parameter, and an empty step is another path"),
    "minLength comes": (("path",), "an empty step is another path"),
    "items change their type": (PLACES, "the text of a number is a text, too"),
    "a branch goes": (PLACES, "the text of a number is a text, too"),
    "whole numbers become integers": (PLACES, "diff leaves it undecided which texts of numbers are whole"),
    "an optional member goes from a closed object": (("query",), "it is an unknown parameter then, and passed over"),
    "an object closes": (("query",), "it is an unknown parameter then, and passed over"),
    "3.1 type lists": (PLACES, "the text of null is a text, too"),
    "3.1 contains": (("query", "path"), "an empty list is no parameter, and an empty step is another path"),
    "an item becomes a list": (PLACES, "the text is taken as a list of one, or of several where it has commas"),
}
"""Pairs whose break no mock shows in some places, with the reasons."""
SHOWN_IN_THREAD = {("header", "an item becomes a list")}
"""Breaks that no mock shows, since NEW accepts the text and reads another value."""


def operations(number: int, schema: dict[str, Any]) -> dict[str, Any]:
    """A path for each place of a pair's schema."""
    done = {"204": {"description": "Done."}}
    content = {"application/json": {"schema": schema}}

    def get(place: str) -> dict[str, Any]:
        declared = {"name": "value", "in": place, "required": place == "path", "schema": schema}
        return {"get": {"operationId": f"{place}{number}", "parameters": [declared], "responses": done}}

    body = {"operationId": f"body{number}", "requestBody": {"content": content}, "responses": done}
    answer = {"operationId": f"answer{number}", "responses": {"200": {"description": "It.", "content": content}}}
    return {
        f"/query{number}": get("query"),
        f"/header{number}": get("header"),
        f"/path{number}/{{value}}": get("path"),
        f"/body{number}": {"post": body},
        f"/answer{number}": {"get": answer},
    }


def document(which: str, pairs: list[dict[str, Any]], version: str) -> dict[str, Any]:
    """A contract with the schemas of one side of all pairs."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for number, pair in enumerate(pairs):
        text = json.dumps([pair[which], pair.get(f"{which}_schemas", {})])
        schema, own = json.loads(text.replace("#/components/schemas/", f"#/components/schemas/Pair{number}"))
        schemas |= {f"Pair{number}{name}": each for name, each in own.items()}
        paths |= operations(number, schema)
    info = {"title": "Pairs", "version": "1.0.0"}
    return {"openapi": version, "info": info, "paths": paths, "components": {"schemas": schemas}}


@dataclass
class Revisions:
    """Contracts with the schemas of the pairs of one version of OpenAPI."""

    version: str

    def __post_init__(self) -> None:
        self.pairs = [pair for pair in TABLE if self.version.startswith(pair.get("version", "3.0"))]
        self.old, self.new = (document(which, self.pairs, self.version) for which in ("old", "new"))

    def named(self, direction: str) -> set[str]:
        """The pairs that break in a direction."""
        return {pair["name"] for pair in self.pairs if pair[direction] == "breaking"}


@pytest.fixture(scope="module", params=["3.0.3", "3.1.0"])
def revisions(request: pytest.FixtureRequest) -> Revisions:
    return Revisions(request.param)


Breaks = dict[str, list[tuple[str, Change]]]
"""The breaking changes by place: the name of the pair and the change."""


@pytest.fixture(scope="module")
def breaks(revisions: Revisions, tmp_path_factory: pytest.TempPathFactory) -> Breaks:
    folder = tmp_path_factory.mktemp("replay")
    for name, each in (("old", revisions.old), ("new", revisions.new)):
        (folder / f"{name}.json").write_text(json.dumps(each))
    difference = compare(DiffOptions(old=str(folder / "old.json"), new=str(folder / "new.json")))
    found: Breaks = {}
    for change in (each for same in difference.of("breaking") for each in same.all):
        place, number = re.fullmatch(r"([a-z]+)([0-9]+)", change.operation).groups()  # type: ignore[union-attr]
        found.setdefault(place, []).append((revisions.pairs[int(number)]["name"], change))
    return found


def mock(contract: dict[str, Any]) -> TestClient:
    return TestClient(asyncio.run(example_mock(Contract(contract))()))


@pytest.fixture(scope="module")
def mocks(revisions: Revisions) -> Iterator[tuple[TestClient, TestClient]]:
    with mock(revisions.old) as old, mock(revisions.new) as new:
        yield old, new


def statuses(mocks: tuple[TestClient, TestClient], shown: Interaction) -> list[int]:
    """The statuses of the mocks of OLD and NEW for a request."""
    path = shown.path + (f"?{shown.query.decode()}" if shown.query else "")
    content, headers = shown.request_body, dict(shown.request_headers)
    return [each.request(shown.method, path, content=content, headers=headers).status_code for each in mocks]


@pytest.mark.parametrize("place", ["body", *PLACES])
def test_a_request_that_breaks_is_taken_by_one_mock_and_refused_by_the_other(
    place: str, revisions: Revisions, breaks: Breaks, mocks: tuple[TestClient, TestClient]
) -> None:
    shown = set()
    for name, change in breaks[place]:
        if (place, name) in SHOWN_IN_THREAD:
            assert change.rule == "parameter-style"
            assert "is read as" in str(change.findings[0])
            continue
        shown.add(name)
        assert statuses(mocks, change.interactions[0]) == [204, 400], (name, change.interactions[0])
    expected = {name for name in revisions.named("request") if place not in NOT_SHOWN.get(name, ((), ""))[0]}
    assert shown == expected


def test_an_answer_that_breaks_is_given_by_new_and_refused_by_a_client_of_old(
    revisions: Revisions, breaks: Breaks
) -> None:
    """The mock of NEW sends it as a documented example, which both contracts judge."""
    shown = breaks["answer"]
    assert {name for name, _ in shown} == revisions.named("response")
    examples: dict[str, dict[str, Any]] = {}
    for number, (_, change) in enumerate(shown):
        path = change.interactions[0].path
        examples.setdefault(path, {})[f"answer{number}"] = {"value": json.loads(change.interactions[0].response_body)}
    contract = copy.deepcopy(revisions.new)
    for path, each in examples.items():
        contract["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["examples"] = each
    old, new = Judge(Contract(revisions.old)), Judge(Contract(revisions.new))
    with mock(contract) as client:
        for number, (name, change) in enumerate(shown):
            answer = client.get(change.interactions[0].path, headers={"Prefer": f"example=answer{number}"})
            assert answer.content == change.interactions[0].response_body, name
            seen = replace(
                change.interactions[0],
                status=answer.status_code,
                response_headers=tuple(answer.headers.items()),
                response_body=answer.content,
            )
            assert not new.judge(seen).response, name
            assert old.judge(seen).response, name
