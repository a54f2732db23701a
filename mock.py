"""`callconfig serve`: opens the store, loads the seeds, greets, serves, and ends cleanly."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import socket
import sys
from asyncio import Runner, run
from collections.abc import AsyncIterator, Sequence
from functools import partial
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from .app import create_app, sources
from .asgi.access_log import AccessLog
from .contract.document import Contract
from .contract.finding import counted
from .contract.references import read_file
from .controls import scenario
from .controls.bundle import BASE_PATH as CONTROLS_PATH
from .controls.clock import Sources
from .controls.controls import Controls, is_control
from .controls.sessions import Limits
from .documentation.served import ServedReference
from .handlers import configurations
from .handlers.resolution import InvalidHandlers, load_handlers, notes
from .identity.authentication import Authentication, InvalidAuthentication
from .loading import load_contract
from .options import ServeOptions, cache_folder
from .outcome import OK, CouldNotRun, has_colours, printable, program
from .seeds import load_seeds
from .serving import Config, Server, Workers, listen, log_to_terminal, root_url
from .storage.opening import is_shared, open_store
from .storage.store import Store, StoreError
from .streams import steady_streams
from .traffic.redaction import Redaction


def serve(options: ServeOptions) -> int:
    """Serve until SIGINT or SIGTERM. Raises CouldNotRun."""
    log_to_terminal()
    if options.workers > 1 and not is_shared(options.store):
        advice = "use --store postgresql://…"
        raise CouldNotRun(f"--workers {options.workers} needs a store that processes share; {advice}")
    if options.controls and options.workers == 1 and is_control(options.base_path):
        advice = "choose another one, or turn the controls off with --no-controls"
        raise CouldNotRun(f"--base-path {options.base_path} is in the place of the controls; {advice}")
    scenario_text = _read_scenario(options)
    with listen(options.host, options.port) as listening:
        if options.workers > 1:
            _serve_from_workers(options, listening)
        else:
            config = Config("")
            with Runner(loop_factory=config.get_loop_factory()) as runner:
                runner.run(_serve(options, scenario_text, config, listening))
    return OK


@contextlib.asynccontextmanager
async def opened(location: str, contract: Contract, values: Sources, *, fsync: bool = False) -> AsyncIterator[Store]:
    """The store, closed at the end. Raises CouldNotRun."""
    try:
        store = await open_store(location, contract.resources, values.values, contract=contract.title, fsync=fsync)
    except StoreError as error:
        raise CouldNotRun(f"{error}; choose another location with --store") from error
    try:
        yield store
    finally:
        await store.close()


class _Mock:
    """The mock that the options describe. Raises CouldNotRun for unusable files."""

    def __init__(self, options: ServeOptions) -> None:
        self.options, self.contract, self.sources = options, load_contract(options.contract), sources()
        try:
            own = [load_handlers(name, self.contract) for name in options.handlers]
            self._authenticate = Authentication.from_file(options.auth, self.contract) if options.auth else None
        except InvalidHandlers as error:
            raise CouldNotRun(f"--handlers {error}") from error
        except InvalidAuthentication as error:
            raise CouldNotRun(f"--auth {error}") from error
        self.handlers = [*own, *([configurations] if options.contract is None else [])]

    def opened(self) -> contextlib.AbstractAsyncContextManager[Store]:
        return opened(self.options.store, self.contract, self.sources, fsync=self.options.fsync)

    async def stored(self, store: Store) -> int:
        """The number of documents in all tables."""
        return sum([len(await store.table(resource.table).find()) for resource in self.contract.resources])

    @contextlib.asynccontextmanager
    async def running(self, store: Store, controls: Controls | None = None) -> AsyncIterator[ASGIApp]:
        """The application; tunes the process, which must serve nothing else."""
        references: list[ServedReference] = []
        app = create_app(
            self.contract,
            store,
            base_path=self.options.base_path,
            controls=controls,
            authenticate=self._authenticate,
            log=_access_log(self.options, self.contract),
            handlers=self.handlers,
            references=references,
        )
        early = asyncio.create_task(_prerender(references))
        _tune_for_latency()
        yield app
        early.cancel()


def _access_log(options: ServeOptions, contract: Contract) -> AccessLog | None:
    if options.quiet:
        return None
    as_json, colour = options.log == "json", has_colours(sys.stderr)
    return AccessLog(sys.stderr.write, Redaction(contract), as_json=as_json, colour=colour)


async def _serve(options: ServeOptions, scenario_text: bytes | None, config: Config, listening: socket.socket) -> None:
    """Serve from this process."""
    _protect_controls(options, listening)
    mock = _Mock(options)
    async with mock.opened() as store:
        await load_seeds(options.seed, mock.contract, store)
        controls = await _controls(mock, store, scenario_text)
        async with mock.running(store, controls) as config.app:
            greet = partial(_greet, mock, listening, options, await mock.stored(store))
            # Otherwise a client that waits for requests would delay the end.
            stop = controls.sessions.stop if controls else lambda: None
            await asyncio.sleep(0)  # ends here where SIGINT came meanwhile, and not while the application starts
            await Server(config, stop, greet).serve(sockets=[listening])


async def _prerender(references: Sequence[ServedReference]) -> None:
    """Render the pages before they are requested, unless an earlier server of the contract has cached them."""
    folder = cache_folder()
    for reference in references:
        reference.folder = folder
    await asyncio.sleep(1)  # the first requests come first
    for reference in references:
        with contextlib.suppress(Exception):  # the request of the page tells the error
            await reference.rendered()


def _tune_for_latency() -> None:
    """Tune for low latency: the garbage collector skips loaded objects and runs less often.

    The event loop waits at most a millisecond for a thread to release the interpreter.
    """
    gc.freeze()
    gc.set_threshold(10_000, 3, 250)
    sys.setswitchinterval(0.001)


def _serve_from_workers(options: ServeOptions, listening: socket.socket) -> None:
    """Serve from several processes, after this one has opened the store and loaded the seeds.

    There are no controls: each process would steer itself only.
    """
    mock = _Mock(options)

    async def prepare() -> int:
        async with mock.opened() as store:
            await load_seeds(options.seed, mock.contract, store)
            return await mock.stored(store)

    stored = run(prepare())
    reasons = get_context("spawn").SimpleQueue()
    config = Config(_Worker(options, reasons), workers=options.workers, lifespan="on")
    Workers(config, listening, lambda: _greet(mock, listening, options, stored), reasons).run()


class _Worker:
    """The application of each of several processes: the mock with its own connection to the store."""

    def __init__(self, options: ServeOptions, reasons: SimpleQueue[str]) -> None:
        self._options, self._reasons = options, reasons

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await Router(lifespan=self._lifespan)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _router: Any) -> AsyncIterator[None]:
        steady_streams()
        log_to_terminal()
        async with contextlib.AsyncExitStack() as opened:
            try:
                mock = _Mock(self._options)
                store = await opened.enter_async_context(mock.opened())
            except CouldNotRun as error:
                self._reasons.put(str(error))
                logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # the parent process reports it
                raise
            self._app: ASGIApp = await opened.enter_async_context(mock.running(store))
            yield


def _protect_controls(options: ServeOptions, listening: socket.socket) -> None:
    """Raises CouldNotRun when clients of other machines could steer the mock without a token."""
    host = listening.getsockname()[0]
    if options.controls and options.control_token is None and not ipaddress.ip_address(host).is_loopback:
        advice = "give them a --control-token, or turn them off with --no-controls"
        raise CouldNotRun(f"everyone who can connect to {host} could use the controls; {advice}")


async def _controls(mock: _Mock, store: Store, scenario_text: bytes | None) -> Controls | None:
    """The controls, with a scenario loaded if there is one. Raises CouldNotRun."""
    options = mock.options
    if not options.controls:
        return None
    controls = Controls(
        mock.contract,
        store,
        mock.sources,
        limits=Limits(journal_entries=options.journal),
        token=options.control_token,
        hosts=[options.host, *options.control_host],
        origins=options.control_origin,
    )
    if scenario_text is not None:
        try:
            await scenario.load(scenario_text, controls)
        except scenario.InvalidScenario as error:
            raise CouldNotRun(f"scenario {options.scenario}: {error}") from error
    return controls


def _read_scenario(options: ServeOptions) -> bytes | None:
    """Raises CouldNotRun."""
    if options.scenario is None:
        return None
    if not options.controls or options.workers > 1:
        raise CouldNotRun("--scenario needs the controls; they are off with --no-controls and with several --workers")
    try:
        return read_file(options.scenario)
    except OSError as error:
        raise CouldNotRun(f"scenario {options.scenario}: {error.strerror}") from error


MAX_PATHS = 10
"""Paths that the greeting names."""


def _greet(mock: _Mock, listening: socket.socket, options: ServeOptions, stored: int) -> None:
    contract, root = mock.contract, root_url(listening)
    paths = {operation.path for operation in contract.operations.values()}
    paths = {printable(path) for path in paths if "{" not in path} or paths
    location = _without_secrets(options.store)
    noun = "configuration" if options.contract is None else "document"
    said = [*notes(contract, mock.handlers)] if options.contract is not None else []
    prefixes = {urlsplit(str(each.get("url", ""))).path.rstrip("/") for each in contract.document.get("servers", ())}
    if not options.base_path and len(prefixes) == 1 and (prefix := prefixes.pop()) and "{" not in prefix:
        said.append(f"the contract's servers have these paths below {prefix}: --base-path {prefix} does here")
    alone = options.workers == 1
    print(
        f"callconfig {program()['version']} mocks {printable(f'{contract.title} {contract.version}')}\n"
        + "".join(f"  API    {root}{options.base_path}{path}\n" for path in sorted(paths or {"/"})[:MAX_PATHS])
        + (f"         and {len(paths) - MAX_PATHS} more paths\n" if len(paths) > MAX_PATHS else "")
        + f"  Docs   {root}{options.base_path}/docs\n"
        + (f"  UI     {root}{CONTROLS_PATH}/ui\n" if options.controls and alone else "")
        + ("" if alone else "  UI     off: each of several processes would steer only itself\n")
        + (f"  Auth   tokens of {printable(str(options.auth))}\n" if options.auth else "")
        + f"  Store  {printable(location)} ({counted(stored, noun)})\n"
        + "".join(f"  Note   {printable(each)}\n" for each in said)
        + "Press Ctrl-C to stop.",
        flush=True,
    )


def _without_secrets(store: str) -> str:
    """A store's place without secrets: a URL may hold a password before its @ and in its query."""
    if "://" not in store:
        return store
    url = urlsplit(store)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
