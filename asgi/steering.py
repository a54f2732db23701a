"""The steering: the effects of a session's rules, and of `Prefer`, on a request and its response."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from ..contract.body import MAX_BYTES
from ..contract.operation import WITHOUT_BODY
from ..contract.threads import LARGE, in_thread
from ..controls import faults
from ..controls.controls import Controls
from ..controls.match import described
from ..controls.prefer import preferred, without_preferences
from ..controls.rules import Rule, Rules, Turn, answer_headers
from .exchange import Exchange
from .messages import checked, read_body, replay_body, respond


class Steering:
    """The ASGI application in front of routing for requests with `Prefer`, and for sessions with rules."""

    def __init__(self, app: ASGIApp, controls: Controls) -> None:
        self._app, self._contract, self._pause = app, controls.mocked, controls.sessions.pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange.of(scope)
        rules: Rules | tuple[()] = exchange.session.rules if exchange.session else ()
        if rules:
            body = b""
            if any(rule.match.needs_body for rule in rules):
                read = await read_body(receive, exchange.headers, MAX_BYTES)
                if read is None:
                    return  # the client went away
                body = read if isinstance(read, bytes) else b""
                # A body that is too large goes on to the endpoint, which refuses it.
                receive = replay_body(body if isinstance(read, bytes) else bytes(MAX_BYTES + 1), receive)
            exchange.turn = rules.choose(exchange.operation, await _matching(rules, exchange, body))
        if exchange.turn is not None:
            await self._carry_out(exchange.turn, scope, receive, send)
        else:
            await self._pass_on(scope, receive, send)

    async def _carry_out(self, turn: Turn, scope: Scope, receive: Receive, send: Send) -> None:
        exchange, rule = Exchange.of(scope), turn.rule
        exchange.entry.rule = rule.identity
        instead = rule.fault in faults.INSTEAD
        # A response of the contract is for valid requests only, which the endpoint checks.
        answer = turn.take() if instead or not rule.replies else None
        seconds = rule.seconds()
        if seconds and rule.fault != "dribble":
            await self._pause(seconds)
        if instead or rule.off_contract:
            await _judge(exchange, receive)
        if rule.fault is not None and instead:
            await faults.INSTEAD[rule.fault](exchange.server_send, receive)
            return
        if rule.fault is not None:
            pause = partial(self._pause, (seconds or faults.DRIBBLE_SECONDS) / faults.DRIBBLED_PIECES)
            send = faults.with_fault(rule.fault, pause, exchange.server_send, receive, send)
        if rule.off_contract and answer is not None:
            await _send_unjudged(answer, send)
            return
        await self._pass_on(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the preferences out of the request, and pass it on."""
        exchange = Exchange.of(scope)
        query, twins = without_preferences(scope["query_string"])
        if (operation := exchange.operation) is not None:
            exchange.preferred = preferred(exchange.headers.get("prefer"), twins, operation, self._contract)
        exchange.query = query
        await self._app({**scope, "query_string": query}, receive, send)


async def _judge(exchange: Exchange, receive: Receive) -> None:
    """Judge a request that the endpoint will not see."""
    body = await read_body(receive, exchange.headers, MAX_BYTES)
    exchange.entry.request_body = body if isinstance(body, bytes) else b""
    if (operation := exchange.operation) is not None:
        exchange.entry.findings = (await checked(operation, exchange.request))[1]


async def _matching(rules: Rules, exchange: Exchange, body: bytes) -> list[Rule]:
    """The rules that the request matches; compared in a thread where that takes long."""
    entry, every = exchange.entry, list(rules)

    def matching() -> list[Rule]:
        request = described(entry.operation, entry.method, entry.path, exchange.query, exchange.headers.items(), body)
        return [rule for rule in every if rule.match.accepts(request)]

    size = len(body) + len(entry.target) + sum(map(len, exchange.headers.values()))
    return await in_thread(matching) if size * len(every) > LARGE else matching()


async def _send_unjudged(answer: Mapping[str, Any], send: Send) -> None:
    value, headers = answer.get("body"), answer_headers(answer)
    if "body" not in answer or answer["status"] in WITHOUT_BODY:
        body = b""
    elif isinstance(value, str):
        body = value.encode()
        headers.setdefault("content-type", "text/plain; charset=utf-8")
    else:
        body = orjson.dumps(value)
        headers.setdefault("content-type", "application/json")
    await respond(send, answer["status"], headers, [body])
