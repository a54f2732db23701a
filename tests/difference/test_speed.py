"""The speed for two documents of 3 MB with recursive schemas."""

import json
import time
from pathlib import Path
from typing import Any

from callconfig.difference.diff import compare
from callconfig.options import DiffOptions

SCHEMAS = 500


def document(longest: int) -> dict[str, Any]:
    """A document whose schemas each refer to two others; in the last one `note` has a maximum length."""
    schemas = {}
    for number in range(SCHEMAS):
        other = {
            "anyOf": [
                {"type": "string"},
                {"$ref": f"#/components/schemas/S{2 * number + 1 if 2 * number + 2 < SCHEMAS else 0}"},
            ]
        }
        members: dict[str, Any] = {
            f"m{index}": {"type": "integer", "description": "A word. " * 24} for index in range(25)
        }
        members |= {
            "other": other,
            "next": {"$ref": f"#/components/schemas/S{2 * number + 2 if 2 * number + 2 < SCHEMAS else 0}"},
        }
        members["note"] = {"type": "string", "maxLength": longest if number == SCHEMAS - 2 else 10}
        schemas[f"S{number}"] = {"type": "object", "properties": members}
    paths = {
        f"/s{number}": {
            "get": {
                "operationId": f"get{number}",
                "responses": {
                    "200": {
                        "description": "It.",
                        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/S{number}"}}},
                    }
                },
            }
        }
        for number in range(0, SCHEMAS, 5)
    }
    info = {"title": "Large", "version": "1.0.0"}
    return {"openapi": "3.0.3", "info": info, "paths": paths, "components": {"schemas": schemas}}


def seconds(old: Path, new: Path) -> tuple[float, str]:
    """The CPU time in seconds, since other tests run in parallel, and the verdict."""
    clock = time.process_time()
    verdict = compare(DiffOptions(old=str(old), new=str(new))).verdict
    return time.process_time() - clock, verdict


def test_two_documents_that_differ_take_less_than_ten_seconds_and_equal_ones_less_than_two(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(document(10)))
    new.write_text(json.dumps(document(11)))
    assert old.stat().st_size > 3_000_000
    took, verdict = seconds(old, new)
    assert verdict == "1 breaking"
    assert took < 10
    took, verdict = seconds(old, old)
    assert verdict == "nothing changed"
    assert took < 2
