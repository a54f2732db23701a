"""Servers with one mistake each in storing resources, all of which the model alone finds."""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from callconfig.app import create_app, sources
from callconfig.contract.document import Contract
from callconfig.contract.rulebook import MODEL_RULES
from callconfig.storage.opening import open_store
from callconfig.storage.store import Store
from callconfig.tests.support.tampering import (
    Mutant,
    Server,
    TamperedRequest,
    TamperedResponse,
    changing_requests,
    changing_responses,
    header,
    mutant,
    tampered,
    without,
)
from callconfig.traffic.redaction import Redaction
from callconfig.verification.client import Client
from callconfig.verification.coverage import Coverage
from callconfig.verification.footprint import Footprint
from callconfig.verification.model.drawing import converse_with
from callconfig.verification.result import MaxFailuresReached, Result
from callconfig.verification.target import serving

CONTRACTS = Path(__file__).parent.parent / "support" / "contracts"


def conversed(name: str, mutate: Mutant) -> Result:
    """The model's result for the mock of a contract with a mutant around it, up to the first error."""
    path = CONTRACTS / f"{name}.yaml"
    contract = Contract.load(path)
    store = asyncio.run(open_store(":memory:", contract.resources, sources().values))
    result = Result("check", "app", contract, path, Redaction(contract), seed=1, most=1)
    result.coverage = Coverage(contract)
    with serving(tampered(create_app(contract, store), store, mutate)) as url:
        footprint = Footprint(contract, url, "check-1", anywhere=True)
        with Client(url, footprint=footprint) as client, contextlib.suppress(MaxFailuresReached):
            converse_with([client], result, lambda _operation: True, 10, footprint)
    return result


def is_item(request: TamperedRequest) -> bool:
    return request.path.count("/") % 2 == 0


NO_BOOK, NO_BOOKING = b'{"message": "no"}', b'{"error": {"message": "no"}}'


def unheard(name: str) -> Mutant:
    """A server that ignores a header field."""
    return changing_requests(lambda request: replace(request, headers=without(dict(request.headers), name)))


def unasked(name: str) -> Mutant:
    """A server that ignores a valid query parameter."""
    right = re.compile(rf"{name}=[\w.-]+(&|$)")
    return changing_requests(
        lambda request: (
            replace(request, query=right.sub("", request.query)) if request.query.count(name) == 1 else request
        )
    )


def telling(change: Callable[[TamperedRequest, Any], Any], method: str = "GET") -> Mutant:
    """A server with wrong bodies of successes."""

    def tell(request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
        right = request.method == method and response.status < 300 and response.raw
        return response.with_body(change(request, response.body)) if right else response

    return changing_responses(tell)


def rows_of(body: Any) -> list[dict[str, Any]]:
    """The rows of a list, with or without an envelope."""
    shown = next((each for each in body.values() if isinstance(each, list)), body) if isinstance(body, dict) else body
    return shown if isinstance(shown, list) else []


@dataclass
class Remembering:
    """A server with a second memory, which it uses wrongly."""

    serve: Server
    wrong: "Callable[[Remembering, TamperedRequest, TamperedResponse], Any]"
    made: dict[str, Any] = field(default_factory=dict)
    """The bodies of creates, by path."""
    gone: dict[str, Any] = field(default_factory=dict)
    """The created bodies, by the path of a deleted resource."""

    async def __call__(self, request: TamperedRequest) -> TamperedResponse:
        response = await self.serve(request)
        changed = self.wrong(self, request, response)
        if request.method == "POST" and response.status == 201:
            self.made[response.headers.get("location", "")] = response.body
        if request.method == "DELETE" and response.status < 300:
            self.gone[request.path] = self.made.get(request.path)
        wrong: TamperedResponse = await changed if hasattr(changed, "__await__") else changed
        return wrong


def remembering(wrong: Callable[[Remembering, TamperedRequest, TamperedResponse], Any]) -> Mutant:
    return lambda serve, _store: Remembering(serve, wrong)


def with_rows(response: TamperedResponse, rows: list[Any]) -> TamperedResponse:
    body = response.body
    if isinstance(body, list):
        return response.with_body(rows)
    return response.with_body({name: rows if isinstance(each, list) else each for name, each in body.items()})


def lists_what_is_deleted(
    server: Remembering, request: TamperedRequest, response: TamperedResponse
) -> TamperedResponse:
    if request.method != "GET" or is_item(request) or response.status != 200:
        return response
    gone = [each for path, each in server.gone.items() if path.rpartition("/")[0] == request.path]
    return with_rows(response, [*rows_of(response.body), *gone])


def keeps_what_is_deleted_taken(refusal: bytes, *members: str) -> Mutant:
    def wrong(server: Remembering, request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
        if request.method != "POST" or response.status != 201:
            return response
        taken = [[each[name] for name in members] for each in server.gone.values() if each]
        return TamperedResponse(409, JSON, refusal) if [response.body[name] for name in members] in taken else response

    return remembering(wrong)


def reads_what_it_showed_first(
    server: Remembering, request: TamperedRequest, response: TamperedResponse
) -> TamperedResponse:
    is_kept = request.method == "GET" and response.status == 200 and request.path in server.made
    return response.with_body(server.made[request.path]) if is_kept else response


def reads_what_is_gone(server: Remembering, request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
    is_meant = request.method == "GET" and response.status in (404, 410) and request.path in server.made
    return (
        TamperedResponse(200, JSON | {"etag": '"x"'}, b"").with_body(server.made[request.path])
        if is_meant
        else response
    )


def finds_it_below_any_parent(server: Remembering, request: TamperedRequest, response: TamperedResponse) -> Any:
    identity = request.path.rpartition("/")[2]
    other = next((path for path in server.made if path.endswith(f"/{identity}") and path.count("/") == 4), None)
    if (
        other
        and is_item(request)
        and request.path.count("/") == 4
        and request.method == "GET"
        and response.status == 404
    ):
        return server.serve(replace(request, path=other))
    return response


def lists_what_others_have(
    server: Remembering, request: TamperedRequest, response: TamperedResponse
) -> TamperedResponse:
    if request.method != "GET" or request.path.count("/") != 3 or response.status != 200:
        return response
    rows = rows_of(response.body)
    talks = {row["item"].rpartition("-item-")[0] for row in rows} if "item=" not in request.query else set()
    others = [each for path, each in server.made.items() if path.count("/") == 4 and not path.startswith(request.path)]
    return with_rows(response, [*rows, *(each for each in others if each["item"].rpartition("-item-")[0] in talks)])


def merges_into(change: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]) -> Mutant:
    """A server that merges patches wrongly."""

    @mutant
    async def merging(request: TamperedRequest, serve: Server, _store: Store) -> TamperedResponse:
        response = await serve(request)
        if request.method != "PATCH" or response.status != 200 or not isinstance(request.body, dict):
            return response
        whole = change(response.body, request.body)
        put = replace(request, method="PUT", headers={**request.headers, "content-type": "application/json"})
        return await serve(put.with_body({name: whole[name] for name in ("title", "pages", "kind") if name in whole}))

    return merging


@mutant
async def is_patched_in_vain(request: TamperedRequest, serve: Server, _store: Store) -> TamperedResponse:
    """Shows the result of a patch without storing it."""
    before = await serve(replace(request, method="GET", raw=b""))
    response = await serve(request)
    if request.method == "PATCH" and response.status == 200:
        body = {name: before.body[name] for name in ("title", "pages", "kind")}
        headers = {**request.headers, "content-type": "application/json"}
        await serve(replace(request, method="PUT", headers=headers).with_body(body))
    return response


def makes_what_it_patches(server: Remembering, request: TamperedRequest, response: TamperedResponse) -> Any:
    if request.method != "PATCH" or response.status != 404 or "title" not in (request.body or {}):
        return response
    return answering_as(200, server.serve(replace(request, method="POST", path="/books", headers=JSON)))


async def answering_as(status: int, response: Any) -> TamperedResponse:
    made: TamperedResponse = await response
    return replace(made, status=status)


JSON = {"content-type": "application/json"}


def status(method: str, right: int, wrong: int, body: bytes = b"") -> Mutant:
    def change(request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
        is_meant = (request.method, response.status) == (method, right)
        return TamperedResponse(wrong, JSON if body else {}, body) if is_meant else response

    return changing_responses(change)


def conflicts_are_taken(server: Remembering, request: TamperedRequest, response: TamperedResponse) -> Any:
    """Responds with success to a patch that conflicts."""
    if (request.method, response.status) != ("PATCH", 409):
        return response
    return server.serve(replace(request, method="GET", raw=b""))


def makes_offers_of_no_shop(
    _server: Remembering, request: TamperedRequest, response: TamperedResponse
) -> TamperedResponse:
    is_meant = request.method == "POST" and request.path.count("/") == 3 and response.status == 404
    return TamperedResponse(201, JSON, b'{"number": 99, "item": "tea", "price": 1}') if is_meant else response


def turns(request: TamperedRequest, name: str, change: Callable[[int], int]) -> TamperedRequest:
    """The request with another number in the query."""
    return replace(
        request, query=re.sub(rf"(?<=\b{name}=)(\d+)", lambda found: str(change(int(found[0]))), request.query)
    )


WRONG: dict[str, tuple[str, Mutant, str]] = {
    # A merge
    "a patch replaces": (
        "books",
        merges_into(lambda now, patch: {"title": now["title"], "pages": 1, **patch}),
        r"body /\w+: must be .+, as it was stored; not .+",
    ),
    "a patch is shown and not kept": (
        "books",
        is_patched_in_vain,
        r"body /0/\w+: must be .+, as it was stored; not .+",
    ),
    "a patch of nothing makes it": (
        "books",
        remembering(makes_what_it_patches),
        r'status: must be 404, because "check-1-unknown" was never created; it is 200',
    ),
    "a patch takes the title of another": (
        "books",
        remembering(conflicts_are_taken),
        r'status: must be 409, because "book-\w+" already has title "check-1-\d+-title-0"; it is 200',
    ),
    "a patch says nothing of what it leaves": (
        "books",
        telling(
            lambda request, body: {**body, "kind": "manual" if "kind" not in request.body else body["kind"]}, "PATCH"
        ),
        r'body /kind: must be "novel", as it was stored; not "manual"',
    ),
    # A deletion
    "nothing is ever deleted": (
        "books",
        lambda serve, _store: partial(keeps_everything, serve),
        r'body: "book-\w+" is in the list, but was deleted',
    ),
    "what is deleted is read": (
        "books",
        remembering(reads_what_is_gone),
        r'status: must be 404, because "book-\w+" was deleted; it is 200',
    ),
    "what is deleted is listed": (
        "books",
        remembering(lists_what_is_deleted),
        r'body: "book-\w+" is in the list, but was deleted',
    ),
    "what is deleted keeps its title": (
        "books",
        keeps_what_is_deleted_taken(NO_BOOK, "title"),
        r"status: must be 201, because the request is valid, and no stored resource .+; it is 409",
    ),
    "nothing can be deleted": (
        "books",
        status("DELETE", 404, 204),
        r'status: must be 404, because "check-1-unknown" was never created; it is 204',
    ),
    "a deletion is refused": (
        "books",
        status("DELETE", 204, 404, NO_BOOK),
        r"status: must be 204, because the request is valid, and no stored resource .+; it is 404",
    ),
    # A version
    "every version has one entity tag": (
        "books",
        lambda serve, _store: partial(tags_by_identity, serve),
        r"status: must be 200, because the request is valid, and no stored resource .+; it is 304",
    ),
    "If-Match is ignored": (
        "books",
        unheard("if-match"),
        r'status: must be 412, because it does not have the entity tag "of-nothing"; it is 200',
    ),
    "If-None-Match is ignored": (
        "books",
        unheard("if-none-match"),
        r'status: must be 304, because it still has the entity tag "\w+"; it is 200',
    ),
    # A list
    "a list ignores a filter": ("books", unasked("pages"), r"body /\d+/pages: is \d+, but the filter is \d+"),
    "a list ignores its limit": (
        "books",
        unasked("limit"),
        r"body: must have at most \d+ items, as requested, not \d+",
    ),
    "a list goes on too late": (
        "books",
        changing_requests(lambda request: turns(request, "offset", lambda number: number + 1)),
        r'body: "book-\w+", which was stored, is missing',
    ),
    "a list counts what it shows": (
        "books",
        header("x-total-count", lambda _: "1"),
        r"body: the total is 1, but 4 were stored",
    ),
    "a page is the first one again": (
        "shops",
        changing_requests(lambda request: turns(request, "page", lambda _: 1)),
        r"body /offers: \d+, which was stored, is listed 2 times",
    ),
    "no page has more after it": (
        "shops",
        telling(lambda _, body: {**body, "meta": {**body["meta"], "has_more": False}} if "meta" in body else body),
        r"body /offers: \d+, which was stored, is missing",
    ),
    "a cursor leads to what was shown": (
        "songs",
        lambda serve, _store: partial(starts_again, serve),
        r'body /songs: "\w+", which was stored, is listed \d+ times',
    ),
    "the cursor ends too early": (
        "songs",
        telling(lambda _, body: {**body, "next_cursor": None}),
        r'body /songs: "\w+", which was stored, is missing',
    ),
    # Parents
    "what a shop offers is found in another": (
        "shops",
        remembering(finds_it_below_any_parent),
        r"status: must be a client error \(4XX\), because \d+ belongs to another parent; it is 200",
    ),
    "a shop lists what another offers": (
        "shops",
        remembering(lists_what_others_have),
        r"body /offers: \d+ is in the list, but belongs to another parent",
    ),
    "a shop that is not there offers": (
        "shops",
        remembering(makes_offers_of_no_shop),
        r"status: must be a client error \(4XX\), because \d+ was never created; it is 201",
    ),
    "a shop that is closed still offers": (
        "shops",
        remembering(reads_what_is_gone),
        r"status: must be a client error \(4XX\), because \d+ was deleted; it is 200",
    ),
    "an offer is read as it was first": (
        "shops",
        remembering(reads_what_it_showed_first),
        r"body /\w+: must be .+, as it was stored; not .+",
    ),
    # A soft deletion
    "what is cancelled is listed": (
        "bookings",
        remembering(lists_what_is_deleted),
        r'body: "[a-z]{3,8}" is in the list, but was deleted',
    ),
    "what is cancelled was never there": (
        "bookings",
        status("GET", 410, 404, NO_BOOKING),
        r'status: must be 410, because "[a-z]{3,8}" was deleted; it is 404',
    ),
    "what is cancelled keeps its hour": (
        "bookings",
        keeps_what_is_deleted_taken(NO_BOOKING, "room", "day", "hour"),
        r"status: must be 201, because the request is valid, and no stored resource .+; it is 409",
    ),
    "a cancellation says not when": (
        "bookings",
        telling(lambda _, body: {**body, "cancelled": None}, "DELETE"),
        r"body /cancelled: must have the time of the deletion, not null",
    ),
    "what is cancelled is changed": (
        "bookings",
        status("PUT", 410, 204),
        r'status: must be 410, because "[a-z]{3,8}" was deleted; it is 204',
    ),
    "a guest is in two rooms at once": (
        "bookings",
        lambda serve, _store: partial(forgets_the_guest, serve),
        r'status: must be 409, because "[a-z]{3,8}" already has guest .+ and day .+ and hour \d+; it is 201',
    ),
}


async def keeps_everything(serve: Server, request: TamperedRequest) -> TamperedResponse:
    if request.method == "DELETE":
        found = await serve(replace(request, method="GET"))
        return TamperedResponse(204, {}, b"") if found.status == 200 else await serve(request)
    return await serve(request)


async def tags_by_identity(serve: Server, request: TamperedRequest) -> TamperedResponse:
    tag = f'"{request.path.rpartition("/")[2]}"'
    if request.headers.get("if-none-match") == tag:
        return TamperedResponse(304, {"etag": tag}, b"")
    response = await serve(request)
    return replace(response, headers={**response.headers, "etag": tag}) if "etag" in response.headers else response


async def starts_again(serve: Server, request: TamperedRequest) -> TamperedResponse:
    again = replace(request, query=re.sub(r"&?cursor=\w+(%3D)*", "", request.query))
    response = await serve(request)
    if response.status != 200 or again == request:
        return response
    first = await serve(again)
    return response.with_body({**response.body, "songs": first.body["songs"]})


async def forgets_the_guest(serve: Server, request: TamperedRequest) -> TamperedResponse:
    response = await serve(request)
    if (request.method, response.status) != ("POST", 409) or "guest" not in request.body:
        return response
    made = await serve(request.with_body({**request.body, "guest": f"{request.body['guest']}x"}))
    if made.status != 201:
        return response
    return made.with_body({**made.body, "guest": request.body["guest"]})


@pytest.mark.parametrize("name", WRONG)
def test_a_server_that_is_wrong_is_told_what_and_why(name: str) -> None:
    contract, mutate, said = WRONG[name]
    (failure,) = conversed(contract, mutate).errors
    assert re.fullmatch(said, str(failure.finding)), str(failure.finding)
    assert failure.part == "model"
    assert failure.finding.rule in MODEL_RULES
    assert len(failure.interactions) <= 8, "the requests that show it are few"


@pytest.mark.parametrize("contract", ["books", "shops", "bookings", "songs"])
def test_the_wrapper_around_them_is_right_and_every_documented_status_is_provoked(contract: str) -> None:
    result = conversed(contract, lambda serve, _store: serve)
    assert result.errors == []
    assert result.coverage is not None
    assert {name: each.unseen for name, each in result.coverage.operations.items() if each.unseen} == {}
