"""The composition root: contract, handlers and storage become one ASGI application. The only place where they meet."""

import json
import logging
from collections.abc import Awaitable, Iterable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

import inflection
import orjson
import yaml
from connexion import ConnexionMiddleware
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.lifespan import Lifespan, LifespanMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.swagger_ui import SwaggerUIMiddleware
from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolver
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from .contract.document import BUILT_IN, Contract
from .contract.middleware import INTERNAL_ERROR, AccessLog, ContractMiddleware, Exchange
from .contract.problem import PROBLEM_JSON, Problem
from .controls import handlers as control_handlers
from .controls.layers import BASE_PATH as CONTROLS_PATH
from .controls.layers import is_control
from .controls.problems import CONTROL_PROBLEMS, SESSION_PROBLEMS
from .controls.sources import Sources
from .controls.steering import Controls
from .documentation.served import ServedReference
from .handlers import configurations
from .handlers.problems import PROBLEMS
from .identity.authentication import Authentication
from .identity.caller import Authenticate, Caller
from .identity.ownership import OwnConfigurations
from .identity.problems import IDENTITY_PROBLEMS
from .storage import MEMORY, ConfigurationStore, ServerValues, open_store

logger = logging.getLogger("callconfig")


def sources(contract: Contract) -> Sources:
    """A clock that shows the real time and ids that nobody guesses, until a control determines them."""
    return Sources(contract.stored.prefix)


def server_values(contract: Contract) -> ServerValues:
    """Real times, and ids that nobody guesses."""
    return sources(contract).values


async def example_mock(contract: Contract) -> ASGIApp:
    """An empty mock in memory, in the world in which the contract's examples come about (`x-examples`)."""
    world = contract.document["x-examples"]
    ids = iter(world["ids"])
    values = ServerValues(lambda: world["now"], lambda: next(ids))
    known = Authentication({"tokens": world["tokens"]}, contract.roles)

    def authenticate(scope: Scope) -> Caller:
        return known(scope) if any(name == b"authorization" for name, _ in scope["headers"]) else Caller("admin")

    store = await open_store(MEMORY, contract.stored, values)
    return create_app(contract, store, authenticate=authenticate, logs=False)


def create_app(
    contract: Contract,
    store: ConfigurationStore,
    *,
    base_path: str = "",
    lifespan: Lifespan | None = None,
    controls: Controls | None = None,
    authenticate: Authenticate | None = None,
    logs: bool = True,
) -> ASGIApp:
    """The mock server. The store stays the caller's to open and to close.

    With `controls` it is steered below `/_mock`, with `authenticate` a request without a good token is turned away.
    """
    served = contract.served_at(base_path, authenticated=authenticate is not None)
    contracts = {base_path: contract}

    def context(scope: Scope) -> Mapping[str, Any]:
        current = controls.session(scope).store if controls else store
        if authenticate and (operation := Exchange.of(scope).operation):
            caller = authenticate(scope)
            caller.check_may(operation.declared["x-roles"])
            current = OwnConfigurations(current, caller.own) if caller.own else current
        return {"store": current, "base_path": base_path}

    # As it is written, comments included, unless it is served otherwise than it says.
    pages = _pages(contract, served, base_path, BUILT_IN.read_bytes() if served == contract.document else None)
    if controls:
        contracts = {CONTROLS_PATH: controls.contract, **contracts}
        reference = ServedReference(controls.contract, partial(example_mock, controls.contract), CONTROLS_PATH)
        pages += [*reference.routes(CONTROLS_PATH), *_documents(dict(controls.contract.document), CONTROLS_PATH)]
    connexion = ConnexionMiddleware(
        Router(pages, redirect_slashes=False),
        middlewares=[
            *(controls.outer_layers() if controls else ()),
            *([AccessLog] if logs else ()),
            _cors,
            *(controls.inner_layers(base_path) if controls else ()),
            ExceptionMiddleware,
            _ExactRouting,
            ContractMiddleware,
            SwaggerUIMiddleware,  # behind the API: its router costs every request that passes it
            LifespanMiddleware,
        ],
        swagger_ui_options=SwaggerUIOptions(serve_spec=False),
        lifespan=lifespan,
    )
    if controls:
        connexion.add_api(
            json.loads(json.dumps(controls.contract.document)),
            base_path=CONTROLS_PATH,
            resolver=_resolver(control_handlers),
            contract=controls.contract,
            context=controls.context,
            problems={**PROBLEMS, **CONTROL_PROBLEMS},
        )
    connexion.add_api(
        json.loads(json.dumps(served)),  # Connexion changes what it is given
        base_path=base_path,
        resolver=_resolver(configurations),
        contract=contract,
        context=context,
        problems={**PROBLEMS, **SESSION_PROBLEMS, **IDENTITY_PROBLEMS},
    )
    for status, answer in _path_problems(contracts).items():
        connexion.add_error_handler(status, answer)
    app: ASGIApp = connexion
    return app


def _resolver(module: ModuleType) -> Resolver:
    """From the contract's `createConfiguration` to the function `create_configuration`."""
    return Resolver(lambda operation_id: getattr(module, inflection.underscore(operation_id)))


def _cors(app: ASGIApp) -> ASGIApp:
    """Browser clients of any origin may use the API; any page in a developer's browser must not steer the mock."""
    opened = CORSMiddleware(app, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], expose_headers=["*"])

    def layer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        guarded = scope["type"] == "http" and is_control(scope)
        return (app if guarded else opened)(scope, receive, send)

    return layer


class _ExactRouting(RoutingMiddleware):
    """Connexion's routing without Starlette's redirects: the contract knows no path with a slash at its end."""

    def add_api(self, *arguments: Any, **options: Any) -> None:
        super().add_api(*arguments, **options)
        self.router.redirect_slashes = False
        for mounted in self.router.routes:
            if isinstance(mounted, Mount) and isinstance(mounted.app, Router):
                mounted.app.redirect_slashes = False


def _pages(contract: Contract, served: dict[str, Any], base_path: str, as_yaml: bytes | None) -> list[Route]:
    """What is served beside the API, at the root and below the base path: the reference and the contract itself."""

    async def home(_request: Request) -> Response:
        return RedirectResponse(f"{base_path}/docs")

    reference = ServedReference(contract, partial(example_mock, contract), base_path)
    places = dict.fromkeys(("", base_path))
    return [
        Route("/", home),
        *(route for place in places for route in (*reference.routes(place), *_documents(served, place, as_yaml))),
    ]


def _documents(served: dict[str, Any], place: str, as_yaml: bytes | None = None) -> list[Route]:
    """An OpenAPI document in both its notations."""
    as_json = orjson.dumps(served, option=orjson.OPT_INDENT_2)

    async def openapi_json(_request: Request) -> Response:
        return Response(as_json, media_type="application/json")

    async def openapi_yaml(_request: Request) -> Response:
        nonlocal as_yaml
        as_yaml = as_yaml or _dump(served)  # it takes a while, and few ask for it
        return Response(as_yaml, media_type="application/yaml")

    return [Route(f"{place}/openapi.json", openapi_json), Route(f"{place}/openapi.yaml", openapi_yaml)]


def _dump(document: dict[str, Any]) -> bytes:
    dumped: bytes = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120, encoding="utf-8")
    return dumped


def _path_problems(contracts: Mapping[str, Contract]) -> dict[int | type[Exception], Any]:
    """Answers for what no operation sees: unknown paths, methods that a path does not have, and our own mistakes.

    `contracts` is by base path; the API's problems are those of every contract.
    """

    def answer(request: ConnexionRequest, problem: Problem) -> ConnexionResponse:
        Exchange.of(request.scope).problem = problem
        document = problem.document(next(iter(contracts.values())).problems)
        return ConnexionResponse(
            document["status"], mimetype=PROBLEM_JSON, body=orjson.dumps(document), headers=dict(problem.headers)
        )

    def unknown_path(request: ConnexionRequest, _error: Exception) -> ConnexionResponse:
        return answer(request, Problem("unknown-path", f"There is nothing at {request.url.path}."))

    def method_not_allowed(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        path = request.url.path
        routes = (contract.route(path.removeprefix(base_path)) for base_path, contract in contracts.items())
        known = next(filter(None, routes), None)
        # Connexion makes a route for each method, so its own Allow names the methods of the first route only.
        methods = known[0] if known else getattr(error, "headers", {}).get("Allow", "").split(", ")
        allowed = _with_head(methods)
        detail = f"{path} does not have {request.method}, only {allowed}."
        return answer(request, Problem("method-not-allowed", detail, headers={"Allow": allowed}))

    def failed(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(request, INTERNAL_ERROR)

    return {404: unknown_path, 405: method_not_allowed, Exception: failed}


def _with_head(methods: Iterable[str]) -> str:
    """The methods of a path, with the HEAD that every GET brings (RFC 9110, section 9.3.2)."""
    return ", ".join(sorted({*methods, *({"HEAD"} if "GET" in methods else ())}))
