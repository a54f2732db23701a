"""The composition root: one ASGI application of contract, handlers and storage."""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import inflection
from connexion import ConnexionMiddleware
from connexion.middleware.main import API
from connexion.resolver import Resolver
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from .asgi.access_log import AccessLog
from .asgi.exchange import Exchange
from .asgi.layer import RequestLayer
from .asgi.routing import Paths, Routing, Table
from .contract.body import Headers
from .contract.document import METHODS, Contract
from .contract.operation import operation_id
from .contract.resource import Resource
from .controls import handlers as control_handlers
from .controls.bundle import BASE_PATH as CONTROLS_PATH
from .controls.clock import Sources, parse_instant
from .controls.controls import Controls
from .controls.refusals import CONTROL_PROBLEMS, SESSION_PROBLEMS
from .documentation.served import ServedReference, ServingMock, console, fixed
from .handlers import configurations
from .handlers.resolution import Resolution
from .harness import CLIENT_MODULE
from .identity.authentication import Authentication
from .identity.caller import IDENTITY_PROBLEMS, Authenticate, Caller
from .identity.ownership import OwnDocuments
from .storage.opening import MEMORY, open_store
from .storage.store import ServerValues, Store

logger = logging.getLogger("callconfig")


def sources() -> Sources:
    """A clock with the real time and a source of random ids, until a control sets them."""
    return Sources()


def example_mock(contract: Contract) -> Callable[[], Coroutine[Any, Any, ASGIApp]]:
    """A factory of a mock in memory, with controls, and with the time, ids and tokens of `x-examples`.

    Each call returns the same mock, emptied.
    """
    examples = contract.document.get("x-examples", {})
    mock_app: tuple[ASGIApp, Controls] | None = None

    async def new_mock() -> ASGIApp:
        nonlocal mock_app
        determined = sources()
        if "now" in examples:
            determined.clock.set(parse_instant(examples["now"]), frozen=True)
        determined.ids.set_sequence(examples.get("ids", ()), seed=0)

        # Examples show whole seconds, which are easier to read.
        def values(resource: Resource) -> ServerValues:
            return replace(determined.values(resource), now=lambda: determined.clock.now().replace(".000000", ""))

        store = await open_store(MEMORY, contract.resources, values)
        if mock_app is None:
            controls = Controls(contract, store, determined)
            judged = authenticate if contract.roles else None
            mock_app = create_app(contract, store, controls=controls, authenticate=judged), controls
        else:
            mock_app[1].begin(store, determined)
        return mock_app[0]

    known = Authentication({"tokens": examples.get("tokens", [])}, contract.roles)

    def authenticate(headers: Headers) -> Caller:
        return known(headers) if "authorization" in headers else Caller("admin")

    return new_mock


def create_app(
    contract: Contract,
    store: Store,
    *,
    base_path: str = "",
    controls: Controls | None = None,
    authenticate: Authenticate | None = None,
    log: AccessLog | None = None,
    handlers: Sequence[ModuleType] = (configurations,),
    references: list[ServedReference] | None = None,
) -> ASGIApp:
    """The mock server. The caller opens and closes the store.

    With `controls` it has the controls below `/_mock`, with `authenticate` it refuses a request without a valid token.
    The first module of `handlers` with a function for an operation handles it, else the generic handlers do.
    `references` gets the pages that are rendered on demand, for a caller that renders them early.
    """
    resolution = Resolution(contract, handlers)
    tables = {
        identity: action.resource.table
        for identity, action in contract.actions.items()
        if action.resource is not contract.resource
    }
    chance = Sources().ids
    served = contract.served_at(base_path, authenticated=authenticate is not None)

    def context(exchange: Exchange) -> Mapping[str, Any]:
        caller = authenticate(exchange.headers) if authenticate else None
        if caller is not None and exchange.operation is not None:
            caller.require_role(exchange.operation.declared.get("x-roles", (caller.role,)))
        current, draw = store, chance.draw
        if controls:
            session = exchange.session or exchange.enter(controls.session(exchange.headers))
            current, draw = session.store, session.sources.ids.draw
        if exchange.operation is not None and (table := tables.get(exchange.operation.id)) is not None:
            current = current.table(table)
        if caller is not None and caller.own:
            current = OwnDocuments(current, caller.own)
        return {"store": current, "base_path": base_path, "draw": draw}

    routes, made_when_asked = _pages(contract, served, controls, base_path)
    pages = {route.path: route for route in routes}
    if references is not None:
        references += made_when_asked
    contracts = {base_path: contract}
    if controls:
        contracts = {CONTROLS_PATH: controls.contract, **contracts}

    table = Table(contracts)
    catalogue = controls.contract.problems if controls else contract.problems
    connexion = ConnexionMiddleware(
        Router(),  # for the lifespan
        middlewares=[
            partial(
                RequestLayer,
                table=table,
                catalogue=catalogue,
                pages=pages,
                controls=controls,
                late_sessions=authenticate is not None,
                log=log,
            ),
            partial(Routing, catalogue=catalogue, pages=pages),
        ],
    )
    if controls:
        _add(
            connexion,
            controls.contract.document,
            CONTROLS_PATH,
            Resolver(lambda name: getattr(control_handlers, inflection.underscore(name))),
            contract=controls.contract,
            context=lambda exchange: controls.context(
                exchange.headers, exchange.entry.scheme, exchange.address, exchange.operation
            ),
            problems={**resolution.problems, **CONTROL_PROBLEMS},
        )
    _add(
        connexion,
        served,
        base_path,
        Resolver(resolution.handler),
        contract=contract,
        context=context,
        problems={**resolution.problems, **SESSION_PROBLEMS, **IDENTITY_PROBLEMS},
    )
    app: ASGIApp = connexion
    return app


def _pages(
    contract: Contract, served: dict[str, Any], controls: Controls | None, base_path: str
) -> tuple[list[Route], list[ServedReference]]:
    """The pages beside the operations, and those of them that are rendered on demand."""
    # The file itself, comments included, unless the served contract differs from it.
    text = contract.text if contract.path and served == contract.document else None
    ui = f"{CONTROLS_PATH}/ui"
    beside = {"Console": ui, "Controls": f"{CONTROLS_PATH}/docs"} if controls else {}
    serving = ServingMock(base_path, controls=controls is not None, pages=beside)
    reference = ServedReference(contract, contract, example_mock, serving)
    places = dict.fromkeys(("", base_path))
    pages: list[Route] = []
    for path in places:
        pages += reference.routes(path, served, text)
        to_docs = RedirectResponse(f"{base_path}/docs")
        pages += [fixed(f"{path}{rest}", to_docs) for rest in ("", "/", "/ui", "/ui/") if path + rest]
    made_when_asked = [reference]
    if controls:
        serving = ServingMock("", pages={"Reference": f"{base_path}/docs", "Console": ui})
        steered = ServedReference(controls.contract, contract, example_mock, serving)
        made_when_asked.append(steered)
        pages += [
            *steered.routes(CONTROLS_PATH, dict(controls.contract.document)),
            fixed(f"{CONTROLS_PATH}/client.mjs", Response(CLIENT_MODULE.read_bytes(), media_type="text/javascript")),
            console(ui, contract, base_path),
            *(fixed(f"{CONTROLS_PATH}{slash}", RedirectResponse(ui)) for slash in ("", "/")),
        ]
    return pages, made_when_asked


def _add(
    connexion: ConnexionMiddleware, document: Mapping[str, Any], base_path: str, resolver: Resolver, **more: Any
) -> None:
    """`add_api` without another validation of the document, which takes most of its time."""
    options = connexion.options.replace(resolver=resolver)
    connexion.apis.append(API(Paths(_routes(document)), base_path=base_path, name=None, **vars(options), **more))


def _routes(document: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an OpenAPI document that routing needs. Connexion is slow to read a whole one."""
    paths = {
        path: {
            method: {
                "operationId": operation_id(path, method, item[method]),
                "responses": {"default": {"description": ""}},
            }
            for method in METHODS
            if method in item
        }
        for path, item in document.get("paths", {}).items()
        if not path.startswith("x-")
    }
    # This part is the same in all versions of OpenAPI.
    return {"openapi": "3.0.3", "info": {"title": document["info"]["title"], "version": "1"}, "paths": paths}
