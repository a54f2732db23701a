"""Keeping documents. Knows nothing of HTTP, and of the API only what the contract declares as `x-resource`."""
