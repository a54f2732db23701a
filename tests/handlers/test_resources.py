"""The generic handlers of resources, for several contracts, on every store."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

MockOf = Callable[..., Any]
PATCH = {"Content-Type": "application/merge-patch+json"}


def test_a_book_is_added_read_listed_changed_and_removed(mock_of: MockOf, place: str) -> None:
    mock = mock_of("books", place)
    added = mock("POST", "/books", {"title": "A", "pages": 7})
    book = added.json()
    assert (added.status_code, book["id"][:5], book["kind"]) == (201, "book-", "novel")
    assert added.headers["location"] == f"/books/{book['id']}"
    one = f"/books/{book['id']}"
    assert mock("GET", one).json() == book
    assert mock("GET", "/books").json() == [book]
    replaced = mock("PUT", one, {"title": "B", "pages": 8, "kind": "manual"}).json()
    assert (replaced["id"], replaced["title"], replaced["added"]) == (book["id"], "B", book["added"])
    assert replaced["changed"] > book["changed"]
    changed = mock("PATCH", one, {"pages": 9}, headers=PATCH).json()
    assert (changed["title"], changed["pages"], changed["kind"]) == ("B", 9, "manual")
    assert mock("DELETE", one).status_code == 204
    assert [mock(method, one).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert mock("GET", "/books").json() == []


def test_what_is_unknown_taken_or_wrong_is_refused_as_the_contract_documents_it(mock_of: MockOf, place: str) -> None:
    mock = mock_of("books", place)
    _, one = (mock("POST", "/books", {"title": title, "pages": 1}).headers["location"] for title in "AB")
    refusals = [
        mock("POST", "/books", {"title": "A", "pages": 1}),
        mock("PUT", one, {"title": "A", "pages": 1}),
        mock("PATCH", one, {"title": "A"}, headers=PATCH),
        mock("GET", "/books/none"),
        mock("PUT", "/books/none", {"title": "A", "pages": 1}),
        mock("POST", "/books", {"titel": "A", "pages": 0}),
    ]
    assert [each.status_code for each in refusals] == [409, 409, 409, 404, 404, 400]
    assert {each.headers["content-type"] for each in refusals} == {"application/json"}
    assert refusals[0].json()["message"].endswith(' already has title "A".')
    assert refusals[5].json()["message"] == "body /title: is required and missing (and 2 more)"
    assert mock("GET", one).json()["title"] == "B"


def test_a_patch_leads_to_what_keeps_the_contract_or_to_nothing(mock_of: MockOf, place: str) -> None:
    mock = mock_of("books", place)
    one = f"/books/{mock('POST', '/books', {'title': 'A', 'pages': 1}).json()['id']}"
    refused = mock("PATCH", one, {"title": None}, headers=PATCH)
    assert refused.status_code == 400  # the patch's own schema has no null
    assert mock("GET", one).json()["title"] == "A"


def test_entity_tags_tell_versions_apart(mock_of: MockOf, place: str) -> None:
    mock = mock_of("books", place)
    added = mock("POST", "/books", {"title": "A", "pages": 1})
    one, tag = added.headers["location"], added.headers["etag"]
    assert mock("GET", one).headers["etag"] == tag
    assert mock("GET", one, headers={"If-None-Match": tag}).status_code == 304
    assert mock("PUT", one, {"title": "B", "pages": 1}, headers={"If-Match": '"other"'}).status_code == 412
    assert mock("PUT", one, {"title": "B", "pages": 1}, headers={"If-Match": tag}).status_code == 200
    assert mock("GET", one, headers={"If-None-Match": tag}).status_code == 200
    assert mock("PUT", one, {"title": "C", "pages": 1}, headers={"If-Match": tag}).status_code == 412


def test_a_list_has_filters_and_parts(mock_of: MockOf, place: str) -> None:
    mock = mock_of("books", place)
    for number in range(5):
        mock("POST", "/books", {"title": f"T{number}", "pages": 1 + number % 2})

    def titles(query: str) -> list[str]:
        return [book["title"] for book in mock("GET", f"/books?{query}").json()]

    assert titles("pages=1") == ["T0", "T2", "T4"]
    assert titles("pages=1&title=T2") == ["T2"]
    assert titles("limit=2&offset=3") == ["T3", "T4"]
    assert mock("GET", "/books?pages=2&limit=1").headers["x-total-count"] == "2"


def test_what_is_below_a_parent_is_there_only(mock_of: MockOf, place: str) -> None:
    mock = mock_of("shops", place)
    one, two = (mock("POST", "/shops", {"name": name}).json()["id"] for name in "ab")
    offer = mock("POST", f"/shops/{one}/offers", {"item": "tea", "price": 2}).json()
    assert offer.keys() == {"number", "item", "price"}
    assert mock("POST", f"/shops/{two}/offers", {"item": "tea", "price": 3}).status_code == 201
    assert mock("POST", f"/shops/{one}/offers", {"item": "tea", "price": 3}).status_code == 409
    assert mock("POST", "/shops/7/offers", {"item": "tea", "price": 3}).status_code == 404
    assert mock("GET", f"/shops/{one}/offers").json()["offers"] == [offer]
    here, there = (f"/shops/{shop}/offers/{offer['number']}" for shop in (one, two))
    assert mock("GET", here).json() == offer
    assert {mock(method, there).status_code for method in ("GET", "DELETE")} == {404}
    assert mock("PUT", there, {"item": "x", "price": 1}).status_code == 404
    assert mock("PUT", here, {"item": "tea", "price": 9}).json() == {**offer, "price": 9}
    assert mock("GET", here).json()["price"] == 9


def test_what_is_below_goes_with_it(mock_of: MockOf, place: str) -> None:
    mock = mock_of("shops", place)
    shop = mock("POST", "/shops", {"name": "a"}).json()["id"]
    for item in ("tea", "milk"):
        mock("POST", f"/shops/{shop}/offers", {"item": item, "price": 2})
    assert mock("DELETE", f"/shops/{shop}").status_code == 204
    assert mock("GET", f"/shops/{shop}/offers").status_code == 404
    assert mock("GET", "/_mock/state").json() == {"shops": [], "shops_offers": []}


def test_pages_tell_of_the_whole_in_the_order_that_is_declared(mock_of: MockOf, place: str) -> None:
    mock = mock_of("shops", place)
    shop = mock("POST", "/shops", {"name": "a"}).json()["id"]
    for item in ("c", "a", "b"):
        mock("POST", f"/shops/{shop}/offers", {"item": item, "price": 2})
    pages = [mock("GET", f"/shops/{shop}/offers?page={page}&page_size=2").json() for page in (1, 2)]
    assert [[offer["item"] for offer in page["offers"]] for page in pages] == [["a", "b"], ["c"]]
    assert [page["meta"] for page in pages] == [
        {"total": 3, "page": 1, "has_more": True},
        {"total": 3, "page": 2, "has_more": False},
    ]


def test_every_combination_that_is_declared_is_unique(mock_of: MockOf, place: str) -> None:
    mock = mock_of("bookings", place)
    booking = {"code": "abc", "day": "monday", "hour": 9, "guest": "Ada"}
    assert mock("POST", "/rooms/A1/bookings", booking).status_code == 201
    others = [
        ("/rooms/A1/bookings", {**booking, "code": "other", "guest": "Bob"}),
        ("/rooms/B2/bookings", {**booking, "code": "other"}),
        ("/rooms/A1/bookings", {**booking, "hour": 10}),
        ("/rooms/B2/bookings", {**booking, "guest": None}),
        ("/rooms/C3/bookings", {**booking, "guest": None}),
    ]
    answers = [mock("POST", path, body) for path, body in others]
    assert [each.status_code for each in answers] == [409, 409, 409, 201, 201]
    there = mock("GET", "/rooms/B2/bookings").json()
    assert mock("PUT", "/rooms/B2/bookings/abc", booking).status_code == 409
    assert mock("GET", "/rooms/B2/bookings").json() == there
    assert answers[0].json()["error"]["message"] == '"abc" already has room "A1" and day "monday" and hour 9.'


def test_what_is_deleted_is_remembered_where_the_contract_says_so(mock_of: MockOf, place: str) -> None:
    mock = mock_of("bookings", place)
    booking = {"code": "abc", "day": "monday", "hour": 9}
    made = mock("POST", "/rooms/A1/bookings", booking).json()
    assert made == {**booking, "guest": None, "room": "A1", "cancelled": None}
    cancelled = mock("DELETE", "/rooms/A1/bookings/abc")
    assert (cancelled.status_code, cancelled.json()["cancelled"] is None) == (200, False)
    assert mock("GET", "/rooms/A1/bookings").json() == []
    one = "/rooms/A1/bookings/abc"
    assert [mock(method, one).status_code for method in ("GET", "DELETE")] == [410, 410]
    assert mock("PUT", one, booking).status_code == 410
    assert mock("GET", "/rooms/A1/bookings/xyz").status_code == 404
    assert mock("POST", "/rooms/A1/bookings", {**booking, "code": "xyz"}).status_code == 201
    assert mock("POST", "/rooms/A1/bookings", {**booking, "hour": 10}).status_code == 409


@pytest.mark.parametrize("name", ["books", "shops", "bookings"])
def test_a_state_is_put_back_as_it_was_read(mock_of: MockOf, place: str, name: str) -> None:
    mock = mock_of(name, place)
    if name == "books":
        mock("POST", "/books", {"title": "A", "pages": 1})
    elif name == "shops":
        shop = mock("POST", "/shops", {"name": "a"}).json()["id"]
        mock("POST", f"/shops/{shop}/offers", {"item": "tea", "price": 2})
    else:
        for code in ("abc", "xyz"):
            mock("POST", "/rooms/A1/bookings", {"code": code, "day": "monday", "hour": 9 + (code == "abc")})
    state = mock("GET", "/_mock/state").json()
    assert mock("PUT", "/_mock/snapshots/one").status_code == 200
    assert mock("DELETE", "/_mock/state").status_code == 204
    assert mock("PUT", "/_mock/state", state).json() == state
    assert mock("DELETE", "/_mock/state").status_code == 204
    assert mock("POST", "/_mock/snapshots/one/restore").status_code == 204
    assert mock("GET", "/_mock/state").json() == state
    wrong = {"unknown": 1} if isinstance(state, list) else {name: [{"unknown": 1}] for name in state}
    assert mock("PUT", "/_mock/state", [wrong] if isinstance(state, list) else wrong).status_code in (400, 409)
    assert mock("GET", "/_mock/state").json() == state


def test_one_is_added_replaced_and_deleted_in_the_state(mock_of: MockOf, place: str) -> None:
    mock = mock_of("shops", place)
    shop = mock("POST", "/_mock/state?table=shops", {"name": "a"}).json()
    assert shop["opened"] is True
    offer = {"item": "tea", "price": 2, "x-callconfig-shop": shop["id"]}
    stored = mock("POST", "/_mock/state?table=shops_offers", offer).json()
    there = f"/_mock/state/{stored['number']}?table=shops_offers"
    assert mock("POST", "/_mock/state?table=shops_offers", offer).status_code == 409
    assert mock("PUT", there, {"item": "milk", "price": 3}).json() == {**stored, "item": "milk", "price": 3}
    assert mock("GET", f"/shops/{shop['id']}/offers").json()["offers"] == [
        {"number": stored["number"], "item": "milk", "price": 3}
    ]
    assert mock("PUT", there, {**stored, "number": stored["number"] + 1}).status_code == 400
    assert [mock("DELETE", there).status_code for _ in range(2)] == [204, 404]
    assert mock("GET", "/_mock/state").json() == {"shops": [shop], "shops_offers": []}


def test_what_clients_name_below_a_parent_is_found_in_the_state_by_both(mock_of: MockOf, place: str) -> None:
    mock = mock_of("bookings", place)
    booking = {"room": "A1", "code": "abc", "day": "monday", "hour": 9}
    mock("POST", "/_mock/state", booking)
    there = "/_mock/state/" + quote('["A1","abc"]')
    assert mock("PUT", there, {**booking, "room": "B2"}).json()["errors"][0]["pointer"] == "/room"
    assert mock("PUT", there, {**booking, "hour": 10}).status_code == 200
    assert [each["hour"] for each in mock("GET", "/rooms/A1/bookings").json()] == [10]
    assert mock("DELETE", there).status_code == 204
    assert mock("GET", "/rooms/A1/bookings").json() == []


def test_a_state_is_judged_beyond_what_requests_give(mock_of: MockOf) -> None:
    booking = {"room": "A1", "code": "abc", "day": "monday", "hour": 9}
    wrong = [
        ("/room", {**booking, "room": None}),
        ("/room", {**booking, "room": 5}),
        ("/cancelled", {**booking, "cancelled": "yesterday"}),
        ("/x-callconfig-created-at", {**booking, "x-callconfig-created-at": 5}),
    ]
    mock = mock_of("bookings")
    for pointer, document in wrong:
        for prefix, answer in (
            ("", mock("POST", "/_mock/state", document)),
            ("/0", mock("PUT", "/_mock/state", [document])),
        ):
            assert answer.status_code == 409
            assert [each["pointer"] for each in answer.json()["errors"]] == [prefix + pointer]
    shops = mock_of("shops")
    answer = shops("PUT", "/_mock/state", {"shops_offers": [{"item": "tea", "price": 1}]})
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/shops_offers/0/x-callconfig-shop"]


def test_a_state_shows_no_secret_and_has_what_only_answers_have(mock_of: MockOf) -> None:
    mock = mock_of("users")
    user = mock("POST", "/users", {"name": "Ada", "password": "hush"}).json()
    assert user["status"] == "invited"
    assert mock("GET", "/_mock/state").json() == [user]
    other = mock("POST", "/_mock/state", {"name": "Bob", "password": "hush"}).json()
    assert other.keys() == user.keys()
    assert mock("GET", f"/users/{other['id']}").json() == other
    active = {**other, "status": "active", "password": "hush"}
    assert mock("PUT", f"/_mock/state/{other['id']}", active).json() == {**other, "status": "active"}
    state = mock("PUT", "/_mock/state", [{"name": "Eve"}, user]).json()
    assert mock("GET", f"/users/{state[0]['id']}").json() == state[0]
    assert state[1] == user


def test_a_mock_that_stores_nothing_has_no_state_to_change_one_by_one(mock_of: MockOf) -> None:
    assert mock_of("weather")("POST", "/_mock/state", {}).status_code == 405
