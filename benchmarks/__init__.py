"""How fast and how small the mock is, beside its peers: `uv run python -m benchmarks`. It is no part of the wheel."""
