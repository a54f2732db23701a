"""`callconfig proxy`: forwards requests to another server, and judges what goes past in both directions.

The traffic does not wait for the verdict, with one exception: a JSON response is held until it is complete, so that its
header can say what was found. Everything else, and JSON beyond MOST_HELD, streams.
"""

import argparse
import contextlib
import logging
import re
import time
import zlib
from asyncio import Runner
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from ..contract.document import Contract
from ..contract.finding import Finding
from ..contract.operation import is_json, media_type
from ..contract.problem import PROBLEM_JSON, Problem
from ..server import _listen
from .client import TIMEOUT
from .coverage import Coverage
from .interaction import Fields, Interaction, by_name
from .judge import Judge, Verdict
from .result import Result
from .running import exit_code, running

MOST_HELD = 16 << 20
"""Bytes of a body that are kept to be judged. What is longer is passed on, and judged without its body."""
FINDINGS_HEADER = "callconfig-findings"
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
"""Fields that are between two neighbours (RFC 9110, section 7.6.1), beside those that `Connection` names."""
PROBLEMS = {
    "upstream-unreachable": {"status": 502, "title": "Upstream unreachable"},
    "upstream-breaks-contract": {"status": 502, "title": "Upstream breaks the contract"},
}
"""What only a proxy answers; all other problems are those of the built-in contract."""

Raw = list[tuple[bytes, bytes]]
logger = logging.getLogger("callconfig.proxy")


def proxy(options: argparse.Namespace) -> int:
    """Forward until SIGINT or SIGTERM; the exit code says whether anything was found. Raises CouldNotRun."""
    if options.record is not None:
        options.report = [*options.report, ("har", options.record)]
    with _listen(options.host, options.port) as listening, running(options, options.upstream) as (result, _):
        result.coverage = Coverage(result.contract)
        app = Proxy(result, options.upstream, enforce=options.enforce)
        host, port = listening.getsockname()[:2]
        name = f"[{host}]" if ":" in host else host
        enforcing = ", enforcing the contract" if options.enforce else ""
        print(f"http://{name}:{port} forwards to {result.redaction.url(options.upstream)}{enforcing}", flush=True)
        print("Press Ctrl-C to stop.", flush=True)
        config = uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
        )
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of what the result tells better
        with Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(_Server(config).serve(sockets=[listening]))
    return exit_code(result)


class _Server(uvicorn.Server):
    """uvicorn, but the signal that stopped it is not raised again: the reports are still to be written."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()


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
        passage = _Passage(scope, receive, self._upstream)
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
        except _ClientLeft:
            return
        try:
            await self._answer(passage, response, send)
        finally:
            await response.aclose()

    async def _answer(self, passage: "_Passage", response: httpx2.Response, send: Send) -> None:
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

    async def _hold(self, passage: "_Passage", chunks: AsyncIterator[bytes], send: Send) -> None:
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

    def _report(self, passage: "_Passage") -> Verdict:
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

    async def _unreachable(self, passage: "_Passage", send: Send, error: httpx2.TransportError) -> None:
        reason = f"{type(error).__name__} {error}".strip()
        logger.warning("%s is unreachable: %s", self._result.redaction.url(self._upstream), reason)
        shown = self._result.redaction.url(self._upstream)
        await self._refuse(
            passage, send, Problem("upstream-unreachable", f"{shown} gave no complete answer."), judged=True
        )

    async def _refuse(self, passage: "_Passage", send: Send, problem: Problem, *, judged: bool = False) -> None:
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


class _ClientLeft(Exception):
    """The client went away before its request was complete."""


class _Copy:
    """The beginning of a body, as much as is kept."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.overflowed = False

    def add(self, chunk: bytes) -> None:
        if not self.overflowed:
            self.kept += chunk
            self.overflowed = len(self.kept) > MOST_HELD

    @property
    def bytes(self) -> bytes:
        return b"" if self.overflowed else bytes(self.kept)


class _Passage:
    """One request on its way to the upstream server, and its response on the way back."""

    def __init__(self, scope: Scope, receive: Receive, upstream: str) -> None:
        self._receive = receive
        self._method: str = scope["method"]
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        self.url = upstream + (scope["raw_path"].partition(b"?")[0] + query).decode("latin-1")
        self._request_headers: Raw = scope["headers"]
        self._response_headers: Raw = []
        self._status, self._error = 0, ""
        self._started, self._clock = datetime.now(UTC), time.perf_counter()
        self.request, self.response = _Copy(), _Copy()
        self._held: bytes | None = None
        self.begun = False
        """Whether the client has got the head of the response."""

    @property
    def forwarded_request_headers(self) -> Raw:
        """All that the client sent but what was between it and this proxy; `Host` names the upstream server."""
        host = urlsplit(self.url).netloc.rpartition("@")[2].encode()
        kept = [(name, value) for name, value in _end_to_end(self._request_headers) if name != b"host"]
        return [(b"host", host), *kept]

    @property
    def request_content(self) -> AsyncIterator[bytes] | bytes | None:
        names = {name for name, _ in self._request_headers}
        if self._held is not None:
            return self._held or None
        return self._body() if names & {b"content-length", b"transfer-encoding"} else None

    async def _body(self) -> AsyncIterator[bytes]:
        while True:
            message: Message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _ClientLeft
            chunk = message.get("body", b"")
            self.request.add(chunk)
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    async def hold_request(self) -> None:
        """Read the whole body before anything is forwarded."""
        async for _ in self._body():
            if self.request.overflowed:
                return
        self._held = bytes(self.request.kept)

    def answered(self, status: int, headers: Raw) -> None:
        self._status, self._response_headers = status, [(name.lower(), value) for name, value in headers]

    def broke(self, reason: str) -> None:
        self._status, self._error = 0, reason

    async def start(self, send: Send, more: Mapping[str, str]) -> None:
        """Send the response's head."""
        added = [(name.encode(), value.encode()) for name, value in more.items()]
        headers = [*_end_to_end(self._response_headers), *added]
        self.begun = True
        await send({"type": "http.response.start", "status": self._status, "headers": headers})

    async def pass_on(self, chunk: bytes, send: Send) -> None:
        self.response.add(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    @property
    def response_is_whole(self) -> bool:
        """Whether the kept copy is the body, readable, so that it can be judged."""
        coding = by_name(_text(self._response_headers)).get("content-encoding", "identity")
        return not self.response.overflowed and _decoded(self.response.bytes, coding) is not None

    def interaction(self) -> Interaction:
        """What is known by now."""
        response_headers = _text(self._response_headers)
        coding = by_name(response_headers).get("content-encoding", "identity")
        return Interaction(
            method=self._method,
            url=self.url,
            status=self._status,
            request_headers=_text(self._request_headers),
            request_body=self.request.bytes,
            response_headers=response_headers,
            response_body=_decoded(self.response.bytes, coding) or b"",
            started=self._started,
            seconds=time.perf_counter() - self._clock,
            error=self._error,
        )


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


def _end_to_end(headers: Raw) -> Raw:
    named = b",".join(value for name, value in headers if name == b"connection").decode("latin-1")
    dropped = HOP_BY_HOP | {name.strip().lower() for name in named.split(",")}
    return [(name, value) for name, value in headers if name.decode("latin-1") not in dropped]


def _text(headers: Raw) -> Fields:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


async def _chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The body as it comes over the wire, content coding and all."""
    stream: Any = response.stream
    async for chunk in stream:
        yield chunk


def _decoded(body: bytes, coding: str) -> bytes | None:
    """The body without its content coding; None where it is unknown, broken, or hides too much."""
    if coding.strip().lower() in ("identity", ""):
        return body
    if coding.strip().lower() not in ("gzip", "deflate"):
        return None
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either kind, told by its header
    try:
        plain = decoder.decompress(body, MOST_HELD)
    except zlib.error:
        return None
    return plain if decoder.eof else None
