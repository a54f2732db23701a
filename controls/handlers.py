"""The operations of the controls. Their contract has judged every argument before a handler sees it."""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from ..contract.document import Contract
from ..contract.example import request_example
from ..contract.finding import Finding
from ..contract.operation import EncodedArray, LargeObject, Reply, Request
from ..contract.problem import Problem
from ..contract.resource import Resource
from ..contract.schema import Schema, show
from ..contract.threads import LARGE, in_thread
from ..handlers.completion import Completion
from ..handlers.errors import ContradictingId
from ..storage.store import Document
from ..traffic.redaction import Redaction
from .budget import LimitReached, json_size, parts
from .clock import parse_instant
from .journal import Entry, har, ndjson, texts
from .match import Match, described
from .refusals import Refused
from .rules import Rule, not_in_contract
from .sessions import Session, Sessions, summary

NEAR_MISSES = 3
LOOKED_AT_FOR_NEAR_MISSES = 200
MANY_PARTS = 200
"""The number of parts of patterns and of answers from which compiling is slow."""


def _invalid_document(findings: Sequence[Finding]) -> Refused:
    """The error for a document that breaks the contract."""
    return not_in_contract("The contract of the API does not take this", findings)


async def get_state(session: Session, contract: Contract) -> Reply:
    """All documents; by table unless the contract has exactly one resource."""
    content = await session.content()
    shown = {each.table: _all_shown(content[each.table], each, contract) for each in contract.resources}
    if len(shown) == 1:
        return next(iter(shown.values())), 200
    return {name: [orjson.loads(text) for text in texts] for name, texts in shown.items()}, 200


def _all_shown(texts: list[bytes], resource: Resource, contract: Contract) -> EncodedArray:
    """Documents for a response; without hidden members, the controls' contract alone removes the secrets."""
    if not _unseen(resource):
        return EncodedArray(texts)
    show = _view(resource, contract)
    return EncodedArray(orjson.dumps(show(orjson.loads(text))) for text in texts)


def _view(resource: Resource, contract: Contract) -> Callable[[Document], Document]:
    """Returns a document without secrets and hidden members, except the parents."""
    unseen = _unseen(resource)
    without_secrets = Schema(resource.schema, contract.resolve, "response").without_write_only

    def shown(document: Document) -> Document:
        visible: Document = without_secrets({name: member for name, member in document.items() if name not in unseen})
        return visible

    return shown


def _unseen(resource: Resource) -> set[str]:
    """The hidden members, without those that hold parents."""
    return set(resource.hidden) - set(resource.parents.values())


async def replace_state(body: Document | list[Document], session: Session, contract: Contract) -> Reply:
    """Replace all stored documents, or none."""
    await session.store.load(_state(body, contract))
    return await get_state(session, contract)


async def add_to_state(body: Document, session: Session, contract: Contract, table: str | None = None) -> Reply:
    resource = _resource(table, contract)
    stored = await session.store.table(resource.table).create(_completed(body, resource, contract))
    return _view(resource, contract)(stored), 201


async def replace_in_state(
    id: str,  # noqa: A002 (its name in the contract)
    body: Document,
    session: Session,
    contract: Contract,
    table: str | None = None,
) -> Reply:
    """Replace a whole document; parents that the body lacks stay.

    Of several errors, unknown id comes first, then contradicting id, then scope.
    """
    resource = _resource(table, contract)
    parents = resource.parents.values()

    def change(stored: Document) -> Document:
        for member in (resource.identity, *(parents if resource.is_named_by_clients else ())):
            if body.get(member, stored[member]) != stored[member]:
                raise ContradictingId(stored[member], body[member], member)
        return _completed({**{name: stored[name] for name in parents if name in stored}, **body}, resource, contract)

    return _view(resource, contract)(await session.store.table(resource.table).update(id, change)), 200


async def delete_from_state(
    id: str,  # noqa: A002
    session: Session,
    contract: Contract,
    table: str | None = None,
) -> None:
    await session.store.table(_resource(table, contract).table).delete(id)


def _resource(table: str | None, contract: Contract) -> Resource:
    """The resource of a request, by its table where there are several."""
    return next(each for each in contract.resources if table in (None, each.table))


async def clear_state(session: Session) -> None:
    await session.fill({})


async def load_scenario(body: Document, session: Session, contract: Contract) -> None:
    """Load state, rules, clock and ids, as far as they are given; all or none."""
    state, declared, clock = body.get("state"), body.get("rules", ()), session.sources.clock
    tables = None if state is None else _state(state, contract)
    _check_rules(len(declared), session)
    rules = await _compiled(declared, contract)
    former = clock.setting, list(session.rules), await session.content()
    try:
        if "rules" in body:
            session.rules.replace(rules)
        if "clock" in body:
            await set_clock(body["clock"], session)
        if tables is not None:
            await session.store.load(tables)
        if "ids" in body:
            session.set_ids(body["ids"]["next"], body["ids"].get("seed"))
    except Exception:
        clock.setting = former[0]
        session.rules.replace(former[1])
        if tables is not None:
            await session.fill(former[2])
        raise


async def make_configuration(body: Document, contract: Contract, table: str | None = None) -> Reply:
    """The contract's example of a request body that creates, with these members changed. Raises Refused."""
    posts = [each for each in contract.operations.values() if each.method == "POST" and each.request_body.contents]
    if table is not None:
        actions = contract.actions
        posts = [each for each in posts if each.id in actions and actions[each.id].resource.table == table]
    if not posts:
        of = "" if table is None else f" for {table}"
        raise _invalid_document(
            [Finding("undocumented-method", "path", f"no operation of the contract takes a body with POST{of}")]
        )
    creating = next((each for each in posts if each.id in contract.actions), posts[0])
    made = {**request_example(contract, creating), **body}
    request = Request(headers={"content-type": "application/json"}, body=orjson.dumps(made))
    if findings := [each for each in creating.check_request(request)[1] if each.place == "body"]:
        raise _invalid_document(findings)
    return made, 200


async def list_snapshots(session: Session) -> Reply:
    return [{"name": name, "configurations": size} for name, size in session.snapshots.items()], 200


async def save_snapshot(snapshot: str, session: Session) -> Reply:
    await session.save(snapshot)
    return {"name": snapshot, "configurations": session.snapshots[snapshot]}, 200


async def restore_snapshot(snapshot: str, session: Session) -> None:
    await session.fill(session.saved(snapshot))


async def delete_snapshot(snapshot: str, session: Session) -> None:
    session.delete_snapshot(snapshot)


async def list_sessions(sessions: Sessions) -> Reply:
    return [summary(session) for session in sessions], 200


async def fork_session(body: Document, session: Session, sessions: Sessions) -> Reply:
    return summary(await sessions.fork(session, body["name"], body.get("snapshot"))), 201


async def delete_session(session: str, sessions: Sessions) -> None:
    await sessions.delete(session)


async def list_requests(session: Session, redaction: Redaction, after: int = 0, **given: Any) -> Reply:
    match = Match({part: given[part] for part in ("operation", "method", "path", "status", "valid") if part in given})
    entries = [entry for entry in session.journal if entry.number > after]

    def listed() -> EncodedArray:
        found = _matching(entries, match, redaction)
        return EncodedArray(orjson.dumps(entry.as_json(redaction)) for entry in found)

    return await _search_result(session, listed), 200


async def clear_requests(session: Session) -> None:
    session.journal.clear()


async def get_request(number: int, session: Session, redaction: Redaction) -> Reply:
    return await _search_result(session, partial(session.journal.get(number).as_json, redaction)), 200


async def find_requests(body: Document, session: Session, redaction: Redaction) -> Reply:
    """The matching requests, as soon as there are enough, or after the timeout."""
    match, expected, most = Match(body.get("match", {})), body["at_least"], body.get("before", math.inf)
    found: list[Entry] = []
    looked_at = 0
    ends = time.monotonic() + min(body["timeout"], session.limits.wait_seconds)
    while True:
        # Several requests may have ended before this task continued or while it searched, and not in order.
        between = [entry for entry in session.journal if body["after"] < entry.number < most]
        new = [entry for entry in between if entry.ended > looked_at]
        looked_at = session.journal.ended
        found += await _search_result(session, partial(_matching, new, match, redaction))
        left = ends - time.monotonic()
        if len(found) >= expected or left <= 0:
            break
        try:
            await asyncio.wait_for(session.journal.ended_after(looked_at), left)
        except TimeoutError:
            break
    found.sort(key=lambda entry: entry.number)
    met = len(found) >= expected

    def result() -> Document:
        return {
            "met": met,
            "count": len(found),
            "last": session.journal.last,
            "requests": [entry.as_json(redaction) for entry in found[: body["limit"]]],
            "near_misses": [] if met else _near_misses(between, match, redaction),
        }

    return await _search_result(session, result), 200


async def export_har(session: Session, redaction: Redaction) -> Reply:
    return await _search_result(session, partial(har, session.journal, redaction)), 200


async def export_ndjson(session: Session, redaction: Redaction) -> Reply:
    lines = await _search_result(session, partial(ndjson, session.journal, redaction))
    return lines, 200, {"Content-Type": "text/plain; charset=utf-8"}


async def list_rules(session: Session) -> Reply:
    return EncodedArray(orjson.dumps(rule.as_json()) for rule in session.rules), 200


async def create_rule(body: Document, session: Session, contract: Contract) -> Reply:
    _check_rules(len(session.rules) + 1, session)
    (rule,) = await _compiled([body], contract)
    _check_rules(len(session.rules) + 1, session)
    session.rules.add(rule)
    shown = rule.as_json()
    return (LargeObject(shown) if rule.is_large else shown), 201


async def clear_rules(session: Session) -> None:
    session.rules.clear()


async def delete_rule(rule: str, session: Session) -> None:
    session.rules.delete(rule)


async def get_clock(session: Session) -> Reply:
    return {"now": session.sources.clock.now(), "frozen": session.sources.clock.frozen}, 200


async def set_clock(body: Document, session: Session) -> Reply:
    clock = session.sources.clock
    clock.set(parse_instant(body["now"]) if "now" in body else clock.instant(), frozen=body["frozen"])
    return await get_clock(session)


async def advance_clock(body: Document, session: Session) -> Reply:
    session.sources.clock.advance(body["seconds"])
    return await get_clock(session)


async def release_clock(session: Session) -> None:
    session.sources.clock.release()


async def set_ids(body: Document, session: Session) -> None:
    session.set_ids(body["next"], body.get("seed"))


async def release_ids(session: Session) -> None:
    session.set_ids([], None)


def _check_rules(number: int, session: Session) -> None:
    if number > session.limits.rules:
        raise LimitReached(session.limits.rules, "rules")


def _state(body: Document | list[Document], contract: Contract) -> dict[str, list[Document]]:
    """The documents of each table. Raises Refused."""
    if isinstance(body, list):
        body = {contract.resources[0].table: body}
    for resource in contract.resources:
        _check_unique(body.get(resource.table, ()), resource)
    several = len(contract.resources) > 1
    return {
        each.table: _all_completed(body.get(each.table, []), f"/{each.table}" if several else "", each, contract)
        for each in contract.resources
    }


def _all_completed(documents: list[Document], pointer: str, resource: Resource, contract: Contract) -> list[Document]:
    """The documents with their defaults. Raises Refused, also for members that the controls' contract lacks."""
    completion = Completion(resource, contract)
    was_judged = not resource.not_in_requests
    for index, document in enumerate(documents):
        if findings := completion.findings_beside_requests(document) if was_judged else completion.findings(document):
            raise _invalid_document([replace(each, pointer=f"{pointer}/{index}{each.pointer}") for each in findings])
    return list(map(completion.made if was_judged else completion.complete, documents))


def _completed(document: Document, resource: Resource, contract: Contract) -> Document:
    """The document with its defaults. Raises Refused."""
    completion = Completion(resource, contract)
    if findings := completion.findings(document):
        raise _invalid_document(findings)
    return completion.complete(document)


def _check_unique(documents: Sequence[Document], resource: Resource) -> None:
    """Raises Refused with the places of both documents; a store would name one, by a generated id."""
    claimed: dict[Any, int] = {}
    for index, document in enumerate(documents):
        for claim in resource.unique_values(document).items():  # a missing id is generated, and unique
            if (first := claimed.setdefault(claim, index)) != index:
                members = " and ".join(f"{name} {show(document[name])}" for name in claim[0])
                raise Refused(Problem("duplicate-scope", f"The items /{first} and /{index} both have {members}."))


async def _compiled(declared: Sequence[Document], contract: Contract) -> list[Rule]:
    """Rules that are not in force yet; compiled in a thread where that is slow. Raises as Rule."""

    def compiled() -> list[Rule]:
        return [Rule(each, contract) for each in declared]

    named = sum(parts(each) + len(each.get("answers", ())) for each in declared)
    return await in_thread(compiled) if named > MANY_PARTS or json_size(declared) > LARGE else compiled()


async def _search_result(session: Session, look: Callable[[], Any]) -> Any:
    """The result of a search in the journal; in a thread where the journal is large."""
    if not session.journal.is_large:
        return look()
    shown = await in_thread(look)
    return LargeObject(shown) if isinstance(shown, dict) else shown


def _matching(entries: Iterable[Entry], match: Match, redaction: Redaction) -> list[Entry]:
    return [entry for entry in entries if match.accepts(_described(entry, redaction))]


def _described(entry: Entry, redaction: Redaction) -> Document:
    # Secrets are redacted before the comparison, so that a pattern cannot guess them.
    path, query = entry.path, redaction.url(entry.target.decode("latin-1")).partition("?")[2].encode("latin-1")
    headers = redaction.headers(texts(entry.headers))
    body = redaction.body(entry.request_body)
    more = {"status": entry.status, "valid": not entry.findings}
    return described(entry.operation, entry.method, path, query, headers, body, **more)


def _near_misses(entries: list[Entry], match: Match, redaction: Redaction) -> list[Document]:
    """The requests with the fewest mismatches, the latest first among equals."""
    latest = entries[: -LOOKED_AT_FOR_NEAR_MISSES - 1 : -1]
    missed = [(entry, mismatches) for entry in latest if (mismatches := match.mismatches(_described(entry, redaction)))]
    nearest = sorted(missed, key=lambda each: len(each[1]))[:NEAR_MISSES]
    return [{"request": entry.as_json(redaction), "mismatches": mismatches} for entry, mismatches in nearest]
