"""The resolution of an operation's handler: a custom one, the generic one of a resource, or the contract's examples."""

import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

import inflection

from ..contract.document import Contract
from ..contract.example import documented_reply, usual_status, values_of
from ..contract.finding import first_names, one_line
from ..contract.operation import Operation, Reply
from ..contract.problem import Problems
from ..contract.schema import did_you_mean
from . import resources
from .listing import Listing
from .problems import PROBLEMS

ENTRY_POINTS = "callconfig.handlers"
"""The group of entry points for modules of handlers."""
GIVEN = ("store", "base_path", "draw", "arguments")
"""The arguments that every handler can take, beside the body and the parameters of its operation."""
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class InvalidHandlers(Exception):
    """An unusable module of handlers; the message is one line with the reason."""


def load_handlers(name: str, contract: Contract) -> ModuleType:
    """The module of handlers with this name: an entry point, an importable module, or the path of a file.

    Raises InvalidHandlers, also for one that has no function for any operation, or one that is not `async`, or that
    takes an unknown argument.
    """
    try:
        module = _loaded(name)
    except (Exception, SystemExit) as error:  # any error of loading the module
        raise InvalidHandlers(f"{name}: {type(error).__name__}: {one_line(error)}") from error
    every = {operation: _own(module, identity) for identity, operation in contract.operations.items()}
    own = {operation: each for operation, each in every.items() if each is not None}
    for operation, each in own.items():
        if wrong := _wrong_signature(each, operation):
            raise InvalidHandlers(f"{name}: {getattr(each, '__name__', each)} {wrong}")
    problems = getattr(module, "PROBLEMS", {})
    if not isinstance(problems, Mapping) or not all(map(callable, problems.values())):
        raise InvalidHandlers(f"{name}: PROBLEMS must map types of errors to functions")
    if not own:
        wanted = ", ".join(inflection.underscore(each) for each in list(contract.operations)[:5])
        raise InvalidHandlers(f"{name}: has no function of an operation of the contract, such as {wanted}")
    return module


def _wrong_signature(handler: Any, operation: Operation) -> str:
    """What is wrong with the handler of an operation; empty if nothing is."""
    if not inspect.iscoroutinefunction(inspect.unwrap(handler)):
        return "must be an `async def`"
    given = [*GIVEN, *(parameter.name for parameter in operation.parameters if parameter.name.isidentifier())]
    given += ["body"] if operation.request_body.contents else []
    for taken in inspect.signature(handler).parameters.values():
        if taken.default is taken.empty and taken.kind in NAMED and taken.name not in given:
            meant = did_you_mean(taken.name, given)
            return f"takes {taken.name!r}, which it does not get{meant}; {operation.id} has {', '.join(given)}"
    return ""


def _loaded(name: str) -> ModuleType:
    for point in entry_points(group=ENTRY_POINTS, name=name):
        loaded: ModuleType = point.load()
        return loaded
    if not name.endswith(".py"):
        return import_module(name)
    specification = importlib.util.spec_from_file_location(name, name)  # with .py, so that it hides no other module
    if specification is None or specification.loader is None:
        raise ImportError("is no Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def _own(module: ModuleType, identity: str) -> Any:
    """The function of a module for an operationId: `create_configuration` for `createConfiguration`."""
    return getattr(module, inflection.underscore(identity), None)


class Resolution:
    """The handlers of a contract's operations. Of several modules the first with a function is used."""

    def __init__(self, contract: Contract, modules: Sequence[ModuleType]) -> None:
        self._contract = contract
        self._modules = [each for each in modules if any(_own(each, identity) for identity in contract.operations)]

    def handler(self, identity: str) -> Any:
        for module in self._modules:
            if (own := _own(module, identity)) is not None:
                return own
        operation = self._contract.operations[identity]
        if (action := self._contract.actions.get(identity)) is not None:
            return partial(resources.HANDLERS[action.kind], resources.Target(action, operation, self._contract))
        return partial(_by_example, self._contract, operation)

    @property
    def problems(self) -> Problems:
        """The problems for the errors of handlers; PROBLEMS of a module overrides them."""
        problems = dict(PROBLEMS)
        for module in reversed(self._modules):
            problems |= getattr(module, "PROBLEMS", {})
        return problems


async def _by_example(contract: Contract, operation: Operation, draw: resources.Draw) -> Reply:
    """The documented reply of an operation without an action on a resource. Raises NotDocumented."""
    return documented_reply(contract, operation, draw=draw())


def _has_wrong_example(contract: Contract, operation: Operation) -> bool:
    """Whether the usual response has examples, all of them invalid."""
    response = operation.response(usual_status(operation))
    for content in response.representations.values() if response else ():
        values = values_of(content.declared, contract.resolve).values()
        if values and not any(map(content.schema.accepts, values)):
            return True
    return False


def notes(contract: Contract, modules: Sequence[ModuleType] = ()) -> Iterator[str]:
    """The limits of a mock of the contract with these handlers, in sentences."""
    own = {identity for identity in contract.operations if any(_own(each, identity) for each in modules)}
    used = {action.resource.name for action in contract.actions.values()}
    for resource in contract.resources:
        if resource.name not in used:
            yield f"{resource.name} has an x-resource, but no operation creates, shows or lists it"
    if shown := [identity for identity in contract.operations if identity not in own | contract.actions.keys()]:
        yield f"responses from an example, or from a generated value: {first_names(shown)}"
    if wrong := [identity for identity in shown if _has_wrong_example(contract, contract.operations[identity])]:
        yield f"not sent, because their examples break the contract: {first_names(wrong)}"
    bodies = {
        name for identity in contract.actions for name in resources.unread_media_types(contract.operations[identity])
    }
    if bodies:
        yield f"a value of the schema is stored instead of bodies of {first_names(sorted(bodies))}"
    for identity, action in contract.actions.items():
        if (
            action.kind == "list"
            and identity not in own
            and (unknown := Listing(action, contract.operations[identity], contract).unknown)
        ):
            yield f"{identity} ignores the parameter{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}"
    if secured := [operation for operation in contract.operations.values() if operation.security.is_needed]:
        asked = ", ".join(dict.fromkeys(str(scheme) for each in secured for scheme in each.security.schemes))
        count = f"{len(secured)} of {len(contract.operations)} operations"
        yield f"{count} require credentials, and accept any: {asked}"
    refused = ("400", "422", "4XX", "DEFAULT")
    silent = [each.id for each in contract.operations.values() if not any(name in each.responses for name in refused)]
    if silent:
        yield f"a request that breaks the contract gets an undocumented 400 from {first_names(silent)}"
