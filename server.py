"""Running the mock: open the store, plant the seeds, listen, and end cleanly."""

import argparse
import contextlib
import errno
import logging
import socket
from asyncio import Runner
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import uvicorn

from .app import create_app, resource, server_values
from .cli import OK, CouldNotRun
from .contract.document import Contract
from .contract.schema import Json, Schema
from .contract.strict_json import NotStrictJson, decode
from .storage import ConfigurationStore, DuplicateScope, Resource, StoreError, open_store


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM. Raises CouldNotRun."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("callconfig.access").setLevel(logging.WARNING if options.quiet else logging.INFO)
    config = uvicorn.Config("", lifespan="off", log_config=None, access_log=False, server_header=False)
    with _listen(options.host, options.port) as listening, Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(options, config, listening))
    return OK


async def _serve(options: argparse.Namespace, config: uvicorn.Config, listening: socket.socket) -> None:
    contract = Contract.load(validate=False)
    try:
        store = await open_store(options.store, resource(contract), server_values(contract), fsync=options.fsync)
    except StoreError as error:
        raise CouldNotRun(f"{error}; choose another place with --store") from error
    async with contextlib.aclosing(_Closing(store)):
        await _plant(options.seed, contract, store)
        config.app = create_app(contract, store, base_path=options.base_path)
        stored = len(await store.find())
        _greet(contract, listening, options, stored)
        await _Server(config).serve(sockets=[listening])


class _Closing:
    """A store as contextlib.aclosing wants it."""

    def __init__(self, store: ConfigurationStore) -> None:
        self.aclose = store.close


class _Server(uvicorn.Server):
    """uvicorn, but a signal that asked it to stop has been answered when it has stopped, and is not raised again."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything else is done, so that a port in use costs nothing."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as undo:
            listening = undo.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(2048)
            undo.pop_all()
    except OSError as error:
        advice = "; choose another --port, or 0 for a free one" if error.errno == errno.EADDRINUSE else ""
        raise CouldNotRun(f"cannot listen on {host} port {port}: {error.strerror}{advice}") from error
    return listening


def _greet(contract: Contract, listening: socket.socket, options: argparse.Namespace, stored: int) -> None:
    host, port = listening.getsockname()[:2]
    root = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    paths = {operation.path for operation in contract.operations.values() if "{" not in operation.path}
    # A URL may hold a password; what comes before its @ is not for a terminal.
    place = "".join(options.store.rpartition("@")[::2]) if "://" in options.store else options.store
    plural = "" if stored == 1 else "s"
    print(
        f"callconfig {version('callconfig')} mocks {contract.title} {contract.version}\n"
        + "".join(f"  API    {root}{options.base_path}{path}\n" for path in sorted(paths))
        + f"  Docs   {root}{options.base_path}/ui/\n"
        + f"  Store  {place} ({stored} configuration{plural})\n"
        + "Press Ctrl-C to stop.",
        flush=True,
    )


async def _plant(seeds: list[Path], contract: Contract, store: ConfigurationStore) -> None:
    """Add the configurations of the seed files whose id and scope are not stored yet; all of them or none."""
    if not seeds:
        return
    declared = resource(contract)
    judge = Schema({"$ref": contract.resource["input"]}, contract.resolve, "request")
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
