"""The contract in Connexion's stack: each operation is compiled at start-up into one ASGI application.

It stands behind Connexion's routing and ends the request's way: read the request, judge it, call the handler, judge the
answer, send it. Nothing that breaks the contract passes in either direction.
"""

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.operations import AbstractOperation
from connexion.spec import Specification
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .document import Contract
from .finding import Finding
from .interaction import by_name
from .operation import MAX_BYTES, Headers, Operation, Request
from .problem import PROBLEM_JSON, Problem
from .schema import Json

NO_CONTENT = 204

Reply = tuple[Json, int] | tuple[Json, int, Mapping[str, str]]
"""What a handler returns: the body's value, the status, and header fields."""
Handler = Callable[..., Awaitable[Reply]]
Context = Callable[[Scope], Mapping[str, Any]]
"""From a request to what handlers may ask for by name beside the request's own arguments, such as a store."""
Problems = Mapping[type[Exception], Callable[[Any], Problem]]
"""The problem that an exception of a handler becomes."""

logger = logging.getLogger("callconfig.contract")


@dataclass(slots=True)
class Exchange:
    """What the layers of one request learn about it: the outermost layer makes it, inner layers fill it in."""

    operation: Operation | None = None
    request_body: bytes = b""
    findings: list[Finding] = field(default_factory=list)
    problem: Problem | None = None
    forced: "Reply | Problem | None" = None
    """What an outer layer decided that a request gets instead of the handler's reply, if it keeps the contract."""
    rule: str | None = None
    """The name of what that layer decided by."""

    KEY = "callconfig.exchange"

    @classmethod
    def of(cls, scope: Scope) -> "Exchange":
        exchange: Exchange = scope.setdefault(cls.KEY, cls())
        return exchange


class ContractOperation:
    """One operation with its handler, as an ASGI application."""

    def __init__(
        self, operation: Operation, handler: Handler, contract: Contract, context: Context, problems: Problems
    ) -> None:
        self._operation, self._handler = operation, handler
        self._contract, self._context, self._problems = contract, context, problems
        self._max_bytes = operation.request_body.max_bytes if operation.request_body else MAX_BYTES
        parameters = inspect.signature(handler).parameters.values()
        self._wanted = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
        self._wants_rest = any(each.kind is each.VAR_KEYWORD for each in parameters)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange.of(scope)
        exchange.operation = self._operation
        headers = by_name((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        body = await read_body(receive, headers, self._max_bytes)
        if body is None:
            return  # the client went away before its request was complete
        try:
            reply = await self._reply(scope, headers, body, exchange)
        except Exception as error:
            make = next((self._problems[kind] for kind in type(error).__mro__ if kind in self._problems), None)
            if make is None:
                logger.exception("%s failed", self._operation.id)
            reply = self._problem(exchange, make(error) if make else INTERNAL_ERROR)
        await self._send(send, exchange, reply)

    async def _reply(self, scope: Scope, headers: Headers, body: bytes | Finding, exchange: Exchange) -> Reply:
        """The context comes first: whoever may not ask is not told what is wrong with the question."""
        exchange.request_body = b"" if isinstance(body, Finding) else body
        context = self._context(scope)
        if isinstance(body, Finding):
            arguments: dict[str, Json] = {}
            exchange.findings = [body]
        else:
            request = Request(scope.get("path_params", {}), scope["query_string"], headers, body)
            arguments, exchange.findings = self._operation.check_request(request)
        if exchange.findings:
            return self._problem(exchange, Problem.of_findings(exchange.findings))
        if (forced := exchange.forced) is not None:
            return self._problem(exchange, forced) if isinstance(forced, Problem) else forced
        available = {**context, **arguments}
        wanted = {name: available[name] for name in self._wanted if name in available}
        return await self._handler(**(arguments | wanted if self._wants_rest else wanted))

    def _problem(self, exchange: Exchange, problem: Problem) -> Reply:
        exchange.problem = problem
        exchange.findings = exchange.findings or list(problem.errors)
        document = problem.document(self._contract.problems)
        return document, document["status"], {**problem.headers, "content-type": PROBLEM_JSON}

    async def _send(self, send: Send, exchange: Exchange, reply: Reply) -> None:
        value, status, headers = reply if len(reply) == 3 else (*reply, {})
        headers = {name.lower(): text for name, text in headers.items()}
        if status != NO_CONTENT:
            headers.setdefault("content-type", "application/json")
        try:
            body, findings = self._operation.encode_response(status, headers, value)
        except (TypeError, ValueError):  # what orjson raises for values that are not JSON
            logger.exception("%s answered %d with what is not JSON", self._operation.id, status)
            body, findings = b"", [Finding("type", "body", "is not JSON", pointer="")]
        if findings:
            logger.error("%s was about to answer %d: %s", self._operation.id, status, "; ".join(map(str, findings)))
            value, status, headers = self._problem(exchange, INTERNAL_ERROR)  # type: ignore[misc]
            body = orjson.dumps(value)
        await respond(send, status, headers, body)


class ContractAPI(RoutedAPI[ContractOperation]):
    """The operations of one specification, by operationId."""

    def __init__(
        self,
        specification: Specification,
        *,
        next_app: ASGIApp,
        contract: Contract,
        context: Context,
        problems: Problems,
        **options: Any,
    ) -> None:
        super().__init__(specification, next_app=next_app, **options)
        self._contract, self._context, self._problems = contract, context, problems
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> ContractOperation:
        compiled = self._contract.operations[operation.operation_id]
        return ContractOperation(compiled, operation.function, self._contract, self._context, self._problems)


class ContractMiddleware(RoutedMiddleware[ContractAPI]):
    """Sends what Connexion's routing found to the operation's own application."""

    api_cls = ContractAPI


LINGER = 64 << 20
"""How many bytes beyond the limit are read and dropped before a client is told to stop."""

INTERNAL_ERROR = Problem("internal-error", "The server failed to answer; its log says why.")


async def read_body(receive: Receive, headers: Mapping[str, str], max_bytes: int) -> bytes | Finding | None:
    """The whole body, a finding when it is too large, or None when the client left in the middle of it.

    A length announced too large is answered at once. A body that turns out too large is read on for a while, for a
    client that is still sending when the connection closes loses its answer (RFC 9112, section 9.6).
    """
    too_large = Finding("content-length", "body", f"The body must not be larger than {max_bytes} bytes.")
    if int(headers.get("content-length", 0)) > max_bytes:
        return too_large
    chunks: list[bytes] = []
    size = 0
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= max_bytes:
            chunks.append(chunk)
        elif size > max_bytes + LINGER:
            return too_large
        if not message.get("more_body", False):
            return b"".join(chunks) if size <= max_bytes else too_large


async def respond(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Send a whole response."""
    fields = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
    if status != NO_CONTENT:  # RFC 9110, section 8.6
        fields.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


class AccessLog:
    """The outermost layer: one line for each request, with the first reason when it was refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._logger = logging.getLogger("callconfig.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._logger.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        exchange = Exchange.of(scope)
        started = time.perf_counter()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self._app(scope, receive, send_and_note)
        reason = f"  {first_reason(exchange)}" if status >= 400 else ""
        target = scope["raw_path"].decode("latin-1") if scope.get("raw_path") else scope["path"]
        if scope["query_string"]:
            target += f"?{scope['query_string'].decode('latin-1')}"
        milliseconds = (time.perf_counter() - started) * 1000
        self._logger.info("%s %s %s %.1f ms%s", scope["method"], target, status or "gone", milliseconds, reason)


def first_reason(exchange: Exchange) -> str:
    """Why a request was refused, in a few words."""
    if exchange.findings:
        more = f" (and {len(exchange.findings) - 1} more)" if len(exchange.findings) > 1 else ""
        return f"{exchange.findings[0]}{more}"
    return exchange.problem.detail if exchange.problem else ""
