"""Mutants: servers with one mistake each, all of which `check` finds."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from callconfig.storage.store import Store, UnknownDocument
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


def showing(change: Callable[[dict[str, Any]], dict[str, Any]], *methods: str) -> Mutant:
    """A server that shows stored resources wrongly."""

    def show(request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
        if response.status >= 300 or request.method not in (methods or ("POST", "PUT", "GET")):
            return response
        body = response.body
        return response.with_body([change(row) for row in body] if isinstance(body, list) else change(body))

    return changing_responses(show)


def listing(change: Callable[[TamperedRequest, list[Any]], Any]) -> Mutant:
    """A server that lists wrongly."""

    def show(request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
        return (
            response.with_body(change(request, response.body))
            if request.method == "GET" and response.status == 200
            else response
        )

    return changing_responses(show)


def status(method: str, right: int, wrong: int) -> Mutant:
    """A server with a wrong status."""

    def show(request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
        if (request.method, response.status) != (method, right):
            return response
        response = replace(response, status=wrong)
        return response.with_body({**response.body, "status": wrong}) if wrong >= 400 else response

    return changing_responses(show)


def always(method: str, code: int) -> Mutant:
    return changing_responses(
        lambda request, response: problem(code) if request.method == method and response.status < 300 else response
    )


@mutant
async def merges(request: TamperedRequest, serve: Server, store: Store) -> TamperedResponse:
    if request.method == "PUT" and isinstance(request.body, dict):
        try:
            old = await store.get(request.path.rpartition("/")[2])
        except UnknownDocument:
            return await serve(request)
        merged = {**without(old, "id", "created_at", "updated_at"), **request.body}
        checked = await serve(replace(request, method="POST", path="/configurations"))
        return await serve(request.with_body(merged)) if checked.status in (201, 409) else await serve(request)
    return await serve(request)


@mutant
async def null_leaves_the_old_value(request: TamperedRequest, serve: Server, store: Store) -> TamperedResponse:
    body = request.body
    if request.method == "PUT" and isinstance(body, dict) and "merchant_id" in body and body["merchant_id"] is None:
        try:
            old = await store.get(request.path.rpartition("/")[2])
        except UnknownDocument:
            return await serve(request)
        return await serve(request.with_body({**body, "merchant_id": old["merchant_id"]}))
    return await serve(request)


@mutant
async def upserts(request: TamperedRequest, serve: Server, _store: Store) -> TamperedResponse:
    response = await serve(request)
    if request.method == "PUT" and response.status == 404:
        made = await serve(
            replace(request, method="POST", path="/configurations").with_body(without(request.body, "id"))
        )
        return replace(made, status=200) if made.status == 201 else response
    return response


@mutant
async def overwrites_duplicates(request: TamperedRequest, serve: Server, _store: Store) -> TamperedResponse:
    response = await serve(request)
    if request.method == "POST" and response.status == 409:
        holder = re.findall(r"cfg_\w+", response.body["detail"])[0]
        done = await serve(replace(request, method="PUT", path=f"/configurations/{holder}"))
        return replace(done, status=201, headers={**done.headers, "location": f"/configurations/{holder}"})
    return response


@mutant
async def stores_what_it_refuses(request: TamperedRequest, serve: Server, _store: Store) -> TamperedResponse:
    response = await serve(request)
    if request.method == "POST" and response.status == 400 and isinstance(request.body, dict):
        await serve(request.with_body({**request.body, "max_retry": 1}))
    return response


@dataclass
class Forgetful:
    """Keeps only the latest configurations, as a cache would."""

    serve: Server
    kept: list[str] = field(default_factory=list)

    async def __call__(self, request: TamperedRequest) -> TamperedResponse:
        response = await self.serve(request)
        if request.method == "POST" and response.status == 201:
            self.kept = [*self.kept, response.body["id"]][-3:]
        if request.method == "GET" and response.status == 200:
            return response.with_body([row for row in response.body if row["id"] in self.kept])
        return response


@dataclass
class StaleAfterUpdate:
    """Lists the first version of each resource."""

    serve: Server
    shown: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, request: TamperedRequest) -> TamperedResponse:
        response = await self.serve(request)
        if request.method == "POST" and response.status == 201:
            self.shown[response.body["id"]] = response.body
        if request.method == "GET" and response.status == 200:
            return response.with_body([self.shown.get(row["id"], row) for row in response.body])
        return response


def keeps_the_old_scope(serve: Server, _store: Store) -> Server:
    taken: dict[tuple[str, str], str] = {}

    async def mutant(request: TamperedRequest) -> TamperedResponse:
        body = request.body
        scope = (str(body.get("reseller_id")), str(body.get("template"))) if isinstance(body, dict) else ("", "")
        response = await serve(request)
        if response.status == 201:
            if scope in taken:
                return problem(409)
            taken[scope] = response.body["id"]
        return response

    return mutant


@mutant
async def refuses_to_replace_with_its_own_scope(
    request: TamperedRequest, serve: Server, _store: Store
) -> TamperedResponse:
    response = await serve(request)
    if request.method != "PUT" or response.status != 200:
        return response
    unchanged = response.body["created_at"] != response.body["updated_at"] and response.body["reseller_id"].endswith(
        "-0"
    )
    return problem(409) if unchanged else response


def one_filter(name: str) -> Mutant:
    """A server that ignores a filter."""
    return changing_requests(
        lambda request: (
            replace(request, query="&".join(p for p in request.query.split("&") if not p.startswith(f"{name}=")))
            if request.method == "GET" and request.query.count(f"{name}=") == 1 and "%FF" not in request.query
            else request
        )
    )


def matching(name: str, matches: Callable[[str, str], bool]) -> Mutant:
    """A server whose filter, where it is alone, matches a stored value and the wanted one by `matches`."""

    @mutant
    async def match(request: TamperedRequest, serve: Server, store: Store) -> TamperedResponse:
        response = await serve(request)
        found = re.fullmatch(rf"{name}=([\w.%-]+)", request.query)
        if request.method == "GET" and response.status == 200 and found:
            return response.with_body([row for row in await shown(store) if matches(row[name], found[1])])
        return response

    return match


@mutant
async def leaks_rows_of_another_reseller(request: TamperedRequest, serve: Server, store: Store) -> TamperedResponse:
    response = await serve(request)
    if request.method == "GET" and response.status == 200 and "reseller_id" in request.query:
        others = await shown(store)
        known = [row["id"] for row in response.body]
        return response.with_body([*response.body, *[row for row in others if row["id"] not in known][:1]])
    return response


def loses_the_one_before(serve: Server, _store: Store) -> Server:
    """After a create, drops the one before of the same reseller from lists."""
    last: dict[str, str] = {}

    async def mutant(request: TamperedRequest) -> TamperedResponse:
        response = await serve(request)
        if request.method == "POST" and response.status == 201:
            last[response.body["reseller_id"]] = response.body["id"]
        if request.method == "GET" and response.status == 200:
            return response.with_body(
                [row for row in response.body if last.get(row["reseller_id"], row["id"]) == row["id"]]
            )
        return response

    return mutant


def times_with_seconds(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "call_start_time": f"{body['call_start_time']}:00"}


def known_members_only(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if not name.startswith("x-")}


def both_hours(body: dict[str, Any]) -> dict[str, Any] | None:
    start, end = body.get("inbound_call_start_time"), body.get("inbound_call_end_time")
    good = [time for time in (start, end) if isinstance(time, str) and re.fullmatch(r"\d\d:\d\d", time)]
    return {**body, "inbound_call_start_time": good[0], "inbound_call_end_time": good[0]} if len(good) == 1 else None


def number_for_redirect(body: dict[str, Any]) -> dict[str, Any] | None:
    lacks = body.get("inbound_block_action") == "REDIRECT" and body.get("inbound_redirect_number") is None
    return {**body, "inbound_redirect_number": "+15550100"} if lacks else None


def calls_for_limit(body: dict[str, Any]) -> dict[str, Any] | None:
    lacks = body.get("rate_limit_enabled") is True and body.get("rate_limit_max_calls") is None
    return {**body, "rate_limit_max_calls": 1} if lacks else None


def clamped(member: str, least: int) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    def clamp(body: dict[str, Any]) -> dict[str, Any] | None:
        value = body.get(member)
        return {**body, member: least} if type(value) is int and -10 < value < least else None

    return clamp


def replaced_if(
    member: str, wrong: Callable[[Any], bool], right: Any
) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    return lambda body: {**body, member: right} if member in body and wrong(body[member]) else None


def any_media_type(request: TamperedRequest) -> TamperedRequest:
    return replace(request, headers={**request.headers, "content-type": "application/json"}) if request.raw else request


def any_accept(request: TamperedRequest) -> TamperedRequest:
    return replace(request, headers={name: value for name, value in request.headers.items() if name != "accept"})


def ignores_contradicting_id(request: TamperedRequest) -> TamperedRequest:
    return (
        request.with_body(without(request.body, "id"))
        if request.method == "PUT" and isinstance(request.body, dict)
        else request
    )


def fails_on_pre_checks(request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
    trouble = response.status < 300 and isinstance(request.body, dict) and request.body.get("pre_checks")
    return problem(500) if trouble else response


def only_get_and_post(_request: TamperedRequest, response: TamperedResponse) -> TamperedResponse:
    return problem(404) if response.status == 405 else response


def of_problem(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Mutant:
    return changing_responses(
        lambda _request, response: response.with_body(change(response.body)) if response.status >= 400 else response
    )


PROVIDERS = ("TWILIO", "EXOTEL", "PLIVO")
MUTANTS: dict[str, tuple[Mutant, str]] = {
    # createConfiguration
    "every create is a conflict": (always("POST", 409), "expected-status"),
    "no create is a conflict": (overwrites_duplicates, "expected-status"),
    "a conflict is 400": (status("POST", 409, 400), "expected-status"),
    "a create answers 200": (status("POST", 201, 200), "undocumented-status"),
    "an invalid create answers 422": (status("POST", 400, 422), "undocumented-status"),
    "an invalid create answers 500": (status("POST", 400, 500), "expected-status"),
    "Location is missing": (header("location", lambda _: None), "required"),
    "Location leads elsewhere": (header("location", lambda text: text[:-1] + "_"), "location"),
    "Location is the collection": (header("location", lambda _: "/configurations"), "location"),
    "a create takes members that nobody knows": (repairing(known_members_only, "POST"), "expected-status"),
    "a create sets the times": (
        repairing(lambda body: without(body, "created_at", "updated_at"), "POST"),
        "expected-status",
    ),
    "a create with checks fails": (changing_responses(fails_on_pre_checks), "expected-status"),
    "every identity is the same": (showing(lambda body: {**body, "id": "cfg_1"}, "POST"), "location"),
    "what is refused is stored": (stores_what_it_refuses, "list-content"),
    # updateConfiguration
    "every update is unknown": (always("PUT", 404), "expected-status"),
    "an update merges": (merges, "stored-value"),
    "null leaves the old value": (null_leaves_the_old_value, "stored-value"),
    "an update of what is unknown creates it": (upserts, "expected-status"),
    "what is unknown is 400": (status("PUT", 404, 400), "expected-status"),
    "an update takes the scope of another": (status("PUT", 409, 200), "undocumented-media-type"),
    "an update answers 204": (status("PUT", 200, 204), "undocumented-status"),
    "an update changes created_at": (
        showing(lambda body: {**body, "created_at": body["updated_at"]}, "PUT"),
        "created-at",
    ),
    "an update leaves updated_at": (showing(lambda body: {**body, "updated_at": body["created_at"]}), "updated-at"),
    "an update changes the identity": (showing(lambda body: {**body, "id": f"{body['id']}2"}, "PUT"), "identity"),
    "an update takes a contradicting id": (changing_requests(ignores_contradicting_id), "expected-status"),
    "an update keeps the old scope taken": (keeps_the_old_scope, "expected-status"),
    "an update with its own scope is a conflict": (refuses_to_replace_with_its_own_scope, "expected-status"),
    "an update is not seen in lists": (lambda serve, _: StaleAfterUpdate(serve), "stored-value"),
    "an update takes members that nobody knows": (repairing(known_members_only, "PUT"), "expected-status"),
    # listConfigurations
    "nothing is listed": (listing(lambda _request, _rows: []), "list-content"),
    "only the first three are listed": (listing(lambda _request, rows: rows[:3]), "list-content"),
    "only the last three are remembered": (lambda serve, _: Forgetful(serve), "list-content"),
    "the one before is lost": (loses_the_one_before, "list-content"),
    "a list has each twice": (listing(lambda _request, rows: rows * 2), "list-content"),
    "a list is newest first": (listing(lambda _request, rows: rows[::-1]), "list-order"),
    "a list is by id": (listing(lambda _request, rows: sorted(rows, key=lambda row: row["id"])), "list-order"),
    "a list is wrapped": (listing(lambda _request, rows: {"items": rows}), "type"),
    "a list ignores reseller_id": (one_filter("reseller_id"), "list-filter"),
    "a list ignores template": (one_filter("template"), "list-filter"),
    "a list matches prefixes": (matching("reseller_id", str.startswith), "list-filter"),
    "a list ignores case": (
        matching("template", lambda stored, asked: stored.lower() == asked.lower()),
        "list-filter",
    ),
    "a list leaks rows of another reseller": (leaks_rows_of_another_reseller, "list-filter"),
    "a quote in a filter fails": (
        changing_responses(lambda request, response: problem(500) if "%27" in request.query else response),
        "expected-status",
    ),
    "a filter is decoded twice": (
        changing_requests(lambda request: replace(request, query=request.query.replace("%25", "%"))),
        "list-filter",
    ),
    "a list ignores unknown parameters": (
        changing_requests(lambda request: replace(request, query="") if "x-unknown" in request.query else request),
        "expected-status",
    ),
    "a list takes the last of two values": (
        changing_requests(
            lambda request: replace(request, query=request.query.replace("=a&", "=b&", 1).rpartition("=b&")[2])
        ),
        "expected-status",
    ),
    # Members
    "auth_token is returned": (
        changing_responses(
            lambda request, response: (
                response.with_body({**response.body, "telephony_config": request.body["telephony_config"]})
                if response.status in (200, 201)
                and isinstance(request.body, dict)
                and request.body.get("telephony_config")
                else response
            )
        ),
        "writeOnly",
    ),
    "a default is wrong": (
        repairing(lambda body: {"rate_limit_window_seconds": 60, **body}),
        "stored-value",
    ),
    "a member is dropped": (showing(lambda body: without(body, "inbound_block_message")), "required"),
    "members that are null are left out": (
        showing(lambda body: {name: value for name, value in body.items() if value is not None}),
        "required",
    ),
    "times have seconds": (showing(times_with_seconds), "pattern"),
    "a list of numbers is one string": (
        showing(lambda body: {**body, "rate_limit_whitelist": ",".join(body["rate_limit_whitelist"])}),
        "type",
    ),
    "an order is lost": (
        repairing(
            lambda body: {**body, "rate_limit_max_calls": 1} if body.get("rate_limit_max_calls") == 2147483647 else None
        ),
        "stored-value",
    ),
    "the items of an array are reversed": (
        showing(lambda body: {**body, "pre_checks": body["pre_checks"] and body["pre_checks"][::-1]}),
        "stored-value",
    ),
    "an empty object becomes null": (
        repairing(replaced_if("telephony_config", lambda config: config == {}, None)),
        "stored-value",
    ),
    "an empty text becomes null": (
        repairing(replaced_if("inbound_block_message", lambda text: text == "", None)),
        "stored-value",
    ),
    "null is refused": (
        changing_responses(
            lambda request, response: (
                problem(400)
                if response.status < 300
                and isinstance(request.body, dict)
                and "merchant_id" in request.body
                and not request.body["merchant_id"]
                else response
            )
        ),
        "expected-status",
    ),
    "created_at has an offset": (
        showing(lambda body: {**body, "created_at": body["created_at"].replace("Z", "+00:00")}),
        "pattern",
    ),
    # Rules across members, and keywords
    "inbound hours need no pair": (repairing(both_hours), "expected-status"),
    "a redirect needs no number": (repairing(number_for_redirect), "expected-status"),
    "a rate limit needs no number of calls": (repairing(calls_for_limit), "expected-status"),
    "a negative offset is taken": (repairing(clamped("initial_offset", 0)), "expected-status"),
    "a window of no seconds is taken": (repairing(clamped("rate_limit_window_seconds", 1)), "expected-status"),
    "any provider is taken": (
        repairing(
            replaced_if("calling_provider", lambda name: isinstance(name, str) and name not in PROVIDERS, "PLIVO")
        ),
        "expected-status",
    ),
    "any text is a time zone": (
        repairing(replaced_if("inbound_call_timezone", lambda name: name in ("none", ""), "UTC")),
        "expected-status",
    ),
    "the same number twice is taken": (
        repairing(replaced_if("rate_limit_whitelist", lambda it: isinstance(it, list) and len(it) == 2, [])),
        "expected-status",
    ),
    "numbers may be texts": (
        repairing(replaced_if("max_retry", lambda number: isinstance(number, str), 3)),
        "expected-status",
    ),
    "a required member may be absent": (repairing(lambda body: {"max_retry": 3, **body}), "expected-status"),
    # The protocol
    "any media type is JSON": (changing_requests(any_media_type), "expected-status"),
    "Accept is ignored": (changing_requests(any_accept), "expected-status"),
    "a member may be there twice": (repairing(lambda body: body), "expected-status"),
    "problems are plain JSON": (
        header("content-type", lambda text: text.replace("problem+", "")),
        "undocumented-media-type",
    ),
    "problems lack a detail": (of_problem(lambda body: without(body, "detail")), "required"),
    "problems have another status": (of_problem(lambda body: {**body, "status": 418}), "problem-status"),
    "405 has no Allow": (header("allow", lambda _: None), "allow"),
    "405 is 404": (changing_responses(only_get_and_post), "expected-status"),
    "an unknown path is an empty list": (
        changing_responses(
            lambda request, response: (
                TamperedResponse(200, {"content-type": "application/json"}, b"[]")
                if "unknown/path" in request.path
                else response
            )
        ),
        "expected-status",
    ),
    "every answer is text": (header("content-type", lambda _: "text/html"), "undocumented-media-type"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_server_is_caught(
    name: str, make_app: Callable[..., ASGIApp], store: Store, check_app: Callable[..., Any]
) -> None:
    mutate, rule = MUTANTS[name]
    result = check_app(tampered(make_app(), store, mutate), max_failures=1)
    (failure,) = result.errors
    assert failure.finding.rule == rule, failure.finding
    assert failure.part == "model"
    assert len(failure.interactions) <= 8, "the requests that show it are few"


def test_the_wrapper_around_them_is_right(
    make_app: Callable[..., ASGIApp], store: Store, check_app: Callable[..., Any]
) -> None:
    """The model's findings in a mutant are of the mutant's own mistake."""
    result = check_app(tampered(make_app(), store, lambda serve, _store: serve), model_alone=True)
    assert [str(failure.finding) for failure in result.failures.values()] == []
    assert sum(result.judged.values()) > 1000
