"""The command line: options, their environment variables, usage errors, exit codes."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import click
import pytest
from callconfig.cli import COMMANDS, main
from callconfig.outcome import COULD_NOT_RUN, OK, USAGE

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve", "--port", "http"], "'http' is not a valid integer"),
        (["serve", "--port", "65536"], "65536 is not in the range 0<=x<=65535"),
        (["serve", "--base-path", "agent"], "'agent' is not a path"),
        (["serve", "--frobnicate"], "No such option '--frobnicate'"),
        ([], "Check a server against the contract."),
        (["docs"], "Write the reference as files."),
        (["verify"], "Missing argument 'FILE...'"),
    ],
)
def test_wrong_usage_is_told_with_its_exit_code(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(arguments) == USAGE
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("CALLCONFIG_PORT", "many", "'many' is not a valid integer"),
        ("CALLCONFIG_QUIET", "perhaps", "'perhaps' is not a valid boolean"),
        ("CALLCONFIG_BASE_PATH", "agent", "'agent' is not a path"),
    ],
)
def test_a_wrong_environment_variable_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert main(["serve"]) == USAGE
    error = capsys.readouterr().err
    assert f"(env var: '{variable}'): {words}" in error


def given(name: str, *arguments: str) -> dict[str, Any]:
    """The options of a command for these arguments."""
    return COMMANDS.commands[name].make_context(name, list(arguments)).params


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("YES", True), ("on", True), ("no", False), ("", False)])
def test_a_flag_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch, value: str, meant: bool) -> None:
    monkeypatch.setenv("CALLCONFIG_QUIET", value)
    assert given("serve")["quiet"] is meant


def test_what_is_given_counts_more_than_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCONFIG_PORT", "1")
    monkeypatch.setenv("CALLCONFIG_CONTROLS", "no")
    params = given("serve", "--port", "2", "--controls")
    assert (params["port"], params["controls"]) == (2, True)


def test_options_of_many_values_have_a_separator_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCONFIG_SEED", os.pathsep.join(("a.json", "b.json")))
    monkeypatch.setenv("CALLCONFIG_INCLUDE", "listConfigurations,create*")
    monkeypatch.setenv("CALLCONFIG_HEADER", "X-Team: calls, and more\nX-Run: 7")
    assert given("serve")["seed"] == (Path("a.json"), Path("b.json"))
    assert given("check")["random_seed"] is None
    assert given("check")["include"] == ("listConfigurations", "create*")
    assert given("check")["header"] == (("X-Team", "calls, and more"), ("X-Run", "7"))


def commands(group: click.Group = COMMANDS) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", each) for inner, each in commands(command))
        else:
            yield name, command


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[name for name, _ in commands()])
def test_every_option_is_shown_with_its_variable(
    capsys: pytest.CaptureFixture[str], name: str, command: click.Command
) -> None:
    assert main([*name.split(), "--help"]) == OK
    shown = " ".join(capsys.readouterr().out.replace("-\n", "-").split())
    for parameter in command.params:
        assert isinstance(parameter, click.Argument) or f"env var: {parameter.envvar}" in shown
        assert parameter.get_help_record(click.Context(command)) is not None


def test_a_variable_means_one_thing() -> None:
    """No two options of one variable are of different types."""
    meant: dict[str, tuple[Any, Any]] = {}
    for _, command in commands():
        for option in command.params:
            if option.envvar:
                assert isinstance(option.envvar, str)
                assert meant.setdefault(option.envvar, (option.type.name, option.multiple)) == (
                    option.type.name,
                    option.multiple,
                ), option.envvar


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--base-path", "\x1b[31m"],
        ["serve", "--\x1b[31m\nserved"],
        ["\x1b[31m"],
        ["serve", "\x1b[31m\x9b"],
        ["serve", "--store", ":memory:", "--port", "0", "--host", "\x1b[31m"],
        ["serve", "--store", ":memory:", "--port", "0", "--seed", "\x1b[31m\r"],
        ["docs", "build", "-o", "site", "--contract", "\x1b[31m\n"],
    ],
)
def test_what_was_typed_never_steers_the_terminal(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(arguments) in (USAGE, COULD_NOT_RUN)
    said = capsys.readouterr().err
    assert "[31m" in said
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "http://user:s3cret@127.0.0.1:1"], "has no user and no password"),
        (["compare", "http://127.0.0.1:1", "http://s3cret@127.0.0.1:x"], "has no user and no password"),
        (["proxy", "--upstream", "http://user:s3cret@127.0.0.1:1/v1"], "has no user and no password"),
        (["mcp", "--url", "http://user:s3cret@127.0.0.1:1"], "has no user and no password"),
        (["serve", "--store", "mysql://user:s3cret@127.0.0.1/calls"], "a postgresql:// URL"),
        (["check", "--header", "Authorization Bearer s3cret"], "is not a header field like"),
        (["check", "--header", "Authorization(: s3cret"], "is not a header field like"),
        (["check", "--header", "content-length: s3cret"], "is part of the syntax of a request"),
        (["check", "--token", "s3cret s3cret"], "visible ASCII characters"),
    ],
)
def test_a_secret_that_was_typed_is_not_shown(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(arguments) == USAGE
    said = capsys.readouterr().err
    assert words in said
    assert "s3cret" not in said


def test_wrong_usage_shows_the_usage_of_its_own_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "build", "--nothing"]) == USAGE
    error = capsys.readouterr().err
    assert error.startswith("Usage: callconfig docs build [OPTIONS]\n")
    assert "Try 'callconfig docs build --help'" in error


def test_a_file_that_cannot_be_used_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert main(["docs", "build", "-o", str(tmp_path / "taken")]) == COULD_NOT_RUN
    error = capsys.readouterr().err
    assert error.startswith("callconfig: ")
    assert error.count("\n") == 1


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == OK
    assert capsys.readouterr().out.startswith("callconfig 0.")


@pytest.fixture
def run_uninstalled(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command from a copy of the package, and without the metadata of an installed one."""
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if "callconfig" not in each.name:
            (libraries / each.name).symlink_to(each)

    def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join(map(str, (copy, libraries)))
        command = [sys.executable, "-S", "-m", "callconfig", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
        )

    return run


def test_a_copy_without_metadata_has_no_version_and_does_all_else(
    tmp_path: Path, run_uninstalled: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "callconfig").symlink_to(ROOT)
    assert run_uninstalled(tmp_path / "copy", "--version").stdout == "callconfig unknown\n"
    contract = str(ROOT / "examples" / "library.yaml")
    done = run_uninstalled(tmp_path / "copy", "diff", contract, contract, "--report", "json:diff.json")
    assert (done.returncode, done.stderr) == (OK, "")
    assert json.loads((tmp_path / "diff.json").read_text())["tool"] == {"name": "callconfig", "version": "unknown"}


def test_a_zip_which_has_no_files_serves_nothing_and_says_so_in_one_line(
    tmp_path: Path, run_uninstalled: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    packed = tmp_path / "callconfig.zip"
    with ZipFile(packed, "w") as archive:
        for path in [*ROOT.glob("*.py"), *ROOT.glob("[a-z]*/**/*.py"), *ROOT.glob("contract/*.json")]:
            archive.write(path, f"callconfig/{path.relative_to(ROOT)}")
    contract = str(ROOT / "examples" / "library.yaml")
    done = run_uninstalled(packed, "serve", "--port", "0", "--store", ":memory:", "--contract", contract)
    assert (done.returncode, done.stdout) == (COULD_NOT_RUN, "")
    assert done.stderr == f"callconfig: {packed}/callconfig/controls/controls.yaml: Not a directory\n"


def test_without_docstrings_the_help_still_has_the_options_alone() -> None:
    command = [sys.executable, "-OO", "-m", "callconfig"]
    helped = [
        subprocess.run([*command, *each], capture_output=True, text=True, check=True).stdout
        for each in (["--help"], ["lint", "--help"])
    ]
    assert "LintOptions" not in "".join(helped)
    assert "FILE...  OpenAPI 3.0 or 3.1 file" in helped[1]


def test_the_command_starts_without_what_it_does_not_need() -> None:
    """`callconfig --help` imports neither the web stack nor the test tools."""
    heavy = ["connexion", "starlette", "schemathesis", "hypothesis", "openapi_spec_validator", "psycopg", "jinja2"]
    heavy += ["uvicorn", "mcp", "asyncio", "yaml", "orjson", "callconfig.contract"]
    script = (
        f"import sys, callconfig.cli as c; c.main(['serve', '--help']);print([n for n in {heavy} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("click", ["--help"]),
        ("callconfig.options", ["lint", "openapi.yaml"]),
        ("connexion", ["serve"]),
        ("schemathesis", ["check"]),
        ("callconfig.documentation.build", ["docs", "build", "-o", "site"]),
        ("callconfig.difference.diff", ["diff", "a", "b"]),
        ("callconfig.contract.validation", ["serve", "--port", "0", "--contract", str(ROOT / "openapi.yaml")]),
    ],
)
def test_an_interruption_while_modules_are_loading_is_one_line(
    tmp_path: Path, module: str, arguments: list[str]
) -> None:
    script = f"""
import os, signal, sys
from importlib.metadata import entry_points
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interruption:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interruption())
sys.argv = {["callconfig", *arguments]}
(command,) = entry_points(group="console_scripts", name="callconfig")
sys.exit(command.load()())
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (COULD_NOT_RUN, "", "callconfig: interrupted\n")
