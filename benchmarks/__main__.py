"""Measure the mock beside its peers, and print one table. Exits with 1 when a promise does not hold."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator

from .measurements import Plan, checking, controls, creating, generic, listing, lone, memory, proxy, starting
from .stores import opening, stores
from .table import HEAD, Row

MEASUREMENTS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    measure.__name__: measure
    for measure in (creating, listing, lone, starting, memory, opening, controls, generic, proxy, checking, stores)
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", choices=MEASUREMENTS, nargs="+", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="in about a minute, with a tenth of the configurations")
    options = parser.parse_args()
    for program in ("npm", "node", "java"):
        if shutil.which(program) is None:
            print(f"{program} is missing: Prism needs Node.js with npm, WireMock a Java runtime", file=sys.stderr)
            return 3
    print(HEAD)
    held = True
    with tempfile.TemporaryDirectory(prefix="callconfig-") as folder:
        plan = Plan(folder, rounds=2, seconds=0.7, many=10_000) if options.quick else Plan(folder)
        for name in options.only or MEASUREMENTS:
            for row in MEASUREMENTS[name](plan):
                print(row, flush=True)
                held &= row.meets_promise
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
