"""The operations on configurations. The contract has judged every argument before a handler sees it.

They are an example of custom handlers: `serve --handlers` takes any module of such functions, by the names of the
operations, and of such problems. Without this one, the generic handlers would do the same with other messages.
"""

from urllib.parse import quote

from ..contract.operation import EncodedArray, Reply
from ..contract.problem import Problem, Problems
from ..contract.schema import show
from ..storage.store import Document, DuplicateScope, Store, UnknownDocument
from .errors import ContradictingId


async def create_configuration(body: Document, store: Store, base_path: str) -> Reply:
    """Store a new configuration; the server sets its id and its times."""
    stored = await store.create(body)
    return stored, 201, {"Location": f"{base_path}/configurations/{quote(stored['id'], safe='')}"}


async def list_configurations(store: Store, **filters: str) -> Reply:
    """The configurations that match every filter, oldest first."""
    return EncodedArray(await store.find(**filters)), 200


async def update_configuration(id: str, body: Document, store: Store) -> Reply:  # noqa: A002 (its API name)
    """Replace a whole configuration. Of several errors, unknown id comes first, then contradicting id, then scope."""
    if body.get("id", id) != id:
        await store.get(id)
        raise ContradictingId(id, body["id"])
    return await store.replace(id, body), 200


PROBLEMS: Problems = {
    UnknownDocument: lambda error: Problem(
        "unknown-configuration", f"No configuration has the id {show(error.identity)}."
    ),
    DuplicateScope: lambda error: Problem(
        "duplicate-scope", f"The configuration {show(error.identity)} already has {error.claim}."
    ),
}
