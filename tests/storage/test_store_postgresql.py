"""The PostgreSQL store alone: migration, loss of the server, sharing, and no secret in messages."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from callconfig.contract.resource import Resource
from callconfig.storage.opening import open_store
from callconfig.storage.store import DuplicateScope, Store, StoreUnavailable, UnreadableStore
from callconfig.tests.support.postgresql import PostgreSQLServer, postgresql_server
from callconfig.tests.support.stores import RESOURCE, TABLE, configuration, counted_values

NOBODY_THERE = "postgresql://user:s3cret@127.0.0.1:1/database"


@pytest.fixture
def url(postgresql: PostgreSQLServer) -> str:
    return postgresql.fresh_url()


@pytest.fixture
def store(url: str, run: Any) -> Iterator[Store]:
    store = run(open_store(url, [RESOURCE], counted_values()))
    yield store
    run(store.close())


def sql(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


async def templates(store: Store) -> list[str]:
    return [json.loads(text)["template"] for text in await store.find()]


def test_stores_on_the_same_tables_share_them(store: Store, url: str, run: Any) -> None:
    other = run(open_store(url, [RESOURCE], counted_values()))
    created = run(store.create(configuration()))
    assert run(other.get(created["id"])) == created
    with pytest.raises(DuplicateScope) as refusal:
        run(other.create(configuration()))
    assert refusal.value.identity == created["id"]
    assert run(other.create(configuration(template="other")))["id"] != created["id"], (
        "they counted from the same number"
    )
    run(other.close())


def test_stores_in_different_schemas_share_nothing(store: Store, postgresql: PostgreSQLServer, run: Any) -> None:
    other = run(open_store(postgresql.fresh_url(), [RESOURCE], counted_values()))
    run(store.create(configuration()))
    assert run(other.find()) == []
    assert run(other.create(configuration()))
    run(other.close())


def test_of_creations_of_one_scope_through_four_stores_exactly_one_succeeds(url: str, run: Any) -> None:
    async def race() -> list[Any]:
        stores = await asyncio.gather(*(open_store(url, [RESOURCE], counted_values()) for _ in range(4)))
        creations = [store.create(configuration()) for store in stores for _ in range(16)]
        answers = await asyncio.gather(*creations, return_exceptions=True)
        await asyncio.gather(*(store.close() for store in stores))
        return answers

    answers = run(race())
    assert sorted(type(answer).__name__ for answer in answers) == ["DuplicateScope"] * 63 + ["dict"]


def test_loads_and_creations_through_several_stores_end_in_a_state_that_one_order_explains(url: str, run: Any) -> None:
    async def race() -> list[str]:
        stores = await asyncio.gather(*(open_store(url, [RESOURCE], counted_values()) for _ in range(3)))
        seed = [configuration(template=str(number)) for number in range(20)]
        await asyncio.gather(
            *(store.load({TABLE: seed}) for store in stores),
            *(store.create(configuration(template="new")) for store in stores),
            return_exceptions=True,
        )
        found = await templates(stores[0])
        await asyncio.gather(*(store.close() for store in stores))
        return sorted(found)

    seeded = sorted(map(str, range(20)))
    assert run(race()) in (seeded, sorted([*seeded, "new"]))


def test_several_processes_can_open_a_new_schema_at_once(url: str, run: Any) -> None:
    async def race() -> None:
        stores = await asyncio.gather(*(open_store(url, [RESOURCE], counted_values()) for _ in range(8)))
        await asyncio.gather(*(store.close() for store in stores))

    run(race())
    assert sql(url, "SELECT version FROM callconfig_migrations") == [(1,)]


def test_every_filter_and_the_order_have_an_index(store: Store, url: str, run: Any) -> None:
    run(store.load({TABLE: (configuration(str(number), str(number % 40)) for number in range(2_000))}))
    sql(url, "ANALYZE callconfig_configurations")
    for condition, index in {
        "WHERE reseller_id = '7'": "callconfig_reseller_id",
        "WHERE template = '7'": "callconfig_template",
        "WHERE reseller_id = '7' AND template = '7'": "callconfig_",
        "": "callconfig_order",
    }.items():
        query = f"EXPLAIN SELECT body FROM callconfig_configurations {condition} ORDER BY created_at, identity LIMIT 5"  # noqa: S608
        plan = "\n".join(line for (line,) in sql(url, query))
        assert index in plan
        assert "Seq Scan" not in plan


def test_people_can_query_the_documents(store: Store, url: str, run: Any) -> None:
    run(store.create(configuration(note="zero: \0, not zero: \\u0000", limits={"calls": 2**64 - 1})))
    query = "SELECT document->>'note', (document->'limits'->>'calls')::numeric FROM callconfig_configurations"
    assert sql(url, query) == [("zero: \ufffd, not zero: \\u0000", 2**64 - 1)]


def test_tables_of_a_later_version_are_refused(store: Store, url: str, run: Any) -> None:
    sql(url, "INSERT INTO callconfig_migrations VALUES (1000)")
    with pytest.raises(UnreadableStore, match="version 1000"):
        run(open_store(url, [RESOURCE], counted_values()))
    assert run(store.find()) == []


def test_tables_for_other_members_are_refused(store: Store, url: str, run: Any) -> None:
    other = Resource("id", ("account",), "created_at", "updated_at")
    with pytest.raises(UnreadableStore, match='column "account" does not exist'):
        run(open_store(url, [other], counted_values()))
    assert run(store.find()) == []


def test_a_database_that_is_not_utf_8_is_refused(postgresql: PostgreSQLServer, run: Any) -> None:
    sql(postgresql.url, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(UnreadableStore, match="LATIN1"):
        run(open_store(postgresql.url.replace("/postgres?", "/latin?"), [RESOURCE], counted_values()))


def test_nothing_is_lost_when_the_server_restarts_under_load(run: Any) -> None:
    async def scenario(server: PostgreSQLServer) -> None:
        store = await open_store(server.fresh_url(), [RESOURCE], counted_values())
        acknowledged: list[str] = []
        down, refused = asyncio.Event(), asyncio.Event()

        async def write(name: str) -> None:
            number = 0
            while not (down.is_set() and number > 20):
                template = f"{name}-{number}"
                try:
                    await store.create(configuration(template=template))
                    acknowledged.append(template)
                    number += 1
                except DuplicateScope:  # stored, though the connection broke before the acknowledgement
                    number += 1
                except StoreUnavailable:
                    refused.set()

        writers = [asyncio.create_task(write(f"writer-{number}")) for number in range(12)]
        await asyncio.sleep(0.2)
        await asyncio.to_thread(server.stop)
        await asyncio.wait_for(refused.wait(), 60)
        await asyncio.to_thread(server.start)
        down.set()
        await asyncio.gather(*writers)
        assert set(acknowledged) <= set(await templates(store))
        await store.close()

    try:
        with postgresql_server() as server:
            run(scenario(server))
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_after_a_restart_that_nobody_noticed_the_first_request_is_answered(
    run: Any, postgresql: PostgreSQLServer
) -> None:
    async def scenario() -> None:
        store = await open_store(postgresql.fresh_url(), [RESOURCE], counted_values())
        creations = [store.create(configuration(template=str(number))) for number in range(32)]
        await asyncio.gather(*creations)  # so the pool is full
        await asyncio.to_thread(postgresql.stop)
        await asyncio.to_thread(postgresql.start)
        assert len(await store.find()) == 32
        await store.close()

    run(scenario())


def test_a_server_that_is_down_is_unavailable_and_the_answer_does_not_take_long(
    run: Any, postgresql: PostgreSQLServer
) -> None:
    async def scenario() -> None:
        store = await open_store(postgresql.fresh_url(), [RESOURCE], counted_values())
        await asyncio.to_thread(postgresql.stop)
        try:
            acts = (store.create(configuration()), store.find(), store.load({TABLE: []}))
            async with asyncio.timeout(5):
                answers = await asyncio.gather(*acts, return_exceptions=True)
            assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
        finally:
            await asyncio.to_thread(postgresql.start)
        await store.create(configuration())
        await store.close()

    run(scenario())


def test_a_request_that_is_given_up_does_not_spoil_its_connection(url: str, run: Any) -> None:
    async def scenario() -> None:
        store = await open_store(url, [RESOURCE], counted_values())
        for number in range(40):
            task = asyncio.create_task(store.create(configuration(template=str(number))))
            await asyncio.sleep(number / 20_000)
            task.cancel()
            await asyncio.wait([task])
        answers = await asyncio.gather(*(store.find() for _ in range(20)))
        assert all(answer == answers[0] for answer in answers)
        await store.close()

    run(scenario())


def test_a_statement_that_waits_too_long_is_unavailable(url: str, run: Any) -> None:
    async def scenario() -> None:
        impatient = url.replace("options=", "options=-cstatement_timeout%3D100%20")
        store = await open_store(impatient, [RESOURCE], counted_values())
        async with await psycopg.AsyncConnection.connect(url) as other:
            await other.execute("LOCK TABLE callconfig_configurations")
            with pytest.raises(StoreUnavailable, match="statement timeout"):
                await store.create(configuration())
        assert await store.create(configuration())
        await store.close()

    run(scenario())


def test_a_server_that_is_not_there_is_unavailable_and_its_password_is_not_told(run: Any) -> None:
    with pytest.raises(StoreUnavailable, match=re.escape("127.0.0.1")) as failure:
        run(open_store(NOBODY_THERE, [RESOURCE], counted_values()))
    assert "s3cret" not in "".join(map(str, (failure.value, failure.value.__cause__)))


@pytest.mark.parametrize(
    "location",
    [
        "postgresql://user:s3cret%zz@localhost/database",
        "postgresql://user:s3cret@[::1/database",
        "postgresql://user:a@s3cret@localhost/database",
        "postgresql://user:s3cret/b@localhost/database",
        "postgres://localhost/database?s3cret=1",
    ],
)
def test_a_url_that_cannot_be_understood_is_not_quoted(location: str, run: Any) -> None:
    with pytest.raises(UnreadableStore, match="percent-encoded") as failure:
        run(open_store(location, [RESOURCE], counted_values()))
    assert "s3cret" not in str(failure.value)
    assert failure.value.__suppress_context__


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_other_stores_do_without_the_driver() -> None:
    code = "import sys, callconfig.storage.opening; print([name for name in sys.modules if name.startswith('psycopg')])"
    assert run_python(code).stdout == "[]\n"


def test_a_missing_driver_is_explained() -> None:
    code = f"""
import asyncio, sys
sys.modules["psycopg"] = None
from callconfig.storage.opening import open_store
from callconfig.tests.support.stores import RESOURCE, counted_values
asyncio.run(open_store({NOBODY_THERE!r}, [RESOURCE], counted_values()))
"""
    last_line = run_python(code).stderr.splitlines()[-1]
    assert 'UnreadableStore: PostgreSQL needs its driver: pip install "callconfig[postgres]"' in last_line
