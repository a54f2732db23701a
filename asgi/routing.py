"""Connexion's routing: its resolver finds the handler of each operation, the contract's paths find the operation."""

from collections.abc import Mapping
from typing import Any

from connexion.middleware.abstract import AbstractRoutingAPI, SpecMiddleware
from connexion.operations import AbstractOperation
from connexion.spec import OpenAPISpecification, Specification
from starlette import routing
from starlette.types import ASGIApp, Receive, Scope, Send

from ..contract.document import Contract
from ..contract.error_responses import ErrorResponses
from ..contract.finding import Finding
from ..contract.operation import Operation
from ..contract.paths import Route
from ..contract.problem import Problem, Problems
from ..contract.schema import did_you_mean
from ..controls.controls import is_control
from .endpoint import Context, Endpoint
from .exchange import Exchange
from .messages import respond_problem

NO_PATH = "is no path of the contract"
LONGEST_CORRECTED = 200
"""Characters of an unknown path up to which a similar one is searched, which bounds the cost."""


class Table:
    """The served contracts by base path, the longest first."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._contracts = sorted(contracts.items(), key=lambda each: -len(each[0]))
        self._paths = [
            f"{base_path}{operation.path}"
            for base_path, contract in contracts.items()
            for operation in contract.operations.values()
            if not is_control(f"{base_path}{operation.path}")
        ]

    def find(self, scope: Scope) -> Route | None:
        """The route of a request's path; an encoded slash in it is no separator."""
        path: str = scope["path"]
        raw: bytes = scope.get("raw_path") or b""
        if b"%" in raw:
            path = raw.partition(b"?")[0].decode("latin-1")
        for base_path, contract in self._contracts:
            if path.startswith(base_path) and (route := contract.route(path[len(base_path) :])) is not None:
                return route
        return None

    def missing(self, method: str, path: str, route: Route | None) -> Finding:
        """The finding where a request has no operation: an unknown path, or another method."""
        if route is not None:
            return Finding("undocumented-method", "path", f"has no {method}, only {route.allow}", name=path)
        near = did_you_mean(path, self._paths) if len(path) <= LONGEST_CORRECTED else ""
        return Finding("undocumented-path", "path", f"{NO_PATH}{near}", name=path)


class Paths(OpenAPISpecification):
    """The paths of a contract that was judged before."""

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        """Connexion takes longer for it than for all else of an application."""


class ContractAPI(AbstractRoutingAPI[Endpoint]):
    """The endpoints of one specification, put into `endpoints` by their compiled operations."""

    def __init__(
        self,
        specification: Specification,
        *,
        endpoints: dict[Operation, Endpoint],
        contract: Contract,
        context: Context,
        problems: Problems,
        **options: Any,
    ) -> None:
        self._endpoints, self._contract, self._context, self._problems = endpoints, contract, context, problems
        super().__init__(specification, **options)

    def make_operation(self, operation: AbstractOperation) -> Endpoint:
        compiled = self._contract.operations[operation.operation_id]
        errors = ErrorResponses(self._contract, compiled)
        return Endpoint(compiled, operation.function, errors, self._context, self._problems)

    @staticmethod
    def _framework_path_and_name(operation: AbstractOperation, path: str) -> tuple[str, str]:
        return path, operation.operation_id

    def _add_operation_internal(self, _method: str, _path: str, operation: Endpoint, **_name: str) -> None:
        self._endpoints[operation.operation] = operation


class Routing(SpecMiddleware):
    """Sends a request to the endpoint of its operation, and one to another path to the pages."""

    def __init__(
        self, app: ASGIApp, catalogue: Mapping[str, Mapping[str, Any]], pages: Mapping[str, routing.Route]
    ) -> None:
        self._app, self._catalogue, self._pages = app, catalogue, pages
        self._endpoints: dict[Operation, Endpoint] = {}

    def add_api(self, specification: Specification, **options: Any) -> ContractAPI:
        return ContractAPI(specification, endpoints=self._endpoints, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange, method, path = Exchange.of(scope), scope["method"], scope["path"]
        route, page = exchange.route, None if exchange.route else self._pages.get(path)
        if exchange.operation is not None:
            await self._endpoints[exchange.operation](exchange, receive, send)
            return
        if page is not None and method in (page.methods or ()):
            await page.app(scope, receive, send)
            return
        allow = route.allow if route else ", ".join(sorted(page.methods or ())) if page else ""
        if allow:
            detail = f"{path} does not have {method}, only {allow}."
            exchange.problem = Problem("method-not-allowed", detail, headers={"Allow": allow})
        else:
            near = next((each.detail.removeprefix(NO_PATH) for each in exchange.entry.findings), "")
            exchange.problem = Problem("unknown-path", f"There is nothing at {path}{near or '.'}")
        await respond_problem(send, exchange.problem, self._catalogue)
