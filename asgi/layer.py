"""The one layer in front of routing.

It finds a request's route and session, keeps the journal and the access log, answers CORS, and calls the steering
where a session or a request needs it. Unused features cost nothing.
"""

import logging
from collections.abc import Container, Mapping, Sequence
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..contract.problem import INTERNAL_ERROR
from ..controls.controls import Controls, is_control, is_read_only
from ..controls.refusals import SessionUnavailable
from .access_log import AccessLog
from .exchange import KEY, Exchange
from .messages import respond_problem
from .routing import Table
from .session_url import named_session, with_session_prefix
from .steering import Steering

logger = logging.getLogger("callconfig")


class RequestLayer:
    """The outermost ASGI application of the mock.

    `pages` are the paths that are served beside the operations. With `late_sessions` a new session is created when its
    first request is authenticated, not when it arrives.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        table: Table,
        catalogue: Mapping[str, Mapping[str, Any]],
        pages: Container[str],
        controls: Controls | None,
        late_sessions: bool,
        log: AccessLog | None,
    ) -> None:
        self._app, self._table, self._catalogue, self._pages = app, table, catalogue, pages
        self._controls = controls
        self._late_sessions, self._log = late_sessions, log
        self._steering = Steering(app, controls) if controls else app
        # Browser clients of any origin may use the API, but not the controls: a foreign page must not steer the mock.
        self._with_cors, self._steering_with_cors = _with_cors(app, ["*"]), _with_cors(self._steering, ["*"])
        self._controls_with_cors = _with_cors(app, controls.origins) if controls and controls.origins else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        session_name, scope = named_session(scope) if self._controls else (None, scope)
        exchange = Exchange.begin(scope, send, self._table.find(scope), session_name)

        async def send_and_note(message: Message) -> None:
            if session_name is not None and message["type"] == "http.response.start":
                message = {**message, "headers": with_session_prefix(session_name, message["headers"])}
            if exchange.note(message):
                self._end(exchange)  # before it is sent: a client with the response finds the entry in the journal
            await send(message)

        try:
            await self._prepared(exchange, scope)(scope, receive, send_and_note)
        except Exception:
            logger.exception("%s %s failed", exchange.entry.method, exchange.entry.path)
            if not exchange.entry.status:
                exchange.problem = INTERNAL_ERROR
                await respond_problem(send_and_note, INTERNAL_ERROR, self._catalogue)
        finally:
            if not exchange.entry.ended:
                self._end(exchange)
            del scope[KEY]  # breaks the cycle of scope, exchange and connection for the collector

    def _prepared(self, exchange: Exchange, scope: Scope) -> ASGIApp:
        """Enter the session, and return the application for the request."""
        headers = exchange.headers
        opened = "origin" in headers
        if is_control(scope["path"]):
            return self._controls_with_cors if opened and self._controls_with_cors else self._app
        if scope["path"] in self._pages:
            return self._app
        if exchange.operation is None:
            exchange.entry.findings = [self._table.missing(scope["method"], scope["path"], exchange.route)]
        if self._controls is not None:
            is_preflight = opened and exchange.entry.method == "OPTIONS" and "access-control-request-method" in headers
            try:
                session = (self._controls.present_session if self._late_sessions else self._controls.session)(headers)
            except SessionUnavailable:  # the endpoint raises it again, and answers it
                session = None
            if session is not None:
                exchange.enter(session, journaled=not is_preflight)
                if session.rules or "prefer" in headers or b"__" in scope["query_string"]:
                    return self._steering_with_cors if opened else self._steering
        return self._with_cors if opened else self._app

    def _end(self, exchange: Exchange) -> None:
        exchange.end()
        entry = exchange.entry
        # Repeated requests of a console, or of a test that waits, are left out of the log.
        is_look = entry.status < 400 and is_control(entry.path) and is_read_only(exchange.operation)
        if self._log is not None and not is_look:
            self._log.note(exchange)


def _with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    return CORSMiddleware(app, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], expose_headers=["*"])
