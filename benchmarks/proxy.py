"""What judging costs: requests per second through `callconfig proxy`, beside a plain forwarder made of the same parts.

Run by hand: `uv run python benchmarks/proxy.py`. It needs `wrk`. The server behind both is the mock. Rounds are
interleaved, so that a noisy machine is unfair to all alike.
"""

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import httpx2
import uvicorn
from callconfig.benchmarks.prism import CONNECTIONS, CREATE, ROUNDS, SECONDS, free_port, rate, running
from callconfig.contract.document import Contract
from starlette.types import Receive, Scope, Send


class PlainForwarder:
    """Forwards over the same client and server as the proxy does, and looks at nothing."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._http = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_keepalive_connections=100), trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        request = httpx2.Request(
            scope["method"], self._upstream + scope["raw_path"].decode(), headers=scope["headers"], content=body or None
        )
        response = await self._http.handle_async_request(request)
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.headers.raw})
        async for chunk in response.stream:  # type: ignore[union-attr]
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        await response.aclose()


def main() -> int:
    if shutil.which("wrk") is None:
        print("needs wrk", file=sys.stderr)
        return 3
    sample = Contract.load().document["components"]["examples"]["CreateRequest"]["value"]
    names = ("the mock itself", "plain forwarder", "callconfig proxy")
    rates: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "create.lua"
        script.write_text(CREATE % json.dumps(sample))
        for _ in range(ROUNDS):
            behind, plain, judging = free_port(), free_port(), free_port()
            mock = ["callconfig", "serve", "--quiet", "--no-controls", "--store", ":memory:", "--port", str(behind)]
            upstream = f"http://127.0.0.1:{behind}"
            commands = {
                plain: [sys.executable, __file__, upstream, str(plain)],
                judging: ["callconfig", "proxy", "--upstream", upstream, "--port", str(judging)],
            }
            with running(mock, behind):
                for name, port in zip(names, (behind, plain, judging), strict=True):
                    if port == behind:
                        rates[name].append(rate(script, port))
                    else:
                        with running(commands[port], port):
                            rates[name].append(rate(script, port))
    print(f"created per second, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s, median (lowest to highest)")
    for name, measured in rates.items():
        print(f"  {name:<18} {statistics.median(measured):>8.0f}  ({min(measured):.0f} to {max(measured):.0f})")
    pairs = zip(rates["callconfig proxy"], rates["plain forwarder"], strict=True)
    print(f"  proxy / forwarder  {statistics.median(one / other for one, other in pairs):>8.2f}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 3:
        uvicorn.run(
            PlainForwarder(sys.argv[1]), port=int(sys.argv[2]), log_config=None, access_log=False, lifespan="off"
        )
    else:
        sys.exit(main())
