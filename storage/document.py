"""What both stores do to a document alike: its JSON text, the server's members, its scope, its place in the order."""

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from ..contract.resource import Resource
from .store import Document, ServerValues


def to_json(document: Document) -> bytes:
    """`document` as compact JSON in UTF-8, without a raw newline; its members keep their order.

    Raises ValueError for what could not be read back as it is: an integer beyond 64 bits, a lone surrogate, whatever
    JSON does not have. NaN and the infinities become null.
    """
    try:
        return orjson.dumps(document)
    except TypeError as error:
        raise ValueError(f"cannot be kept as JSON: {error}") from error


def from_json(text: bytes) -> Document:
    """The document that `to_json` wrote as `text`, equal in every value and shared with nobody."""
    document: Document = orjson.loads(text)
    return document


def with_server_members(
    resource: Resource, values: Document, *, identity: str, created_at: str, updated_at: str
) -> Document:
    """`values` between its id and its times; what `values` says about those is passed over."""
    server_members = (resource.identity, resource.created_at, resource.updated_at)
    return {
        resource.identity: identity,
        **{member: value for member, value in values.items() if member not in server_members},
        resource.created_at: created_at,
        resource.updated_at: updated_at,
    }


def completed(resource: Resource, documents: Iterable[Document], values: ServerValues) -> list[Document]:
    """`documents` with the server's members, made here where one is missing or null."""
    documents = list(documents)
    taken = {text_member(document, resource.identity) for document in documents if document.get(resource.identity)}
    now = values.now()
    result = []
    for document in documents:
        created_at = document.get(resource.created_at) or now
        result.append(
            with_server_members(
                resource,
                document,
                identity=document.get(resource.identity) or unused(values.new_id, taken),
                created_at=created_at,
                updated_at=document.get(resource.updated_at) or created_at,
            )
        )
    return result


def unused(new_id: Callable[[], str], taken: Container[str]) -> str:
    """A new id that is not taken: ids may come from a counter that began again when the process did."""
    while (identity := new_id()) in taken:
        pass
    return identity


def text_member(document: Mapping[str, Any], member: str) -> str:
    """Raises ValueError when the document lacks `member`, or has something else than text there."""
    value = document.get(member)
    if not isinstance(value, str):
        raise ValueError(f"{member!r} is {'missing' if value is None else 'not a string'}")  # noqa: TRY004
    return value


def scope_of(resource: Resource, document: Document) -> tuple[str, ...]:
    """The values that no two documents have in common. Raises ValueError when one is missing or is not text."""
    return tuple(text_member(document, member) for member in resource.unique)


def instant(time: str) -> str:
    """`time` at the one width and in the one zone in which the order of texts is the order in time.

    Times that the server made have it already; those of loaded documents may have any form of RFC 3339. What is no
    time at all stays as it is: judging it is the contract's business.
    """
    if len(time) == len("2026-01-31T00:00:00.000000Z") and time.endswith("Z"):
        return time
    try:
        moment = datetime.fromisoformat(time.upper())
    except ValueError:
        return time
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def has_members(text: bytes, equal: dict[str, str]) -> bool:
    """Whether the document in `text` has all these members."""
    document = orjson.loads(text)
    return all(document.get(member) == value for member, value in equal.items())
