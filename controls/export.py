"""The journal as files that other tools read: HAR 1.2, and one JSON text in each line."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import orjson

from ..contract import har as archive
from ..contract.redaction import Redaction
from .journal import Entry


def ndjson(entries: Iterable[Entry], redaction: Redaction) -> bytes:
    return b"".join(orjson.dumps(entry.as_json(redaction), option=orjson.OPT_APPEND_NEWLINE) for entry in entries)


def har(entries: Iterable[Entry], redaction: Redaction) -> dict[str, Any]:
    """HAR 1.2; findings are in `_findings`."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "callconfig", "version": version("callconfig")},
            "entries": [
                {
                    **archive.entry(entry.interaction(redaction)),
                    "_findings": [finding.as_json() for finding in entry.findings],
                }
                for entry in entries
            ],
        }
    }
