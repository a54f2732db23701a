"""The mock as client teams' tests have it: what `pytest_plugin` and `/_mock/client.mjs` offer.

Nothing here imports more than the standard library.
"""

from pathlib import Path

CLIENT_MODULE = Path(__file__).parent / "client.mjs"
"""The words of the plugin in JavaScript, for the mock to serve."""
