"""With fsync, every acknowledged write and every document that is read is on the disk, which may be slow or fail."""

import asyncio
import errno
import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from callconfig.storage.embedded import EmbeddedStore
from callconfig.storage.log import SPARE_LINES
from callconfig.storage.opening import open_store
from callconfig.storage.store import DuplicateScope, StoreUnavailable, UnknownDocument
from callconfig.tests.support.stores import RESOURCE, TABLE, configuration, counted_values

ALWAYS = sys.maxsize


class Disk:
    """An fsync that waits while the disk is slow, and fails a given number of times."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.ready.set()
        self.failures = 0
        self.flushes = 0

    def __call__(self, descriptor: int) -> None:
        self.ready.wait()
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.flushes += 1
        os.fsync(descriptor)


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.ready.set()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.jsonl"


@pytest.fixture
def store(path: Path, disk: Disk, run: Any) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore.in_file(path, [RESOURCE], counted_values(), fsync=True, to_disk=disk)
    yield store
    disk.ready.set()
    run(store.close())


async def create(store: EmbeddedStore, *templates: str) -> list[Any]:
    """Create configurations concurrently; exceptions are among the results."""
    writes = [store.create(configuration(template=template)) for template in templates]
    return await asyncio.gather(*writes, return_exceptions=True)


async def outcome(task: asyncio.Task[Any]) -> Any:
    await asyncio.wait([task])
    return task.exception() or task.result()


async def stored(path: Path) -> list[str]:
    """The templates that another process would find after a crash."""
    copy = path.with_name("copy.jsonl")
    shutil.copy(path, copy)
    store = await open_store(str(copy), [RESOURCE], counted_values())
    templates = [json.loads(text)["template"] for text in await store.find()]
    await store.close()
    return templates


async def shown(store: EmbeddedStore) -> list[str]:
    return [json.loads(text)["template"] for text in await store.find()]


def test_concurrent_writers_share_an_fsync(store: EmbeddedStore, disk: Disk, run: Any) -> None:
    async def scenario() -> list[Any]:
        disk.ready.clear()
        creations = asyncio.create_task(create(store, *map(str, range(64))))
        await asyncio.sleep(0.05)
        disk.ready.set()
        return await creations

    assert all(isinstance(answer, dict) for answer in run(scenario()))
    assert disk.flushes <= 2, "the first writer's, and one for those who came while it was under way"


def test_nothing_is_acknowledged_or_shown_before_it_is_on_the_disk(store: EmbeddedStore, disk: Disk, run: Any) -> None:
    async def scenario() -> None:
        disk.ready.clear()
        waiting: list[asyncio.Task[Any]] = [
            asyncio.create_task(act)
            for act in (store.create(configuration()), store.find(), store.create(configuration(max_retry=1)))
        ]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting), "the loop goes on, and nobody has an answer"
        disk.ready.set()
        created, found, conflict = [await outcome(task) for task in waiting]
        assert [json.loads(text) for text in found] == [created]
        assert isinstance(conflict, DuplicateScope)

    run(scenario())


def test_a_writer_that_goes_away_leaves_the_others_their_fsync(store: EmbeddedStore, disk: Disk, run: Any) -> None:
    async def scenario() -> None:
        disk.ready.clear()
        writes = []
        for name in "abcd":
            writes.append(asyncio.create_task(store.create(configuration(template=name))))
            await asyncio.sleep(0.05)  # the first fsync is pending, the others wait for the next
        writes[0].cancel()
        writes[1].cancel()
        await asyncio.sleep(0)
        disk.ready.set()
        assert [(await write)["template"] for write in writes[2:]] == ["c", "d"]

    run(scenario())


def test_what_the_disk_did_not_take_is_taken_back(store: EmbeddedStore, disk: Disk, path: Path, run: Any) -> None:
    (before,) = run(create(store, "before"))
    disk.failures = ALWAYS
    failures = run(create(store, "a", "b", "c"))
    assert all(isinstance(failure, StoreUnavailable) for failure in failures)
    with pytest.raises(StoreUnavailable):
        run(store.replace(before["id"], configuration(template="replaced")))
    assert run(shown(store)) == run(stored(path)) == ["before"]
    disk.failures = 0
    run(create(store, "a", "replaced"))
    assert run(shown(store)) == run(stored(path)) == ["before", "a", "replaced"]


def test_what_was_built_on_a_lost_write_is_lost_with_it(store: EmbeddedStore, disk: Disk, path: Path, run: Any) -> None:
    async def scenario() -> None:
        disk.ready.clear()
        first = asyncio.create_task(store.create(configuration(template="a")))
        await asyncio.sleep(0.05)  # its fsync has begun
        later = [asyncio.create_task(act) for act in (store.create(configuration(template="b")), store.find())]
        later.append(asyncio.create_task(store.replace("cfg_000000000001", configuration(template="c"))))
        await asyncio.sleep(0.05)
        disk.failures = 1  # the next fsync would succeed, without what this one lost
        disk.ready.set()
        answers = await asyncio.gather(first, *later, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 4
        assert await shown(store) == await stored(path) == []
        with pytest.raises(UnknownDocument):
            await store.get("cfg_000000000001")
        assert (await store.create(configuration(template="c")))["template"] == "c"

    run(scenario())


def test_what_is_written_during_a_compaction_is_in_the_compacted_file(disk: Disk, path: Path, run: Any) -> None:
    async def scenario() -> None:
        store = EmbeddedStore.in_file(path, [RESOURCE], counted_values(), to_disk=disk)
        (created,) = await create(store, "a")
        disk.ready.clear()
        for number in range(SPARE_LINES + 100):  # the compaction begins, and waits for the disk
            await store.replace(created["id"], configuration(template="a", number=number))
        await create(store, "b")
        expected = await store.find()
        disk.ready.set()
        await store.close()
        assert path.stat().st_size < 20_000  # noqa: ASYNC240
        again = await open_store(str(path), [RESOURCE], counted_values())
        assert await again.find() == expected
        await again.close()

    run(scenario())


def test_a_compaction_does_not_keep_what_is_taken_back(store: EmbeddedStore, disk: Disk, path: Path, run: Any) -> None:
    async def scenario() -> None:
        await create(store, "a")
        disk.ready.clear()
        writes = [
            asyncio.create_task(store.replace("cfg_000000000001", configuration(template=str(number))))
            for number in range(SPARE_LINES + 10)
        ]
        await asyncio.sleep(0.2)
        disk.failures = ALWAYS
        disk.ready.set()
        answers = await asyncio.gather(*writes, return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        assert await shown(store) == await stored(path) == ["a"]
        disk.failures = 0
        await create(store, "b")
        assert await shown(store) == await stored(path) == ["a", "b"]

    run(scenario())


def test_a_load_on_a_broken_disk_changes_nothing_and_one_on_a_good_disk_mends_all(
    store: EmbeddedStore, disk: Disk, path: Path, run: Any
) -> None:
    run(create(store, "before"))
    disk.failures = ALWAYS
    run(create(store, "lost"))
    with pytest.raises(StoreUnavailable):
        run(store.load({TABLE: []}))
    assert run(shown(store)) == run(stored(path)) == ["before"]
    disk.failures = 0
    run(store.load({TABLE: [configuration(template="loaded")]}))
    assert run(shown(store)) == run(stored(path)) == ["loaded"]


def test_a_flush_that_fails_after_a_compaction_kept_everything_loses_nothing(path: Path, run: Any) -> None:
    begun, complete, compacted, failed = (threading.Event() for _ in range(4))

    def to_disk(descriptor: int) -> None:
        """An fsync that succeeds at once for the compacted file, and fails for the first one after it was replaced."""
        if threading.current_thread().name.startswith("callconfig-compaction") or compacted.is_set():
            os.fsync(descriptor)
            complete.set()
        elif path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino and lines() > SPARE_LINES:
            begun.set()
            compacted.wait()
            failed.set()
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def lines() -> int:
        return path.read_bytes().count(b"\n")

    async def scenario() -> None:
        store = EmbeddedStore.in_file(path, [RESOURCE], counted_values(), fsync=True, to_disk=to_disk)
        await create(store, "a")
        for number in range(SPARE_LINES + 1):  # the last of them begins a compaction
            store.database.update({"number": number}, doc_ids=["cfg_000000000001"])
        early = asyncio.create_task(store.create(configuration(template="b")))
        for event in (begun, complete):
            await asyncio.to_thread(event.wait)
        await asyncio.sleep(0.05)  # the event loop hears of the complete file
        late = asyncio.create_task(store.create(configuration(template="c")))
        await asyncio.sleep(0)
        assert lines() < 10, "it took over"
        compacted.set()
        assert [(await task)["template"] for task in (early, late)] == ["b", "c"]
        assert failed.is_set()
        assert await shown(store) == await stored(path) == ["a", "b", "c"]
        await store.close()

    run(scenario())


def test_others_are_answered_while_a_load_waits_for_the_disk(
    store: EmbeddedStore, disk: Disk, path: Path, run: Any
) -> None:
    async def scenario() -> None:
        (before,) = await create(store, "before")
        disk.ready.clear()
        loads = [
            asyncio.create_task(store.load({TABLE: [configuration(template=name)]})) for name in ("first", "second")
        ]
        await asyncio.sleep(0.05)
        assert await store.get(before["id"]) == before
        with pytest.raises(DuplicateScope):
            await store.create(configuration(template="before"))
        loads[1].cancel()  # a client that leaves while it waits
        store.database.update({"template": "meanwhile"}, doc_ids=[before["id"]])
        disk.ready.set()
        await loads[0]
        await create(store, "after")
        while "second" not in await shown(store):  # noqa: ASYNC110 - nobody is left who would be told
            await asyncio.sleep(0.01)
        assert await shown(store) == await stored(path) == ["second"]

    run(scenario())


@pytest.mark.parametrize("meanwhile", ["truncate", "close"])
def test_a_load_that_was_overtaken_says_so_and_changes_nothing(
    store: EmbeddedStore, disk: Disk, path: Path, run: Any, meanwhile: str
) -> None:
    async def scenario() -> None:
        await create(store, "before")
        disk.ready.clear()
        load = asyncio.create_task(store.load({TABLE: [configuration(template="loaded")]}))
        await asyncio.sleep(0.05)
        disk.ready.set()
        getattr(store.database, meanwhile)()
        with pytest.raises(StoreUnavailable, match="another write came first"):
            await load
        assert await stored(path) == ([] if meanwhile == "truncate" else ["before"])
        assert not path.with_name(f".{path.name}.new").exists()

    run(scenario())
