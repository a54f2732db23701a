"""What the journal and the controls cost: configurations created per second with them on and off, in one run.

Run by hand: `uv run python benchmarks/controls.py`. It needs `wrk`. Rounds are interleaved, so that a noisy machine is
unfair to both alike.
"""

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from callconfig.benchmarks.prism import CONNECTIONS, CREATE, ROUNDS, SECONDS, free_port, rate, running
from callconfig.contract.document import Contract

LEAST = 0.8
"""The promise: this much of the rate is left with journal and controls on."""


def main() -> int:
    if shutil.which("wrk") is None:
        print("needs wrk", file=sys.stderr)
        return 3
    sample = Contract.load().document["components"]["examples"]["CreateRequest"]["value"]
    rates: dict[str, list[float]] = {"--no-controls": [], "--controls": []}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "create.lua"
        script.write_text(CREATE % json.dumps(sample))
        for _ in range(ROUNDS):
            for option, measured in rates.items():
                port = free_port()
                command = ["callconfig", "serve", "--quiet", "--store", ":memory:", option, "--port", str(port)]
                with running(command, port):
                    measured.append(rate(script, port))
    print(f"created per second, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s, median (lowest to highest)")
    for option, measured in rates.items():
        print(f"  {option:<14} {statistics.median(measured):>8.0f}  ({min(measured):.0f} to {max(measured):.0f})")
    pairs = zip(rates["--controls"], rates["--no-controls"], strict=True)
    ratio = statistics.median(on / off for on, off in pairs)
    print(f"  ratio          {ratio:>8.2f}  (the promise is {LEAST})")
    return 0 if ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
