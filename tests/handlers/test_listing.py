"""The paging of a list: by offset, by page, or by cursor."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

MockOf = Callable[..., Any]


def test_a_cursor_leads_through_the_whole_and_then_to_nothing(mock_of: MockOf, place: str) -> None:
    mock = mock_of("songs", place)
    added = [mock("POST", "/songs", {"title": title}).json() for title in "abcde"]
    parts = [mock("GET", "/songs").json()]
    while (cursor := parts[-1]["next_cursor"]) and len(parts) < 9:
        parts.append(mock("GET", f"/songs?cursor={cursor}").json())
    assert [part["songs"] for part in parts] == [added[:2], added[2:4], added[4:]]


def test_what_is_added_meanwhile_comes_in_its_turn(mock_of: MockOf) -> None:
    mock = mock_of("songs")
    for title in "abc":
        mock("POST", "/songs", {"title": title})
    cursor = mock("GET", "/songs").json()["next_cursor"]
    mock("POST", "/songs", {"title": "d"})
    rest = mock("GET", f"/songs?cursor={cursor}&limit=100").json()
    assert [song["title"] for song in rest["songs"]] == ["c", "d"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "%C3%A9", *(base64.b64encode(text).decode() for text in (b"2", b"after -2", b"after x", b"\xff"))],
)
def test_a_cursor_that_no_list_gave_is_refused(mock_of: MockOf, cursor: str) -> None:
    mock = mock_of("songs")
    for title in "abc":
        mock("POST", "/songs", {"title": title})
    refused = mock("GET", f"/songs?cursor={cursor}")
    assert (refused.status_code, refused.headers["content-type"]) == (400, "text/plain")
    assert "cursor: is no cursor that a list gave" in refused.text


@pytest.mark.parametrize(
    ("query", "items", "meta"),
    [
        ("", "abc", {"total": 3, "page": 1, "has_more": False}),
        ("?page_size=1", "a", {"total": 3, "page": 1, "has_more": True}),
        ("?page=3&page_size=1", "c", {"total": 3, "page": 3, "has_more": False}),
        ("?page=2&page_size=3", "", {"total": 3, "page": 2, "has_more": False}),
        ("?page=2&page_size=1&item=b", "", {"total": 1, "page": 2, "has_more": False}),
    ],
)
def test_a_page_has_its_part_of_what_the_filters_leave(
    mock_of: MockOf, query: str, items: str, meta: dict[str, Any]
) -> None:
    mock = mock_of("shops")
    shop = mock("POST", "/shops", {"name": "a"}).json()["id"]
    for item in "abc":
        mock("POST", f"/shops/{shop}/offers", {"item": item, "price": 1})
    page = mock("GET", f"/shops/{shop}/offers{query}").json()
    assert ("".join(offer["item"] for offer in page["offers"]), page["meta"]) == (items, meta)


@pytest.mark.parametrize(
    ("query", "titles"), [("limit=2", "ab"), ("offset=2", "c"), ("limit=1&offset=1", "b"), ("offset=9", "")]
)
def test_a_number_of_them_from_an_offset_on(mock_of: MockOf, query: str, titles: str) -> None:
    mock = mock_of("books")
    for title in "abc":
        mock("POST", "/books", {"title": title, "pages": 1})
    listed = mock("GET", f"/books?{query}")
    assert "".join(book["title"] for book in listed.json()) == titles
    assert listed.headers["x-total-count"] == "3"
