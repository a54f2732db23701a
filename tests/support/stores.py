"""A resource with predictable values, for tests and benchmarks of stores."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from callconfig.contract.resource import Resource
from callconfig.storage.store import Document, ServerValues, Values

RESOURCE = Resource("id", ("reseller_id", "template"), "created_at", "updated_at")
TABLE = RESOURCE.table


def counted_values() -> Values:
    """Ids that count up from `cfg_000000000001`, and times one microsecond apart."""
    ids, ticks = itertools.count(1), itertools.count()
    start = datetime(2026, 1, 1, tzinfo=UTC)
    values = ServerValues(
        now=lambda: f"{(start + timedelta(microseconds=next(ticks))).isoformat(timespec='microseconds')[:-6]}Z",
        new_id=lambda: f"cfg_{next(ids):012}",
    )
    return lambda _resource: values


SAMPLE: Document = {
    "reseller_id": "res_001",
    "template": "tpl_xyz789",
    "calling_provider": "TWILIO",
    "initial_offset": 0,
    "retry_offset": 3600,
    "max_retry": 3,
    "call_start_time": "09:00",
    "call_end_time": "21:00",
}
"""A request body with the required members of a configuration alone."""


def configuration(reseller_id: str = "reseller-1", template: str = "order", **members: Any) -> Document:
    return {"reseller_id": reseller_id, "template": template, **members}
