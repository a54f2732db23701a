"""The entries of the reference, as its templates lay them out."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..contract.problem import PROBLEM_JSON
from ..contract.schema import Json
from .examples import Sent
from .members import Link, Member, Object
from .snippets import SNIPPETS


@dataclass(frozen=True, slots=True)
class Sample:
    """An example as a reader sees it. `whole` is the complete answer where the documented one is abbreviated."""

    anchor: str
    summary: str
    sent: Sent
    given: list[Sent]
    status: str
    phrase: str
    headers: Mapping[str, str]
    documented: str
    whole: str
    executed: bool

    def snippets(self, server: str) -> list[tuple[str, str, str]]:
        """Language, its name, and the request in it."""
        return [(language, name, write(self.sent, server)) for language, (name, write) in SNIPPETS.items()]


@dataclass(frozen=True, slots=True)
class ResponseEntry:
    status: str
    phrase: str
    description: str
    headers: list[tuple[str, str]]
    content: list[tuple[str, Link | None]]
    body: Object | None


@dataclass(frozen=True, slots=True)
class OperationEntry:
    id: str
    anchor: str
    method: str
    path: str
    deprecated: bool
    roles: list[str]
    summary: str
    description: str
    parameters: list[tuple[str, list[Member]]]
    body_description: str
    body: Object | None
    body_link: Link | None
    required: list[str]
    responses: list[ResponseEntry]
    samples: list[Sample]

    @property
    def problem_link(self) -> Link | None:
        """Where the errors of this operation are described."""
        links = (link for each in self.responses for media_type, link in each.content if media_type == PROBLEM_JSON)
        return next(links, None)


@dataclass(frozen=True, slots=True)
class RuleAcross:
    """A rule across members, as the contract declares it."""

    id: str
    title: str
    description: str
    members: list[str]
    remedy: str
    violation: Json
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class ProblemEntry:
    """A kind of problem. `example` is the problem document, from an answer where there is one."""

    kind: str
    status: int
    title: str
    cause: str
    remedy: str
    example: str
    samples: list[Sample]
    executed: bool


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    status: int
    phrase: str
    problems: list[ProblemEntry]
