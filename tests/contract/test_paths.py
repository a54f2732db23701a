"""Routing of percent-encoded paths to operations."""

import time
from typing import Any

import pytest
from callconfig.contract.paths import Paths

OPERATIONS: Any = {"GET": object()}


def parameters(path: str, *templates: str) -> dict[str, str] | None:
    route = Paths((template, OPERATIONS) for template in templates).find(path)
    return None if route is None else dict(route.parameters)


@pytest.mark.parametrize(
    ("path", "template", "expected"),
    [
        ("/a", "/a", {}),
        ("/%61", "/a", {}),
        ("/a/", "/a", None),
        ("/a/7", "/a/{id}", {"id": "7"}),
        ("/a/7%2F8", "/a/{id}", {"id": "7/8"}),
        ("/a/", "/a/{id}", None),
        ("/a/7/b", "/a/{id}", None),
        ("/a/7.json", "/a/{id}.json", {"id": "7"}),
        ("/a/1.2.3", "/a/{major}.{minor}.{patch}", {"major": "1", "minor": "2", "patch": "3"}),
        ("/a/1.2", "/a/{major}.{minor}.{patch}", None),
        ("/a/x", "/a/{my-id.v2}", {"my-id.v2": "x"}),
        ("/%C3%A9", "/{name}", {"name": "é"}),
    ],
)
def test_a_path_has_the_parameters_of_its_template(path: str, template: str, expected: dict[str, str] | None) -> None:
    assert parameters(path, template) == expected


def test_what_says_more_of_a_segment_comes_before_what_says_less() -> None:
    assert parameters("/a/7:run", "/a/{id}", "/a/{id}:run") == {"id": "7"}
    assert parameters("/a/7/b", "/{x}/7/b", "/a/{id}/b") == {"id": "7"}


def test_a_path_without_parameters_comes_before_one_with_them() -> None:
    assert parameters("/a/mine", "/a/{id}", "/a/mine") == {}


def test_many_parameters_in_one_segment_cost_linear_time() -> None:
    template = "/" + "-".join(f"{{p{number}}}" for number in range(12))
    started = time.process_time()
    assert parameters("/" + "a-" * 20_000 + "/", template) is None
    assert time.process_time() - started < 1
