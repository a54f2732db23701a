"""What each command is told: a frozen dataclass for each, which is the one place where an option is declared.

A field is an option: `base_path` is `--base-path` and `CALLCONFIG_BASE_PATH`, its default is the field's, and its
annotation says the rest. `cli` makes the options of the command line from it; the commands take nothing else.
"""

import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

import click

DEFAULT_STORE = ".callconfig/configurations.jsonl"
COVERAGE_KINDS = ("operations", "statuses", "members", "rules")
Level = Literal["off", "warning", "error"]
LEVELS = get_args(Level)
REPORT_FORMATS = ("junit", "sarif", "json", "html", "har")
DIFF_REPORT_FORMATS = ("junit", "sarif", "json", "html", "markdown")


def cache_folder() -> Path | None:
    """The folder where the user's caches are; None for a user without a home.

    It is kept out of the working directory, which is somebody's project.
    """
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callconfig"
    except RuntimeError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """How a field is given on the command line, or in an environment variable where the command line says nothing."""

    help: str
    type: click.ParamType[Any] | None = None
    """None is text, a path or a flag, as the field is."""
    metavar: str | None = None
    flag: str = ""
    """Where it is not the field's name."""
    short: str = ""
    variable: str = ""
    """Where it is not CALLCONFIG_ and the flag's name."""
    is_argument: bool = False
    """Given by its place, and in no environment variable."""


class Text(click.ParamType[Any]):
    """Text that a function reads; it raises ValueError, and says what was wrong."""

    def __init__(self, name: str, parse: Any = str, separator: str | None = None) -> None:
        self.name, self._parse, self._separator = name, parse, separator

    def split_envvar_value(self, rv: str) -> list[str]:
        return rv.split(self._separator)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _token(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a token is visible ASCII characters, and at least one")
    return text


def _base_path(text: str) -> str:
    path = text.rstrip("/")
    if path and (not path.startswith("/") or not path.isprintable() or set("?#{} ") & set(path)):
        raise ValueError(f"{text!r} is not a path; it starts with / like /agent/voice")
    return path


def _report(text: str, formats: tuple[str, ...] = REPORT_FORMATS) -> tuple[str, Path]:
    name, _, path = text.partition(":")
    if name not in formats or not path:
        raise ValueError(f"{text!r} is not FORMAT:PATH with one of {', '.join(formats)}")
    return name, Path(path)


def _url(text: str) -> str:
    wrong = f"{text!r} is not the URL of a server; write it like http://127.0.0.1:8080"
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 (it is read here, and is wrong here)
    except ValueError as error:
        raise ValueError(wrong) from error
    is_server = parts.scheme in ("http", "https") and parts.hostname and text.isprintable()
    if not is_server or parts.query or parts.fragment:
        raise ValueError(wrong)
    return text.rstrip("/")


def _origin(text: str) -> str:
    url = _url(text)
    parts = urlsplit(url)
    if parts.path or parts.username is not None or parts.password is not None:
        raise ValueError(f"{text!r} is not an origin; write it like http://localhost:5173")
    return url.lower()


def _minimum(text: str) -> tuple[str, float]:
    kind, _, number = text.partition("=")
    try:
        percent = float(number)
    except ValueError:
        percent = -1.0
    if kind not in COVERAGE_KINDS or not 0 <= percent <= 100:
        raise ValueError(f"{text!r} is not KIND=PERCENT with one of {', '.join(COVERAGE_KINDS)}, like members=80")
    return kind, percent


def _severity(text: str) -> tuple[str, str]:
    from .contract.rulebook import RULES  # here, so that the command starts without it

    rule, _, level = text.partition("=")
    if level not in LEVELS:
        raise ValueError(f"{text!r} is not RULE=LEVEL with one of {', '.join(LEVELS)}, like unknown-parameter=error")
    if rule not in RULES:
        raise ValueError(f"{rule!r} is no rule; there are {', '.join(sorted(RULES))}")
    return rule, level


def _number_above_0(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{text!r} is not a number greater than 0")
    return number


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name.strip() or not text.isascii() or not text.isprintable() or " " in name.strip():
        raise ValueError(f"{text!r} is not a header field like 'X-Team: calls'")
    return name.strip(), value.strip()


PORT = click.IntRange(0, 65535)
COUNT = click.IntRange(0, 1_000_000)
POSITIVE = click.IntRange(1, 1_000_000)
NUMBER = Text("number", _number_above_0)
TOKEN = Text("token", _token)
BASE_PATH = Text("path", _base_path)
URL = Text("url", _url)
ORIGIN = Text("origin", _origin, separator=",")
HEADER = Text("header", _header, separator="\n")
REPORT = Text("report", _report, separator=",")
COVERAGE = Text("minimum", _minimum, separator=",")
SEVERITY = Text("severity", _severity, separator=",")
DIFF_REPORT = Text("report", partial(_report, formats=DIFF_REPORT_FORMATS), separator=",")
NAME = Text("name", separator=",")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """`callconfig serve`."""

    contract: Annotated[
        Path | None, Option(help="an OpenAPI file to mock instead of the built-in one", metavar="FILE")
    ] = None
    handlers: Annotated[
        tuple[str, ...],
        Option(
            help="module, file or entry point with functions that answer operations in their own way; repeatable",
            type=NAME,
            metavar="MODULE",
        ),
    ] = ()
    host: Annotated[str, Option(help="address to listen on", metavar="ADDRESS")] = "127.0.0.1"
    port: Annotated[int, Option(help="port to listen on; 0 picks a free one", type=PORT, metavar="N")] = 8080
    store: Annotated[str, Option(help="a file, :memory: or a postgresql:// URL", metavar="PLACE")] = DEFAULT_STORE
    fsync: Annotated[bool, Option(help="acknowledge a write only when it survives power loss")] = False
    seed: Annotated[
        tuple[Path, ...],
        Option(
            help="JSON array of configurations to start with, or by table all that a contract stores; what is stored "
            "already stays as it is; repeatable",
            metavar="FILE",
        ),
    ] = ()
    base_path: Annotated[
        str, Option(help="prefix to mount the API under, like /agent/voice", type=BASE_PATH, metavar="PATH")
    ] = ""
    workers: Annotated[
        int,
        Option(
            help="processes to serve from; more than one needs a postgresql:// store, and there are no controls then",
            type=POSITIVE,
            metavar="N",
        ),
    ] = 1
    controls: Annotated[bool, Option(help="let tests steer the mock below /_mock, each in its session")] = True
    control_token: Annotated[
        str | None,
        Option(
            help="what controls ask for as `Authorization: Bearer TOKEN`; needed when others than this machine can "
            "connect",
            type=TOKEN,
            metavar="TOKEN",
        ),
    ] = field(default=None, repr=False)
    control_host: Annotated[
        tuple[str, ...],
        Option(
            help="name that the controls are reached by, beside localhost and addresses; repeatable",
            type=NAME,
            metavar="NAME",
        ),
    ] = ()
    control_origin: Annotated[
        tuple[str, ...],
        Option(
            help="origin whose pages may use the controls in a browser, like http://localhost:5173; repeatable",
            type=ORIGIN,
            metavar="ORIGIN",
        ),
    ] = ()
    scenario: Annotated[
        Path | None,
        Option(
            help="JSON file of the state, rules, clock and ids to begin with, as `PUT /_mock/scenario` takes them",
            metavar="FILE",
        ),
    ] = None
    journal: Annotated[int, Option(help="requests to keep for each session", type=COUNT, metavar="N")] = 1000
    auth: Annotated[Path | None, Option(help="JSON file of tokens that requests need", metavar="FILE")] = None
    quiet: Annotated[bool, Option(help="do not print a line for each request")] = False
    log: Annotated[
        str, Option(help="what that line is: for people, or JSON for programs", type=click.Choice(("text", "json")))
    ] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions:
    """What every command is told that judges."""

    contract: Annotated[
        Path | None, Option(help="an OpenAPI 3.0 or 3.1 file, not the built-in one", metavar="FILE")
    ] = None
    report: Annotated[
        tuple[tuple[str, Path], ...],
        Option(
            help=f"write a report: {', '.join(REPORT_FORMATS)}; har has the traffic; repeatable",
            type=REPORT,
            metavar="FORMAT:PATH",
        ),
    ] = ()
    severity: Annotated[
        tuple[tuple[str, Level], ...],
        Option(
            help=f"what a rule counts as, {', '.join(LEVELS)}, like unknown-parameter=error; repeatable",
            type=SEVERITY,
            metavar="RULE=LEVEL",
        ),
    ] = ()
    baseline: Annotated[Path | None, Option(help="accept the findings of this earlier json report", metavar="FILE")] = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversingOptions(JudgingOptions):
    """What every command is told that sends requests of its own."""

    token: Annotated[str | None, Option(help="bearer token to send", type=TOKEN, metavar="TOKEN")] = field(
        default=None, repr=False
    )
    header: Annotated[
        tuple[tuple[str, str], ...],
        Option(help="header field to send with every request; repeatable", type=HEADER, metavar="'NAME: VALUE'"),
    ] = field(default=(), repr=False)
    include: Annotated[
        tuple[str, ...],
        Option(
            help="only these operations, by operationId, * and ? allowed; repeatable", type=NAME, metavar="OPERATION"
        ),
    ] = ()
    exclude: Annotated[
        tuple[str, ...],
        Option(
            help="not these operations, by operationId, * and ? allowed; repeatable", type=NAME, metavar="OPERATION"
        ),
    ] = ()
    random_seed: Annotated[
        int | None,
        Option(
            help="make the same choices as an earlier run; without it they are new",
            type=click.INT,
            metavar="N",
            flag="seed",
            variable="CALLCONFIG_RANDOM_SEED",
        ),
    ] = None
    max_examples: Annotated[int, Option(help="generated cases for each property", type=POSITIVE, metavar="N")] = 20
    max_time: Annotated[float | None, Option(help="end the run after this time", type=NUMBER, metavar="SECONDS")] = None
    max_failures: Annotated[
        int | None, Option(help="end the run after so many different errors", type=POSITIVE, metavar="N")
    ] = None
    rate_limit: Annotated[float | None, Option(help="at most so many requests a second", type=NUMBER, metavar="N")] = (
        None
    )
    write_anywhere: Annotated[
        bool, Option(help="also change and delete what the run did not create; for a server whose data nobody needs")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions(ConversingOptions):
    """`callconfig check`."""

    url: Annotated[
        str | None,
        Option(
            help="the server, with the prefix that it mounts the API under; without it a fresh mock is checked",
            type=URL,
            metavar="[URL]",
            is_argument=True,
        ),
    ] = None
    workers: Annotated[
        int,
        Option(
            help="generated requests on their way at a time",
            type=POSITIVE,
            metavar="N",
            variable="CALLCONFIG_CHECK_WORKERS",
        ),
    ] = 1
    require_coverage: Annotated[
        bool, Option(help="fail when a documented status was never seen that a client can provoke")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions(ConversingOptions):
    """`callconfig compare`."""

    url_a: Annotated[str, Option(help="the first server, with its prefix", type=URL, metavar="URL_A", is_argument=True)]
    url_b: Annotated[
        str, Option(help="the second server, with its prefix", type=URL, metavar="URL_B", is_argument=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions(JudgingOptions):
    """`callconfig verify`."""

    files: Annotated[
        tuple[str, ...],
        Option(help="a recording: a file, a URL, or - for standard input", metavar="FILE...", is_argument=True),
    ]
    only_host: Annotated[
        tuple[str, ...],
        Option(help="judge only requests to this host, or host:port; repeatable", type=NAME, metavar="HOST"),
    ] = ()
    base_path: Annotated[str, Option(help="prefix that the API was mounted under", type=BASE_PATH, metavar="PATH")] = ""
    coverage: Annotated[
        bool, Option(help="say which operations, statuses, members and rules the traffic exercised")
    ] = False
    coverage_minimum: Annotated[
        tuple[tuple[str, float], ...],
        Option(
            help=f"fail when less of a kind was exercised, like members=80; {', '.join(COVERAGE_KINDS)}; repeatable",
            type=COVERAGE,
            metavar="KIND=PERCENT",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions(JudgingOptions):
    """`callconfig proxy`."""

    upstream: Annotated[str, Option(help="the server to forward to, with its prefix", type=URL, metavar="URL")]
    host: Annotated[str, Option(help="address to listen on", metavar="ADDRESS")] = "127.0.0.1"
    port: Annotated[int, Option(help="port to listen on; 0 picks a free one", type=PORT, metavar="N")] = 8080
    enforce: Annotated[bool, Option(help="answer a problem instead of passing on what breaks the contract")] = False
    record: Annotated[Path | None, Option(help="write the traffic as HAR", metavar="FILE")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOptions:
    """`callconfig diff`."""

    old: Annotated[str, Option(help="what clients rely on: a file, or git-ref:file", metavar="OLD", is_argument=True)]
    new: Annotated[str, Option(help="what is to take its place", metavar="NEW", is_argument=True)]
    undecided: Annotated[
        str,
        Option(
            help="what it counts as when neither a proof nor a request that breaks was found",
            type=click.Choice(("error", "warning")),
        ),
    ] = "error"
    traffic: Annotated[
        tuple[Path, ...],
        Option(
            help="say which recorded clients are hit: HAR, NDJSON, a pact or a mock's journal; repeatable",
            metavar="FILE",
        ),
    ] = ()
    accepted: Annotated[
        Path | None,
        Option(
            help="YAML or JSON list of breaks that do not count, each with operation, fingerprint, reason and until",
            metavar="FILE",
        ),
    ] = None
    report: Annotated[
        tuple[tuple[str, Path], ...],
        Option(
            help=f"write a report: {', '.join(DIFF_REPORT_FORMATS)}; repeatable",
            type=DIFF_REPORT,
            metavar="FORMAT:PATH",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsBuildOptions:
    """`callconfig docs build`."""

    output: Annotated[Path, Option(help="the folder, made if need be", metavar="DIR", short="o")]
    contract: Annotated[
        Path | None, Option(help="an OpenAPI 3.0 or 3.1 file, not the built-in one", metavar="FILE")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class McpOptions:
    """`callconfig mcp`."""

    contract: Annotated[
        Path | None, Option(help="the OpenAPI file of the API, not the built-in one", metavar="FILE")
    ] = None
    url: Annotated[
        str | None,
        Option(
            help="a server that runs, with the prefix that it mounts the API under; without it a mock is started",
            type=URL,
            metavar="URL",
        ),
    ] = None
    session: Annotated[str | None, Option(help="the session to be in, as X-Mock-Session names it", metavar="NAME")] = (
        None
    )
    token: Annotated[str | None, Option(help="bearer token for the API", type=TOKEN, metavar="TOKEN")] = field(
        default=None, repr=False
    )
    control_token: Annotated[
        str | None, Option(help="what controls ask for as `Authorization: Bearer TOKEN`", type=TOKEN, metavar="TOKEN")
    ] = field(default=None, repr=False)
    store: Annotated[str, Option(help="of the mock that is started: a file, or :memory:", metavar="PLACE")] = ":memory:"
    port: Annotated[
        int, Option(help="of the mock that is started, on loopback; 0 picks a free one", type=PORT, metavar="N")
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    """`callconfig init`."""

    file: Annotated[Path, Option(help="an OpenAPI 3.0 file", metavar="FILE", is_argument=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LintOptions:
    """`callconfig lint`."""

    files: Annotated[tuple[Path, ...], Option(help="an OpenAPI 3.0 or 3.1 file", metavar="FILE...", is_argument=True)]
