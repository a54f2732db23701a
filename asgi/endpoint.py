"""The endpoint of one operation: it reads and judges the request, calls the handler, judges and sends the response.

An invalid request or response never passes.
"""

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.types import Receive, Send

from ..contract.error_responses import ErrorResponses
from ..contract.finding import Finding
from ..contract.operation import WITHOUT_BODY, EncodedArray, LargeObject, Operation, Reply
from ..contract.problem import INTERNAL_ERROR, Problem, Problems
from ..contract.schema import Json
from ..contract.threads import in_thread
from .exchange import Exchange
from .messages import checked, read_body, respond

UNKEPT = {"content-coding", "json-charset", "json-depth", "json-number", "json-size", "json-string"}
"""Rules whose breach is refused even as a warning: the value cannot be read, or not be sent back."""

Handler = Callable[..., Awaitable[Reply | None]]
"""The response of a handler that returns nothing."""
Context = Callable[[Exchange], Mapping[str, Any]]
"""Returns the arguments of handlers beside those of the request, such as a store."""

logger = logging.getLogger("callconfig.contract")


class Endpoint:
    """One operation with its handler. `problems` translates exceptions of the handler."""

    def __init__(
        self, operation: Operation, handler: Handler, errors: ErrorResponses, context: Context, problems: Problems
    ) -> None:
        self.operation = operation
        self._handler, self._errors, self._context, self._problems = handler, errors, context, problems
        self._max_bytes = operation.request_body.max_bytes
        parameters = inspect.signature(handler).parameters.values()
        self._wanted = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
        self._wants_rest = any(each.kind is each.VAR_KEYWORD for each in parameters)

    async def __call__(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        try:
            reply = await self._reply(exchange, receive)
        except Exception as error:
            make = next((self._problems[kind] for kind in type(error).__mro__ if kind in self._problems), None)
            if make is None:
                logger.exception("%s failed", self.operation.id)
            reply = self._problem(exchange, make(error) if make else INTERNAL_ERROR)
        if reply is not None:
            status, headers, pieces = await self._encoded(exchange, reply)
            await respond(send, status, headers, pieces)

    async def _reply(self, exchange: Exchange, receive: Receive) -> Reply | None:
        """The reply; None when the client went away before its request was complete.

        The context comes first: the body of a caller without access is neither read nor judged.
        """
        context = self._context(exchange)
        entry, arguments = exchange.entry, dict[str, Json]()
        body = await read_body(receive, exchange.headers, self._max_bytes)
        if body is None:
            return None
        if isinstance(body, Finding):
            entry.findings = [body]
        else:
            entry.request_body = body
            arguments, entry.findings = await checked(self.operation, exchange.request)
        if refused := [each for each in entry.findings if each.severity == "error" or each.rule in UNKEPT]:
            return self._problem(exchange, Problem.of_findings(refused, self.operation.security.challenge))
        if exchange.turn is not None and (forced := exchange.turn.reply()) is not None:
            return forced
        if (preferred := exchange.preferred) is not None:
            return self._problem(exchange, preferred) if isinstance(preferred, Problem) else preferred
        available = {**context, **arguments, "arguments": arguments}
        wanted = {name: available[name] for name in self._wanted if name in available}
        return await self._handler(**(arguments | wanted if self._wants_rest else wanted)) or (None, 204)

    def _problem(self, exchange: Exchange, problem: Problem) -> Reply:
        exchange.problem = problem
        exchange.entry.findings = exchange.entry.findings or list(problem.errors)
        return self._errors.reply(problem)

    async def _encoded(self, exchange: Exchange, reply: Reply) -> tuple[int, Mapping[str, str], Sequence[bytes]]:
        """The response to send: the reply, or a problem where the reply breaks the contract."""
        value, status, headers = reply if len(reply) == 3 else (*reply, {})
        headers = {name.lower(): text for name, text in headers.items()}
        if exchange.problem is not None and status in self._errors.unjudged:
            return status, headers, _written(value)
        documented = self.operation.response(status)
        if status not in WITHOUT_BODY and (documented is None or documented.representations):
            headers.setdefault("content-type", "application/json")
        try:
            if isinstance(value, LargeObject) or (isinstance(value, EncodedArray) and value.is_large):
                pieces, findings = await in_thread(self.operation.encode_response, status, headers, value)
            else:
                pieces, findings = self.operation.encode_response(status, headers, value)
        except (TypeError, ValueError):  # orjson's errors for values that are not JSON
            logger.exception("%s: the response %d is not JSON", self.operation.id, status)
            pieces, findings = [], [Finding("type", "body", "is not JSON", pointer="")]
        if any(each.severity == "error" for each in findings):
            logger.error(
                "%s: the response %d breaks the contract: %s", self.operation.id, status, "; ".join(map(str, findings))
            )
            value, status, headers = self._problem(exchange, INTERNAL_ERROR)  # type: ignore[misc]
            pieces = _written(value)
        return status, headers, pieces


def _written(value: Json) -> list[bytes]:
    """A body that is not judged, because the response was found valid before."""
    if value is None:
        return []
    return [value if isinstance(value, bytes) else orjson.dumps(value)]
