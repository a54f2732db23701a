"""`callconfig mcp`: the API and the controls of a mock as tools for agents (Model Context Protocol, on stdio)."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Iterator
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any
from urllib.parse import urlsplit

import httpx2
from anyio import wrap_file
from mcp import types
from mcp.server.lowlevel import Server as ProtocolServer
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from .app import create_app, sources
from .contract.document import Contract
from .contract.media import is_json
from .contract.schema import Schema
from .controls.bundle import BASE_PATH as CONTROLS_PATH
from .controls.bundle import load_controls
from .controls.controls import SESSION_HEADER, Controls
from .handlers import configurations
from .loading import load_contract
from .mcp_tools import ServedContract, reason, tools_of
from .mock import opened
from .options import McpOptions
from .outcome import OK, CouldNotRun, program
from .serving import Config, Server, listen, log_to_terminal, root_url

TIMEOUT = 150.0
"""Seconds to wait for a response: a search waits for up to a minute, and a delay may last as long."""
PAGES = {"reference.md": "text/markdown", "openapi.yaml": "application/yaml"}
"""Pages of each contract that are resources, by their media types."""

logger = logging.getLogger("callconfig")


def serve(options: McpOptions) -> int:
    """Serve until standard input ends. Raises CouldNotRun."""
    log_to_terminal()
    contract = load_contract(options.contract)
    if options.session is not None:
        controls = load_controls(contract)
        name = Schema(controls.resolve("#/components/schemas/Name"), controls.resolve, "request")
        for finding in name.findings(options.session, "header", "--session"):
            raise CouldNotRun(f"{finding.name} {finding.detail}")
    try:
        asyncio.run(
            _serve_own(options, contract) if options.url is None else _serve_remote(options.url, options, contract)
        )
    except* ConnectionError:  # the agent has left
        pass
    return OK


async def _serve_own(options: McpOptions, contract: Contract) -> None:
    """Serve the tools of a mock in this process. Its URL is open on loopback: a client under test uses it, too."""
    values = sources()
    with listen("127.0.0.1", options.port) as listening:
        async with opened(options.store, contract, values) as store:
            controls = Controls(contract, store, values, token=options.control_token)
            handlers = [configurations] if options.contract is None else []
            app = create_app(contract, store, controls=controls, handlers=handlers)
            server = _ServerWithoutSignals(Config(app), controls.sessions.stop)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                await _serve_stdio(root_url(listening), options, contract, is_steerable=True)
            finally:
                server.handle_exit()
                await serving


class _ServerWithoutSignals(Server):
    """A server that leaves signals to its process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve_remote(url: str, options: McpOptions, contract: Contract) -> None:
    """Serve the tools of a server that runs already. Raises CouldNotRun when none does."""
    async with _client() as client:
        try:
            clock = await client.get(f"{_root(url)}{CONTROLS_PATH}/clock", headers=_headers(options, is_control=True))
        except httpx2.HTTPError as error:
            raise CouldNotRun(f"no server responds at {url}: {reason(error)}; is the server running?") from error
    is_steerable = clock.status_code == 200 and is_json(clock.headers.get("content-type", ""))
    if not is_steerable:
        why = "is --control-token right?" if clock.status_code == 401 else "it has no controls"
        logger.warning("callconfig: %s cannot be steered (%s); only the API is offered", url, why)
    await _serve_stdio(url, options, contract, is_steerable=is_steerable)


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=TIMEOUT, trust_env=False, headers={"User-Agent": "callconfig"})


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _headers(options: McpOptions, *, is_control: bool) -> dict[str, str]:
    token = options.control_token if is_control else options.token
    session = {SESSION_HEADER: options.session} if options.session else {}
    return session | ({"authorization": f"Bearer {token}"} if token else {})


async def _serve_stdio(url: str, options: McpOptions, contract: Contract, *, is_steerable: bool) -> None:
    """Serve the protocol on standard input and output until the input ends."""
    is_own = options.url is None and options.token is None
    places = {"": ServedContract(contract, url, _headers(options, is_control=False), accepts_any_credentials=is_own)}
    if is_steerable:
        headers = _headers(options, is_control=True)
        places[CONTROLS_PATH] = ServedContract(load_controls(contract), _root(url) + CONTROLS_PATH, headers)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends the process: reading a line cannot be interrupted
    with _wire() as wire:
        async with _client() as client, stdio_server(stdout=wrap_file(wire)) as (read, write):
            server = protocol_server(url, places, client)
            await server.run(read, write, server.create_initialization_options())


@contextlib.contextmanager
def _wire() -> Iterator[TextIOWrapper]:
    """Standard output for messages alone. What an agent that has left did not read is dropped with it."""
    with FileIO(sys.stdout.fileno(), "w", closefd=False) as output, contextlib.redirect_stdout(sys.stderr):
        yield TextIOWrapper(BufferedWriter(output), "utf-8")


def protocol_server(url: str, places: dict[str, ServedContract], client: httpx2.AsyncClient) -> ProtocolServer[Any]:
    """The protocol's server: a tool for each operation of the places, their contracts and references as resources."""
    tools = {tool.name: tool for tool in tools_of(*places.values())}
    pages = {f"callconfig://{path}/{name}": (place, name) for path, place in places.items() for name in PAGES}

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[tool.described() for tool in tools.values()])

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in tools:
            raise MCPError(types.INVALID_PARAMS, f"no tool is named {params.name!r}; there are {', '.join(tools)}")
        return await tools[params.name].call(client, params.arguments or {})

    async def list_resources(_context: Any, _params: Any) -> types.ListResourcesResult:
        return types.ListResourcesResult(
            resources=[
                types.Resource(uri=uri, name=f"{place.contract.title}: {name}", mime_type=PAGES[name])
                for uri, (place, name) in pages.items()
            ]
        )

    async def read_resource(_context: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        if params.uri not in pages:
            raise MCPError(
                types.INVALID_PARAMS, f"no resource has the URI {params.uri!r}; there are {', '.join(pages)}"
            )
        place, name = pages[params.uri]
        try:
            answer = await client.get(f"{place.url}/{name}", headers=dict(place.headers))
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            raise MCPError(types.INTERNAL_ERROR, f"{place.url}/{name}: {reason(error)}") from error
        text = types.TextResourceContents(uri=params.uri, mime_type=PAGES[name], text=answer.text)
        return types.ReadResourceResult(contents=[text])

    return ProtocolServer(
        "callconfig",
        version=program()["version"],
        instructions=_instructions(url, places),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )


def _instructions(url: str, places: dict[str, ServedContract]) -> str:
    api = places[""]
    session = api.headers.get(SESSION_HEADER)
    said = [
        f"{api.contract.title} {api.contract.version}: {url}",
        'A result is {"status": …, "body": …}; an error says in words what was wrong, and where.',
    ]
    if session is not None:
        said.append(f"A client under test sends {SESSION_HEADER}: {session} to be in the same session.")
    if CONTROLS_PATH in places:
        said.append(
            "It is a mock, to be steered: replaceState and createRule prepare what a client under test meets at that "
            "URL; findRequests shows what it sent, with `valid: false` only what broke the contract, and its findings."
        )
    return "\n".join(said)
