"""The operations on configurations. The contract has judged every argument before a handler sees it."""

from typing import Any
from urllib.parse import quote

from ..contract.operation import EncodedArray, Reply
from ..storage import ConfigurationStore

Json = dict[str, Any]


class ContradictingId(Exception):
    """The body names another configuration than the path."""

    def __init__(self, path: str, body: str) -> None:
        super().__init__(f"{body!r} contradicts {path!r}")
        self.path, self.body = path, body


async def create_configuration(body: Json, store: ConfigurationStore, base_path: str) -> Reply:
    """Store a new configuration; its id and its times are the server's, never the client's."""
    stored = await store.create(body)
    return stored, 201, {"Location": f"{base_path}/configurations/{quote(stored['id'], safe='')}"}


async def list_configurations(store: ConfigurationStore, **filters: str) -> Reply:
    """All configurations that equal every filter, oldest first."""
    return EncodedArray(await store.find(**filters)), 200


async def update_configuration(id: str, body: Json, store: ConfigurationStore) -> Reply:  # noqa: A002 (its API name)
    """Replace a whole configuration. An unknown id outranks a contradicting one, which outranks a taken scope."""
    if body.get("id", id) != id:
        await store.get(id)
        raise ContradictingId(id, body["id"])
    return await store.replace(id, body), 200
