"""The measurements over HTTP. Rounds are interleaved, so that noise of the machine affects all servers alike."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count, cycle, islice
from operator import truediv
from statistics import median, quantiles

from callconfig.contract.document import BUILT_IN

from .load import load
from .servers import SAMPLE, Command, Server, mock, prism, python, running, wiremock
from .table import Row, beside

MEGABYTE = 2**20
JOURNAL = 1000
"""Requests that the mock's journal keeps."""
_BODY = json.dumps(SAMPLE | {"template": "tpl_NUMBER"}).replace("%", "%%").replace("NUMBER", "%012d")
_HEAD = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(_BODY % 0)}\r\n\r\n"
CREATE = f"POST /configurations HTTP/1.1\r\n{_HEAD}{_BODY}".encode()
_QUERY = f"reseller_id={SAMPLE['reseller_id']}&template=tpl_%012d"
LIST = f"GET /configurations?{_QUERY} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
FLOOR = python(".benchmarks.floor", "PORT")
CREATES = (CREATE % number for number in count(JOURNAL))
"""Create requests, each in a new scope."""
FIRST = [CREATE % number for number in range(JOURNAL)]
LISTS = cycle([LIST % number for number in range(100)])
"""List requests by the scopes of FIRST, in an endless cycle."""


@dataclass(frozen=True)
class Plan:
    """The folder and the extent of a measurement."""

    folder: str
    rounds: int = 5
    seconds: float = 3
    many: int = 100_000
    """The number of configurations in a full store."""

    def store(self) -> str:
        """The path of a store file in a new folder."""
        return f"{tempfile.mkdtemp(dir=self.folder)}/store.jsonl"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The results of one round: requests per second; latencies and CPU time for each request in seconds."""

    rate: float
    median: float
    p99: float
    cpu: float


def load_result(server: Server, requests: Iterator[bytes], seconds: float, connections: int = 16) -> LoadResult:
    before = server.cpu()
    latencies = load(server.port, requests, seconds=seconds, connections=connections)
    cpu = (server.cpu() - before) / len(latencies)
    return LoadResult(len(latencies) / seconds, median(latencies), quantiles(latencies, n=100)[98], cpu)


def rounds(
    plan: Plan, *commands: Command, requests: Iterator[bytes] = CREATES, connections: int = 16
) -> list[list[LoadResult]]:
    """The results of each server, after a round to warm up."""
    with ExitStack() as stack:
        servers = [stack.enter_context(running(command)) for command in commands]
        for server in servers:
            if requests is LISTS:
                load(server.port, iter(FIRST))
            load_result(server, requests, 1.5 * plan.seconds, connections)
        done = [
            [load_result(each, requests, plan.seconds, connections) for each in servers] for _ in range(plan.rounds)
        ]
    return [list(of_one) for of_one in zip(*done, strict=True)]


def by_rate(what: str, ours: list[LoadResult], theirs: list[LoadResult], **promise: float) -> Row:
    cpu = median(their.cpu / our.cpu for our, their in zip(ours, theirs, strict=True))
    return beside(
        what, [our.rate for our in ours], [their.rate for their in theirs], "{:,.0f}/s", by_cpu=cpu, **promise
    )


def creating(plan: Plan) -> Iterator[Row]:
    """Creates on the file store, beside every peer."""
    ours, floor, stub, dynamic = rounds(
        plan, mock(plan.store()), FLOOR, wiremock(tempfile.mkdtemp(dir=plan.folder)), prism()
    )
    yield by_rate("creates, of the floor", ours, floor, at_least=0.45)
    yield by_rate("creates, of WireMock's fixed stub", ours, stub, at_least=1.3)
    yield by_rate("creates, of Prism", ours, dynamic, at_least=4.5)
    slow, usual = [1000 * our.p99 for our in ours], [1000 * their.median for their in dynamic]
    yield beside("99th percentile of latency, of Prism's median", slow, usual, "{:.1f} ms", below=1)


def listing(plan: Plan) -> Iterator[Row]:
    """Lists by scope."""
    ours, floor = rounds(plan, mock(plan.store()), FLOOR, requests=LISTS)
    yield by_rate("lists by scope, of the floor", ours, floor, at_least=0.45)


def lone(plan: Plan) -> Iterator[Row]:
    """The latency of a lone client."""
    ours, floor = rounds(plan, mock(plan.store()), FLOOR, connections=1)
    cpu = median(our.cpu / their.cpu for our, their in zip(ours, floor, strict=True))
    waited, least = ([1000 * each.median for each in answers] for answers in (ours, floor))
    yield beside("latency of a lone create, of the floor", waited, least, "{:.3f} ms", by_cpu=cpu, below=3)


def starting(plan: Plan) -> Iterator[Row]:
    """The time from the start of the process to its first response."""
    times: tuple[list[float], list[float]] = ([], [])
    computed: tuple[list[float], list[float]] = ([], [])
    for _ in range(plan.rounds):
        for number, command in enumerate((mock(plan.store()), prism())):
            with running(command) as server:
                times[number].append(server.started_in)
                computed[number].append(server.cpu())
    cpu = median(map(truediv, *computed))
    yield beside("first answer, of Prism", *times, "{:.2f} s", by_cpu=cpu, below=0.85)


def memory(plan: Plan) -> Iterator[Row]:
    """Memory during many creates and the list of all; and the cost of a create in a full store."""
    store = plan.store()
    with running(mock(store)) as server:
        load(server.port, iter(FIRST))
        before = server.memory()
        load(server.port, islice(CREATES, plan.many - JOURNAL))
        after = server.memory()
    each = (after - before) / (plan.many - JOURNAL) / 1024
    yield Row("memory for each configuration, creating", "", "", each, " KB", below=2)
    yield Row(f"memory with {plan.many:,} stored", "", "", after / MEGABYTE, " MB", below=300)
    with running(mock(store)) as full:
        full.forget_peak()
        before = full.memory()
        size = len(full.get("/configurations"))
        more = full.memory("VmHWM") - before
        what = f"memory to list {plan.many:,}, of the answer"
        yield Row(what, f"{more / MEGABYTE:.0f} MB", f"{size / MEGABYTE:.0f} MB", more / size, below=3)
        done: tuple[list[LoadResult], list[LoadResult]] = ([], [])
        for _ in range(plan.rounds):
            with running(mock(plan.store())) as small:
                load(small.port, iter(FIRST[:100]))
                for server, measured in zip((full, small), done, strict=True):
                    load_result(server, LISTS, plan.seconds / 6)
                    measured.append(load_result(server, CREATES, plan.seconds / 3))
    yield by_rate(f"creates with {plan.many:,} stored, of those with 100", *done, at_least=0.9)


def controls(plan: Plan) -> Iterator[Row]:
    """The cost of journal and controls."""
    on, off = rounds(plan, mock(":memory:"), mock(":memory:", "--no-controls"))
    yield by_rate("creates with controls, of those without", on, off, at_least=0.8)


def generic(plan: Plan) -> Iterator[Row]:
    """The same contract with the generic handlers instead of the custom ones."""
    ours, own = rounds(plan, mock(":memory:", "--contract", str(BUILT_IN)), mock(":memory:"))
    yield by_rate("creates by the generic handlers, of those with their own", ours, own, at_least=0.9)


def proxy(plan: Plan) -> Iterator[Row]:
    """The cost of judging: the proxy beside a plain forwarder of the same parts, in front of one mock."""
    with running(mock(":memory:", "--no-controls", "--quiet")) as behind:
        upstream = f"http://127.0.0.1:{behind.port}"
        judging = python("", "proxy", "--upstream", upstream, "--port", "PORT")
        ours, plain = rounds(plan, judging, python(".benchmarks.forwarder", upstream, "PORT"))
    yield by_rate("creates through the proxy, of a plain forwarder", ours, plain)


def checking(plan: Plan) -> Iterator[Row]:
    """The time of `check` beside plain Schemathesis with all of its findings, each on a new server."""
    times: tuple[list[float], list[float]] = ([], [])
    for seed in map(str, range(1, min(plan.rounds, 3) + 1)):
        ours = python("", "check", "URL", "--max-examples", "20", "--seed", seed)
        plain = [sys.executable, "-m", "schemathesis.cli", "run", "URL/openapi.json", "--url", "URL"]
        plain += ["--continue-on-failure", "--max-examples", "20", "--seed", seed]
        for command, taken in zip((ours, plain), times, strict=True):
            with running(mock(":memory:", "--no-controls", "--quiet")) as server:
                aimed = [part.replace("URL", f"http://127.0.0.1:{server.port}") for part in command]
                began = time.perf_counter()
                subprocess.run(aimed, cwd=plan.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                taken.append(time.perf_counter() - began)
    yield beside("a whole check, of plain Schemathesis", *times, "{:.1f} s", below=1.5)
