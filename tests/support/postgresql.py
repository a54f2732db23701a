"""A PostgreSQL server for a test."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNPRIVILEGED = ("postgres", "nobody")
"""Users for a server when this process is root, which PostgreSQL refuses."""
STARTING_TIME = 30.0


class PostgreSQLServer:
    """A PostgreSQL server in a separate folder with its socket, to be started and stopped at will."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        self._schemas = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        # A name for it only when this process is root: PostgreSQL refuses to run as root.
        self._user = unprivileged_user() if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(folder, self._user)
        initialise = ["initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run([*initialise, f"--pgdata={folder / 'data'}"]).wait()

    def start(self) -> None:
        """Start the server, and return when it is ready. It does not fsync, which would only take time."""
        self._process = self._run(
            ["postgres", "-D", str(self._folder / "data"), "-k", str(self._folder), "-h", "", "-F"]
        )
        deadline = time.monotonic() + STARTING_TIME
        while self._run(["pg_isready", "--quiet", f"--host={self._folder}"]).wait() != 0:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError((self._folder / "log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server, breaking all connections, and return when it has ended."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()

    def fresh_url(self) -> str:
        """The URL of an empty schema."""
        import psycopg

        schema = f"schema_{next(self._schemas)}"
        with psycopg.connect(self.url) as connection:
            connection.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(psycopg.sql.Identifier(schema)))
        return f"{self.url}&options=-csearch_path%3D{schema}"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self._folder}"

    def _run(self, command: list[str]) -> "subprocess.Popen[bytes]":
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self._binaries / command[0], *command[1:]], stdout=log, stderr=log, cwd="/", user=self._user
            )


@contextmanager
def postgresql_server() -> Iterator[PostgreSQLServer]:
    """A running server, deleted afterwards. Raises FileNotFoundError when none is installed."""
    binaries = postgresql_binaries()
    folder = Path(tempfile.mkdtemp(prefix="callconfig-"))  # short: the path of a socket has at most some 100 bytes
    server = PostgreSQLServer(binaries, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def postgresql_binaries() -> Path:
    """The folder of `initdb` and `postgres`. Raises FileNotFoundError."""
    candidates = [Path(found).parent for found in [shutil.which("initdb")] if found]
    if shutil.which("pg_config"):
        candidates.append(Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip()))
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for candidate in candidates:
        if all((candidate / name).exists() for name in ("initdb", "postgres", "pg_isready")):
            return candidate
    raise FileNotFoundError("PostgreSQL's server is not installed: initdb, postgres and pg_isready")


def unprivileged_user() -> str:
    known = {user.pw_name for user in pwd.getpwall()}
    return next(user for user in UNPRIVILEGED if user in known)
