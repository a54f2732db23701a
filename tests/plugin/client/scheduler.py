"""The client team's code under test, a client of the Configurations API."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class Scheduler:
    """Keeps the configuration of one reseller's template."""

    def __init__(self, base_url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = f"{base_url}/configurations"
        self._headers = {"Content-Type": "application/json", **(headers or {})}

    def create(self, template: str, *, retries: int = 3) -> str:
        """Returns the new id, or that of the existing configuration; retries while the service is unavailable."""
        body = {
            "reseller_id": "res_001",
            "template": template,
            "initial_offset": 0,
            "retry_offset": 3600,
            "call_start_time": "09:00",
            "call_end_time": "21:00",
            "max_retry": retries,
            "calling_provider": "TWILIO",
        }
        for _ in range(3):
            try:
                created: str = self._send("POST", body)["id"]
            except HTTPError as error:
                if error.code == 409:
                    return self.templates()[template]
                if error.code != 503:
                    raise
            else:
                return created
        raise TimeoutError(template)

    def templates(self) -> dict[str, str]:
        """Ids by template."""
        return {each["template"]: each["id"] for each in self._send("GET")}

    def _send(self, method: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = Request(self._url, content, self._headers, method=method)  # noqa: S310 (the team's own URL)
        try:
            with urlopen(request) as response:  # noqa: S310
                return json.load(response)
        except HTTPError as error:
            error.close()
            raise
