"""The pictures show the values of the examples, and the mock's checks have the order of their picture."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.documentation.pictures import Picture, attempts, clock, minutes, picture_of_checks, pictures_of_day
from callconfig.identity.authentication import Authentication
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import ASGIApp

DAY = {
    "windows": [{"title": "Calls", "enabled": "on", "start": "start", "end": "end"}],
    "attempts": {"delay": "delay", "between": "between", "retries": "retries"},
}


@pytest.fixture(scope="module")
def pictures(contract: Contract) -> dict[str, Picture]:
    return pictures_of_day(contract)


def test_the_day_is_that_of_the_example_that_shows_most(contract: Contract, pictures: dict[str, Picture]) -> None:
    shown = contract.document["components"]["examples"]["UpdateRequest"]["value"]
    text = pictures["call_start_time"].text
    for name in ("call_start_time", "call_end_time", "inbound_call_start_time", "inbound_call_end_time"):
        assert shown[name] in text
    for name in ("inbound_call_timezone", "inbound_block_action", "inbound_redirect_number"):
        assert shown[name] in text
    # 10:00 to 20:00, both included, 1800 seconds between six attempts: the fifth waits.
    assert "at 18:30, 19:00, 19:30, 20:00; the next falls due at 20:30, waits until 10:00 of the next day" in text
    assert text.endswith("at 10:00, 10:30.")
    dots = re.findall(r'<circle class="(\w+)', pictures["call_start_time"].svg)
    assert dots == ["dot", "dot", "dot", "dot", "waits", "dot", "dot"]


def test_the_night_is_the_same_window_with_its_ends_exchanged(pictures: dict[str, Picture]) -> None:
    picture = pictures["call_end_time"]
    assert "opens at 20:00 and closes at 10:00 of the next day" in picture.text
    assert picture.svg.count('class="band0"') == 1  # one band, midnight inside


def test_the_attempts_are_those_of_the_first_example(contract: Contract, pictures: dict[str, Picture]) -> None:
    shown = contract.document["components"]["examples"]["CreateRequest"]["value"]
    picture = pictures["max_retry"]
    assert picture.svg.count('class="dot"') == 1 + shown["max_retry"] == 4
    assert f"each {shown['retry_offset']} seconds after" in picture.text
    assert "at most 4 in all" in picture.text


@given(st.tuples(*[st.integers(0, 1439)] * 3), st.integers(0, 90_000), st.integers(0, 90_000), st.integers(0, 5))
def test_attempts_are_in_the_window_and_far_enough_apart(
    times: tuple[int, int, int], delay: int, between: int, retries: int
) -> None:
    start, end, wanted = times
    configuration: dict[str, Any] = {
        "start": clock(start), "end": clock(end), "delay": delay, "between": between, "retries": retries
    }  # fmt: skip
    made = attempts(DAY, configuration, wanted)
    assert len(made) == 1 + retries
    assert made[0].due == wanted + delay / 60
    for each in made:
        in_window = (each.placed - start) % 1440 <= (end - start) % 1440 + 1e-6
        assert in_window or abs((each.placed - start) % 1440 - 1440) < 1e-6
        assert each.due <= each.placed < each.due + 1440
    for one, other in pairwise(made):
        assert other.due == pytest.approx(one.placed + between / 60)


def test_a_time_of_day_is_read_as_it_is_written() -> None:
    assert [clock(minutes(each)) for each in ("00:00", "09:05", "23:59")] == ["00:00", "09:05", "23:59"]


def test_what_a_replacement_leaves_is_what_the_mock_answered(html: str) -> None:
    drawn = re.search(r"<figcaption><b>What a replacement leaves.*?</figcaption>", html, re.DOTALL)
    assert drawn is not None
    text = re.sub(r"<[^>]+>", "", drawn[0])
    assert "rate_limit_window_seconds goes from 60 to 1800" in text
    assert "the server's: id, created_at, updated_at" in text


def test_the_checks_come_in_the_order_that_is_drawn(
    contract: Contract, make_app: Callable[..., ASGIApp], sample: dict[str, Any]
) -> None:
    """Each request fails at one check and at all later ones; the first one decides."""
    tokens = [{"token": "admin", "role": "admin"}, {"token": "user", "role": "user"}]
    with TestClient(make_app(authenticate=Authentication({"tokens": tokens}, contract.roles))) as api:

        def put(place: str, body: dict[str, Any], role: str = "admin") -> Any:
            headers = {"Authorization": f"Bearer {role}"} if role else {}
            return api.put(f"/configurations/{place}", json=body, headers=headers).json()["type"]

        admin = {"Authorization": "Bearer admin"}
        api.post("/configurations", json=sample, headers=admin)
        mine = api.post("/configurations", json={**sample, "template": "mine"}, headers=admin).json()["id"]
        other = {**sample, "id": "other"}
        answered = {
            "the token": put("unknown", {**other, "max_retry": -1}, ""),
            "its role": put("unknown", {**other, "max_retry": -1}, "user"),
            "the body": put("unknown", {**other, "max_retry": -1}),
            "the id in the path": put("unknown", other),
            "an id in the body": put(mine, other),
            "reseller and template": put(mine, sample),
        }
    declared = contract.operations["updateConfiguration"].declared["x-checks"]
    assert list(answered.items()) == [(check["of"], f"/docs#{check['problem']}") for check in declared]


def test_the_pictures_are_told_in_the_markdown_too(
    contract: Contract, pictures: dict[str, Picture], markdown: str
) -> None:
    checks = picture_of_checks(contract, contract.operations["updateConfiguration"])
    for picture in (*pictures.values(), checks):
        assert f"**{picture.title}.** {picture.text}" in markdown
    assert "`rate_limit_window_seconds` goes from `60` to `1800`" in markdown
