"""The options of the commands, a frozen dataclass for each.

The docstring is the command's help: a summary, a description and an example. A field is an option: `base_path` is
`--base-path` and `CALLCONFIG_BASE_PATH`, and `option` says the rest. `cli` makes the command line of it; the commands
take nothing else.
"""

import os
from dataclasses import MISSING, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, Unpack, dataclass_transform, get_args
from urllib.parse import urlsplit

import click

T = TypeVar("T")
DEFAULT_STORE = ".callconfig/configurations.jsonl"
COVERAGE_KINDS = ("operations", "statuses", "members", "rules")
Level = Literal["off", "warning", "error"]
LEVELS = get_args(Level)
REPORT_FORMATS = ("junit", "sarif", "json", "html", "har")
DIFF_REPORT_FORMATS = ("junit", "sarif", "json", "html", "markdown")


def cache_folder() -> Path | None:
    """The folder of the user's caches; None for a user without a home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callconfig"
    except RuntimeError:
        return None


class Text(click.ParamType[Any]):
    """A parameter type with a name for the help, whose text `parse` reads; it raises ValueError with the reason."""

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


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


def _minimum(text: str) -> tuple[str, float]:
    kind, _, number = text.partition("=")
    percent = _number(number)
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
    number = _number(text)
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
NUMBER = Text("N", _number_above_0)
ADDRESS = Text("ADDRESS")
PLACE = Text("PLACE")
TOKEN = Text("TOKEN", _token)
BASE_PATH = Text("PATH", _base_path)
URL = Text("URL", _url)
ORIGIN = Text("ORIGIN", _origin, separator=",")
HEADER = Text("'NAME: VALUE'", _header, separator="\n")
REPORT = Text("FORMAT:PATH", _report, separator=",")
DIFF_REPORT = Text("FORMAT:PATH", partial(_report, formats=DIFF_REPORT_FORMATS), separator=",")
COVERAGE = Text("KIND=PERCENT", _minimum, separator=",")
SEVERITY = Text("RULE=LEVEL", _severity, separator=",")
OPERATION = Text("OPERATION", separator=",")
MODULE = Text("MODULE", separator=",")
HOST = Text("HOST", separator=",")
NAME, NAMES = Text("NAME"), Text("NAME", separator=",")


class Told(TypedDict, total=False):
    """Further attributes of an option."""

    metavar: str
    """The metavar, where it is not the name of the type, N for a number or FILE for a path."""
    flag: str
    """The flag, where it is not the field's name."""
    short: str
    is_argument: bool
    """Whether it is a positional argument, without an environment variable."""


def option(
    words: str, read_as: Any = None, *, default: Any = MISSING, secret: bool = False, **told: Unpack[Told]
) -> Any:
    """A field that is an option: text, a path or a flag by the field's type, or a `read_as` type."""
    return field(default=default, repr=not secret, metadata={"words": words, "type": read_as, **told})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option,))
def command(options: type[T]) -> type[T]:
    return dataclass(frozen=True, slots=True, kw_only=True)(options)


@command
class ServeOptions:
    """Run the mock server.

    Run a mock of the API. It validates like the contract and remembers what it was told.

    Example: callconfig serve --port 0 --store :memory:
    """

    contract: Path | None = option("an OpenAPI file to mock instead of the built-in one", default=None)
    handlers: tuple[str, ...] = option(
        "module, file or entry point with functions that answer operations in their own way", MODULE, default=()
    )
    host: str = option("address to listen on", ADDRESS, default="127.0.0.1")
    port: int = option("port to listen on; 0 picks a free one", PORT, default=8080)
    store: str = option("a file, :memory: or a postgresql:// URL", PLACE, default=DEFAULT_STORE)
    fsync: bool = option("acknowledge a write only when it survives power loss", default=False)
    seed: tuple[Path, ...] = option(
        "JSON array of configurations to start with, or by table all that a contract stores; what is stored "
        "already stays as it is",
        default=(),
    )
    base_path: str = option("prefix to mount the API under, like /agent/voice", BASE_PATH, default="")
    workers: int = option(
        "processes to serve from; more than one needs a postgresql:// store, and there are no controls then",
        POSITIVE,
        default=1,
    )
    controls: bool = option("let tests steer the mock below /_mock, each in its session", default=True)
    control_token: str | None = option(
        "what controls ask for as `Authorization: Bearer TOKEN`; needed when others than this machine can connect",
        TOKEN,
        default=None,
        secret=True,
    )
    control_host: tuple[str, ...] = option(
        "name that the controls are reached by, beside localhost and addresses", NAMES, default=()
    )
    control_origin: tuple[str, ...] = option(
        "origin whose pages may use the controls in a browser, like http://localhost:5173", ORIGIN, default=()
    )
    scenario: Path | None = option(
        "JSON file of the state, rules, clock and ids to begin with, as `PUT /_mock/scenario` takes them", default=None
    )
    journal: int = option("requests to keep for each session", COUNT, default=1000)
    auth: Path | None = option("JSON file of tokens that requests need", default=None)
    quiet: bool = option("do not print a line for each request", default=False)
    log: str = option(
        "what that line is: for people, or JSON for programs", click.Choice(("text", "json")), default="text"
    )


@command
class JudgingOptions:
    """The options of every command that judges."""

    contract: Path | None = option("an OpenAPI 3.0 or 3.1 file, not the built-in one", default=None)
    report: tuple[tuple[str, Path], ...] = option(
        f"write a report: {', '.join(REPORT_FORMATS)}; har has the traffic", REPORT, default=()
    )
    severity: tuple[tuple[str, Level], ...] = option(
        f"what a rule counts as, {', '.join(LEVELS)}, like unknown-parameter=error", SEVERITY, default=()
    )
    baseline: Path | None = option("accept the findings of this earlier json report", default=None)


@command
class ConversingOptions(JudgingOptions):
    """The options of every command that sends requests."""

    token: str | None = option("bearer token to send", TOKEN, default=None, secret=True)
    header: tuple[tuple[str, str], ...] = option(
        "header field to send with every request", HEADER, default=(), secret=True
    )
    include: tuple[str, ...] = option("only these operations, by operationId, * and ? allowed", OPERATION, default=())
    exclude: tuple[str, ...] = option("not these operations, by operationId, * and ? allowed", OPERATION, default=())
    random_seed: int | None = option(
        "make the same choices as an earlier run; without it they are new",
        click.INT,
        default=None,
        metavar="N",
        flag="seed",
    )
    max_examples: int = option("generated cases for each property", POSITIVE, default=20)
    max_time: float | None = option("end the run after this time", NUMBER, default=None, metavar="SECONDS")
    max_failures: int | None = option("end the run after so many different errors", POSITIVE, default=None)
    rate_limit: float | None = option("at most so many requests a second", NUMBER, default=None)
    write_anywhere: bool = option(
        "also change and delete what the run did not create; for a server whose data nobody needs", default=False
    )


@command
class CheckOptions(ConversingOptions):
    """Hold a server to the contract.

    Hold a server to the contract: a model of the stored resources talks to it, then Schemathesis sends generated
    requests, valid and invalid. Each failure is shown with the expected and the actual response, and the curl commands
    that show it again. The resources that a run creates on a server stay there, under names that begin with check- and
    the seed; earlier ones are neither changed nor deleted.

    Example: callconfig check http://127.0.0.1:8080 --require-coverage --report junit:check.xml
    """

    url: str | None = option(
        "the server, with the prefix that it mounts the API under; without it a fresh mock is checked",
        URL,
        default=None,
        is_argument=True,
    )
    check_workers: int = option("generated requests on their way at a time", POSITIVE, default=1, flag="workers")
    require_coverage: bool = option(
        "fail when a documented status was never seen that a client can provoke", default=False
    )


@command
class CompareOptions(ConversingOptions):
    """Find where two servers differ.

    Have the same conversations with two servers and report where they answer differently in status, shape or value;
    without an x-resource, generated requests take their place. Identities, times and the words of errors may differ.
    The resources that a run creates stay there.

    Example: callconfig compare http://127.0.0.1:8080 https://staging.example.com/api
    """

    url_a: str = option("the first server, with its prefix", URL, is_argument=True)
    url_b: str = option("the second server, with its prefix", URL, is_argument=True)


@command
class VerifyOptions(JudgingOptions):
    """Judge recorded traffic.

    Judge recorded traffic against the contract. A FILE is a HAR file, NDJSON with a HAR entry or a line of the mock's
    journal on each line, or a pact (version 2 to 4); its contents say which. A request that breaks the contract is an
    error when the server took it, and a warning when the server refused it.

    Example: callconfig verify session.har --only-host api.example.com --report junit:verify.xml
    """

    files: tuple[str, ...] = option(
        "a recording: a file, a URL, or - for standard input", metavar="FILE...", is_argument=True
    )
    only_host: tuple[str, ...] = option("judge only requests to this host, or host:port", HOST, default=())
    base_path: str = option("prefix that the API was mounted under", BASE_PATH, default="")
    coverage: bool = option("say which operations, statuses, members and rules the traffic exercised", default=False)
    coverage_minimum: tuple[tuple[str, float], ...] = option(
        f"fail when less of a kind was exercised, like members=80; {', '.join(COVERAGE_KINDS)}", COVERAGE, default=()
    )


@command
class ProxyOptions(JudgingOptions):
    """Judge traffic on its way.

    Forward every request to another server, unchanged, and judge both directions. A response whose interaction broke
    the contract gets the header field Callconfig-Findings with their number and the first one.

    Example: callconfig proxy --upstream https://staging.example.com --record session.har
    """

    upstream: str = option("the server to forward to, with its prefix", URL)
    host: str = option("address to listen on", ADDRESS, default="127.0.0.1")
    port: int = option("port to listen on; 0 picks a free one", PORT, default=8080)
    enforce: bool = option("answer a problem instead of passing on what breaks the contract", default=False)
    record: Path | None = option("write the traffic as HAR", default=None)


@command
class DiffOptions:
    """Find what a change of the contract breaks.

    Compare two OpenAPI 3.0 or 3.1 documents. Each change is safe (proven), breaking (shown, with the request that OLD
    takes and NEW refuses, or the answer that OLD never gave), or undecided. Exit 1 when something breaks, or when the
    version of NEW promises less than it breaks. OLD and NEW are files, or git-ref:file.

    Example: callconfig diff main:openapi.yaml openapi.yaml --traffic session.har --report markdown:diff.md
    """

    old: str = option("what clients rely on: a file, or git-ref:file", is_argument=True)
    new: str = option("what is to take its place", is_argument=True)
    undecided: str = option(
        "what it counts as when neither a proof nor a request that breaks was found",
        click.Choice(("error", "warning")),
        default="error",
    )
    traffic: tuple[Path, ...] = option(
        "say which recorded clients are hit: HAR, NDJSON, a pact or a mock's journal", default=()
    )
    accepted: Path | None = option(
        "YAML or JSON list of breaks that do not count, each with operation, fingerprint, reason and until",
        default=None,
    )
    report: tuple[tuple[str, Path], ...] = option(
        f"write a report: {', '.join(DIFF_REPORT_FORMATS)}", DIFF_REPORT, default=()
    )


@command
class DocsBuildOptions:
    """Write the reference as files.

    Write index.html, reference.md and the contract to a folder. Each example of the contract that says how it comes
    about is run on a fresh mock; an answer that is not the documented one fails the build.

    Example: callconfig docs build -o site
    """

    output: Path = option("the folder, made if need be", metavar="DIR", short="o")
    contract: Path | None = option("an OpenAPI 3.0 or 3.1 file, not the built-in one", default=None)


@command
class McpOptions:
    """Offer the mock to agents.

    Speak the Model Context Protocol on standard input and output: each operation of the API is a tool, and so is each
    control; the contract and the reference are resources. Without --url a mock is started on loopback, and ends with
    its input.

    Example: callconfig mcp --url http://127.0.0.1:8080 --session agent
    """

    contract: Path | None = option("the OpenAPI file of the API, not the built-in one", default=None)
    url: str | None = option(
        "a server that runs, with the prefix that it mounts the API under; without it a mock is started",
        URL,
        default=None,
    )
    session: str | None = option("the session to be in, as X-Mock-Session names it", NAME, default=None)
    token: str | None = option("bearer token for the API", TOKEN, default=None, secret=True)
    control_token: str | None = option(
        "what controls ask for as `Authorization: Bearer TOKEN`", TOKEN, default=None, secret=True
    )
    store: str = option("of the mock that is started: a file, or :memory:", PLACE, default=":memory:")
    port: int = option("of the mock that is started, on loopback; 0 picks a free one", PORT, default=0)


@command
class InitOptions:
    """Propose what a contract stores.

    Read an OpenAPI 3.0 file and print a patch of it that declares what its operations seem to store, each as the
    x-resource of a schema, so that `serve` remembers it. Nothing is changed. Guesses, and operations that are not
    understood, are told on standard error.

    Example: callconfig init other.yaml > resources.patch
    """

    file: Path = option("an OpenAPI 3.0 file", is_argument=True)


@command
class LintOptions:
    """Say whether files are contracts.

    Say of each FILE whether everything here can be made from it: OpenAPI 3.0 or 3.1, every schema one that compiles.
    The first error of each file is told in one line.

    Example: callconfig lint openapi.yaml
    """

    files: tuple[Path, ...] = option("an OpenAPI 3.0 or 3.1 file", metavar="FILE...", is_argument=True)
