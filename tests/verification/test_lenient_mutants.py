"""Mutants that differ from a right server in what is nearly right: they convert, trim, cut, or refuse the unusual."""

import asyncio
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

import pytest
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
    problem,
    repairing,
    shown,
    tampered,
    without,
)
from starlette.types import ASGIApp

ITEM = re.compile("/configurations/[^/]+")


def refusing(code: int, is_refused: Callable[[TamperedRequest], object]) -> Mutant:
    """A server that refuses some writes."""

    @mutant
    async def refuse(request: TamperedRequest, serve: Server, _store: Store) -> TamperedResponse:
        is_meant = request.method in ("POST", "PUT") and request.body is not None and is_refused(request)
        return problem(code) if is_meant else await serve(request)

    return refuse


def without_members(is_refused: Callable[[dict[str, Any]], object], code: int = 400) -> Mutant:
    """A server that refuses some objects."""
    return refusing(code, lambda request: isinstance(request.body, dict) and is_refused(request.body))


def changing_texts(change: Callable[[str], str], *members: str) -> Mutant:
    """A server that stores texts changed, everywhere or in some members."""
    return storing(
        lambda body: {**body, **{name: changed(body[name], change) for name in members or body if name in body}}
    )


def storing(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Mutant:
    """A server that stores objects changed."""
    return repairing(lambda body: after if (after := change(body)) != body else None)


def changed(value: Any, change: Callable[[Any], Any], *, names: bool = False) -> Any:
    """A value with its scalars changed, or the names of its members."""
    if isinstance(value, dict):
        return {change(name) if names else name: changed(each, change, names=names) for name, each in value.items()}
    if isinstance(value, list):
        return [changed(each, change, names=names) for each in value]
    return value if names or not isinstance(value, str) else change(value)


def in_check(change: Callable[[Any], Any], part: str, member: str) -> Mutant:
    """A server that stores a member of the parts of checks changed."""

    def store(body: dict[str, Any]) -> dict[str, Any]:
        checks = body.get("pre_checks")
        if not isinstance(checks, list) or not all(isinstance(each, dict) for each in checks):
            return body
        return {**body, "pre_checks": [{**each, part: inside(each[part])} if part in each else each for each in checks]}

    def inside(value: Any) -> Any:
        return {**value, member: change(value[member])} if isinstance(value, dict) and member in value else value

    return storing(store)


def without_nulls(value: Any) -> Any:
    return {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else value


def taking(member: str, pattern: str, right: Any) -> Mutant:
    """A server that takes a wrong value, whose JSON matches a pattern, for a right one."""
    return repairing(
        lambda body: {**body, member: right} if member in body and re.fullmatch(pattern, repr(body[member])) else None
    )


def depth(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, parts), default=0) if isinstance(value, dict | list) else 0


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names_in(each)


def numbers(body: dict[str, Any]) -> list[Any]:
    whitelist = body.get("rate_limit_whitelist")
    return whitelist if isinstance(whitelist, list) else []


def conflicting(method: str, key: Callable[[str], str]) -> Mutant:
    """A server to which scopes conflict that differ."""

    def scope(body: dict[str, Any]) -> tuple[str, str]:
        return key(str(body.get("reseller_id"))), key(str(body.get("template")))

    @mutant
    async def conflict(request: TamperedRequest, serve: Server, store: Store) -> TamperedResponse:
        response = await serve(request)
        if request.method != method or response.status >= 300:
            return response
        rows = [row for row in await shown(store) if row["id"] != response.body["id"]]
        return problem(409) if scope(request.body) in map(scope, rows) else response

    return conflict


def answering(change: Callable[[TamperedRequest, TamperedResponse], TamperedResponse], *codes: int) -> Mutant:
    """A server with wrong responses of these statuses."""
    return changing_responses(
        lambda request, response: change(request, response) if response.status in codes else response
    )


def with_errors(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Mutant:
    return answering(
        lambda _, response: response.with_body({**response.body, "errors": change(response.body.get("errors", []))}),
        400,
    )


@mutant
async def stores_and_refuses(request: TamperedRequest, serve: Server, _store: Store) -> TamperedResponse:
    response = await serve(request)
    if request.method == "POST" and response.status == 415:
        await serve(replace(request, headers={"content-type": "application/json"}))
    return response


@mutant
async def seeks_first(request: TamperedRequest, serve: Server, store: Store) -> TamperedResponse:
    """Looks for the target before it reads the body."""
    identity = request.path.rpartition("/")[2]
    is_put = request.method == "PUT" and ITEM.fullmatch(request.path) and len(identity) < 256
    is_unknown = is_put and identity not in [row["id"] for row in await shown(store)]
    return problem(404) if is_unknown else await serve(request)


@mutant
async def looks_at_the_scope_first(request: TamperedRequest, serve: Server, store: Store) -> TamperedResponse:
    response, body = await serve(request), request.body
    if request.method == "PUT" and response.status == 400 and isinstance(body, dict) and "id" in body:
        scopes = [(row["reseller_id"], row["template"]) for row in await shown(store) if row["id"] not in request.path]
        return problem(409) if (body.get("reseller_id"), body.get("template")) in scopes else response
    return response


def checks_then_stores(serve: Server, store: Store) -> Server:
    """Stores a while after it has looked for conflicts."""

    async def create(request: TamperedRequest) -> TamperedResponse:
        body = request.body
        if request.method != "POST" or not isinstance(body, dict):
            return await serve(request)
        there = len([row for row in await shown(store) if row["template"] == body.get("template")])
        await asyncio.sleep(0.02)
        response = await serve(request)
        if response.status == 409 and not there:
            response = await serve(request.with_body({**body, "template": f"{body['template']}-"}))
        return response

    return create


def answers_a_repetition_with_304(serve: Server, _store: Store) -> Server:
    last: dict[str, bytes] = {}

    async def replacement(request: TamperedRequest) -> TamperedResponse:
        response = await serve(request)
        is_repeated = request.method == "PUT" and response.status == 200 and last.get(request.path) == request.raw
        last[request.path] = request.raw
        return TamperedResponse(304, {}, b"") if is_repeated else response

    return replacement


def utc_as_of_india(body: Any) -> Any:
    if isinstance(body, list):
        return [utc_as_of_india(row) for row in body]
    times = {name: datetime.fromisoformat(body[name]) + timedelta(hours=5.5) for name in ("created_at", "updated_at")}
    return {**body, **{name: f"{time:%Y-%m-%dT%H:%M:%S.%f}Z" for name, time in times.items()}}


def in_latin_1(request: TamperedRequest) -> TamperedRequest:
    """The request as read by a server to which a query is Latin-1."""
    if request.method != "GET" or "%FF" in request.query:
        return request
    return replace(
        request, query=re.sub("(?:%[89A-F].)+", lambda found: quote(unquote(found[0], "latin-1")), request.query)
    )


MUTANTS: dict[str, tuple[Mutant, str]] = {
    # Scopes and filters
    "a create conflicts in capitals": (conflicting("POST", str.lower), "expected-status"),
    "an update conflicts in capitals": (conflicting("PUT", str.lower), "expected-status"),
    "a space at the end conflicts": (conflicting("POST", str.rstrip), "expected-status"),
    "scopes are stored in lower case": (changing_texts(str.lower, "reseller_id", "template"), "expected-status"),
    "long templates are refused": (
        without_members(lambda body: 64 < len(str(body.get("template"))) < 256),
        "expected-status",
    ),
    "a query is Latin-1": (changing_requests(in_latin_1), "list-content"),
    "a filter is trimmed": (
        changing_requests(lambda request: replace(request, query=re.sub("%20(?=&|$)", "", request.query))),
        "list-filter",
    ),
    "the first hundred are listed": (
        answering(
            lambda request, response: response.with_body(response.body[:100]) if request.method == "GET" else response,
            200,
        ),
        "list-content",
    ),
    "of two creates at once both are done": (checks_then_stores, "expected-status"),
    # Texts and free values
    "texts are trimmed": (changing_texts(lambda text: text.strip() or text, "inbound_block_message"), "stored-value"),
    "lines end as in Unix": (changing_texts(lambda text: text.replace("\r\n", "\n")), "stored-value"),
    "texts are normalized": (changing_texts(lambda text: unicodedata.normalize("NFC", text)), "stored-value"),
    "lengths are those of UTF-16": (
        without_members(lambda body: len(str(body.get("merchant_id")).encode("utf-16-le")) > 510),
        "expected-status",
    ),
    "a body of sixty levels is refused": (refusing(400, lambda request: depth(request.body) >= 60), "expected-status"),
    "a body of sixty levels fails": (refusing(500, lambda request: depth(request.body) >= 60), "expected-status"),
    "large integers are rounded": (
        in_check(
            lambda value: [int(float(each)) for each in value] if value == [2**53 + 1] else value,
            "response_config",
            "response_field_value",
        ),
        "stored-value",
    ),
    "null is no value": (
        without_members(lambda body: "'response_field_value': None" in str(body.get("pre_checks"))),
        "expected-status",
    ),
    "nulls in free values are dropped": (
        in_check(without_nulls, "response_config", "response_field_value"),
        "stored-value",
    ),
    "names of header fields are in lower case": (
        in_check(lambda value: changed(value, str.lower, names=True), "http_request", "headers"),
        "stored-value",
    ),
    "a dot in a name fails": (
        refusing(500, lambda request: any("." in name for name in names_in(request.body))),
        "expected-status",
    ),
    "a thousand numbers are refused": (without_members(lambda body: len(numbers(body)) == 1000), "expected-status"),
    "a thousand numbers are cut": (
        storing(
            lambda body: {**body, "rate_limit_whitelist": numbers(body)[:999]} if len(numbers(body)) == 1000 else body
        ),
        "stored-value",
    ),
    "more than a thousand numbers are taken": (
        repairing(
            lambda body: {**body, "rate_limit_whitelist": numbers(body)[:1000]} if numbers(body)[1000:] else None
        ),
        "expected-status",
    ),
    "digits become a number": (
        in_check(lambda value: 7 if value == "007" else value, "response_config", "response_field_value"),
        "stored-value",
    ),
    # Values that are nearly right
    "a create takes an id": (
        changing_requests(
            lambda request: (
                request.with_body(without(request.body, "id"))
                if request.method == "POST" and isinstance(request.body, dict) and "id" in request.body
                else request
            )
        ),
        "expected-status",
    ),
    "the night is refused": (
        without_members(
            lambda body: str(body.get("inbound_call_start_time")) > str(body.get("inbound_call_end_time") or "~")
        ),
        "expected-status",
    ),
    "24:00 is a time": (taking("call_end_time", "'24:00'", "23:59"), "expected-status"),
    "9:00 is a time": (taking("call_start_time", r"'\d:\d\d'", "09:00"), "expected-status"),
    "a time has seconds": (taking("call_start_time", r"'(\d\d:){2}\d\d'", "09:00"), "expected-status"),
    "a time ends with a newline": (taking("call_start_time", r"'\d\d:\d\d\\n'", "09:00"), "expected-status"),
    "a number needs no plus": (taking("inbound_redirect_number", r"'[1-9]\d+'", "+12"), "expected-status"),
    "a provider is in lower case": (taking("calling_provider", "'(twilio|exotel|plivo)'", "PLIVO"), "expected-status"),
    "an offset is a time zone": (taking("inbound_call_timezone", r"'[+-]\d\d:\d\d'", "UTC"), "expected-status"),
    "true is a number": (taking("max_retry", "True", 1), "expected-status"),
    "a fraction is cut": (taking("max_retry", r"\d+\.\d+", 1), "expected-status"),
    "a number is true": (taking("enable_calling", "1", True), "expected-status"),
    # Updates and times
    "a repeated update is 304": (answers_a_repetition_with_304, "undocumented-status"),
    "times with an offset are refused": (
        refusing(
            400,
            lambda request: (
                "+05:30" in str(request.body.get("created_at"))
                if request.method == "PUT" and isinstance(request.body, dict)
                else False
            ),
        ),
        "expected-status",
    ),
    "times are local": (
        answering(lambda _, response: response.with_body(utc_as_of_india(response.body)), 200, 201),
        "created-at",
    ),
    # The protocol
    "a charset is refused": (
        refusing(415, lambda request: "charset=utf-8" in request.headers["content-type"]),
        "expected-status",
    ),
    "Accept is no list": (refusing(406, lambda request: "," in request.headers.get("accept", "")), "expected-status"),
    "large bodies are refused": (
        refusing(413, lambda request: 100_000 < len(request.raw) <= 1 << 20),
        "expected-status",
    ),
    "a refused create is stored": (stores_and_refuses, "list-content"),
    "the id is sought before the body is read": (seeks_first, "expected-status"),
    "the scope is looked at before the id in the body": (looks_at_the_scope_first, "expected-status"),
    "a comma at the end is taken": (
        changing_requests(lambda request: replace(request, raw=re.sub(rb",}$", b"}", request.raw))),
        "expected-status",
    ),
    "an unknown path is a page": (
        answering(
            lambda request, response: (
                response
                if ITEM.fullmatch(request.path)
                else TamperedResponse(404, {"content-type": "text/html"}, b"no")
            ),
            404,
        ),
        "undocumented-media-type",
    ),
    "405 is empty": (
        answering(lambda _, response: TamperedResponse(405, {"allow": response.headers["allow"]}, b""), 405),
        "undocumented-media-type",
    ),
    "Allow has every method": (header("allow", lambda _: "GET, POST, PUT, PATCH, DELETE"), "allow"),
    "Allow has one method": (header("allow", lambda text: text.partition(",")[0]), "allow"),
    "only the first violation is named": (with_errors(lambda errors: errors[:1]), "violations"),
    "violations have dotted paths": (
        with_errors(lambda errors: [{**each, "pointer": each.get("pointer", "").replace("/", ".")} for each in errors]),
        "violations",
    ),
    "no violation is named": (with_errors(lambda _: []), "violations"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_nearly_right_server_is_caught(
    name: str, make_app: Callable[..., ASGIApp], store: Store, check_app: Callable[..., Any]
) -> None:
    mutate, rule = MUTANTS[name]
    result = check_app(tampered(make_app(), store, mutate), max_failures=1, model_alone=True)
    (failure,) = result.errors
    assert failure.finding.rule == rule, failure.finding
    assert len(failure.interactions) <= 8, "the requests that show it are few"
