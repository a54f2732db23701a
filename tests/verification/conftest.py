"""Fixtures that run `check` against applications."""

import contextlib
import itertools
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.contract.interaction import Interaction
from callconfig.options import CheckOptions
from callconfig.tests.support.generation import draw_once
from callconfig.traffic.har import HarWriter
from callconfig.traffic.redaction import Redaction
from callconfig.verification.check import require_coverage
from callconfig.verification.client import Client
from callconfig.verification.coverage import Coverage
from callconfig.verification.footprint import Footprint
from callconfig.verification.generated import generate, judge_scenario
from callconfig.verification.judge import Judge
from callconfig.verification.model.drawing import converse_with
from callconfig.verification.result import MaxFailuresReached, Result
from callconfig.verification.target import serving
from callconfig.verification.timing import Deadline
from starlette.types import ASGIApp

CheckApp = Callable[..., Result]
draw_once()


@pytest.fixture
def check_app(contract: Contract) -> CheckApp:
    """A function that runs `callconfig check`, or its model alone, on an application with the defaults."""

    def run(app: ASGIApp, *, seed: int = 1, max_failures: int | None = None, model_alone: bool = False) -> Result:
        options = CheckOptions()
        result = Result("check", "app", contract, BUILT_IN, Redaction(contract), seed=seed, most=max_failures)
        result.coverage = Coverage(contract)

        def included(_operation: str) -> bool:
            return True

        try:
            with serving(app) as url:
                footprint = Footprint(contract, url, f"check-{seed}", anywhere=True)
                with Client(url, footprint=footprint) as client:
                    converse_with([client], result, included, options.max_examples, footprint)
                if model_alone:
                    return result
                footprint = Footprint(contract, url, f"check-{seed}", anywhere=True)
                judging = partial(judge_scenario, result=result, judge=Judge(contract))
                generate(result, options, footprint, included, Deadline(), judging)
            require_coverage(result)
        except MaxFailuresReached:
            pass
        return result

    return run


@pytest.fixture
def write_har(tmp_path: Path) -> Callable[..., str]:
    """A function that writes interactions to a new HAR file."""
    numbers = itertools.count()

    def write(*interactions: Interaction) -> str:
        path = tmp_path / f"recording-{next(numbers)}.har"
        with HarWriter(path) as writer:
            for interaction in interactions:
                writer.write(interaction)
        return str(path)

    return write


@pytest.fixture
def raw_server() -> Iterator[Callable[..., str]]:
    """A function that starts a server which sends these chunks to every client, and returns its URL."""
    with contextlib.ExitStack() as stack:

        def start(chunks: Iterable[bytes], pause: float = 0.0) -> str:
            class Handler(socketserver.BaseRequestHandler):
                def handle(self) -> None:
                    self.request.recv(65536)
                    with contextlib.suppress(OSError):
                        for chunk in chunks:
                            self.request.sendall(chunk)
                            time.sleep(pause)

            server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
            server.daemon_threads, server.block_on_close = True, False
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield start
