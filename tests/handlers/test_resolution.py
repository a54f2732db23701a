"""Custom handlers replace the generic ones, by the names of the operations."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.operation import Reply
from callconfig.contract.problem import Problem
from callconfig.handlers.resolution import InvalidHandlers, load_handlers
from callconfig.storage.store import Store, UnknownDocument

from .conftest import CONTRACTS

MockOf = Callable[..., Any]


async def add_book(body: dict[str, Any], store: Store) -> Reply:
    stored = await store.create({**body, "title": body["title"].upper()})
    return stored, 201, {"Location": f"/books/{stored['id']}", "ETag": '"own"'}


async def read_weather(place: str) -> Reply:
    return {"sky": place, "degrees": 1}, 200, {"X-Station": "OSLO"}


def test_a_function_of_the_operation_s_name_answers_it_and_the_others_are_generic(mock_of: MockOf) -> None:
    mock = mock_of("books", ":memory:", SimpleNamespace(add_book=add_book))
    added = mock("POST", "/books", {"title": "a", "pages": 1})
    assert (added.json()["title"], added.headers["etag"]) == ("A", '"own"')
    assert mock("GET", added.headers["location"]).json() == added.json()


def test_an_answer_of_one_s_own_is_judged(mock_of: MockOf) -> None:
    mock = mock_of("weather", ":memory:", SimpleNamespace(read_weather=read_weather))
    assert mock("GET", "/weather/rain").json() == {"sky": "rain", "degrees": 1}
    assert mock("GET", "/weather/fog").status_code == 500


def test_the_first_module_counts_and_a_module_has_words_of_its_own(mock_of: MockOf) -> None:
    async def read_book(isbn: str) -> Reply:
        raise UnknownDocument(isbn)

    words = {UnknownDocument: lambda error: Problem("not-found", f"Never heard of {error.identity}.")}
    mock = mock_of(
        "books", ":memory:", SimpleNamespace(read_book=read_book, PROBLEMS=words), SimpleNamespace(read_book=1)
    )
    assert mock("GET", "/books/x").json() == {"message": "Never heard of x."}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "FileNotFoundError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(5)", "SystemExit: 5"),
        ("PROBLEMS = {ValueError: 404}", "PROBLEMS must map types of errors to functions"),
        ("def add_book(): ...", "add_book must be an `async def`"),
        ("async def read_book(isbm): ...", "takes 'isbm', which it does not get; did you mean \"isbn\""),
        ("async def read_book(isbn, body): ...", "takes 'body', which it does not get; readBook has store, .*isbn$"),
        ("def add_boök(): ...", "has no function of an operation of the contract, such as list_books"),
    ],
)
def test_a_module_that_cannot_be_used_is_refused_in_words(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "unusable.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidHandlers, match=said):
        load_handlers(str(path), Contract.load(CONTRACTS / "books.yaml"))


def test_a_module_is_found_by_its_name_too() -> None:
    built_in = load_handlers("callconfig.handlers.configurations", Contract.load())
    assert built_in.__name__ == "callconfig.handlers.configurations"
