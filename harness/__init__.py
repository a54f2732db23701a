"""The client of the mock for test suites: the tools of `pytest_plugin` and `/_mock/client.mjs`.

Nothing here imports more than the standard library.
"""

from pathlib import Path

CLIENT_MODULE = Path(__file__).parent / "client.mjs"
"""The JavaScript client, which the mock serves."""
