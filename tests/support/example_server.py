"""A server of any contract without a store: it refuses invalid requests, and responds with examples."""

import json
from collections.abc import Mapping
from typing import Any

from callconfig.contract.document import Contract
from callconfig.contract.example import values_of
from callconfig.contract.interaction import by_name
from callconfig.contract.media import is_json, media_type
from callconfig.contract.operation import Operation, Request
from callconfig.contract.parameters import joined, schema_of
from callconfig.contract.paths import Route
from callconfig.contract.witness import ABSENT
from callconfig.documentation.samples import made
from starlette.requests import Request as Received
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class ExampleServer:
    """The ASGI application, which responds with the first success and media type."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = Received(scope, receive)
        body = await received.body()
        await self._answer(received, body)(scope, receive, send)

    def _answer(self, received: Received, body: bytes) -> Response:
        route = self._contract.route(received.scope["raw_path"].decode())
        if route is None:
            return Response("There is nothing here.", 404)
        operation = route.operation(received.method)
        if operation is None:
            return Response("This is not done here.", 405, {"Allow": route.allow})
        if not self._admits(operation, received):
            return self._documented(operation, _first(operation, "401", "4XX", "DEFAULT"), 401)
        if self._refuses(operation, route, received, body):
            return self._documented(operation, _first(operation, "400", "422", "4XX", "DEFAULT"), 400)
        successes = [status for status in operation.responses if status[0] == "2"]
        return self._documented(operation, _first(operation, *successes, "DEFAULT"), 200)

    def _admits(self, operation: Operation, received: Received) -> bool:
        usual, schemes = self._contract.document.get("security", []), self._contract.security_schemes
        ways = operation.declared.get("security", usual)
        return not ways or any(all(_has(schemes[name], received) for name in way if name in schemes) for way in ways)

    def _refuses(self, operation: Operation, route: Route, received: Received, body: bytes) -> bool:
        headers = by_name(received.headers.items())
        request = Request(route.parameters, received.scope["query_string"], headers, body)
        return any(finding.severity == "error" for finding in operation.check_request(request)[1])

    def _documented(self, operation: Operation, status: str, usual: int) -> Response:
        declared = self._contract.resolve.followed(_declared(operation, status))
        headers = {
            name: joined(self._value(header))
            for name, each in declared.get("headers", {}).items()
            if (header := self._contract.resolve.followed(each)).get("required")
        }
        code = int(status) if status.isdigit() else int(f"{status[0]}{usual % 100:02}") if status[1:] == "XX" else usual
        for content_type, content in declared.get("content", {}).items():
            value = self._value(content)
            name = media_type(content_type)[0]
            text = json.dumps(value) if is_json(name) or "*" in name else joined(value)
            return Response(text, code, {**headers, "Content-Type": content_type.replace("*/*", "application/json")})
        return Response(None, code, headers)

    def _value(self, content: Mapping[str, Any]) -> Any:
        found = next(iter(values_of(content, self._contract.resolve).values()), ABSENT)
        return made(self._contract, schema_of(content), "response") if found is ABSENT else found


def _first(operation: Operation, *statuses: str) -> str:
    return next((status for status in statuses if status in operation.responses), "none")


def _declared(operation: Operation, status: str) -> Mapping[str, Any]:
    return next((each for name, each in operation.declared.get("responses", {}).items() if name.upper() == status), {})


def _has(scheme: Mapping[str, Any], received: Received) -> bool:
    """Whether a request has the credentials that samples have."""
    if scheme["type"] != "apiKey":
        return received.headers.get("authorization", "").endswith(" CREDENTIALS")
    places = {"header": received.headers, "query": received.query_params, "cookie": received.cookies}
    return places[scheme["in"]].get(scheme["name"]) == "KEY"
