"""Clients that common generators make of the served contracts compile, and hold a conversation with the mock.

Each of the API creates, lists, reads, puts back what it read, and is refused with 400, 404 and 409, in its own types;
each of the controls sets the clock and the state, adds a rule, looks into the journal and is refused with 404 and 409.
"""

import contextlib
import functools
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from callconfig.verification.target import serving
from starlette.types import ASGIApp

CLIENTS = Path(__file__).parent / "clients"
Generate = tuple[str | Path, ...]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),  # the first of them downloads the tools
    pytest.mark.xdist_group("generators"),  # later tests use the clients of earlier ones
]

ROWS = {
    "openapi-fetch": "openapi-typescript, with openapi-fetch",
    "hey-api": "@hey-api/openapi-ts",
    "orval": "orval",
    "typescript-fetch": "openapi-generator, TypeScript",
    "openapi_generator_python": "openapi-generator, Python",
    "openapi_python_client": "openapi-python-client",
    "datamodel_code_generator": "datamodel-code-generator",
}
"""The generators that are tested, each with its row in the README's table."""
README = (Path(__file__).parents[2] / "README.md").read_text()
TABLE = README.partition("| generator | flags |\n| --- | --- |\n")[2].partition("\n\n")[0]
README_FLAGS = dict(line.strip("| ").split(" | ", 1) for line in TABLE.splitlines())
FLAGS = {row: () if flags == "none" else tuple(flags.strip("`").split()) for row, flags in README_FLAGS.items()}
"""The flags of each generator in the README's table, with which the tests run it."""
_UNCALLED_FOR = "ModelUtils - Failed to get the schema name: null"
"""A warning of openapi-generator for Python about every contract, even one object with one string."""


def _typescript(tool: str, folders: list[str], modules: Path) -> list[tuple[str, Generate]]:
    """Commands that generate all clients, with their folders; tools from npm are slower to start than to generate."""
    flags = FLAGS[ROWS[tool]]
    if tool == "openapi-fetch":
        return [(".", (modules / "openapi-typescript", *flags))]  # it reads redocly.yaml
    if tool == "hey-api":
        read, made = [f"./{folder}/openapi.json" for folder in folders], [f"{folder}/generated" for folder in folders]
        return [(".", (modules / "openapi-ts", "-i", *read, "-o", *made, *flags))]
    if tool == "orval":
        return [(".", (modules / "orval", "--config", "orval.config.js", *flags))]
    return [(folder, _openapi_generator("typescript-fetch", "generated")) for folder in folders]


def _openapi_generator(tool: str, output: str, *more: str) -> Generate:
    return ("openapi-generator-cli", "generate", "-i", "openapi.json", "-o", output, *FLAGS[ROWS[tool]], *more)


def _warnings(written: str, but: str | None = None) -> list[str]:
    """The warnings in a generator's output, without those that contain `but`."""
    lines = (line for line in written.splitlines() if but is None or but not in line)
    return [line for line in lines if any(word in line.lower() for word in ("warn", "error", "unsupported", "skip"))]


CONTRACTS = {"api": "", "controls": "/_mock"}
"""The contracts by the folder of their conversations, with their base paths on the mock."""
TYPESCRIPT = ("openapi-fetch", "hey-api", "orval", "typescript-fetch")


@dataclass
class Client:
    """A generated client of a contract, and the mock for its conversation."""

    folder: Path
    url: str
    complaints: list[str]
    """The warnings and errors of the generator and the compiler."""


@pytest.fixture(scope="module")
def start(make_steered: Callable[..., ASGIApp]) -> Iterator[Callable[[str], str]]:
    """A function that starts a mock for a conversation, and returns the URL of the contract."""
    with contextlib.ExitStack() as stack:
        yield lambda contract: stack.enter_context(serving(make_steered())) + CONTRACTS[contract]


def _begin(folder: Path, url: str) -> Path:
    folder.mkdir()
    (folder / "openapi.json").write_bytes(httpx.get(f"{url}/openapi.json").content)
    return folder


def _configure(project: Path, clients: dict[str, Client]) -> None:
    """Write the configurations of openapi-typescript and orval: the contracts and the output paths."""

    def paths(tool: str) -> Iterator[tuple[str, str, str]]:
        for contract in CONTRACTS:
            yield f"{tool}-{contract}", f"./{tool}-{contract}/openapi.json", f"./{tool}-{contract}/generated.ts"

    fetched = {name: {"root": read, "x-openapi-ts": {"output": made}} for name, read, made in paths("openapi-fetch")}
    (project / "redocly.yaml").write_text(json.dumps({"apis": fetched}))
    orval = {
        name: {"input": read, "output": {"target": made, "client": "fetch", "baseUrl": clients[name].url}}
        for name, read, made in paths("orval")
    }
    (project / "orval.config.js").write_text(f"module.exports = {json.dumps(orval)}")


def _generate(
    tool: str, project: Path, clients: dict[str, Client], modules: Path, run_in: Callable[..., str], path: Path
) -> None:
    made = [f"{tool}-{contract}" for contract in CONTRACTS]
    for where, command in _typescript(tool, made, modules):
        try:
            complaints = _warnings(run_in(project / where, *command, path=path))
        except AssertionError as failed:
            complaints = [str(failed)]
        for name in [where] if where in clients else made:
            clients[name].complaints += complaints


def _tell(lines: list[str], clients: dict[str, Client]) -> None:
    """Add each line of the compiler's output to the client that it concerns."""
    wrong = list(clients.values())
    for line in lines:
        if not line.startswith(" "):  # else it continues the line before
            name = line.partition("/")[0]
            wrong = [clients[name]] if name in clients else list(clients.values())
        for client in wrong:
            client.complaints.append(line)


@pytest.fixture(scope="module")
def typescript(
    start: Callable[[str], str], node: Path, python: Path, run_in: Callable[..., str], tmp_path_factory: Any
) -> dict[str, Client]:
    """Every client in TypeScript, in one project, because the compiler takes longer to start than to compile one."""
    project: Path = tmp_path_factory.mktemp("typescript")
    for name in ("run.js", "tsconfig.json"):
        shutil.copy(CLIENTS / name, project)
    (project / "node_modules").symlink_to(node / "node_modules")
    clients: dict[str, Client] = {}
    for tool, contract in itertools.product(TYPESCRIPT, CONTRACTS):
        url = start(contract)
        folder = _begin(project / f"{tool}-{contract}", url)
        for name in ("expected.ts", "sample.ts"):
            shutil.copy(CLIENTS / name, folder)
        shutil.copy(CLIENTS / contract / f"{tool}.ts", folder / "conversation.ts")
        clients[folder.name] = Client(folder, url, [])
    _configure(project, clients)
    for tool in TYPESCRIPT:
        _generate(tool, project, clients, node / "node_modules" / ".bin", run_in, python)
    try:
        run_in(project, node / "node_modules" / "typescript-7" / "bin" / "tsc", "-p", "tsconfig.json")
    except AssertionError as failed:
        _tell(str(failed).splitlines()[1:], clients)
    return clients


@pytest.mark.parametrize("served", CONTRACTS)
@pytest.mark.parametrize("tool", TYPESCRIPT)
def test_a_typescript_client_compiles_strictly_and_talks_to_the_mock(
    tool: str, served: str, typescript: dict[str, Client], run_in: Callable[..., str]
) -> None:
    client = typescript[f"{tool}-{served}"]
    assert client.complaints == []
    run_in(client.folder.parent, "node", "run.js", client.folder.name, client.url)


PYTHON: dict[str, Generate] = {
    "openapi_python_client": (
        *("openapi-python-client", "generate", "--path", "openapi.json"),
        *("--output-path", "generated", "--meta", "none", "--fail-on-warning"),
        *FLAGS[ROWS["openapi_python_client"]],
    ),
    "openapi_generator_python": _openapi_generator("openapi_generator_python", ".", "--package-name", "generated"),
    "datamodel_code_generator": (
        *("datamodel-codegen", "--input", "openapi.json", "--output", "generated.py"),
        *("--formatters", "builtin", "--disable-timestamp"),
        *FLAGS[ROWS["datamodel_code_generator"]],
    ),
}


@pytest.fixture(scope="module")
def python_client(
    start: Callable[[str], str], python: Path, run_in: Callable[..., str], tmp_path_factory: Any
) -> Callable[[str, str], Client]:
    """The Python client that a tool generates from a contract."""

    @functools.cache
    def make(tool: str, contract: str) -> Client:
        url = start(contract)
        folder = _begin(tmp_path_factory.mktemp("python") / f"{tool}-{contract}", url)
        uncalled_for = _UNCALLED_FOR if tool == "openapi_generator_python" else None
        return Client(folder, url, _warnings(run_in(folder, *PYTHON[tool], path=python), uncalled_for))

    return make


@pytest.mark.parametrize("served", CONTRACTS)
@pytest.mark.parametrize("tool", PYTHON)
def test_a_python_client_type_checks_and_talks_to_the_mock(
    tool: str, served: str, python_client: Callable[..., Client], python: Path, run_in: Callable[..., str]
) -> None:
    client = python_client(tool, served)
    assert client.complaints == []
    shutil.copy(CLIENTS / "sample.py", client.folder)
    shutil.copy(CLIENTS / served / f"{tool}.py", client.folder / "conversation.py")
    # The generated code alone, without the tool's own library, such as its HTTP client.
    made = [path for path in ("generated/models", "generated/api", "generated.py") if (client.folder / path).exists()]
    cache = python.parents[1] / "mypy" / f"{tool}-{served}"  # the clients have modules of the same names
    run_in(client.folder, python / "mypy", f"--cache-dir={cache}", "--follow-imports=silent", "conversation.py", *made)
    run_in(client.folder, python / "python", "conversation.py", client.url)


def test_the_generators_of_the_readme_are_those_that_are_tested() -> None:
    assert sorted(ROWS.values()) == sorted(README_FLAGS)
    assert sorted(ROWS) == sorted((*TYPESCRIPT, *PYTHON))


NAMES = {
    "api": {
        *("CallExecutionConfig", "CallExecutionConfigCreate", "CallExecutionConfigUpdate", "PreCheck"),
        *("Problem", "Violation", "CallingProvider", "InboundBlockAction", "PreCheckType", "FailureAction"),
        *("HttpMethod", "HttpRequest", "RequestPart", "ResponseConfig", "TelephonyConfig", "TelephonyConfigInput"),
    },
    "controls": {
        *("CallExecutionConfig", "Problem", "Violation", "NewRule", "Rule", "Match", "Matcher", "MatchPart", "Answer"),
        *("HeaderField", "Fault", "Delay", "Distribution", "Entry", "RecordedRequest", "RecordedResponse", "Search"),
        *("BodyEncoding", "Found", "NearMiss", "Mismatch", "Clock", "NewClock", "Advance", "Ids", "Scenario"),
        *("Session", "Fork", "Snapshot", "Changes", "NewConfiguration", "Har", "HarLog", "HarCreator", "HarEntry"),
    },
}


@pytest.mark.parametrize("served", CONTRACTS)
def test_what_is_generated_has_the_names_that_a_person_would_give(
    served: str, python_client: Callable[..., Client]
) -> None:
    generated = python_client("datamodel_code_generator", served).folder / "generated.py"
    defined = {
        line.removeprefix("class ").partition("(")[0]
        for line in generated.read_text().splitlines()
        if line.startswith("class ")
    }
    assert NAMES[served] <= defined
