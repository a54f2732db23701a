"""The mock and its peers, each a process on a free port of 127.0.0.1; packages of npm are installed when needed."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from callconfig.contract.document import BUILT_IN, Contract

INSTALLED = Path(__file__).parent.parent / ".cache" / "benchmarks" / "node_modules"
PEERS = {"@stoplight/prism-cli": "5.16.0", "wiremock": "3.13.2"}
STARTING_TIME = 30.0
SAMPLE = Contract.load(validate=False).document["components"]["examples"]["CreateRequest"]["value"]
Command = list[str]


@dataclass(frozen=True)
class Server:
    """A running process."""

    pid: int
    port: int
    started_in: float = 0.0
    """Seconds until its first response."""

    def get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=STARTING_TIME)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def cpu(self) -> float:
        """The CPU time of all its threads, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, line: str = "VmRSS") -> int:
        """Its memory in bytes; `VmHWM` is the peak since `forget_peak`."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition(f"{line}:")[2].split()[0]) * 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@contextmanager
def running(command: Command) -> Iterator[Server]:
    """A process of `command`, in which PORT is a free port, from its first response on. Its output goes to a file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen([part.replace("PORT", str(port)) for part in command], stdout=log, stderr=log)
        try:
            while not _responds(port):
                if process.poll() is not None or time.perf_counter() - start > STARTING_TIME:
                    log.seek(0)
                    raise TimeoutError(f"{command}: {log.read().decode()}")
                time.sleep(0.002)
            yield Server(process.pid, port, time.perf_counter() - start)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _responds(port: int) -> bool:
    try:
        Server(0, port).get("/configurations")
    except (OSError, http.client.HTTPException):
        return False
    return True


def python(module: str, *arguments: str) -> Command:
    return [sys.executable, "-m", f"callconfig{module}", *arguments]


def mock(store: str, *options: str) -> Command:
    """The mock with everything on: journal, controls, and an access log that `running` sends to a file."""
    return python("", "serve", "--port", "PORT", "--store", store, *options)


def prism() -> Command:
    program = _installed("@stoplight/prism-cli") / "dist" / "index.js"
    return ["node", str(program), "mock", "--port", "PORT", str(BUILT_IN)]


def wiremock(folder: str) -> Command:
    """WireMock with one fixed response to every create, and a journal as long as the mock's."""
    answer = {"status": 201, "headers": {"Content-Type": "application/json"}, "jsonBody": SAMPLE}
    stub = {"request": {"method": "POST", "urlPath": "/configurations"}, "response": answer}
    mappings = Path(folder) / "mappings"
    mappings.mkdir()
    (mappings / "create.json").write_text(json.dumps(stub))
    (jar,) = (_installed("wiremock") / "build").glob("*.jar")
    return (
        f"java -jar {jar} --port PORT --root-dir {folder} --disable-banner --max-request-journal-entries 1000".split()
    )


def _installed(package: str) -> Path:
    manifest = INSTALLED / package / "package.json"
    if not manifest.exists() or json.loads(manifest.read_text())["version"] != PEERS[package]:
        INSTALLED.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", str(INSTALLED.parent)]
        wanted = [f"{name}@{version}" for name, version in PEERS.items()]
        subprocess.run([*install, *wanted], check=True, stdout=subprocess.DEVNULL)
    return manifest.parent
