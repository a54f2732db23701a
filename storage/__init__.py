"""Keeping configurations. Knows nothing of HTTP, and of the API only what the contract declares as `x-resource`."""

from .store import (
    ConfigurationStore,
    Document,
    DuplicateScope,
    Resource,
    ServerValues,
    StoreError,
    StoreUnavailable,
    UnknownConfiguration,
    UnreadableStore,
)

__all__ = [
    "ConfigurationStore",
    "Document",
    "DuplicateScope",
    "Resource",
    "ServerValues",
    "StoreError",
    "StoreUnavailable",
    "UnknownConfiguration",
    "UnreadableStore",
]
