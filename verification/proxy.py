"""`callconfig proxy`: forwards requests to another server, and judges what goes past in both directions.

The traffic does not wait for the verdict, with one exception: a JSON response is held until it is complete, so that its
header can say what was found. Everything else, and JSON beyond MOST_HELD, streams.
"""

import logging
import re
from asyncio import Runner
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson
from starlette.types import Receive, Scope, Send

from ..contract.document import Contract
from ..contract.finding import Finding
from ..contract.operation import is_json, media_type
from ..contract.problem import PROBLEM_JSON, Problem
from ..options import ProxyOptions
from ..serving import Config, Server, listen, log_to_terminal, root_url
from .client import TIMEOUT
from .coverage import Coverage
from .judge import Judge, Verdict
from .passage import MOST_HELD, ClientLeft, Passage
from .result import Result
from .running import exit_code, running

FINDINGS_HEADER = "callconfig-findings"
PROBLEMS = {
    "upstream-unreachable": {"type": "about:blank", "status": 502, "title": "Upstream unreachable"},
    "upstream-breaks-contract": {"type": "about:blank", "status": 502, "title": "Upstream breaks the contract"},
}
"""What only a proxy answers; all other problems are those of the built-in contract."""

logger = logging.getLogger("callconfig.proxy")


def proxy(options: ProxyOptions) -> int:
    """Forward until SIGINT or SIGTERM; the exit code says whether anything was found. Raises CouldNotRun."""
    log_to_terminal()
    if options.record is not None:
        options = replace(options, report=(*options.report, ("har", options.record)))
    with listen(options.host, options.port) as listening, running("proxy", options, options.upstream) as (result, _):
        result.coverage = Coverage(result.contract)
        app = Proxy(result, options.upstream, enforce=options.enforce)
        enforcing = ", enforcing the contract" if options.enforce else ""
        print(f"{root_url(listening)} forwards to {result.redaction.url(options.upstream)}{enforcing}", flush=True)
        print("Press Ctrl-C to stop.", flush=True)
        config = Config(app, lifespan="on", date_header=False)
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of what the result tells better
        with Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(Server(config).serve(sockets=[listening]))
    return exit_code(result)


class Proxy:
    """The ASGI application. What it finds goes to the result."""

    def __init__(self, result: Result, upstream: str, *, enforce: bool = False) -> None:
        self._result, self._upstream, self._enforce = result, upstream.rstrip("/"), enforce
        self._judge = Judge(result.contract, urlsplit(upstream).path)
        self._problems = {**Contract.load(validate=False).problems, **result.contract.problems, **PROBLEMS}
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        timeout = httpx2.Timeout(TIMEOUT, pool=None)
        self._http = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)
        self._timeout = timeout.as_dict()

    async def _live(self, receive: Receive, send: Send) -> None:
        """Keep the connections to the upstream server until the end (ASGI's lifespan protocol)."""
        async with self._http:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._forward(scope, receive, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        passage = Passage(scope, receive, self._upstream)
        if self._enforce:
            await passage.hold_request()
            wrong = self._judge.judge(passage.interaction()).request
            if passage.request.overflowed:
                wrong = [Finding("content-length", "body", f"The body must not be larger than {MOST_HELD} bytes.")]
            if wrong:
                await self._refuse(passage, send, self._problem_of(wrong, scope["path"]))
                return
        try:
            request = httpx2.Request(
                scope["method"],
                passage.url,
                headers=passage.forwarded_request_headers,
                content=passage.request_content,
                extensions={"timeout": self._timeout},
            )
            response = await self._http.handle_async_request(request)
        except httpx2.TransportError as error:
            await self._unreachable(passage, send, error)
            return
        except ClientLeft:
            return
        try:
            await self._answer(passage, response, send)
        finally:
            await response.aclose()

    async def _answer(self, passage: Passage, response: httpx2.Response, send: Send) -> None:
        passage.answered(response.status_code, response.headers.raw)
        chunks = _chunks(response)
        try:
            if is_json(media_type(response.headers.get("content-type", ""))[0]):
                await self._hold(passage, chunks, send)
            else:
                await passage.start(send, {})
                async for chunk in chunks:
                    await passage.pass_on(chunk, send)
                await send({"type": "http.response.body", "body": b""})
                self._report(passage)
        except httpx2.TransportError as error:
            begun = passage.begun
            passage.broke(f"{type(error).__name__} {error}".strip())
            self._report(passage)
            if not begun:
                await self._unreachable(passage, send, error)
            # What was sent cannot be taken back; ending without an end tells the client as much.

    async def _hold(self, passage: Passage, chunks: AsyncIterator[bytes], send: Send) -> None:
        """Send a JSON response when it is complete, with what was found in its header."""
        async for chunk in chunks:
            passage.response.add(chunk)
            if passage.response.overflowed:
                await passage.start(send, {})
                await send({"type": "http.response.body", "body": bytes(passage.response.kept), "more_body": True})
                async for rest in chunks:
                    await send({"type": "http.response.body", "body": rest, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
                self._report(passage)
                return
        verdict = self._report(passage)
        if self._enforce and verdict.response:
            await self._refuse(passage, send, _upstream_problem(verdict.response), judged=True)
            return
        await passage.start(send, {FINDINGS_HEADER: findings_header(verdict.findings)})
        await send({"type": "http.response.body", "body": bytes(passage.response.kept)})

    def _report(self, passage: Passage) -> Verdict:
        """Judge what went past, as far as it was kept."""
        interaction = passage.interaction()
        verdict = self._judge.judge(interaction)
        if not passage.response_is_whole:
            verdict = Verdict(verdict.operation, verdict.request, [f for f in verdict.response if f.place != "body"])
        if passage.request.overflowed:
            verdict = Verdict(verdict.operation, [f for f in verdict.request if f.place != "body"], verdict.response)
        self._result.record("proxy", verdict, interaction)
        self._result.add_all(verdict.findings, verdict.operation, [interaction], "proxy")
        return verdict

    def _problem_of(self, findings: Sequence[Finding], path: str) -> Problem:
        first = findings[0]
        detail = f"{first.name} {first.detail}."
        if first.rule == "undocumented-path":
            return Problem("unknown-path", detail)
        if first.rule == "undocumented-method":
            known = self._result.contract.route(path) or ({}, {})
            return Problem("method-not-allowed", detail, headers={"Allow": ", ".join(known[0])})
        return Problem.of_findings(findings)

    async def _unreachable(self, passage: Passage, send: Send, error: httpx2.TransportError) -> None:
        reason = f"{type(error).__name__} {error}".strip()
        logger.warning("%s is unreachable: %s", self._result.redaction.url(self._upstream), reason)
        shown = self._result.redaction.url(self._upstream)
        await self._refuse(
            passage, send, Problem("upstream-unreachable", f"{shown} gave no complete answer."), judged=True
        )

    async def _refuse(self, passage: Passage, send: Send, problem: Problem, *, judged: bool = False) -> None:
        """Answer in the place of the upstream server."""
        document = problem.document(self._problems)
        body = orjson.dumps(document)
        headers = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        if problem.errors:
            headers.append((FINDINGS_HEADER.encode(), findings_header(problem.errors).encode()))
        if not judged:
            passage.answered(document["status"], headers)
            passage.response.add(body)
            verdict = self._judge.judge(passage.interaction())
            self._result.record("proxy", verdict, passage.interaction())
            self._result.add_all(verdict.request, verdict.operation, [passage.interaction()], "proxy")
        await send({"type": "http.response.start", "status": document["status"], "headers": headers})
        await send({"type": "http.response.body", "body": body})


def findings_header(findings: Sequence[Finding]) -> str:
    """The number of findings with the first one as a parameter: an Item of RFC 9651, whatever the finding says."""
    if not findings:
        return "0"
    rule, first = (re.sub(r'["\\]', r"\\\g<0>", _printable(text)) for text in (findings[0].rule, str(findings[0])))
    return f'{len(findings)};rule="{rule}";first="{first}"'


def _printable(text: str, longest: int = 300) -> str:
    return "".join(character if " " <= character <= "~" else "?" for character in text[:longest])


def _upstream_problem(findings: Sequence[Finding]) -> Problem:
    return Problem("upstream-breaks-contract", "The upstream server's answer breaks the contract.", list(findings))


async def _chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The body as it comes over the wire, content coding and all."""
    stream: Any = response.stream
    async for chunk in stream:
        yield chunk
