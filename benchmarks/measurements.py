"""What is measured over HTTP. Rounds are interleaved, so that a noisy machine is unfair to all alike."""

import itertools
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from .load import load, p99
from .servers import SAMPLE, Command, Server, mock, prism, python, running, wiremock
from .table import Row, beside

MEGABYTE = 2**20
JOURNAL = 1000
"""Requests that the mock's journal keeps."""
_BODY = json.dumps(SAMPLE | {"template": "tpl_NUMBER"}).replace("%", "%%").replace("NUMBER", "%012d")
_HEAD = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(_BODY % 0)}\r\n\r\n"
CREATE = f"POST /configurations HTTP/1.1\r\n{_HEAD}{_BODY}".encode()
LIST = f"GET /configurations?reseller_id={SAMPLE['reseller_id']}&template=tpl_%012d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_numbers = itertools.count()


@dataclass(frozen=True)
class Plan:
    """How long to measure, and where."""

    folder: str
    rounds: int = 5
    seconds: float = 3
    many: int = 100_000
    """Configurations in a full store."""

    def place(self) -> str:
        """A new folder."""
        return tempfile.mkdtemp(dir=self.folder)

    def store(self) -> str:
        return f"{self.place()}/store.jsonl"


@dataclass(frozen=True, slots=True)
class Answered:
    """How a server answered in one round. Seconds; CPU is for each request."""

    rate: float
    median: float
    p99: float
    cpu: float


def creates() -> Iterator[bytes]:
    """Each in a scope of its own."""
    return (CREATE % number for number in _numbers)


def create(server: Server, count: int) -> range:
    """Create so many, and return their numbers."""
    load(server.port, itertools.islice(creates(), count))
    last = next(_numbers)
    return range(last - count, last)


def lists(numbers: range) -> Iterator[bytes]:
    """By scopes that have these numbers, again and again."""
    return itertools.cycle([LIST.encode() % number for number in numbers])


def answered(server: Server, requests: Iterator[bytes], seconds: float, connections: int = 16) -> Answered:
    before = server.cpu()
    latencies = load(server.port, requests, seconds=seconds, connections=connections)
    cpu = (server.cpu() - before) / len(latencies)
    return Answered(len(latencies) / seconds, median(latencies), p99(latencies), cpu)


def rounds(
    plan: Plan, commands: Mapping[str, Command], connections: int = 16, stored: int = 0
) -> dict[str, list[Answered]]:
    """Answers to creates by server; to lists by scope where something is stored."""
    done: dict[str, list[Answered]] = {name: [] for name in commands}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(running(command)) for name, command in commands.items()}
        requests = {name: lists(create(server, stored)) if stored else creates() for name, server in servers.items()}
        for name, server in servers.items():  # until its compiler, if any, has seen it
            answered(server, requests[name], 1.5 * plan.seconds, connections)
        for _ in range(plan.rounds):
            for name, server in servers.items():
                done[name].append(answered(server, requests[name], plan.seconds, connections))
    return done


def by_rate(what: str, ours: list[Answered], theirs: list[Answered], **promise: float) -> Row:
    cpu = median(their.cpu / our.cpu for our, their in zip(ours, theirs, strict=True))
    return beside(
        what, [our.rate for our in ours], [their.rate for their in theirs], "{:,.0f}/s", by_cpu=cpu, **promise
    )


def creating(plan: Plan) -> Iterator[Row]:
    """Creates on the file store, beside every peer."""
    peers = {"floor": python(".benchmarks.floor", "PORT"), "wiremock": wiremock(plan.place()), "prism": prism()}
    done = rounds(plan, {"mock": mock(plan.store()), **peers})
    ours = done["mock"]
    yield by_rate("creates, of the floor", ours, done["floor"], at_least=0.45)
    yield by_rate("creates, of WireMock's fixed stub", ours, done["wiremock"], at_least=1.3)
    yield by_rate("creates, of Prism", ours, done["prism"], at_least=4.5)
    slow, usual = [1000 * our.p99 for our in ours], [1000 * their.median for their in done["prism"]]
    yield beside("99th percentile of latency, of Prism's median", slow, usual, "{:.1f} ms", below=1)


def listing(plan: Plan) -> Iterator[Row]:
    """Lists by scope."""
    commands = {"mock": mock(plan.store()), "floor": python(".benchmarks.floor", "PORT")}
    done = rounds(plan, commands, stored=JOURNAL)
    yield by_rate("lists by scope, of the floor", done["mock"], done["floor"], at_least=0.45)


def lone(plan: Plan) -> Iterator[Row]:
    """What a client waits that is alone."""
    commands = {"mock": mock(plan.store()), "floor": python(".benchmarks.floor", "PORT")}
    ours, theirs = rounds(plan, commands, connections=1).values()
    cpu = median(our.cpu / their.cpu for our, their in zip(ours, theirs, strict=True))
    ours_ms, theirs_ms = ([1000 * each.median for each in answers] for answers in (ours, theirs))
    yield beside("latency of a lone create, of the floor", ours_ms, theirs_ms, "{:.3f} ms", by_cpu=cpu, below=3)


def starting(plan: Plan) -> Iterator[Row]:
    """From the start of the process to its first answer."""
    times: dict[str, list[float]] = {"mock": [], "prism": []}
    for _ in range(plan.rounds):
        for name, command in {"mock": mock(plan.store()), "prism": prism()}.items():
            with running(command) as server:
                times[name].append(server.started_in)
    yield beside("first answer, of Prism", times["mock"], times["prism"], "{:.2f} s", below=0.85)


def memory(plan: Plan) -> Iterator[Row]:
    """While many are created, and while all are listed; and what having many costs a create."""
    store = plan.store()
    with running(mock(store)) as server:
        create(server, JOURNAL)
        before = server.memory()
        create(server, plan.many - JOURNAL)
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
        done: tuple[list[Answered], list[Answered]] = ([], [])
        for _ in range(plan.rounds):
            with running(mock(plan.store())) as small:
                for server, answers in zip((full, small), done, strict=True):
                    answered(server, lists(create(server, 100)), plan.seconds / 6)
                    answers.append(answered(server, creates(), plan.seconds / 3))
    yield by_rate(f"creates with {plan.many:,} stored, of those with 100", *done, at_least=0.9)


def controls(plan: Plan) -> Iterator[Row]:
    """What journal and controls cost."""
    on, off = rounds(plan, {"on": mock(":memory:"), "off": mock(":memory:", "--no-controls")}).values()
    yield by_rate("creates with controls, of those without", on, off, at_least=0.8)


def proxy(plan: Plan) -> Iterator[Row]:
    """What judging costs: the proxy beside a plain forwarder of the same parts, in front of one mock."""
    with running(mock(":memory:", "--no-controls", "--quiet")) as behind:
        upstream = f"http://127.0.0.1:{behind.port}"
        judging = python("", "proxy", "--upstream", upstream, "--port", "PORT")
        plain = python(".benchmarks.forwarder", upstream, "PORT")
        done = rounds(plan, {"judging": judging, "plain": plain})
    yield by_rate("creates through the proxy, of a plain forwarder", *done.values())
