"""Several processes that share one PostgreSQL store answer as one server."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from callconfig.cli import main
from callconfig.outcome import COULD_NOT_RUN, OK
from callconfig.tests.support.postgresql import PostgreSQLServer
from callconfig.tests.support.running import Server, serving


@pytest.fixture(scope="module")
def pair(postgresql: PostgreSQLServer) -> Iterator[Server]:
    """A server of two workers, for all tests that leave it with two."""
    with serving("--store", postgresql.fresh_url(), "--workers", "2", "--quiet") as server:
        yield server


def workers(process: "subprocess.Popen[str]") -> list[int]:
    """The worker processes, without the helpers of multiprocessing."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(each) for each in children if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


@pytest.mark.xdist_group("workers")
def test_the_greeting_comes_when_every_worker_answers(pair: Server) -> None:
    began = time.monotonic()
    assert pair.client.get("/configurations").json() == []
    assert time.monotonic() - began < 0.5
    assert len(workers(pair.process)) == 2


@pytest.mark.xdist_group("workers")
def test_of_64_creates_of_one_scope_at_a_time_one_succeeds(pair: Server, sample: dict[str, Any]) -> None:
    async def create_all() -> list[int]:
        limits = httpx.Limits(max_connections=64)
        async with httpx.AsyncClient(base_url=pair.url, limits=limits, timeout=60) as client:
            answers = await asyncio.gather(*(client.post("/configurations", json=sample) for _ in range(64)))
            return sorted(answer.status_code for answer in answers)

    assert asyncio.run(create_all()) == [201, *[409] * 63]
    assert len(pair.client.get("/configurations").json()) == 1


@pytest.mark.xdist_group("workers")
def test_a_worker_that_dies_is_replaced(pair: Server) -> None:
    before = set(workers(pair.process))
    os.kill(min(before), signal.SIGKILL)
    deadline = time.monotonic() + 30
    while len(set(workers(pair.process)) - {min(before)}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert pair.client.get("/configurations").status_code == 200
    assert pair.stop() == (OK, "")


def test_the_password_of_a_store_is_not_shown(serve: Callable[..., Server], postgresql: PostgreSQLServer) -> None:
    url = postgresql.fresh_url().replace("postgres@", "postgres:s3cret@")
    server = serve("--store", url)
    assert "s3cret" not in server.greeting + server.stop()[1]


@pytest.mark.xdist_group("workers")
def test_of_a_database_that_is_down_the_access_log_alone_tells(
    serve: Callable[..., Server], postgresql: PostgreSQLServer
) -> None:
    server = serve("--store", postgresql.fresh_url())
    postgresql.stop()
    try:
        assert server.client.get("/configurations").status_code == 503
    finally:
        postgresql.start()
    _, errors = server.stop()
    assert re.fullmatch(r"\S+ GET /configurations 503 .* PostgreSQL does not respond.*\n", errors), errors


@pytest.mark.parametrize("store", [":memory:", "configurations.jsonl"])
def test_several_workers_need_a_store_that_they_share(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, store: str
) -> None:
    place = store if store == ":memory:" else str(tmp_path / store)
    assert main(["serve", "--port", "0", "--workers", "2", "--store", place]) == COULD_NOT_RUN
    assert "--workers 2 needs a store that processes share" in capsys.readouterr().err


@pytest.mark.xdist_group("workers")
def test_an_interruption_from_a_terminal_while_workers_start_ends_all_of_them_silently(
    postgresql: PostgreSQLServer,
) -> None:
    command = [sys.executable, "-m", "callconfig", "serve", "--port", "0", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--store", postgresql.fresh_url()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        while len(workers(process)) < 2:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)  # on a slow machine, the greeting comes before the signal
        assert (errors, process.returncode) == ("", OK)
    finally:
        process.kill()


@pytest.mark.xdist_group("workers")
def test_workers_that_cannot_start_again_end_the_server_with_one_line(
    serve: Callable[..., Server], postgresql: PostgreSQLServer
) -> None:
    server = serve("--store", postgresql.fresh_url(), "--workers", "2", "--quiet")
    postgresql.stop()
    try:
        os.kill(workers(server.process)[0], signal.SIGKILL)
        _, errors = server.process.communicate(timeout=60)
    finally:
        postgresql.start()
    assert server.process.returncode == COULD_NOT_RUN
    assert errors.startswith("callconfig: ")
    assert errors.count("\n") == 1, errors
