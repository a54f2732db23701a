"""What each command is told: a frozen dataclass for each, which is the one place where an option is declared.

Its docstring is what the help says: a summary, a description and an example. A field is an option: `base_path` is
`--base-path` and `CALLCONFIG_BASE_PATH`, its default is the field's, and its annotation says the rest. `cli` makes the
command line from it; the commands take nothing else.
"""

import os
from dataclasses import KW_ONLY, dataclass, field
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


@dataclass(frozen=True, slots=True)
class Option:
    """How a field is given on the command line, or in an environment variable where the command line says nothing."""

    help: str
    type: click.ParamType[Any] | None = None
    """None is text, a path or a flag, as the field is."""
    _: KW_ONLY
    metavar: str | None = None
    """Where it is not the name of the type, N for a number or FILE for a path."""
    flag: str = ""
    """Where it is not the field's name."""
    short: str = ""
    variable: str = ""
    """Where it is not CALLCONFIG_ and the flag's name."""
    is_argument: bool = False
    """Given by its place, and in no environment variable."""


class Text(click.ParamType[Any]):
    """Text that a function reads; it raises ValueError, and says what was wrong. The help shows it by its name."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Run the mock server.

    Run a mock of the API. It validates like the contract and remembers what it was told.

    Example: callconfig serve --port 0 --store :memory:
    """

    contract: Annotated[Path | None, Option("an OpenAPI file to mock instead of the built-in one")] = None
    handlers: Annotated[
        tuple[str, ...],
        Option(
            "module, file or entry point with functions that answer operations in their own way",
            Text("MODULE", separator=","),
        ),
    ] = ()
    host: Annotated[str, Option("address to listen on", ADDRESS)] = "127.0.0.1"
    port: Annotated[int, Option("port to listen on; 0 picks a free one", PORT)] = 8080
    store: Annotated[str, Option("a file, :memory: or a postgresql:// URL", PLACE)] = DEFAULT_STORE
    fsync: Annotated[bool, Option("acknowledge a write only when it survives power loss")] = False
    seed: Annotated[
        tuple[Path, ...],
        Option(
            "JSON array of configurations to start with, or by table all that a contract stores; what is stored "
            "already stays as it is"
        ),
    ] = ()
    base_path: Annotated[str, Option("prefix to mount the API under, like /agent/voice", BASE_PATH)] = ""
    workers: Annotated[
        int,
        Option(
            "processes to serve from; more than one needs a postgresql:// store, and there are no controls then",
            POSITIVE,
        ),
    ] = 1
    controls: Annotated[bool, Option("let tests steer the mock below /_mock, each in its session")] = True
    control_token: Annotated[
        str | None,
        Option(
            "what controls ask for as `Authorization: Bearer TOKEN`; needed when others than this machine can connect",
            TOKEN,
        ),
    ] = field(default=None, repr=False)
    control_host: Annotated[
        tuple[str, ...],
        Option("name that the controls are reached by, beside localhost and addresses", Text("NAME", separator=",")),
    ] = ()
    control_origin: Annotated[
        tuple[str, ...],
        Option("origin whose pages may use the controls in a browser, like http://localhost:5173", ORIGIN),
    ] = ()
    scenario: Annotated[
        Path | None,
        Option("JSON file of the state, rules, clock and ids to begin with, as `PUT /_mock/scenario` takes them"),
    ] = None
    journal: Annotated[int, Option("requests to keep for each session", COUNT)] = 1000
    auth: Annotated[Path | None, Option("JSON file of tokens that requests need")] = None
    quiet: Annotated[bool, Option("do not print a line for each request")] = False
    log: Annotated[
        str, Option("what that line is: for people, or JSON for programs", click.Choice(("text", "json")))
    ] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions:
    """What every command is told that judges."""

    contract: Annotated[Path | None, Option("an OpenAPI 3.0 or 3.1 file, not the built-in one")] = None
    report: Annotated[
        tuple[tuple[str, Path], ...],
        Option(f"write a report: {', '.join(REPORT_FORMATS)}; har has the traffic", REPORT),
    ] = ()
    severity: Annotated[
        tuple[tuple[str, Level], ...],
        Option(f"what a rule counts as, {', '.join(LEVELS)}, like unknown-parameter=error", SEVERITY),
    ] = ()
    baseline: Annotated[Path | None, Option("accept the findings of this earlier json report")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversingOptions(JudgingOptions):
    """What every command is told that sends requests of its own."""

    token: Annotated[str | None, Option("bearer token to send", TOKEN)] = field(default=None, repr=False)
    header: Annotated[tuple[tuple[str, str], ...], Option("header field to send with every request", HEADER)] = field(
        default=(), repr=False
    )
    include: Annotated[
        tuple[str, ...], Option("only these operations, by operationId, * and ? allowed", OPERATION)
    ] = ()
    exclude: Annotated[tuple[str, ...], Option("not these operations, by operationId, * and ? allowed", OPERATION)] = ()
    random_seed: Annotated[
        int | None,
        Option(
            "make the same choices as an earlier run; without it they are new",
            click.INT,
            metavar="N",
            flag="seed",
            variable="CALLCONFIG_RANDOM_SEED",
        ),
    ] = None
    max_examples: Annotated[int, Option("generated cases for each property", POSITIVE)] = 20
    max_time: Annotated[float | None, Option("end the run after this time", NUMBER, metavar="SECONDS")] = None
    max_failures: Annotated[int | None, Option("end the run after so many different errors", POSITIVE)] = None
    rate_limit: Annotated[float | None, Option("at most so many requests a second", NUMBER)] = None
    write_anywhere: Annotated[
        bool, Option("also change and delete what the run did not create; for a server whose data nobody needs")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions(ConversingOptions):
    """Hold a server to the contract.

    Hold a server to the contract: a model of what must be stored talks to it, then Schemathesis sends generated
    requests, valid and invalid. Each failure is shown with what was expected, what came, and the curl commands that
    show it again. What a run creates on a server stays there, under names that begin with check- and the seed; what was
    there before is neither changed nor deleted.

    Example: callconfig check http://127.0.0.1:8080 --require-coverage --report junit:check.xml
    """

    url: Annotated[
        str | None,
        Option(
            "the server, with the prefix that it mounts the API under; without it a fresh mock is checked",
            URL,
            is_argument=True,
        ),
    ] = None
    workers: Annotated[
        int, Option("generated requests on their way at a time", POSITIVE, variable="CALLCONFIG_CHECK_WORKERS")
    ] = 1
    require_coverage: Annotated[
        bool, Option("fail when a documented status was never seen that a client can provoke")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions(ConversingOptions):
    """Find where two servers differ.

    Have the same conversations with two servers and report where they answer differently in status, shape or value;
    without an x-resource, generated requests take their place. Identities, times and the words of errors may differ.
    What a run creates stays there.

    Example: callconfig compare http://127.0.0.1:8080 https://staging.example.com/api
    """

    url_a: Annotated[str, Option("the first server, with its prefix", URL, is_argument=True)]
    url_b: Annotated[str, Option("the second server, with its prefix", URL, is_argument=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions(JudgingOptions):
    """Judge recorded traffic.

    Judge recorded traffic against the contract. A FILE is a HAR file, NDJSON with a HAR entry or a line of the mock's
    journal on each line, or a pact (version 2 to 4); its contents say which. A request that breaks the contract is an
    error when the server took it, and a warning when the server refused it.

    Example: callconfig verify session.har --only-host api.example.com --report junit:verify.xml
    """

    files: Annotated[
        tuple[str, ...],
        Option("a recording: a file, a URL, or - for standard input", metavar="FILE...", is_argument=True),
    ]
    only_host: Annotated[
        tuple[str, ...], Option("judge only requests to this host, or host:port", Text("HOST", separator=","))
    ] = ()
    base_path: Annotated[str, Option("prefix that the API was mounted under", BASE_PATH)] = ""
    coverage: Annotated[bool, Option("say which operations, statuses, members and rules the traffic exercised")] = False
    coverage_minimum: Annotated[
        tuple[tuple[str, float], ...],
        Option(f"fail when less of a kind was exercised, like members=80; {', '.join(COVERAGE_KINDS)}", COVERAGE),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions(JudgingOptions):
    """Judge traffic on its way.

    Forward every request to another server, unchanged, and judge both directions. A response whose interaction broke
    the contract gets the header field Callconfig-Findings with their number and the first one.

    Example: callconfig proxy --upstream https://staging.example.com --record session.har
    """

    upstream: Annotated[str, Option("the server to forward to, with its prefix", URL)]
    host: Annotated[str, Option("address to listen on", ADDRESS)] = "127.0.0.1"
    port: Annotated[int, Option("port to listen on; 0 picks a free one", PORT)] = 8080
    enforce: Annotated[bool, Option("answer a problem instead of passing on what breaks the contract")] = False
    record: Annotated[Path | None, Option("write the traffic as HAR")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOptions:
    """Find what a change of the contract breaks.

    Compare two OpenAPI 3.0 or 3.1 documents. Each change is safe (proven), breaking (shown, with the request that OLD
    takes and NEW refuses, or the answer that OLD never gave), or undecided. Exit 1 when something breaks, or when the
    version of NEW promises less than it breaks. OLD and NEW are files, or git-ref:file.

    Example: callconfig diff main:openapi.yaml openapi.yaml --traffic session.har --report markdown:diff.md
    """

    old: Annotated[str, Option("what clients rely on: a file, or git-ref:file", is_argument=True)]
    new: Annotated[str, Option("what is to take its place", is_argument=True)]
    undecided: Annotated[
        str,
        Option(
            "what it counts as when neither a proof nor a request that breaks was found",
            click.Choice(("error", "warning")),
        ),
    ] = "error"
    traffic: Annotated[
        tuple[Path, ...], Option("say which recorded clients are hit: HAR, NDJSON, a pact or a mock's journal")
    ] = ()
    accepted: Annotated[
        Path | None,
        Option("YAML or JSON list of breaks that do not count, each with operation, fingerprint, reason and until"),
    ] = None
    report: Annotated[
        tuple[tuple[str, Path], ...], Option(f"write a report: {', '.join(DIFF_REPORT_FORMATS)}", DIFF_REPORT)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsBuildOptions:
    """Write the reference as files.

    Write index.html, reference.md and the contract to a folder. Each example of the contract that says how it comes
    about is run on a fresh mock; an answer that is not the documented one fails the build.

    Example: callconfig docs build -o site
    """

    output: Annotated[Path, Option("the folder, made if need be", metavar="DIR", short="o")]
    contract: Annotated[Path | None, Option("an OpenAPI 3.0 or 3.1 file, not the built-in one")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class McpOptions:
    """Offer the mock to agents.

    Speak the Model Context Protocol on standard input and output: each operation of the API is a tool, and so is each
    control; the contract and the reference are resources. Without --url a mock is started on loopback, and ends with
    its input.

    Example: callconfig mcp --url http://127.0.0.1:8080 --session agent
    """

    contract: Annotated[Path | None, Option("the OpenAPI file of the API, not the built-in one")] = None
    url: Annotated[
        str | None,
        Option("a server that runs, with the prefix that it mounts the API under; without it a mock is started", URL),
    ] = None
    session: Annotated[str | None, Option("the session to be in, as X-Mock-Session names it", Text("NAME"))] = None
    token: Annotated[str | None, Option("bearer token for the API", TOKEN)] = field(default=None, repr=False)
    control_token: Annotated[str | None, Option("what controls ask for as `Authorization: Bearer TOKEN`", TOKEN)] = (
        field(default=None, repr=False)
    )
    store: Annotated[str, Option("of the mock that is started: a file, or :memory:", PLACE)] = ":memory:"
    port: Annotated[int, Option("of the mock that is started, on loopback; 0 picks a free one", PORT)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    """Propose what a contract stores.

    Read an OpenAPI 3.0 file and print a patch of it that declares what its operations seem to store, each as the
    x-resource of a schema, so that `serve` remembers it. Nothing is changed. What is a guess, and what is not
    understood, is told on standard error.

    Example: callconfig init other.yaml > resources.patch
    """

    file: Annotated[Path, Option("an OpenAPI 3.0 file", is_argument=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LintOptions:
    """Say whether files are contracts.

    Say of each FILE whether everything here can be made from it: OpenAPI 3.0 or 3.1, every schema one that compiles.
    What is wrong is told in one line for each file.

    Example: callconfig lint openapi.yaml
    """

    files: Annotated[tuple[Path, ...], Option("an OpenAPI 3.0 or 3.1 file", metavar="FILE...", is_argument=True)]
