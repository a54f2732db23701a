"""What each command is told, as a frozen dataclass: `cli` makes them, the commands take nothing else."""

from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_STORE = ".callconfig/configurations.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """`callconfig serve`."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0 picks a free one."""
    store: str = DEFAULT_STORE
    """A file, `:memory:` or a `postgresql://` URL."""
    fsync: bool = False
    seed: tuple[Path, ...] = ()
    base_path: str = ""
    workers: int = 1
    controls: bool = True
    control_token: str | None = field(default=None, repr=False)
    journal: int = 1000
    """Requests to keep for each session."""
    auth: Path | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions:
    """What every command is told that judges."""

    contract: Path | None = None
    """None is the built-in one."""
    report: tuple[tuple[str, Path], ...] = ()
    """Formats with the files to write."""
    baseline: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversingOptions(JudgingOptions):
    """What every command is told that sends requests of its own."""

    token: str | None = field(default=None, repr=False)
    header: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    random_seed: int | None = None
    max_examples: int = 20
    max_time: float | None = None
    """Seconds."""
    max_failures: int | None = None
    rate_limit: float | None = None
    """Requests a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions(ConversingOptions):
    """`callconfig check`."""

    url: str | None = None
    """None is a fresh mock."""
    workers: int = 1
    require_coverage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions(ConversingOptions):
    """`callconfig compare`."""

    url_a: str
    url_b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions(JudgingOptions):
    """`callconfig verify`."""

    files: tuple[Path, ...]
    only_host: tuple[str, ...] = ()
    base_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions(JudgingOptions):
    """`callconfig proxy`."""

    upstream: str
    host: str = "127.0.0.1"
    port: int = 8080
    enforce: bool = False
    record: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsBuildOptions:
    """`callconfig docs build`."""

    output: Path
    contract: Path | None = None
