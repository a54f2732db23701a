"""The floor: a minimal server of this contract, bare ASGI on uvicorn without framework and disk.

It decodes and judges the request, makes the id and the times, keeps the text, judges and encodes the response.
"""

import secrets
import sys
from datetime import UTC, datetime
from urllib.parse import parse_qs

import orjson
import uvicorn
from callconfig.contract.document import Contract
from callconfig.contract.schema import Schema
from starlette.types import Receive, Scope, Send

JSON = (b"content-type", b"application/json")
HttpResponse = tuple[int, list[tuple[bytes, bytes]], bytes]


class Floor:
    """Creates, and lists by scope. Errors have a status and no body."""

    def __init__(self, contract: Contract) -> None:
        declared = contract.resources[0]
        self._unique = declared.unique
        self._request = Schema(declared.input, contract.resolve, "request")
        self._response = Schema(declared.schema, contract.resolve, "response")
        self._texts: dict[tuple[str, ...], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            status, headers, body = self._create(await read(receive))
        else:
            status, headers, body = self._list(scope["query_string"].decode())
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _create(self, sent: bytes) -> HttpResponse:
        values = orjson.loads(sent)
        if not self._request.accepts(values):
            return 400, [], b""
        key = tuple(values[member] for member in self._unique)
        if key in self._texts:
            return 409, [], b""
        identity = f"cfg_{secrets.token_hex(8)}"
        now = f"{datetime.now(UTC).isoformat(timespec='microseconds')[:-6]}Z"
        values = {**self._request.fill_defaults(values), "id": identity, "created_at": now, "updated_at": now}
        # orjson's bytes keep their whole buffer; a copy is as large as the text.
        self._texts[key] = bytes(bytearray(orjson.dumps(values)))
        return self._judged(201, [JSON, (b"location", f"/configurations/{identity}".encode())], values)

    def _list(self, query: str) -> HttpResponse:
        parameters = parse_qs(query)
        key = tuple(parameters.get(member, [""])[0] for member in self._unique)
        if key not in self._texts:
            return 200, [JSON], b"[]"
        status, headers, text = self._judged(200, [JSON], orjson.loads(self._texts[key]))
        return status, headers, b"[" + text + b"]"

    def _judged(self, status: int, headers: list[tuple[bytes, bytes]], values: object) -> HttpResponse:
        shown = self._response.without_write_only(values)
        return (status, headers, orjson.dumps(shown)) if self._response.accepts(shown) else (500, [], b"")


async def read(receive: Receive) -> bytes:
    """The body of a request."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


if __name__ == "__main__":
    app = Floor(Contract.load(validate=False))
    uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, proxy_headers=False, lifespan="off")
