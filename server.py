"""Running the mock: open the store, plant the seeds, listen, and end cleanly."""

import argparse
import contextlib
import gc
import ipaddress
import logging
import socket
import sys
from asyncio import Runner, run
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import uvicorn
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from .app import create_app, sources
from .asgi.access_log import AccessLog
from .contract.document import Contract
from .contract.resource import Resource
from .contract.schema import Json, Schema
from .contract.strict_json import NotStrictJson, decode
from .controls.clock import Sources
from .controls.controls import BASE_PATH as CONTROLS_PATH
from .controls.controls import Controls
from .controls.sessions import Limits
from .identity.authentication import Authentication, InvalidAuthentication
from .listening import listen
from .outcome import OK, CouldNotRun
from .storage import ConfigurationStore, DuplicateScope, StoreError, is_shared, open_store


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM. Raises CouldNotRun."""
    _log()
    if options.workers > 1 and not is_shared(options.store):
        advice = "use --store postgresql://…"
        raise CouldNotRun(f"--workers {options.workers} needs a store that processes share; {advice}")
    with listen(options.host, options.port) as listening:
        if options.workers > 1:
            _serve_from_workers(options, listening)
        else:
            config = _config("")
            with Runner(loop_factory=config.get_loop_factory()) as runner:
                runner.run(_serve(options, config, listening))
    return OK


def _log() -> None:
    logging.basicConfig(format="%(message)s", level=logging.WARNING)


def _access_log(options: argparse.Namespace) -> AccessLog | None:
    return None if options.quiet else AccessLog(sys.stderr.write)


def _config(app: ASGIApp | str, **settings: Any) -> uvicorn.Config:
    return uvicorn.Config(app, log_config=None, access_log=False, server_header=False, proxy_headers=False, **settings)


async def _serve(options: argparse.Namespace, config: uvicorn.Config, listening: socket.socket) -> None:
    """Serve from this process."""
    _protect_controls(options, listening)
    contract = Contract.load(validate=False)
    authenticate = _authentication(options.auth, contract)
    values = sources(contract)
    async with _opened(options, contract, values) as store:
        await _plant(options.seed, contract, store)
        controls = _controls(options, contract, store, values)
        config.app = create_app(
            contract,
            store,
            base_path=options.base_path,
            controls=controls,
            authenticate=authenticate,
            log=_access_log(options),
        )
        _greet(contract, listening, options, len(await store.find()))
        _calm_collector()
        await _Server(config, controls).serve(sockets=[listening])


def _calm_collector() -> None:
    """Let the cyclic garbage collector pass over what was loaded, and look less often at what the journal keeps."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@contextlib.asynccontextmanager
async def _opened(
    options: argparse.Namespace, contract: Contract, values: Sources
) -> AsyncIterator[ConfigurationStore]:
    """The store, closed at the end. Raises CouldNotRun."""
    try:
        store = await open_store(options.store, contract.stored, values.values, fsync=options.fsync)
    except StoreError as error:
        raise CouldNotRun(f"{error}; choose another place with --store") from error
    try:
        yield store
    finally:
        await store.close()


def _serve_from_workers(options: argparse.Namespace, listening: socket.socket) -> None:
    """Serve from several processes, after this one has seen that they will find what they need."""
    options.controls = False  # each process would steer itself only
    contract = Contract.load(validate=False)
    _authentication(options.auth, contract)

    async def prepare() -> int:
        async with _opened(options, contract, sources(contract)) as store:
            await _plant(options.seed, contract, store)
            return len(await store.find())

    stored = run(prepare())
    _greet(contract, listening, options, stored)
    Multiprocess(_config(_Worker(options), workers=options.workers, lifespan="on"), [listening]).run()


class _Worker:
    """What each of several processes serves: the mock on a connection to the store that is the process's own."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await Router(lifespan=self._lifespan)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _router: Any) -> AsyncIterator[None]:
        options = self._options
        _log()
        contract = Contract.load(validate=False)
        async with _opened(options, contract, sources(contract)) as store:
            authenticate = _authentication(options.auth, contract)
            self._app = create_app(
                contract, store, base_path=options.base_path, authenticate=authenticate, log=_access_log(options)
            )
            _calm_collector()
            yield


def _protect_controls(options: argparse.Namespace, listening: socket.socket) -> None:
    """Raises CouldNotRun when strangers could steer the mock."""
    host = listening.getsockname()[0]
    if options.controls and options.control_token is None and not ipaddress.ip_address(host).is_loopback:
        advice = "give them a --control-token, or turn them off with --no-controls"
        raise CouldNotRun(f"whoever can connect to {host} could use the controls; {advice}")


def _controls(
    options: argparse.Namespace, contract: Contract, store: ConfigurationStore, values: Sources
) -> Controls | None:
    if not options.controls:
        return None
    limits = Limits(journal_entries=options.journal)
    return Controls(contract, store, values, limits=limits, token=options.control_token)


def _authentication(path: Path | None, contract: Contract) -> Authentication | None:
    """Raises CouldNotRun."""
    if path is None:
        return None
    try:
        return Authentication.from_file(path, contract.roles)
    except InvalidAuthentication as error:
        raise CouldNotRun(f"--auth {error}") from error


class _Server(uvicorn.Server):
    """uvicorn, but a signal that asked it to stop has been answered when it has stopped, and is not raised again."""

    def __init__(self, config: uvicorn.Config, controls: Controls | None) -> None:
        super().__init__(config)
        self._controls = controls

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._controls is not None:
            self._controls.sessions.stop()  # or who waits for requests would keep the server waiting
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def _greet(contract: Contract, listening: socket.socket, options: argparse.Namespace, stored: int) -> None:
    host, port = listening.getsockname()[:2]
    root = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    paths = {operation.path for operation in contract.operations.values() if "{" not in operation.path}
    place = _without_secrets(options.store)
    plural = "" if stored == 1 else "s"
    print(
        f"callconfig {version('callconfig')} mocks {contract.title} {contract.version}\n"
        + "".join(f"  API    {root}{options.base_path}{path}\n" for path in sorted(paths))
        + f"  Docs   {root}{options.base_path}/docs\n"
        + (f"  Steer  {root}{CONTROLS_PATH}/docs\n" if options.controls else "")
        + ("  Steer  off: each of several processes would steer only itself\n" if options.workers > 1 else "")
        + (f"  Auth   tokens of {options.auth}\n" if options.auth else "")
        + f"  Store  {place} ({stored} configuration{plural})\n"
        + "Press Ctrl-C to stop.",
        flush=True,
    )


def _without_secrets(store: str) -> str:
    """A store's place for a terminal: a URL may hold a password before its @ and in its query."""
    if "://" not in store:
        return store
    url = urlsplit(store)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


async def _plant(seeds: list[Path], contract: Contract, store: ConfigurationStore) -> None:
    """Add the configurations of the seed files whose id and scope are not stored yet; all of them or none."""
    if not seeds:
        return
    declared = contract.stored
    judge = Schema(contract.stored.input, contract.resolve, "request")
    present = [orjson.loads(text) for text in await store.find()]
    taken = {key for document in present for key in _keys(document, declared)}
    new = [document for path in seeds for document in _read_seed(path, judge) if not taken & _keys(document, declared)]
    if not new:
        return
    try:
        await store.load([*present, *new])
    except DuplicateScope as error:
        named = ", ".join(map(str, seeds))
        raise CouldNotRun(f"seed {named}: more than one configuration has {error.scope}") from error


def _keys(document: dict[str, Any], declared: Resource) -> set[tuple[str, ...]]:
    """What no other configuration may have: the id, where there is one, and the scope."""
    identity = {(document[declared.identity],)} if declared.identity in document else set()
    return identity | {tuple(document[name] for name in declared.unique)}


def _read_seed(path: Path, judge: Schema) -> list[dict[str, Json]]:
    """The configurations in a file, with their defaults. Raises CouldNotRun at the first that breaks the contract."""
    try:
        documents = decode(path.read_bytes())
    except OSError as error:
        raise CouldNotRun(f"seed {path}: {error.strerror}") from error
    except NotStrictJson as error:
        raise CouldNotRun(f"seed {path}: {error.findings[0]}") from error
    if not isinstance(documents, list):
        raise CouldNotRun(f"seed {path}: must be a JSON array of configurations")
    for index, document in enumerate(documents):
        if findings := judge.findings(document, "body"):
            more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
            raise CouldNotRun(f"seed {path}: /{index}{findings[0].pointer} {findings[0].detail}{more}")
    return [judge.fill_defaults(document) for document in documents]
