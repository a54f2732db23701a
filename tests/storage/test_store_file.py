"""The file of the embedded store: its format, its opening, and failures of the disk."""

import json
import os
import pwd
import re
import resource as limits
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from callconfig.storage.opening import open_store
from callconfig.storage.store import Store, StoreUnavailable, UnreadableStore
from callconfig.tests.support.stores import RESOURCE, TABLE, configuration, counted_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HEADER = '{"format":"callconfig store","version":1}\n'
GOOD_LINE = '{"id":"a","reseller_id":"r","template":"a","created_at":"2026-01-01T00:00:00Z","updated_at":""}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.jsonl"


@pytest.fixture
def opened(path: Path, run: Any) -> Iterator[Callable[..., Store]]:
    """A function that opens the file; open stores are closed at the end."""
    stores = []
    values = counted_values()

    def open_here(**options: Any) -> Store:
        store: Store = run(open_store(str(path), [RESOURCE], values, **options))
        stores.append(store)
        return store

    yield open_here
    for store in stores:
        run(store.close())


def templates(store: Store, run: Any) -> list[str]:
    return [json.loads(text)["template"] for text in run(store.find())]


def test_a_file_is_a_header_and_one_readable_line_per_change(opened: Any, path: Path, run: Any) -> None:
    store = opened()
    created = run(store.create(configuration(note="ünï\ncode")))
    replaced = run(store.replace(created["id"], configuration(template="other")))
    header, *lines = path.read_text().splitlines()
    assert header + "\n" == HEADER
    assert [json.loads(line) for line in lines] == [created, replaced]
    assert "ünï\\ncode" in lines[0]


def test_what_was_stored_is_there_after_opening_again(opened: Any, run: Any) -> None:
    store = opened()
    created = run(store.create(configuration(number=1e300)))
    run(store.replace(created["id"], configuration(template="other", number=1e300)))
    before = run(store.find())
    run(store.close())
    assert run(opened().find()) == before


def test_only_the_owner_can_read_the_file(opened: Any, path: Path, run: Any) -> None:
    run(opened().load({TABLE: [configuration()]}))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_permissions_that_were_changed_stay(opened: Any, path: Path, run: Any) -> None:
    store = opened()
    path.chmod(0o640)
    run(store.close())
    run(opened().load({TABLE: [configuration()]}))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_default_folder_is_made_and_tells_git_to_pass_it_over(tmp_path: Path, run: Any) -> None:
    place = tmp_path / "project" / ".callconfig" / "store.jsonl"
    run(run(open_store(str(place), [RESOURCE], counted_values())).close())
    assert (place.parent / ".gitignore").read_text() == "*\n"
    assert [child.name for child in (tmp_path / "project").iterdir()] == [".callconfig"]


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path, run: Any) -> None:
    place = tmp_path / ".callconfig" / "store.jsonl"
    place.parent.mkdir()
    run(run(open_store(str(place), [RESOURCE], counted_values())).close())
    assert os.listdir(place.parent) == ["store.jsonl"]  # noqa: PTH208


def test_a_symbolic_link_stays_one(opened: Any, path: Path, tmp_path: Path, run: Any) -> None:
    target = tmp_path / "elsewhere.jsonl"
    path.symlink_to(target)
    run(opened().load({TABLE: [configuration()]}))
    assert path.is_symlink()
    assert len(target.read_text().splitlines()) == 2


def test_a_log_cut_at_any_byte_opens_with_every_line_before_the_cut(
    opened: Any, path: Path, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened()
    first = run(store.create(configuration(template="a", note="first")))
    run(store.create(configuration(template="b", note="ü")))
    run(store.replace(first["id"], configuration(template="c")))
    run(store.close())
    whole = path.read_bytes()
    ends = [match.end() for match in re.finditer(b"\n", whole)]
    states: list[list[str]] = [[], ["a"], ["a", "b"], ["c", "b"]]

    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        caplog.clear()
        store = opened()
        complete = sum(end - 1 <= cut for end in ends)  # a line that lacks only the newline is complete
        assert templates(store, run) == states[max(0, complete - 1)]
        dropped = cut - max([0, *(end for end in ends if end <= cut)])
        warnings = [record.getMessage() for record in caplog.records]
        if dropped and cut + 1 not in ends:
            assert f"line {complete + 1} is not whole and was dropped: {dropped} bytes" in warnings[0]
        else:
            assert warnings == []
        run(store.create(configuration(template="new")))
        run(store.close())
        store = opened()
        assert templates(store, run) == [*states[max(0, complete - 1)], "new"]
        run(store.close())


def test_the_warning_of_a_torn_line_shows_no_secret(opened: Any, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text(HEADER + '{"id":"cfg_000000000001","telephony_config":{"auth_token":"s3cret"')
    opened()
    assert "cfg_000000000001" in caplog.text
    assert "s3cret" not in caplog.text


DAMAGES = {
    "something else": ("[settings]\nname = value\n", "line 1: not a callconfig store"),
    "JSON of something else": ('{"_default": {}}', "line 1: not a callconfig store"),
    "another format": (HEADER.replace("1", "2"), "line 1: a format of another version of callconfig"),
    "no JSON": (HEADER + GOOD_LINE + "{]\n" + GOOD_LINE, "line 3: not JSON at column 2"),
    "an empty line": (HEADER + "\n" + GOOD_LINE, "line 2: not JSON at column 1"),
    "no object": (HEADER + GOOD_LINE + "[]\n", "line 3: not a JSON object"),
    "no object in an unfinished line": (HEADER + "[]", "line 2: not a JSON object"),
    "no id": (HEADER + GOOD_LINE.replace('"id"', '"name"'), "line 2: 'id' is missing"),
    "no text": (HEADER + GOOD_LINE.replace('"a"', "1"), "line 2: 'id' is not a string"),
    "no time": (HEADER + GOOD_LINE.replace("created_at", "made"), "line 2: 'created_at' is missing"),
    "a scope twice": (HEADER + GOOD_LINE + GOOD_LINE.replace('"a"', '"b"', 1), "line 3: a already has"),
    "zeros": (HEADER + GOOD_LINE + "\0" * 20 + "\n" + GOOD_LINE, "line 3: not JSON at column 1"),
}


@pytest.mark.parametrize(("content", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_refused_and_left_exactly_as_it_is(
    opened: Any, path: Path, content: str, reason: str
) -> None:
    path.write_text(content)
    with pytest.raises(UnreadableStore, match=re.escape(f"{path}, {reason}")):
        opened()
    assert path.read_text() == content
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208
    path.write_text(HEADER)
    assert opened(), "the refused file is not kept open"


def test_text_that_is_not_utf_8_is_refused(opened: Any, path: Path) -> None:
    content = HEADER.encode() + GOOD_LINE.encode().replace(b"r", b"\xff") + GOOD_LINE.encode()
    path.write_bytes(content)
    with pytest.raises(UnreadableStore, match="line 2: not JSON"):
        opened()
    assert path.read_bytes() == content


ODD_LINES = {
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number of 5,000 digits": GOOD_LINE.encode().replace(b'""', b"9" * 5_000),
    "a power beyond floats": GOOD_LINE.encode().replace(b'""', b"1e999"),
    "a lone surrogate": GOOD_LINE.encode().replace(b'""', b'"\\ud800"'),
    "a zero byte": GOOD_LINE.encode().replace(b'""', b'"\0"'),
    "a line of 10 MB": b"x" * 10_000_000,
    "the end of the calendar": GOOD_LINE.encode().replace(b"2026-01-01T00:00:00Z", b"0001-01-01T00:00:00+23:59"),
    "control characters": GOOD_LINE.encode().replace(b'"a"', rb'"\u001b[2J\r\n"', 1) + GOOD_LINE.encode(),
}


@pytest.mark.parametrize("line", ODD_LINES.values(), ids=ODD_LINES)
def test_odd_lines_are_stored_or_refused_in_one_line(opened: Any, path: Path, run: Any, line: bytes) -> None:
    path.write_bytes(content := HEADER.encode() + line.rstrip() + b"\n")
    opens_or_is_left_as_it_is(opened, path, run, content)


PIECES = st.lists(
    st.binary(max_size=20)
    | st.text(max_size=20).map(str.encode)
    | st.sampled_from(
        [
            HEADER.encode(),
            GOOD_LINE.encode(),
            GOOD_LINE.replace('"a"', '"b"').encode(),
            *(piece.encode() for piece in ("\n", "{", "}", "[" * 2_000, '"id":', '"a"', "null", "9" * 5_000, "\0")),
        ]
    ),
    max_size=6,
)


@given(start=st.sampled_from([b"", HEADER.encode(), HEADER.encode() + GOOD_LINE.encode()]), pieces=PIECES)
@settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_file_holds_it_is_opened_or_refused_and_left_as_it_is(
    opened: Any, path: Path, run: Any, start: bytes, pieces: list[bytes]
) -> None:
    path.write_bytes(content := start + b"".join(pieces))
    opens_or_is_left_as_it_is(opened, path, run, content)


def opens_or_is_left_as_it_is(opened: Any, path: Path, run: Any, content: bytes) -> None:
    """Assert that the file opens, takes a write and opens again, or is refused unchanged."""
    store = refusal = None
    try:
        store = opened()
    except UnreadableStore as error:
        refusal = str(error)
    if refusal is not None:
        assert refusal.isprintable()
        assert path.read_bytes() == content
        assert os.listdir(path.parent) == [path.name]  # noqa: PTH208
        return
    assert store
    run(store.create(configuration("reseller", "new")))
    expected = run(store.find())
    run(store.close())
    store = opened()
    assert run(store.find()) == expected
    run(store.close())


def test_a_name_that_no_file_can_have_is_refused(run: Any) -> None:
    with pytest.raises(UnreadableStore, match="cannot be opened"):
        run(open_store("store\0.jsonl", [RESOURCE], counted_values()))


def test_a_path_from_a_working_directory_that_is_gone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Any
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UnreadableStore, match=r"^store.jsonl cannot be opened: No such file or directory$"):
        run(open_store("store.jsonl", [RESOURCE], counted_values()))


@pytest.mark.parametrize("place", ["folder", "folder/file/below", "pipe", "/dev/null", "/proc/version"])
def test_what_is_no_ordinary_file_is_refused(tmp_path: Path, run: Any, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableStore, match=re.escape(place.split("/below")[0])):
        run(open_store(str(tmp_path / place), [RESOURCE], counted_values()))


def test_a_file_has_one_process_at_a_time(opened: Any, path: Path, run: Any) -> None:
    store = opened()
    for _ in range(2):
        with pytest.raises(UnreadableStore, match=re.escape(f"{path} is in use by another process")):
            opened()
        run(store.load({TABLE: [configuration()]}))  # which renames another file to the path, also in use
    run(store.close())
    assert opened()


def test_a_closed_store_writes_no_more(opened: Any, path: Path, run: Any) -> None:
    store = opened()
    run(store.close())
    with path.with_name("other").open("w"):  # reuses the number of the closed descriptor
        for write in (store.create(configuration()), store.load({TABLE: [configuration()]})):
            with pytest.raises(StoreUnavailable, match="it was closed"):
                run(write)
    assert path.read_text() == HEADER
    assert path.with_name("other").read_text() == ""


def test_dead_lines_are_compacted_while_writing_goes_on(opened: Any, path: Path, run: Any) -> None:
    store = opened()
    created = [run(store.create(configuration(template=str(number)))) for number in range(10)]
    for number in range(3_000):
        document = created[number % 10]
        run(store.replace(document["id"], {**document, "round": number}))
    expected = run(store.find())
    assert len(path.read_text().splitlines()) < 2_500
    run(store.close())
    assert run(opened().find()) == expected
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


def test_a_file_with_many_dead_lines_is_compacted_after_opening(opened: Any, path: Path, run: Any) -> None:
    path.write_text(HEADER + GOOD_LINE * 2_000)
    run(opened().close())
    assert path.read_text() == HEADER + GOOD_LINE


def test_what_a_killed_compaction_left_behind_is_replaced(opened: Any, path: Path, run: Any) -> None:
    leftover = path.with_name(f".{path.name}.new")
    leftover.write_text("half of a ")
    run(opened().load({TABLE: [configuration()]}))
    assert not leftover.exists()


@pytest.mark.parametrize("fsync", [False, True])
def test_a_vanished_volume_is_unavailable_until_it_is_back(opened: Any, path: Path, run: Any, fsync: bool) -> None:
    folder = path.parent
    store = opened(fsync=fsync)
    created = run(store.create(configuration(template="before")))
    away = folder.rename(folder.with_name("away"))
    for write in (
        store.create(configuration()),
        store.replace(created["id"], configuration()),
        store.load({TABLE: []}),
    ):
        with pytest.raises(StoreUnavailable, match="No such file or directory"):
            run(write)
    folder.mkdir()
    with pytest.raises(StoreUnavailable):
        run(store.create(configuration()))
    assert list(folder.iterdir()) == []
    assert templates(store, run) == ["before"]
    folder.rmdir()
    away.rename(folder)
    run(store.create(configuration(template="after")))
    run(store.close())
    assert templates(opened(), run) == ["before", "after"]


def test_a_file_that_took_the_name_is_not_touched(opened: Any, path: Path, run: Any) -> None:
    store = opened()
    path.unlink()
    path.write_text("mine")
    for write in (store.create(configuration()), store.load({TABLE: [configuration()]})):
        with pytest.raises(StoreUnavailable, match="another file has taken its place"):
            run(write)
    assert path.read_text() == "mine"
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write(GOOD_LINE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (cut_in_half, "it was truncated by somebody else, to 100 bytes instead of 201"),
        (empty, "it was truncated by somebody else, to 0 bytes instead of 201"),
        (append, "it was appended to by somebody else, to 297 bytes instead of 201"),
        (Path.unlink, "No such file or directory"),
    ],
)
@pytest.mark.parametrize("fsync", [False, True])
def test_in_a_file_that_others_changed_nothing_is_acknowledged(
    opened: Any, path: Path, run: Any, change: Callable[[Path], None], reason: str, fsync: bool
) -> None:
    store = opened(fsync=fsync)
    created = run(store.create(configuration(template="before")))
    change(path)
    left = path.read_bytes() if path.exists() else None
    for write in (
        store.create(configuration()),
        store.replace(created["id"], configuration(template="other")),
        store.load({TABLE: [configuration()]}),
    ):
        with pytest.raises(StoreUnavailable, match=re.escape(reason)):
            run(write)
    assert templates(store, run) == ["before"], "what was acknowledged earlier can still be read, and be saved"
    run(store.close())
    assert (path.read_bytes() if path.exists() else None) == left


def test_a_file_that_others_put_back_as_it_was_is_written_again(opened: Any, path: Path, run: Any) -> None:
    store = opened()
    run(store.create(configuration(template="before")))
    size = path.stat().st_size
    append(path)
    with pytest.raises(StoreUnavailable, match="appended to"):
        run(store.create(configuration()))
    os.truncate(path, size)
    run(store.create(configuration(template="after")))
    run(store.close())
    assert templates(opened(), run) == ["before", "after"]


def test_a_compaction_does_not_replace_a_file_that_others_changed(
    opened: Any, path: Path, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(HEADER + GOOD_LINE * 2_000)
    store = opened()
    append(path)
    run(store.close())
    assert "was not compacted: it was appended to by somebody else" in caplog.text
    assert path.read_text() == HEADER + GOOD_LINE * 2_001


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Limit files to `size`, as a full disk does: a write is cut short there, and the next one fails."""
    soft, hard = limits.getrlimit(limits.RLIMIT_FSIZE)
    limits.setrlimit(limits.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 60, 100])
def test_a_full_disk_loses_nothing_and_is_over_when_there_is_room(opened: Any, path: Path, run: Any, room: int) -> None:
    store = opened()
    created = run(store.create(configuration(template="before")))
    before = path.read_bytes()
    with full_disk(len(before) + room):
        for write in (
            store.create(configuration()),
            store.replace(created["id"], configuration()),
            store.load({TABLE: [configuration(note="x" * 1_000)]}),
        ):
            with pytest.raises(StoreUnavailable, match="cannot be written"):
                run(write)
            assert path.read_bytes() == before
        assert templates(store, run) == ["before"]
    run(store.create(configuration(template="after")))
    run(store.close())
    assert templates(opened(), run) == ["before", "after"]
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


def test_a_compaction_for_which_there_is_no_room_is_a_warning(
    opened: Any, path: Path, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(HEADER + GOOD_LINE * 2_000)
    with full_disk(10):
        run(opened().close())
    assert "was not compacted: File too large" in caplog.text
    assert path.read_text() == HEADER + GOOD_LINE * 2_000
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


@contextmanager
def unprivileged() -> Iterator[None]:
    """Drop the rights of root, for whom no folder is read-only."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A read-only folder, outside of the test's own, which other users may not enter."""
    with TemporaryDirectory() as folder:
        yield Path(folder)
        Path(folder).chmod(0o700)


def test_in_a_read_only_folder_nothing_stored_is_lost(read_only_folder: Path, run: Any) -> None:
    path = read_only_folder / "store.jsonl"
    store = run(open_store(str(path), [RESOURCE], counted_values()))
    run(store.create(configuration(template="before")))
    read_only_folder.chmod(0o555)
    with unprivileged(), pytest.raises(StoreUnavailable, match="Permission denied"):
        run(store.load({TABLE: []}))
    run(store.create(configuration(template="appended")))
    read_only_folder.chmod(0o755)
    assert templates(store, run) == ["before", "appended"]
    run(store.close())


@pytest.mark.parametrize("exists", [False, True])
def test_a_store_that_cannot_be_written_is_not_opened(read_only_folder: Path, run: Any, exists: bool) -> None:
    path = read_only_folder / "store.jsonl"
    if exists:
        path.write_text(HEADER)
        path.chmod(0o444)
    read_only_folder.chmod(0o555)
    with unprivileged(), pytest.raises(UnreadableStore, match=re.escape(f"{path} cannot be opened: Permission denied")):
        run(open_store(str(path), [RESOURCE], counted_values()))
