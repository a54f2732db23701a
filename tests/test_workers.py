"""Several processes that share one PostgreSQL store answer as one server."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from callconfig.cli import main
from callconfig.outcome import COULD_NOT_RUN, OK
from callconfig.tests.support.postgresql import PostgreSQLServer, postgresql_server


def test_of_64_creates_of_one_scope_at_a_time_one_succeeds(
    serve: Callable[..., Any], postgresql: PostgreSQLServer, sample: dict[str, Any]
) -> None:
    server = serve("--store", postgresql.fresh_url(), "--workers", "2", "--quiet")

    async def create_all() -> list[int]:
        limits = httpx.Limits(max_connections=64)
        async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=60) as client:
            answers = await asyncio.gather(*(client.post("/configurations", json=sample) for _ in range(64)))
            return sorted(answer.status_code for answer in answers)

    assert asyncio.run(create_all()) == [201, *[409] * 63]
    assert len(server.client.get("/configurations").json()) == 1
    code, errors = server.stop()
    assert (code, errors) == (0, "")


def test_the_password_of_a_store_is_not_shown(serve: Callable[..., Any], postgresql: PostgreSQLServer) -> None:
    url = postgresql.fresh_url().replace("postgres@", "postgres:s3cret@")
    server = serve("--store", url)
    assert "s3cret" not in server.greeting + server.stop()[1]


@pytest.mark.parametrize("store", [":memory:", "configurations.jsonl"])
def test_several_workers_need_a_store_that_they_share(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, store: str
) -> None:
    place = store if store == ":memory:" else str(tmp_path / store)
    assert main(["serve", "--port", "0", "--workers", "2", "--store", place]) == COULD_NOT_RUN
    assert "--workers 2 needs a store that processes share" in capsys.readouterr().err


def workers(server: Any) -> list[int]:
    """The worker processes, without the helpers of multiprocessing."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(each) for each in children if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


def test_the_greeting_comes_when_every_worker_answers(serve: Callable[..., Any], postgresql: PostgreSQLServer) -> None:
    server = serve("--store", postgresql.fresh_url(), "--workers", "2", "--quiet")
    began = time.monotonic()
    assert server.client.get("/configurations").json() == []
    assert time.monotonic() - began < 0.5
    assert len(workers(server)) == 2


def test_a_worker_that_dies_is_replaced(serve: Callable[..., Any], postgresql: PostgreSQLServer) -> None:
    server = serve("--store", postgresql.fresh_url(), "--workers", "2", "--quiet")
    before = set(workers(server))
    os.kill(min(before), signal.SIGKILL)
    deadline = time.monotonic() + 30
    while len(set(workers(server)) - {min(before)}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert server.client.get("/configurations").json() == []
    assert server.stop() == (OK, "")


def test_workers_that_cannot_start_again_end_the_server_with_one_line(serve: Callable[..., Any]) -> None:
    with postgresql_server() as database:
        server = serve("--store", database.fresh_url(), "--workers", "2", "--quiet")
    os.kill(workers(server)[0], signal.SIGKILL)
    _, errors = server.process.communicate(timeout=60)
    assert server.process.returncode == COULD_NOT_RUN
    assert errors.startswith("callconfig: ")
    assert errors.count("\n") == 1, errors
