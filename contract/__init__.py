"""Machinery driven by an OpenAPI document; it knows nothing of configurations."""
