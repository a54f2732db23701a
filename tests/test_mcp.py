"""`callconfig mcp` in conversations with the protocol's own client."""

import json
import math
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any

import anyio
import httpx2 as httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.controls.bundle import load_controls
from callconfig.mcp_tools import OperationTool, ServedContract, tools_of
from callconfig.outcome import COULD_NOT_RUN, OK
from jsonschema_rs import Draft202012Validator, meta
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

Json = Any
CONTRACTS = Path(__file__).parent / "support" / "contracts"


@asynccontextmanager
async def agent(*options: str, mode: str = "auto", seconds: float = 90) -> AsyncIterator[Client]:
    """A client of a new `callconfig mcp`, for some seconds at most."""
    command = StdioServerParameters(command=sys.executable, args=["-m", "callconfig", "mcp", *options])
    with anyio.fail_after(seconds):
        async with Client(stdio_client(command), mode=mode) as client:
            yield client


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[BlockingPortal, Client]]:
    """A shared agent for tests that do not change its mock, and its event loop."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(agent(seconds=math.inf)) as client:
        yield portal, client


async def error(client: Client, tool: str, **arguments: Json) -> str:
    """The text of a refusal."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    (content,) = result.content
    assert content.type == "text"
    return content.text


async def answered(client: Client, tool: str, **arguments: Json) -> Json:
    """The result of a successful call, which is the same as text and as data."""
    result = await client.call_tool(tool, arguments)
    (content,) = result.content
    assert content.type == "text"
    assert not result.is_error, content.text
    assert json.loads(content.text) == result.structured_content
    return result.structured_content


def tools() -> dict[str, tuple[OperationTool, Contract]]:
    api = Contract.load(validate=False)
    contracts = (api, load_controls(api))
    return {tool.name: (tool, each) for each in contracts for tool in tools_of(ServedContract(each, "http://mock", {}))}


TOOLS = tools()


async def converse_with(client: Client, sample: dict[str, Any]) -> None:
    assert [tool.name for tool in (await client.list_tools()).tools] == list(TOOLS)

    created = await answered(client, "createConfiguration", body=sample)
    assert (created["status"], created["body"]["reseller_id"]) == (201, sample["reseller_id"])
    assert await answered(client, "listConfigurations", reseller_id=sample["reseller_id"]) == {
        "status": 200,
        "body": [created["body"]],
    }

    again = await error(client, "createConfiguration", body=sample)
    assert again.startswith(f'409 Duplicate scope: The configuration "{created["body"]["id"]}" already has')

    wrong = await error(client, "updateConfiguration", id="cfg_1", body=sample | {"max_retry": -1, "max_retrys": 3})
    assert wrong.splitlines() == [
        "400 Invalid request: The request breaks the contract in 2 places.",
        "- body /max_retry: must be at least 0, not -1 (minimum)",
        '- body /max_retrys: is not a known member; did you mean "max_retry"? (additionalProperties)',
    ]

    found = await answered(client, "findRequests", body={"match": {"valid": False}})
    (entry,) = found["body"]["requests"]
    assert [finding["pointer"] for finding in entry["findings"]] == ["/max_retry", "/max_retrys"]
    assert (await answered(client, "listRequests", status=409))["body"][0]["operation"] == "createConfiguration"

    await answered(client, "setClock", body={"now": "2025-01-15T10:30:00Z"})
    await answered(client, "advanceClock", body={"seconds": 60})
    assert (await answered(client, "getClock"))["body"]["now"] == "2025-01-15T10:31:00.000000Z"

    await answered(client, "releaseClock")
    assert await answered(client, "clearState") == {"status": 204}


@pytest.mark.xdist_group("agent")
def test_an_agent_holds_a_conversation(shared: tuple[BlockingPortal, Client], sample: dict[str, Any]) -> None:
    portal, client = shared
    portal.call(converse_with, client, sample)


def test_an_agent_begins_with_the_handshake_of_the_versions_up_to_2025(sample: dict[str, Any]) -> None:
    async def converse() -> None:
        async with agent(mode="legacy") as client:
            await converse_with(client, sample)

    anyio.run(converse)


def test_an_agent_uses_the_mock_of_another_contract() -> None:
    async def converse() -> None:
        async with agent("--contract", str(CONTRACTS / "shops.yaml")) as client:
            assert "Shops 1.0.0" in (client.instructions or "")
            shop = (await answered(client, "openShop", body={"name": "a"}))["body"]["id"]
            await answered(client, "offer", shop=shop, body={"item": "tea", "price": 2})
            offered = await answered(client, "listOffers", shop=shop, item="tea")
            assert [each["price"] for each in offered["body"]["offers"]] == [2]
            stored = await answered(client, "addToState", table="shops", body={"name": "b"})
            assert (await answered(client, "readShop", shop=stored["body"]["id"]))["body"]["name"] == "b"
            refused = await error(client, "offer", shop=shop, body={"item": "tea"})
            assert "- body /price: is required and missing (required)" in refused.splitlines()
            (content,) = (await client.read_resource("callconfig:///reference.md")).contents
            assert getattr(content, "text", "").startswith("# Shops")

    anyio.run(converse)


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "http", "scheme": "bearer"},
        {"type": "oauth2", "flows": {}},
        *({"type": "apiKey", "in": place, "name": "key"} for place in ("header", "query", "cookie")),
    ],
)
def test_an_agent_needs_no_credentials_for_the_mock_that_accepts_any(tmp_path: Path, scheme: Json) -> None:
    operation = {"operationId": "readA", "security": [{"any": []}], "responses": {"204": {"description": "Yes."}}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "A", "version": "1"},
        "paths": {"/a": {"get": operation}},
        "components": {"securitySchemes": {"any": scheme}},
    }
    (tmp_path / "a.json").write_text(json.dumps(document))

    async def converse() -> None:
        async with agent("--contract", str(tmp_path / "a.json")) as client:
            assert (await answered(client, "readA"))["status"] == 204

    anyio.run(converse)


@pytest.mark.parametrize("name", ["books", "shops", "bookings", "songs", "users", "weather"])
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_the_tools_of_another_contract_are_such_as_hosts_take(name: str, version: str, tmp_path: Path) -> None:
    text = (CONTRACTS / f"{name}.yaml").read_text().replace("3.0.3", version)
    exclusive = "minimum: 1, exclusiveMinimum: true" if version < "3.1" else "exclusiveMinimum: 1"
    (tmp_path / "api.yaml").write_text(text.replace("minimum: 1,", f"{exclusive},"))
    api = Contract.load(tmp_path / "api.yaml")
    made = list(tools_of(ServedContract(api, "http://mock", {}), ServedContract(load_controls(api), "http://mock", {})))
    assert len({tool.name for tool in made}) == len(made)
    for tool in made:
        assert re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", tool.name)
        schema = tool.described().input_schema
        assert meta.is_valid(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
        Draft202012Validator(schema)
    if name == "shops":
        listing = next(tool for tool in made if tool.name == "listOffers")
        validator = Draft202012Validator(listing.described().input_schema)
        assert [validator.is_valid({"shop": 7, "page": page}) for page in (1, 2)] == [False, True]


def test_two_operations_of_one_name_are_two_tools(tmp_path: Path) -> None:
    text = (CONTRACTS / "weather.yaml").read_text().replace("readWeather", "getState")
    (tmp_path / "api.yaml").write_text(text)
    api = Contract.load(tmp_path / "api.yaml")
    made = tools_of(ServedContract(api, "http://mock", {}), ServedContract(load_controls(api), "http://mock", {}))
    assert [tool.name for tool in made][:4] == ["getState", "readForecast", "POST_alarms", "getState_2"]


@contextmanager
def piped_agent() -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes], IO[bytes]]]:
    """A process of `callconfig mcp`, with its standard input, output and error."""
    command, pipe = [sys.executable, "-m", "callconfig", "mcp"], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        yield process, process.stdin, process.stdout, process.stderr


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_it_waits_for_input(with_signal: signal.Signals) -> None:
    with piped_agent() as (process, stdin, stdout, stderr):
        stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        stdin.flush()
        assert b'"id":1' in stdout.readline()
        process.send_signal(with_signal)
        assert process.wait(10) == -with_signal
        assert stderr.read() == b""


def test_an_agent_that_has_left_is_no_error() -> None:
    with piped_agent() as (process, stdin, stdout, stderr):
        stdout.close()
        stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        stdin.close()
        assert process.wait(20) == OK
        assert stderr.read() == b""


@pytest.mark.xdist_group("agent")
def test_a_client_under_test_meets_what_the_agent_prepared(
    shared: tuple[BlockingPortal, Client], sample: dict[str, Any]
) -> None:
    portal, client = shared

    async def converse() -> None:
        said = client.instructions or ""
        assert set(re.findall(r"\b[a-z]+[A-Z][A-Za-z]+", said)) == {"replaceState", "createRule", "findRequests"}
        assert set(TOOLS) > {"replaceState", "createRule", "findRequests"}
        url = said.splitlines()[0].split(": ")[1]
        await answered(client, "createRule", body={"answer": {"status": 503}, "times": 1})
        statuses = [httpx.post(f"{url}/configurations", json=sample).status_code for _ in range(2)]
        assert statuses == [503, 201]
        await answered(client, "createRule", body={"fault": "reset", "times": 1})
        assert "No whole answer came" in await error(client, "listConfigurations")
        assert await answered(client, "clearState") == {"status": 204}

    portal.call(converse)


@pytest.mark.xdist_group("agent")
def test_what_cannot_be_sent_is_told(shared: tuple[BlockingPortal, Client], sample: dict[str, Any]) -> None:
    portal, client = shared

    async def converse() -> None:
        assert await error(client, "updateConfiguration", body=sample) == "'id' is required, as a path parameter."
        assert await error(client, "deleteSession", session="..") == "'session' is required, as a path parameter."
        misspelt = await error(client, "updateConfiguration", ids="cfg_1", body=sample)
        assert misspelt == "'ids' is no argument; did you mean \"id\"?; the tool takes id, body."
        assert "the tool takes none" in await error(client, "clearState", body={})
        with pytest.raises(MCPError, match="no tool is named 'deleteConfiguration'"):
            await client.call_tool("deleteConfiguration", {})

    portal.call(converse)


@pytest.mark.xdist_group("agent")
def test_the_contracts_and_their_references_are_resources(shared: tuple[BlockingPortal, Client]) -> None:
    portal, client = shared

    async def converse() -> dict[str, str]:
        texts = {}
        for resource in (await client.list_resources()).resources:
            (content,) = (await client.read_resource(resource.uri)).contents
            texts[resource.uri] = getattr(content, "text", "")
        with pytest.raises(MCPError, match="no resource has the URI"):
            await client.read_resource("callconfig:///etc/passwd")
        return texts

    texts = portal.call(converse)
    assert texts["callconfig:///openapi.yaml"] == (Path(__file__).parent.parent / "openapi.yaml").read_text()
    assert "createRule" in texts["callconfig:///_mock/openapi.yaml"]
    assert texts["callconfig:///reference.md"].startswith("# Configurations API")
    assert "createRule" in texts["callconfig:///_mock/reference.md"]


def test_an_agent_joins_a_session_of_a_mock_that_runs(serve: Callable[..., Any], sample: dict[str, Any]) -> None:
    mock = serve("--store", ":memory:", "--control-token", "s3cret", "--base-path", "/agent/voice")
    options = ("--url", f"{mock.url}/agent/voice", "--control-token", "s3cret", "--session", "mine")

    async def converse() -> None:
        async with agent(*options) as client:
            await answered(client, "createConfiguration", body=sample)
            assert len((await answered(client, "getState"))["body"]) == 1

    anyio.run(converse)
    path = f"{mock.url}/agent/voice/configurations"
    assert len(httpx.get(path, headers={"X-Mock-Session": "mine"}).json()) == 1
    assert httpx.get(path).json() == []


def test_without_controls_only_the_api_is_offered(serve: Callable[..., Any]) -> None:
    mock = serve("--store", ":memory:", "--no-controls")

    async def converse() -> list[str]:
        async with agent("--url", mock.url) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    assert anyio.run(converse) == list(Contract.load(validate=False).operations)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--url", "http://127.0.0.1:9"], "no server responds at http://127.0.0.1:9"),
        (["--session", "a/b"], "--session must match"),
        (["--contract", "/dev/null/nowhere.yaml"], "contract /dev/null/nowhere.yaml: cannot be read"),
        (["--store", "/dev/null/store"], "choose another location with --store"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(
    capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["mcp", *options]) == COULD_NOT_RUN
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("callconfig: ")
    assert words in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_takes_what_its_contract_shows(name: str) -> None:
    tool, contract = TOOLS[name]
    described = tool.described()
    assert meta.is_valid(described.input_schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
    operation = contract.operations[name]
    assert described.title == operation.declared["summary"]
    body: Mapping[str, Any] = contract.resolve.followed(operation.declared.get("requestBody", {}))
    path = {
        each.name: "mine" if each.declared.get("type") == "string" else 1
        for each in operation.parameters
        if each.place == "path"
    }
    validator = Draft202012Validator(described.input_schema)
    assert validator.is_valid(path) is not body.get("required", False)
    for content in body.get("content", {}).values():
        for example in content.get("examples", {}).values():
            assert validator.is_valid(path | {"body": contract.resolve.followed(example)["value"]})


@pytest.mark.parametrize(
    "change",
    [
        {"max_retry": -1},
        {"calling_provider": "VONAGE"},
        {"max_retrys": 3},
        {"call_start_time": "9 o'clock"},
        {"rate_limit_enabled": True},
        {"inbound_call_start_time": "09:00"},
        {"telephony_config": []},
        {"merchant_id": None},
        {"pre_checks": None},
        {"rate_limit_enabled": True, "rate_limit_max_calls": 1, "rate_limit_window_seconds": 60},
    ],
)
def test_a_tool_says_of_a_body_what_the_engine_says(
    contract: Contract, sample: dict[str, Any], change: dict[str, Any]
) -> None:
    body = sample | change
    request_body = contract.operations["createConfiguration"].request_body
    assert request_body is not None
    _, findings = request_body.read({"content-type": "application/json"}, json.dumps(body).encode())
    validator = Draft202012Validator(TOOLS["createConfiguration"][0].described().input_schema)
    assert validator.is_valid({"body": body}) == (findings == [])


@pytest.mark.xdist_group("wheel")
def test_without_the_extra_it_says_what_to_install(installed: Path) -> None:
    done = subprocess.run([installed / "bin" / "callconfig", "mcp"], capture_output=True, text=True, check=False)
    assert done.returncode == COULD_NOT_RUN
    assert done.stderr == "callconfig: mcp is not installed; install callconfig[mcp]\n"


def test_arguments_are_written_in_the_styles_of_their_parameters() -> None:
    bound = {"type": "integer", "exclusiveMinimum": 5}
    parameters = [
        {"name": "filter", "in": "query", "style": "deepObject", "schema": {"properties": {"size": bound}}},
        {"name": "tags", "in": "query", "explode": False, "schema": {"type": "array", "items": {"type": "string"}}},
    ]
    get = {"operationId": "find", "parameters": parameters, "responses": {"200": {"description": ""}}}
    info = {"title": "Things", "version": "1"}
    contract = Contract({"openapi": "3.1.0", "info": info, "paths": {"/things": {"get": get}}})
    (tool,) = tools_of(ServedContract(contract, "http://mock", {}))
    shown = tool.described().input_schema["properties"]["filter"]["properties"]["size"]
    assert shown["exclusiveMinimum"] == 5

    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200)

    async def call() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            await tool.call(client, {"filter": {"size": 6}, "tags": ["a", "b"]})

    anyio.run(call)
    assert asked == ["http://mock/things?filter%5Bsize%5D=6&tags=a,b"]
