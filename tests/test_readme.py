"""The README is true line by line: its conversations are held with a real server, and the answers are compared."""

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from callconfig.cli import COMMANDS
from callconfig.contract.body import MAX_BYTES, MAX_CONTAINERS
from callconfig.contract.document import Contract
from callconfig.contract.finding import MAX_FINDINGS
from callconfig.contract.rulebook import HOUSE_RULES
from callconfig.contract.strict_json import MAX_DEPTH
from callconfig.controls.bundle import load_controls
from callconfig.controls.sessions import Limits
from callconfig.serving import GRACE_SECONDS, Protocol
from callconfig.tests.support.running import PYTEST, serving

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CLIENT_TEAMS = README.partition("## For client teams")[2]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server of the README's first command, on a free port."""
    with serving("--quiet", folder=tmp_path_factory.mktemp("new")) as server:
        yield str(server.address[1])


def conversations() -> list[tuple[str, str]]:
    """Each command of a console block that talks to the mock, with its output."""
    blocks = re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    parts = [
        part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if "localhost:8080" in part
    ]
    split = [re.fullmatch(r"(.*?)\n([\[{].*)\n", part, re.DOTALL) for part in parts]
    assert all(split)
    return [(found[1], found[2]) for found in split if found]


def test_every_conversation_goes_as_it_is_written(port: str) -> None:
    assert len(conversations()) >= 5
    for command, written in conversations():
        spoken = command.replace("localhost:8080", f"localhost:{port}").replace("python3", shlex.quote(sys.executable))
        answer = subprocess.run(["bash", "-c", spoken], capture_output=True, text=True, check=True).stdout
        pattern = re.escape(written).replace("…", ".*")
        assert re.fullmatch(pattern, answer.rstrip("\n")), f"{command}\n{answer}"


@pytest.mark.slow
def test_a_foreign_contract_is_mocked_in_three_commands(tmp_path: Path) -> None:
    section = README.partition("## A mock of any contract")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    steps = [step.partition("\n")[::2] for block in blocks for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "library.yaml", tmp_path / "examples")
    (tmp_path / "my_handlers.py").write_text(
        re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[0]
    )
    ours = f"{shlex.quote(sys.executable)} -m callconfig"
    with contextlib.ExitStack() as running:
        port = ""
        for command, written in steps:
            if " serve " in command:
                server = running.enter_context(serving(*shlex.split(command)[4:], "--port", "0", folder=tmp_path))
                port, answer = str(server.address[1]), server.greeting
            else:
                spoken = command.replace("uv run callconfig ", f"{ours} ", 1)
                spoken = spoken.replace("localhost:8081", f"localhost:{port}")
                done = subprocess.run(["bash", "-c", spoken], capture_output=True, text=True, cwd=tmp_path)
                answer = done.stderr + done.stdout
            pattern = re.escape(written.strip()).replace("…", "(.|\n)*").replace("8081", port or "8081")
            assert re.fullmatch(pattern, _with_notes_last(answer).strip()), f"{command}\n{answer}"
    with serving("--contract", "examples/library.yaml", "--handlers", "my_handlers.py", folder=tmp_path) as server:
        assert server.client.get("/hours").json() == {"opens": "10:00", "closes": "16:00"}


def _with_notes_last(answer: str) -> str:
    """The output with notes last, because the order of standard error is not defined."""
    return "".join(sorted(answer.splitlines(keepends=True), key=lambda line: line.startswith("note: ")))


def test_the_two_first_commands_lead() -> None:
    first, second = re.findall(r"^(?:python3|uv) .*$", README, re.MULTILINE)[:2]
    assert first.startswith("python3 -m pip install uv && uv run callconfig serve")
    assert second.startswith("uv run pytest")


def test_every_command_that_is_named_exists() -> None:
    commands = set(re.findall(r"(?:`|^uv run |^\$ uv run )callconfig ([a-z]+)\b", README, re.MULTILINE))
    assert commands >= {"serve", "check", "compare", "verify", "proxy", "docs"}
    assert commands <= set(COMMANDS.commands)


CLIENT = """
import time

import httpx2


class Configurations:
    def __init__(self, url):
        self.http = httpx2.Client(base_url=url)

    def create(self, reseller_id, template):
        body = {"reseller_id": reseller_id, "template": template, "initial_offset": 0, "retry_offset": 60}
        body |= {"call_start_time": "09:00", "call_end_time": "21:00", "max_retry": 1, "calling_provider": "PLIVO"}
        while self.http.post("/configurations", json=body).status_code == 503:
            time.sleep(0.1)
        self.http.close()
"""


def test_the_example_for_client_teams_passes_as_it_is_written(tmp_path: Path) -> None:
    example = re.search(r"^```python\n(.*?)^```$", CLIENT_TEAMS, re.MULTILINE | re.DOTALL)
    assert example
    (tmp_path / "myclient.py").write_text(CLIENT)
    (tmp_path / "test_client.py").write_text(example[1])
    command = [*PYTEST, "--rootdir", tmp_path, tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout


def test_the_example_of_what_a_suite_shares_works_as_it_is_written(tmp_path: Path) -> None:
    conftest = re.findall(r"^```python\n(.*?)^```$", CLIENT_TEAMS, re.MULTILINE | re.DOTALL)[1]
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_shared.py").write_text(
        "def test_shared(mock):\n"
        "    assert mock.base_url.endswith(f'/_mock/in/{mock.session}/agent/voice')\n"
        "    assert [each['id'] for each in mock.state()] == ['cfg_one']\n"
    )
    command = [*PYTEST, "--rootdir", tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout


def test_the_words_in_javascript_work_as_they_are_written(port: str, tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not on this machine")
    (example,) = re.findall(r"^```js\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    client = (
        "const body = JSON.stringify(await mock.configuration());\n"
        "const headers = { 'Content-Type': 'application/json' };\n"
        "const create = () => fetch(`${mock.baseUrl}/configurations`, { method: 'POST', headers, body });\n"
        "for (let i = 0; i < 3; i++) await create();\n"
        "console.log((await mock.requests()).map((each) => each.status).join());\n"
    )
    spoken = example.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    (tmp_path / "example.mjs").write_text(re.sub(r"// … .*\n", lambda _: client, spoken))
    done = subprocess.run(["node", "example.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "503,503,201\n"), done.stderr


@pytest.mark.xdist_group("wheel")
def test_callconfig_is_added_to_another_project_as_it_is_written(wheel: Path, tmp_path: Path) -> None:
    """From a repository, and from a wheel; the command then runs in each project."""
    repository = shutil.copytree(ROOT, tmp_path / "callconfig", ignore=shutil.ignore_patterns(".*", "*.egg-info"))
    author = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    for row in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "All"]):
        subprocess.run(["git", *row], cwd=repository, check=True)
    commands = re.findall(r"^uv add --dev .*$", README, re.MULTILINE)
    assert len(commands) == 2
    for number, command in enumerate(commands):
        project = tmp_path / str(number)
        subprocess.run(["uv", "init", "--quiet", "--bare", "--python", sys.executable, project], check=True)
        here = command.replace("git+https://git.example.com/calls/callconfig", f"git+file://{repository}")
        here = re.sub(r"file:///downloads/[^\"]+", f"file://{wheel}", here)
        assert here != command
        subprocess.run(shlex.split(here), cwd=project, capture_output=True, check=True)
        lint = ["uv", "run", "callconfig", "lint", str(ROOT / "openapi.yaml")]
        subprocess.run(lint, cwd=project, capture_output=True, check=True)


def test_what_hosts_of_agents_are_told_is_a_command() -> None:
    blocks = map(json.loads, re.findall(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))
    (host,) = [block for block in blocks if "mcpServers" in block]
    (server,) = host["mcpServers"].values()
    name, *options = server["args"][server["args"].index("callconfig") + 1 :]
    COMMANDS.commands[name].make_context(name, options)


def test_the_hook_that_is_shown_exists() -> None:
    (shown,) = re.findall(r"- id: (\S+)", README)
    assert shown in {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


def test_every_file_that_is_named_exists() -> None:
    for name in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (ROOT / name).is_file(), name


def test_every_example_is_run_by_a_test() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.rglob("test_*.py"))
    for example in (ROOT / "examples").iterdir():
        assert f'"{example.name}"' in tests, example.name


def test_the_rules_that_go_beyond_the_standards_are_those_of_the_engine() -> None:
    named = re.findall(r"^\| `([a-z-]+)` \| that ", README, re.MULTILINE)
    assert named == sorted(HOUSE_RULES)


def test_the_bounds_are_those_of_the_code(contract: Contract) -> None:
    """The table has the constants, each in its unit."""
    limits = Limits()
    operations = load_controls(contract).operations.values()
    (largest,) = {each.request_body.max_bytes for each in operations} - {MAX_BYTES}
    for row in (
        f"| request line and header fields | {Protocol.MAX_HEAD >> 10} KiB, within {Protocol.HEAD_SECONDS:g} s |",
        f"{MAX_BYTES >> 20} MiB, and at least {Protocol.MIN_BODY >> 10} KiB in each {Protocol.BODY_SECONDS:g} s |",
        f"| a state or a scenario in a request | {largest >> 20} MiB |",
        f"| a journal | {limits.journal_entries:,} requests in {limits.journal_bytes >> 20} MiB |",
        f"| configurations of a session other than the default one | {limits.configurations:,} |",
        f"| nesting of JSON | {MAX_DEPTH} levels |",
        f"| arrays and objects in a request body of the API | {MAX_CONTAINERS:,} |",
        f"| findings in a response | {MAX_FINDINGS} |",
        f"| connections | {Protocol.MAX_CONNECTIONS:,} |",
        f"{limits.sessions:,}, idle for at most {limits.idle_seconds / 60:g} minutes |",
        f"| the data of one session, with its journal | {limits.session_bytes >> 20} MiB |",
        f"| the data of all sessions | {limits.all_bytes >> 20} MiB |",
        f"| the time for open requests after the signal to stop | {GRACE_SECONDS + 1} s |",
    ):
        assert row in README, row
