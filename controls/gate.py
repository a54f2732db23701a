"""Access to the controls: by a host name of the mock, and from no page of a foreign origin.

A page in a developer's browser can send requests to this machine, and can give its own name this machine's address
(DNS rebinding). Such requests do harm even unread, so they are refused whatever the method or the content type.
"""

import ipaddress
import re
from collections.abc import Collection

from ..contract.body import Headers
from ..contract.problem import Problem
from .refusals import Refused

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:/?#@,\s\[\]]+)(:[0-9]*)?")


class Gate:
    """Permits loopback names, the address that a request came to, and `hosts`; pages of the mock and of `origins`."""

    def __init__(self, hosts: Collection[str], origins: Collection[str]) -> None:
        self._hosts, self._origins = {host.lower() for host in hosts}, set(origins)

    def check(self, headers: Headers, scheme: str, address: str) -> None:
        """Raises Refused. `address` is the server's, to which the request came."""
        host = headers.get("host", "")
        if not self._is_own(_name(host), address):
            raise _foreign("The Host of the request is not a name of the mock.")
        origin = headers.get("origin")
        if origin in self._origins:
            return
        if origin not in (None, f"{scheme}://{host}"):
            raise _foreign("The Origin of the request is another one than the mock's.")
        if headers.get("sec-fetch-site") == "cross-site":
            raise _foreign("The request comes from a page of another site.")

    def _is_own(self, name: str, address: str) -> bool:
        if name in ("localhost", address) or name.endswith(".localhost") or name in self._hosts:
            return bool(name)
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _foreign(detail: str) -> Refused:
    return Refused(Problem("foreign-request", detail))


def _name(host: str) -> str:
    """The name in a Host field (RFC 9110, section 7.2) without the port; empty where it is invalid."""
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower() if found else ""
