"""The composition root: contract, handlers and storage become one ASGI application. The only place where they meet."""

import json
import logging
import secrets
import string
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
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
from starlette.types import ASGIApp, Scope

from .contract.document import BUILT_IN, Contract
from .contract.middleware import INTERNAL_ERROR, AccessLog, ContractMiddleware, Exchange
from .contract.problem import PROBLEM_JSON, Problem
from .handlers import configurations
from .handlers.problems import PROBLEMS
from .storage import MEMORY, ConfigurationStore, Resource, ServerValues, open_store

logger = logging.getLogger("callconfig")

_ID_CHARACTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 16


def server_values(contract: Contract) -> ServerValues:
    """Real times, and ids that nobody guesses."""
    prefix: str = contract.resource["prefix"]

    def now() -> str:
        return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def new_id() -> str:
        return prefix + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))

    return ServerValues(now, new_id)


def resource(contract: Contract) -> Resource:
    """The contract's `x-resource` as storage wants it."""
    declared = contract.resource
    return Resource(declared["identity"], tuple(declared["unique"]), declared["created_at"], declared["updated_at"])


async def example_mock(contract: Contract) -> ASGIApp:
    """An empty mock in memory, in the world in which the contract's examples come about (`x-examples`)."""
    world = contract.document["x-examples"]
    ids = iter(world["ids"])
    values = ServerValues(lambda: world["now"], lambda: next(ids))
    return create_app(contract, await open_store(MEMORY, resource(contract), values))


def create_app(
    contract: Contract, store: ConfigurationStore, *, base_path: str = "", lifespan: Lifespan | None = None
) -> ASGIApp:
    """The mock server. The store stays the caller's to open and to close."""

    def context(_scope: Scope) -> Mapping[str, Any]:
        return {"store": store, "base_path": base_path}

    connexion = ConnexionMiddleware(
        Router(_pages(contract, base_path), redirect_slashes=False),
        middlewares=[
            AccessLog,
            _cors,
            ExceptionMiddleware,
            SwaggerUIMiddleware,
            _ExactRouting,
            ContractMiddleware,
            LifespanMiddleware,
        ],
        resolver=_resolver(configurations),
        swagger_ui_options=SwaggerUIOptions(serve_spec=False),
        lifespan=lifespan,
    )
    connexion.add_api(
        json.loads(json.dumps(contract.served_at(base_path))),  # Connexion changes what it is given
        base_path=base_path,
        contract=contract,
        context=context,
        problems=PROBLEMS,
    )
    for status, answer in _path_problems(contract, base_path).items():
        connexion.add_error_handler(status, answer)
    return connexion


def _resolver(module: ModuleType) -> Resolver:
    """From the contract's `createConfiguration` to the function `create_configuration`."""
    return Resolver(lambda operation_id: getattr(module, inflection.underscore(operation_id)))


def _cors(app: ASGIApp) -> ASGIApp:
    """Browser clients of any origin: this is a mock on a developer's machine, and it has no cookies to steal."""
    return CORSMiddleware(app, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], expose_headers=["*"])


class _ExactRouting(RoutingMiddleware):
    """Connexion's routing without Starlette's redirects: the contract knows no path with a slash at its end."""

    def add_api(self, *arguments: Any, **options: Any) -> None:
        super().add_api(*arguments, **options)
        self.router.redirect_slashes = False
        for mounted in self.router.routes:
            if isinstance(mounted, Mount) and isinstance(mounted.app, Router):
                mounted.app.redirect_slashes = False


def _pages(contract: Contract, base_path: str) -> list[Route]:
    """What is served beside the API: the contract itself, at the root and below the base path."""
    as_json = orjson.dumps(contract.served_at(base_path), option=orjson.OPT_INDENT_2)
    # The contract as it is written, comments included, unless it is served elsewhere than it says.
    as_yaml = BUILT_IN.read_bytes() if not base_path else _dump(contract.served_at(base_path))

    async def openapi_json(_request: Request) -> Response:
        return Response(as_json, media_type="application/json")

    async def openapi_yaml(_request: Request) -> Response:
        return Response(as_yaml, media_type="application/yaml")

    async def home(_request: Request) -> Response:
        return RedirectResponse(f"{base_path}/ui/")

    places = dict.fromkeys(("", base_path))
    return [
        Route("/", home),
        *(Route(f"{place}/openapi.json", openapi_json) for place in places),
        *(Route(f"{place}/openapi.yaml", openapi_yaml) for place in places),
    ]


def _dump(document: dict[str, Any]) -> bytes:
    dumped: bytes = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120, encoding="utf-8")
    return dumped


def _path_problems(contract: Contract, base_path: str) -> dict[int | type[Exception], Any]:
    """Answers for what no operation sees: unknown paths, methods that a path does not have, and our own mistakes."""

    def answer(request: ConnexionRequest, problem: Problem) -> ConnexionResponse:
        Exchange.of(request.scope).problem = problem
        document = problem.document(contract.problems)
        return ConnexionResponse(
            document["status"], mimetype=PROBLEM_JSON, body=orjson.dumps(document), headers=dict(problem.headers)
        )

    def unknown_path(request: ConnexionRequest, _error: Exception) -> ConnexionResponse:
        return answer(request, Problem("unknown-path", f"There is nothing at {request.url.path}."))

    def method_not_allowed(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        path = request.url.path
        known = contract.route(path.removeprefix(base_path))
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
