"""The reader of any file yields interactions that can be judged, or reports an error in one line."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.interaction import Interaction
from callconfig.outcome import CouldNotRun
from callconfig.tests.support.recordings import interactions
from callconfig.traffic import recording
from callconfig.traffic.curl import curl
from callconfig.traffic.har import entry, read_har
from callconfig.traffic.ndjson import read_ndjson
from callconfig.traffic.pact import read_pact
from callconfig.traffic.reader import complete_recording
from callconfig.traffic.recording import InvalidRecording
from callconfig.traffic.redaction import Redaction
from callconfig.verification.judge import Judge
from callconfig.verification.running import baseline
from callconfig.verification.verify import error_line

READERS = {"har": read_har, "ndjson": read_ndjson, "pact": read_pact}
ODD: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        200,
        1e308,
        float("nan"),
        float("inf"),
        10**400,
        "",
        "GET",
        "base64",
        "%",
        "é",
        "\ud800",
        "\x00",
    ),
    *("http://[", "http://h:x/", "/configurations", "application/json", "Synchronous/HTTP", "2025-01-01", [], {}, [[]]),
]
GOOD_HAR: dict[str, Any] = {
    "log": {
        "entries": [
            {
                "request": {
                    "method": "GET",
                    "url": "http://h/configurations",
                    "headers": [{"name": "a", "value": "b"}],
                },
                "response": {"status": 200, "headers": [], "content": {"text": "[]"}},
            }
        ]
    }
}
GOOD_LINE = {
    "started": "2025-01-01T00:00:00Z",
    "milliseconds": 1,
    "request": {"method": "GET", "url": "http://h/configurations", "headers": [["a", "b"]], "body": None},
    "response": {"status": 200, "headers": [["content-type", "application/json"]], "body": "[]"},
}
GOOD_PACT = {
    "interactions": [
        {
            "type": "Synchronous/HTTP",
            "description": "it",
            "request": {"method": "POST", "path": "/configurations", "query": {"a": ["b"]}, "headers": {"A": ["b"]}},
            "response": {"status": 201, "body": {"content": {"id": 1}, "contentType": "application/json"}},
        }
    ]
}
GOOD: dict[str, Any] = {"har": GOOD_HAR, "ndjson": GOOD_LINE, "pact": GOOD_PACT}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


def judged(contract: Contract, interaction: Interaction) -> None:
    """Judge, redact and write an interaction that was read."""
    verdict = Judge(contract).judge(interaction)
    shown = Redaction(contract, ["b"]).interaction(interaction)
    json.dumps(entry(shown), allow_nan=False)
    str(verdict.findings) + curl(shown)


def read_all(contract: Contract, kind: str, path: Path) -> int:
    """The number of interactions in a file; every one is judged, and the reader's error is one line."""
    number = 0
    with contextlib.suppress(InvalidRecording):
        for read in READERS[kind](path, "file"):
            if isinstance(read, Interaction):
                judged(contract, read)
                number += 1
            else:
                assert error_line(read).isprintable()

    def all_judged() -> None:
        for read, _ in complete_recording(str(path)):
            judged(contract, read)

    assert error_message(all_judged).isprintable()
    return number


def error_message(action: Callable[[], object]) -> str:
    """The error of an action; empty without one."""
    try:
        action()
    except CouldNotRun as error:
        return str(error)
    return ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("kind", READERS)
def test_a_good_file_is_read(tmp_path: Path, contract: Contract, kind: str, encoding: str) -> None:
    path = tmp_path / "file"
    path.write_text(json.dumps(GOOD[kind]), encoding)
    assert read_all(contract, kind, path) == 1


@pytest.mark.parametrize("kind", READERS)
def test_a_value_of_the_wrong_kind_anywhere_is_no_traceback(tmp_path: Path, contract: Contract, kind: str) -> None:
    path = tmp_path / "file"
    for place in places(GOOD[kind]):
        for odd in ODD:
            path.write_text(json.dumps(changed(GOOD[kind], place, odd)))
            read_all(contract, kind, path)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"log": {"entries": [' + b"[" * 100_000,
        b'{"log": {"entries": [{"request": ' + b'{"a":' * 100_000,
        b'{"interactions": ' + b"[" * 100_000,
        b'{"request": ' + b"[" * 100_000,
        b'{"log": {"entries": [{"time": ' + b"9" * 5000 + b"}]}}",
        b'{"request": ' + b"9" * 5000 + b"}",
        b'{"interactions": [' + b"9" * 5000 + b"]}",
        b'{"findings": ' + b"9" * 5000 + b"}",
        b"\xff\xfe{\x00}\x00",
        b"",
    ],
    ids=range(11),
)
def test_deep_and_huge_values_are_told_in_one_line(tmp_path: Path, contract: Contract, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert [read_all(contract, kind, path) for kind in READERS] == [0, 0, 0]
    with pytest.raises(CouldNotRun, match="is not a JSON report"):
        baseline(path)


def test_brackets_in_strings_are_no_levels(tmp_path: Path, contract: Contract) -> None:
    for size in (1, 65_534, 65_535, 65_536, 65_537):  # the reader may cut anywhere
        text = "x" * size + '\\"' + "[{" * 5000
        path = tmp_path / "file"
        path.write_text(json.dumps(changed(GOOD_HAR, ("log", "entries", 0, "response", "content", "text"), text)))
        assert read_all(contract, "har", path) == 1


@pytest.mark.parametrize("kind", READERS)
def test_an_entry_that_is_larger_than_is_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    import importlib

    for module in ("recording", "ndjson", "pact"):
        monkeypatch.setattr(importlib.import_module(f"callconfig.traffic.{module}"), "MAX_BYTES", 100_000)
    path = tmp_path / "file"
    path.write_text(json.dumps({**GOOD[kind], "more": "x" * 200_000}))
    with pytest.raises(InvalidRecording, match="is larger than"):
        list(READERS[kind](path, "file"))


def test_many_entries_may_be_larger_than_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_BYTES", 200_000)
    path = tmp_path / "file"
    path.write_text(json.dumps({"log": {"entries": GOOD_HAR["log"]["entries"] * 5000}}))
    assert path.stat().st_size > 500_000
    assert len(interactions(path)) == 5000
