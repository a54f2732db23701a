"""Several processes that share one PostgreSQL store answer as one server."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from callconfig.cli import main
from callconfig.outcome import COULD_NOT_RUN
from callconfig.storage.testing import PostgreSQLServer


def test_of_64_creates_of_one_scope_at_a_time_one_succeeds(
    serve: Callable[..., Any], postgresql: PostgreSQLServer, sample: dict[str, Any]
) -> None:
    server = serve("--store", postgresql.fresh_url(), "--workers", "4", "--quiet")

    async def create_all() -> list[int]:
        async with httpx.AsyncClient(base_url=server.url, limits=httpx.Limits(max_connections=64)) as client:
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
