"""The reference, made from the contract: one HTML page, and the same facts in Markdown; for any OpenAPI document."""
