"""How fast configurations are created over loopback: callconfig beside Prism, on the same contract, in one run.

Run by hand: `uv run python benchmarks/prism.py`. It needs `wrk` and Prism (`npm install -g @stoplight/prism-cli`, or
its path in $PRISM) on this machine. Rounds are interleaved, so that a noisy machine is unfair to both alike.
"""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callconfig.contract.document import BUILT_IN, Contract

ROUNDS = 5
SECONDS = 4
CONNECTIONS = 16

CREATE = """
local body = [==[%s]==]
local thread_id = 0
function setup(thread) thread:set("id", thread_id) thread_id = thread_id + 1 end
local count = 0
local run = tostring(os.time())
request = function()
  count = count + 1
  local unique = body:gsub('"template": "[^"]*"', '"template": "tpl_' .. run .. '_' .. id .. '_' .. count .. '"')
  return wrk.format("POST", "/configurations", {["Content-Type"] = "application/json"}, unique)
end
"""


def main() -> int:
    prism = os.environ.get("PRISM") or shutil.which("prism")
    if prism is None or shutil.which("wrk") is None:
        print("needs wrk and prism; see the first lines of this file", file=sys.stderr)
        return 3
    sample = Contract.load().document["components"]["examples"]["CreateRequest"]["value"]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "create.lua"
        script.write_text(CREATE % json.dumps(sample))
        callconfig_port, prism_port = free_port(), free_port()
        servers = {
            "callconfig": (callconfig_port, ["callconfig", "serve", "--quiet", "--store", ":memory:", "--port"]),
            "Prism": (prism_port, [prism, "mock", str(BUILT_IN), "--port"]),
        }
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(ROUNDS):
            for name, (port, command) in servers.items():
                with running([*command, str(port)], port):
                    rates[name].append(rate(script, port))
    print(f"created per second, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s, median (lowest to highest)")
    for name, measured in rates.items():
        print(f"  {name:<10} {statistics.median(measured):>8.0f}  ({min(measured):.0f} to {max(measured):.0f})")
    ratio = statistics.median(rates["callconfig"]) / statistics.median(rates["Prism"])
    print(f"  ratio      {ratio:>8.1f}")
    return 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise TimeoutError(f"{command[0]} does not listen")
        yield
    finally:
        process.terminate()
        process.wait(10)


def rate(script: Path, port: int) -> float:
    """Requests per second that were answered with 2xx; anything else ends the benchmark."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        raise ValueError(f"port {port} refused requests:\n{output}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if found is None:
        raise ValueError(output)
    return float(found[1])


if __name__ == "__main__":
    sys.exit(main())
