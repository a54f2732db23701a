"""A forwarder with the client and the server of `callconfig proxy`, which judges nothing."""

import sys

import httpx2
import uvicorn
from starlette.types import Receive, Scope, Send

from .floor import read

UPSTREAM = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_keepalive_connections=100), trust_env=False)


async def forward(scope: Scope, receive: Receive, send: Send) -> None:
    url = sys.argv[1] + scope["raw_path"].decode()
    body = await read(receive)
    request = httpx2.Request(scope["method"], url, headers=scope["headers"], content=body or None)
    response = await UPSTREAM.handle_async_request(request)
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.headers.raw})
    await send({"type": "http.response.body", "body": await response.aread()})


if __name__ == "__main__":
    uvicorn.run(forward, port=int(sys.argv[2]), log_config=None, access_log=False, lifespan="off")
