"""A contract, a mock server, contract tests and documentation, all made from one OpenAPI file."""
