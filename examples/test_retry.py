"""A client retries after a short outage: the test in Python, with the pytest plugin.

pip install "callconfig @ git+https://git.example.com/calls/callconfig" pytest
pytest test_retry.py
"""

from typing import Any

import httpx2
from callconfig.pytest_plugin import Mock

CONFIGURATION = {
    "reseller_id": "res_001",
    "template": "tpl_welcome",
    "initial_offset": 0,
    "retry_offset": 3600,
    "call_start_time": "09:00",
    "call_end_time": "21:00",
    "max_retry": 3,
    "calling_provider": "TWILIO",
}


def create(base_url: str) -> Any:
    """A minimal client, in place of yours."""
    response = httpx2.post(f"{base_url}/configurations", json=CONFIGURATION)
    if response.status_code == 503:
        response = httpx2.post(f"{base_url}/configurations", json=CONFIGURATION)
    return response.raise_for_status().json()


def test_the_client_survives_a_short_outage(mock: Mock) -> None:
    mock.rules.add(match={"operation": "createConfiguration"}, answers=[503])

    created = create(mock.base_url)

    requests = mock.wait_for(operation="createConfiguration", at_least=2)
    assert [request.status for request in requests] == [503, 201]
    assert requests[1].json == CONFIGURATION
    assert mock.state() == [created]
