"""Files that a user names: pipes are read once, and an endless one is refused."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from callconfig.cli import main
from callconfig.outcome import COULD_NOT_RUN, FINDINGS, OK

EXAMPLES = Path(__file__).parent.parent / "examples"
LIBRARY = EXAMPLES / "library.yaml"
RECORDING = (
    b'{"log": {"entries": [{"startedDateTime": "2025-01-15T10:30:00Z", "time": 1,'
    b' "request": {"method": "GET", "url": "http://a.example/hours", "headers": []},'
    b' "response": {"status": 404, "headers": [], "content": {}}}]}}'
)


@pytest.fixture
def pipe() -> Iterator[Callable[[bytes], str]]:
    """The path of a pipe with a text, as a shell makes of `<(…)`."""
    opened = []

    def made(text: bytes) -> str:
        readable, writable = os.pipe()
        opened.append(readable)
        os.write(writable, text)
        os.close(writable)
        return f"/dev/fd/{readable}"

    yield made
    for each in opened:
        os.close(each)


@pytest.mark.parametrize(
    "arguments",
    [
        "check --contract",
        "init",
        "docs build -o site --contract",
        f"diff {LIBRARY}",
        f"diff {LIBRARY} {LIBRARY} --accepted",
        "serve --port 0 --contract",
        "serve --port 0 --store :memory: --seed",
        "serve --port 0 --auth",
        "serve --port 0 --scenario",
    ],
)
def test_an_endless_file_is_refused_in_one_line(capsys: pytest.CaptureFixture[str], arguments: str) -> None:
    assert main([*arguments.split(), "/dev/zero"]) == COULD_NOT_RUN
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "/dev/zero: " in error
    assert error.endswith("is larger than 100 MB\n")


def test_a_contract_from_a_pipe_is_proposed_and_published_as_one_from_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pipe: Callable[[bytes], str]
) -> None:
    text = LIBRARY.read_bytes()
    assert main(["init", pipe(text)]) == OK
    assert "+      x-resource:" in capsys.readouterr().out
    assert main(["docs", "build", "-o", str(tmp_path), "--contract", pipe(text)]) == OK
    assert (tmp_path / "openapi.yaml").read_bytes() == text
    capsys.readouterr()
    assert main(["lint", pipe(text.replace(b"responses:", b"rsponses:", 1))]) == FINDINGS
    assert ":5: " in capsys.readouterr().err


def test_a_recording_from_a_pipe_is_judged(capsys: pytest.CaptureFixture[str], pipe: Callable[[bytes], str]) -> None:
    assert main(["verify", "--contract", str(LIBRARY), pipe(RECORDING)]) == FINDINGS
    assert "404" in capsys.readouterr().out
