"""The engine of an OpenAPI document, independent of configurations."""
