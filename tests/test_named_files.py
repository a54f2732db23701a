"""Files that a user names: pipes are read once, and an endless one is refused."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from callconfig.cli import main
from callconfig.outcome import COULD_NOT_RUN, FINDINGS, OK, USAGE

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


@pytest.mark.parametrize(
    "arguments",
    [
        "verify --contract library.yaml a.har --report json:a.har",
        "verify --contract library.yaml a.har --report har:./a.har",
        "verify --contract library.yaml a.har --report html:library.yaml",
        "check --contract library.yaml --baseline a.har --report json:a.har",
        "verify --contract library.yaml a.har --report json:new --report junit:new",
        "proxy --contract library.yaml --upstream http://127.0.0.1:1 --record new --report har:new",
        "diff library.yaml a.har --report json:a.har",
        "diff library.yaml library.yaml --traffic a.har --report json:a.har",
    ],
)
def test_a_report_replaces_no_file_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("library.yaml").write_bytes(LIBRARY.read_bytes())
    Path("a.har").write_bytes(RECORDING)
    assert main(arguments.split()) == USAGE
    assert capsys.readouterr().err.endswith(" has another use already; choose another file\n")
    assert (Path("library.yaml").read_bytes(), Path("a.har").read_bytes()) == (LIBRARY.read_bytes(), RECORDING)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.har", "library.yaml"]


def test_two_reports_may_go_to_a_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.har").write_bytes(RECORDING)
    reports = ["--report", "json:/dev/null", "--report", "junit:/dev/null"]
    assert main(["verify", "--contract", str(LIBRARY), str(tmp_path / "a.har"), *reports]) == FINDINGS
    assert "callconfig:" not in capsys.readouterr().err


def test_a_contract_of_several_files_is_not_replaced_by_the_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, part = tmp_path / "openapi.yaml", tmp_path / "part.yaml"
    contract.write_text('{openapi: 3.0.3, info: {title: A, version: "1"}, paths: {/a: {$ref: part.yaml}}}')
    part.write_text("get: {responses: {'204': {description: none}}}")
    before = contract.read_bytes()
    assert main(["docs", "build", "--contract", str(contract), "-o", str(tmp_path)]) == COULD_NOT_RUN
    assert "has parts in other files" in capsys.readouterr().err
    assert (contract.read_bytes(), len(list(tmp_path.iterdir()))) == (before, 2)
