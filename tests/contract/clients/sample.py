"""The JSON of a configuration, for the conversations."""

from typing import Any

SAMPLE: dict[str, Any] = {
    "reseller_id": "res_001",
    "template": "tpl_client",
    "initial_offset": 0,
    "retry_offset": 3600,
    "call_start_time": "09:00",
    "call_end_time": "21:00",
    "max_retry": 3,
    "calling_provider": "TWILIO",
    "merchant_id": None,
    "telephony_config": None,
    "pre_checks": [
        {
            "name": "dnd_check",
            "type": "external_api",
            "http_request": {"url": "https://dnd.example.com", "body": {"any": [1, None, {"deep": "value"}]}},
            "response_config": {"response_field": "allowed", "response_field_value": [True, None, 1.5]},
        }
    ],
}
