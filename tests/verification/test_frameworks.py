"""Servers with the habits of five frameworks: right ones have no findings, wrong ones have."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from callconfig.cli import main
from callconfig.contract.interaction import by_name
from callconfig.verification.client import Client
from callconfig.verification.target import serving

from tests.support.frameworks import FRAMEWORKS, Framework, Items, contract_of

IN_THE_ORDER_OF_FRAMEWORKS = [
    ("another error", "body /detail: is required and missing"),
    ("another media type", 'Content-Type: must be application/json, not "text/html"'),
    ("a time without its zone", "body /made: must be an RFC 3339 date-time"),
    ("null where no null may be", "body /price: must be number, not null"),
    ("no Location", "header Location: is required and missing"),
]


@contextmanager
def running(framework: Framework, tmp_path: Path, mistake: str = "") -> Iterator[list[str]]:
    path = tmp_path / "items.json"
    path.write_text(json.dumps(contract_of(framework)))
    with serving(Items(framework, mistake)) as url:
        yield [url, "--contract", str(path)]


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=repr)
def test_the_habits_of_a_framework_are_no_finding(
    framework: Framework, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(framework, tmp_path) as arguments:
        assert main(["check", *arguments, "--seed", "1", "--max-examples", "5"]) == 0
    output = capsys.readouterr().out
    assert "check: holds" in output
    assert "ERROR" not in output


@pytest.mark.parametrize(
    ("framework", "wrong"), list(zip(FRAMEWORKS, IN_THE_ORDER_OF_FRAMEWORKS, strict=True)), ids=repr
)
def test_a_mistake_among_the_habits_of_a_framework_is_found(
    framework: Framework, wrong: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(framework, tmp_path, wrong[0]) as arguments:
        assert main(["check", *arguments, "--seed", "1", "--max-examples", "5", "--max-failures", "1"]) == 1
    assert wrong[1] in capsys.readouterr().out


ASKED = [
    ("POST", "/items", {"Content-Type": "application/json; charset=UTF-8"}, b'{"name": "a"}'),
    ("POST", "/items", {"Content-Type": "application/json"}, b'{"name": "b", "note": null, "more": 1}'),
    ("POST", "/items", {"Content-Type": "application/json"}, b'{"name": ""}'),
    ("POST", "/items", {"Content-Type": "text/csv"}, b"a"),
    ("GET", "/items?limit=1&_=17", {"Accept": "text/html, */*;q=0.1"}, b""),
    ("HEAD", "/items/1", {}, b""),
    ("OPTIONS", "/items", {}, b""),
    ("PATCH", "/items/1", {}, b""),
    ("GET", "/items/1", {}, b""),
    ("GET", "/items/1", {"If-None-Match": "*"}, b""),
    ("GET", "/items/77", {}, b""),
    ("DELETE", "/items/1", {}, b""),
]


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=repr)
def test_what_clients_and_browsers_ask_besides_is_no_finding(
    framework: Framework, tmp_path: Path, write_har: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    with running(framework, tmp_path) as (url, *arguments), Client(url) as client:
        asked = [client.send(method, target, tuple(fields.items()), body) for method, target, fields, body in ASKED]
        tag = by_name(client.send("GET", "/items/2").response_headers).get("etag", '"none"')
        asked.append(client.send("GET", "/items/2", (("If-None-Match", tag),)))
        assert asked[-1].status == (304 if framework.entity_tag else 200)
        if framework.with_slash:  # else another path takes the request
            asked.append(client.send("GET", "/items/"))
    assert main(["verify", write_har(*asked), *arguments]) == 0
    output = capsys.readouterr().out
    assert "verify: holds" in output
    assert "ERROR" not in output
