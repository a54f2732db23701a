"""A socket to serve on, for the mock and for the proxy."""

import contextlib
import errno
import socket

from .outcome import CouldNotRun


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything else is done, so that a port in use costs nothing.

    Raises CouldNotRun.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as undo:
            listening = undo.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(2048)
            undo.pop_all()
    except OSError as error:
        advice = "; choose another --port, or 0 for a free one" if error.errno == errno.EADDRINUSE else ""
        raise CouldNotRun(f"cannot listen on {host} port {port}: {error.strerror}{advice}") from error
    return listening
