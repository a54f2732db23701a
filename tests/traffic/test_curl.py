"""The curl command of a request, run by a shell, sends the same bytes."""

import socketserver
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from callconfig.contract.interaction import Interaction
from callconfig.traffic.curl import curl

JSON = (("Content-Type", "application/json"),)


class Recorder(BaseHTTPRequestHandler):
    """Records requests on its server."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self.keep
        raise AttributeError(name)

    def keep(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kept: list[object] = self.server.kept  # type: ignore[attr-defined]
        kept.append((self.command, self.path, [(n, v) for n, v in self.headers.items() if n.startswith("X-")], body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def recorder() -> Iterator[tuple[str, list[tuple[str, str, list[tuple[str, str]], bytes]]]]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Recorder)
    server.daemon_threads, server.kept = True, []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", server.kept  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("shell", ["bash", "sh"])
@pytest.mark.parametrize(
    ("method", "target", "headers", "body"),
    [
        ("GET", "/pets?name=a%20b&filter[x]={1,2}&y=[1-3]", (), b""),
        ("HEAD", "/pets", (), b""),
        ("DELETE", "/pets/1", (), b""),
        ("PUT", "/a/../b/./c", JSON, b"{}"),
        ("PROPFIND", "/pets", (), b""),
        ("GET", "/pets", JSON, b'{"with": "a body"}'),
        ("POST", "/pets", JSON, '{"name": "it\'s \\"é\\" ✓ 𝄞 $HOME `id` %s !!"}'.encode()),
        ("POST", "/pets", (), b"@/etc/hostname"),
        ("POST", "/pets", JSON, b" \r\n\t{}\n\n"),
        ("POST", "/pets", JSON, b"\x00\xff\xfe\\'%d\x1b[31m\x7f"),
        ("POST", "/pets", JSON, "\u202e\u200bhidden\u2028".encode()),
        ("POST", "/pets", JSON, b'{"a": "' + b"x" * 300_000 + b'", "b": "' + b"\\" * 300 + b"'" * 300 + b'"}'),
        ("POST", "/pets", JSON, b" " * (4 << 20) + b"{}"),
        (
            "PATCH",
            "/pets",
            (("X-Odd", "caf\xe9 'quoted' %d \\n"), ("X-Empty", ""), ("X-Twice", "1"), ("X-Twice", "2")),
            b"-",
        ),
    ],
    ids=range(14),
)
def test_a_shell_sends_the_same_bytes(
    recorder: tuple[str, list[tuple[str, str, list[tuple[str, str]], bytes]]],
    shell: str,
    method: str,
    target: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
) -> None:
    url, kept = recorder
    command = curl(Interaction(method, url + target, 200, headers, body))
    assert command.isprintable()
    assert len(command) < 25_000
    subprocess.run([shell, "-c", command.replace("curl -i", "curl -s", 1)], check=True, timeout=20, capture_output=True)
    odd = [(name, value) for name, value in headers if name.startswith("X-")]
    assert kept == [(method, target, odd, body)]


def test_a_body_that_fits_on_no_line_is_named(recorder: tuple[str, list[object]]) -> None:
    body = bytes(number * 31 % 251 for number in range(30_000))
    assert "--data-binary @body-of-30000-bytes" in curl(Interaction("POST", recorder[0], 200, JSON, body))
