"""`callconfig proxy`: forwards requests to an upstream server, and judges the interactions.

A JSON response, and one without a body, is held until it is complete, so that a header field can tell the findings.
Every other response, and JSON that is large or slow, is streamed.
"""

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson
from starlette.types import Receive, Scope, Send

from ..contract.document import Contract
from ..contract.finding import Finding, counted
from ..contract.interaction import Interaction
from ..contract.problem import PROBLEM_JSON, Problem
from ..options import ProxyOptions
from ..outcome import CouldNotRun
from ..serving import Config, Server, listen, log_to_terminal, root_url
from .client import MAX_BODY_BYTES, TIMEOUT
from .coverage import Coverage
from .judge import Judge, Verdict
from .proxied_exchange import ClientDisconnected, ProxiedExchange
from .result import Result
from .running import exit_code, running

FINDINGS_HEADER = "callconfig-findings"
LONGEST = 300
"""Characters of a finding in the field."""
PROBLEMS = {
    "upstream-unreachable": {"type": "about:blank", "status": 502, "title": "Upstream unreachable"},
    "upstream-breaks-contract": {"type": "about:blank", "status": 502, "title": "Upstream breaks the contract"},
    "upstream-breaks-http": {"type": "about:blank", "status": 502, "title": "Upstream breaks HTTP"},
}
"""The problems that only a proxy has; all others are those of the built-in contract."""

logger = logging.getLogger("callconfig.proxy")


def proxy(options: ProxyOptions) -> int:
    """Forward until SIGINT or SIGTERM, and return the exit code. Raises CouldNotRun."""
    log_to_terminal()
    with (
        listen(options.host, options.port) as listening,
        running("proxy", options, options.upstream, record=options.record) as (result, _),
    ):
        _expect_another_server(options.upstream, listening)
        result.coverage = Coverage(result.contract)
        app = Proxy(result, options.upstream, enforce=options.enforce)
        enforcing = ", enforcing the contract" if options.enforce else ""
        greeting = f"{root_url(listening)} forwards to {result.redaction.url(options.upstream)}{enforcing}"
        greet = partial(print, f"{greeting}\nPress Ctrl-C to stop.", flush=True)
        config = Config(app, lifespan="on", date_header=False)
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # the result tells the same better
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(Server(config, greet=greet).serve(sockets=[listening]))
        if app.unjudged:
            what = "they got no complete response, or are for the server itself (OPTIONS *)"
            result.notes.append(f"{counted(app.unjudged, 'request')} could not be judged: {what}")
    return exit_code(result)


def _expect_another_server(upstream: str, listening: socket.socket) -> None:
    """Raises CouldNotRun where the proxy would forward to itself."""
    host, port = listening.getsockname()[:2]
    parts = urlsplit(upstream)
    with contextlib.suppress(OSError, UnicodeError):  # each request tells a host without an address
        if parts.port == port and host in [each[4][0] for each in socket.getaddrinfo(parts.hostname, port)]:
            raise CouldNotRun(f"--upstream {upstream} is where the proxy itself listens; choose another --port")


class Proxy:
    """The ASGI application, which adds its findings to the result."""

    def __init__(self, result: Result, upstream: str, *, enforce: bool = False) -> None:
        self._result, self._upstream, self._enforce = result, upstream.rstrip("/"), enforce
        self._judge = Judge(result.contract, urlsplit(upstream).path)
        self._problems = {**Contract.load(validate=False).problems, **result.contract.problems, **PROBLEMS}
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        self._http = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)
        self._executor, self._waiting = ThreadPoolExecutor(1, "callconfig"), 0
        self.unjudged = 0
        """The number of requests without a verdict."""
        self._timeout = httpx2.Timeout(TIMEOUT, pool=None).as_dict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            exchange = ProxiedExchange(scope, receive, self._upstream)
            try:
                with contextlib.suppress(ClientDisconnected):
                    await self._forward(exchange, scope["path"], send)
            finally:
                self.unjudged += not exchange.is_judged

    async def _live(self, receive: Receive, send: Send) -> None:
        """Keep the connections to the upstream server until the end (ASGI's lifespan protocol)."""
        async with self._http:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await asyncio.to_thread(self._executor.shutdown)
        await send({"type": "lifespan.shutdown.complete"})

    async def _forward(self, exchange: ProxiedExchange, path: str, send: Send) -> None:
        if self._enforce and not exchange.is_for_server:
            await exchange.buffer_request()
            wrong = (await self._judged(exchange))[1].request
            if exchange.request.overflowed:
                wrong = [Finding("content-length", "body", f"The body must not be larger than {MAX_BODY_BYTES} bytes.")]
            if wrong := [finding for finding in wrong if finding.severity == "error"]:
                await self._refuse(exchange, send, self._problem_of(wrong, path))
                return
        try:
            response = await self._http.handle_async_request(exchange.upstream_request(self._timeout))
        except httpx2.TransportError as error:
            if isinstance(error, httpx2.RemoteProtocolError):  # a response that is not HTTP
                exchange.set_error(f"{type(error).__name__} {error}")
                await self._report(exchange)
            await self._unreachable(exchange, send, error)
            return
        left = asyncio.ensure_future(exchange.client_disconnected())
        try:
            await self._answer(exchange, response, left, send)
        finally:
            left.cancel()
            await response.aclose()

    async def _answer(
        self, exchange: ProxiedExchange, response: httpx2.Response, left: asyncio.Future[None], send: Send
    ) -> None:
        exchange.set_response(response.status_code, response.headers.raw)
        if not exchange.has_valid_status:
            await self._report(exchange)
            detail = f"Its status {response.status_code} is invalid."
            await self._refuse(exchange, send, Problem("upstream-breaks-http", detail), judged=True)
            return
        chunks = _chunks(response, left)
        try:
            if exchange.is_buffered:
                await self._hold(exchange, chunks, send)
            else:
                await exchange.start(send, {})
                await self._stream(exchange, chunks, send)
        except httpx2.TransportError as error:
            exchange.set_error(f"{type(error).__name__} {error}".strip())
            await self._report(exchange)
            if not exchange.has_begun:
                await self._unreachable(exchange, send, error)
            # The head was sent: the client learns of the failure from a body that never ends properly.

    async def _hold(self, exchange: ProxiedExchange, chunks: AsyncIterator[bytes], send: Send) -> None:
        """Send a response when it is complete, with its findings in a header field."""
        async for chunk in chunks:
            exchange.response.add(chunk)
            if exchange.exceeds_buffer:
                await exchange.start(send, {})
                held = bytes(exchange.response)
                await send({"type": "http.response.body", "body": held, "more_body": True})
                await self._stream(exchange, chunks, send)
                return
        verdict = await self._report(exchange)
        wrong = [finding for finding in verdict.response if finding.severity == "error"]
        if self._enforce and wrong:
            detail = "The response of the upstream server breaks the contract."
            problem = Problem("upstream-breaks-contract", detail, wrong)
            await self._refuse(exchange, send, problem, judged=True)
            return
        await exchange.start(send, {FINDINGS_HEADER: findings_header(verdict.findings)})
        await send({"type": "http.response.body", "body": bytes(exchange.response)})

    async def _stream(self, exchange: ProxiedExchange, chunks: AsyncIterator[bytes], send: Send) -> None:
        async for chunk in chunks:
            exchange.response.add(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        await self._report(exchange)

    async def _judged(self, exchange: ProxiedExchange) -> tuple[Interaction, Verdict]:
        def judge() -> tuple[Interaction, Verdict]:
            interaction = exchange.interaction()
            return interaction, self._judge.judge(interaction)

        return await asyncio.to_thread(judge) if exchange.is_large else judge()

    async def _report(self, exchange: ProxiedExchange, *, is_ours: bool = False) -> Verdict:
        """Judge the interaction, or only its request where the response is ours, and add the findings to the result.

        They are added at once, or in the one thread while a large interaction is judged.
        """
        if exchange.is_for_server:
            return Verdict("", [], [])
        interaction, verdict = await self._judged(exchange)
        exchange.is_judged = True

        def keep() -> None:
            self._result.record("proxy", verdict, interaction)
            findings = verdict.request if is_ours else verdict.findings
            self._result.add_all(findings, verdict.operation, [interaction], "proxy")

        if exchange.is_large or self._waiting:
            self._waiting += 1
            kept = asyncio.get_running_loop().run_in_executor(self._executor, keep)
            kept.add_done_callback(self._kept)
            if exchange.is_large:
                await kept
        else:
            keep()
        return verdict

    def _kept(self, _kept: asyncio.Future[None]) -> None:
        self._waiting -= 1

    def _problem_of(self, findings: Sequence[Finding], path: str) -> Problem:
        first = findings[0]
        detail = f"{first.name} {first.detail}."
        if first.rule == "undocumented-path":
            return Problem("unknown-path", detail)
        if first.rule == "undocumented-method":
            known = self._result.contract.route(path) or ({}, {})
            return Problem("method-not-allowed", detail, headers={"Allow": ", ".join(known[0])})
        return Problem.of_findings(findings)

    async def _unreachable(self, exchange: ProxiedExchange, send: Send, error: httpx2.TransportError) -> None:
        shown = self._result.redaction.url(self._upstream)
        logger.warning("%s is unreachable: %s", shown, f"{type(error).__name__} {error}".strip())
        problem = Problem("upstream-unreachable", f"{shown} gave no complete response.")
        await self._refuse(exchange, send, problem, judged=True)

    async def _refuse(self, exchange: ProxiedExchange, send: Send, problem: Problem, *, judged: bool = False) -> None:
        """Respond with a problem in the place of the upstream server."""
        document = problem.document(self._problems)
        body = orjson.dumps(document)
        headers = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        if problem.errors:
            headers.append((FINDINGS_HEADER.encode(), findings_header(problem.errors).encode()))
        if not judged:
            exchange.set_response(document["status"], headers)
            exchange.response.add(body)
            await self._report(exchange, is_ours=True)
        await send({"type": "http.response.start", "status": document["status"], "headers": headers})
        await send({"type": "http.response.body", "body": body})


def findings_header(findings: Sequence[Finding]) -> str:
    """The number of findings with the first one as a parameter: an Item of RFC 9651."""
    if not findings:
        return "0"
    texts = (re.sub(r"[^ -~]", "?", text[:LONGEST]) for text in (findings[0].rule, str(findings[0])))
    rule, first = (re.sub(r'["\\]', r"\\\g<0>", text) for text in texts)
    return f'{len(findings)};rule="{rule}";first="{first}"'


async def _chunks(response: httpx2.Response, left: asyncio.Future[None]) -> AsyncIterator[bytes]:
    """The body with its content coding. Raises ClientDisconnected."""
    stream: Any = response.stream
    async for chunk in stream:
        if left.done():
            raise ClientDisconnected
        yield chunk
