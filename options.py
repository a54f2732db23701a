"""The options of the commands, a frozen dataclass for each.

The docstring is the command's help: a summary, a description and an example. A field is an option: `base_path` is
`--base-path` and `CALLCONFIG_BASE_PATH`, and `option` has its other attributes. `cli` makes the command line of these
classes; a command has no other input.
"""

import os
import re
from dataclasses import MISSING, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, Unpack, dataclass_transform, get_args
from urllib.parse import urlsplit

import click

T = TypeVar("T")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.1
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
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise ValueError("the URL of a server has no user and no password; send credentials in a header field")
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
    if parts.path:
        raise ValueError(f"{text!r} is not an origin; write it like http://localhost:5173")
    return url.lower()


def _place(text: str) -> str:
    if "://" in text:
        from .storage.opening import is_shared  # loads the stores, which most commands do not need

        if not is_shared(text):
            raise ValueError("a store is a file, :memory: or a postgresql:// URL")
    return text


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
    name, separator, value = map(str.strip, text.partition(":"))
    if not separator or not _FIELD_NAME.fullmatch(name) or not text.isascii() or not text.isprintable():
        raise ValueError("the value, maybe a secret, is not a header field like 'X-Team: calls'")
    if name.lower() in ("content-length", "transfer-encoding"):
        raise ValueError(f"{name} is part of the syntax of a request, not a field to add")
    return name, value


PORT = click.IntRange(0, 65535)
COUNT = click.IntRange(0, 1_000_000)
POSITIVE = click.IntRange(1, 1_000_000)
NUMBER = Text("N", _number_above_0)
ADDRESS = Text("ADDRESS")
PLACE = Text("PLACE", _place)
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


class OptionAttributes(TypedDict, total=False):
    """Further attributes of an option."""

    metavar: str
    """The metavar, where it is not the name of the type, N for a number or FILE for a path."""
    flag: str
    """The flag, where it is not the field's name."""
    short: str
    is_argument: bool
    """Whether it is a positional argument, without an environment variable."""


def option(
    words: str,
    read_as: Any = None,
    *,
    default: Any = MISSING,
    secret: bool = False,
    **more: Unpack[OptionAttributes],
) -> Any:
    """A field that is an option: text, a path or a flag by the field's type, or a `read_as` type."""
    return field(default=default, repr=not secret, metadata={"words": words, "type": read_as, **more})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option,))
def command(options: type[T]) -> type[T]:
    options.__doc__ = options.__doc__ or "\n"  # of `python -OO`; for none, `dataclass` would write the fields
    return dataclass(frozen=True, slots=True, kw_only=True)(options)


@command
class ServeOptions:
    """Run the mock server.

    Run a mock of the API, which validates requests against the contract and stores resources.

    Example: callconfig serve --port 0 --store :memory:
    """

    contract: Path | None = option("OpenAPI file to mock, instead of the built-in contract", default=None)
    handlers: tuple[str, ...] = option(
        "module, file or entry point with functions that handle operations", MODULE, default=()
    )
    host: str = option("address to listen on", ADDRESS, default="127.0.0.1")
    port: int = option("port to listen on; 0 selects a free port", PORT, default=8080)
    store: str = option(
        "where to store resources: a file, :memory: or a postgresql:// URL", PLACE, default=DEFAULT_STORE
    )
    fsync: bool = option("respond to a write only when it survives a power loss", default=False)
    seed: tuple[Path, ...] = option(
        "JSON array of configurations to add at the start; for a contract with several resources, an object with an "
        "array for each table; stored documents are not changed",
        default=(),
    )
    base_path: str = option("path prefix of the API, such as /agent/voice", BASE_PATH, default="")
    workers: int = option(
        "number of server processes; more than one needs a postgresql:// store, and has no controls",
        POSITIVE,
        default=1,
    )
    controls: bool = option("serve the controls below /_mock, with which each test controls its session", default=True)
    control_token: str | None = option(
        "bearer token that requests to the controls need; required unless --host is loopback",
        TOKEN,
        default=None,
        secret=True,
    )
    control_host: tuple[str, ...] = option(
        "host name of the mock in requests to the controls, in addition to localhost and its addresses",
        NAMES,
        default=(),
    )
    control_origin: tuple[str, ...] = option(
        "origin of browser pages that may use the controls, such as http://localhost:5173", ORIGIN, default=()
    )
    scenario: Path | None = option(
        "JSON file with the initial state, rules, clock and ids, in the format of `PUT /_mock/scenario`", default=None
    )
    journal: int = option("number of requests that the journal of each session keeps", COUNT, default=1000)
    auth: Path | None = option("JSON file with the tokens that requests to the API need", default=None)
    quiet: bool = option("do not log requests", default=False)
    log: str = option(
        "format of the log: text for people, or JSON for programs", click.Choice(("text", "json")), default="text"
    )


@command
class JudgingOptions:
    """The options of every command that judges."""

    contract: Path | None = option("OpenAPI 3.0 or 3.1 file, instead of the built-in contract", default=None)
    report: tuple[tuple[str, Path], ...] = option(
        f"write a report as {', '.join(REPORT_FORMATS)}; har contains the traffic", REPORT, default=()
    )
    severity: tuple[tuple[str, Level], ...] = option(
        f"severity of a rule: {', '.join(LEVELS)}, such as unknown-parameter=error", SEVERITY, default=()
    )
    baseline: Path | None = option("json report of an earlier run, whose findings are accepted", default=None)


@command
class SendingOptions(JudgingOptions):
    """The options of every command that sends requests."""

    token: str | None = option("bearer token to send", TOKEN, default=None, secret=True)
    header: tuple[tuple[str, str], ...] = option(
        "header field to send with each request", HEADER, default=(), secret=True
    )
    include: tuple[str, ...] = option(
        "operationId to include, with * and ? as wildcards; all others are excluded", OPERATION, default=()
    )
    exclude: tuple[str, ...] = option("operationId to exclude, with * and ? as wildcards", OPERATION, default=())
    random_seed: int | None = option(
        "seed of an earlier run, to make the same choices; by default a new seed",
        click.INT,
        default=None,
        metavar="N",
        flag="seed",
    )
    max_examples: int = option("number of generated cases for each property", POSITIVE, default=20)
    max_time: float | None = option("time after which the run ends", NUMBER, default=None, metavar="SECONDS")
    max_failures: int | None = option("number of different errors after which the run ends", POSITIVE, default=None)
    rate_limit: float | None = option("maximum number of requests per second", NUMBER, default=None)
    write_anywhere: bool = option(
        "also change and delete resources that the run did not create; for a server whose data nobody needs",
        default=False,
    )


@command
class CheckOptions(SendingOptions):
    """Check a server against the contract.

    Check a server against the contract. First the run has conversations with the server, and compares the responses
    with a model of the stored resources. Then Schemathesis sends generated requests, valid and invalid. Each failure
    has the expected and the actual response, and the curl commands that reproduce it. The resources that a run creates
    stay on the server; their names begin with check- and the seed. Earlier resources are neither changed nor deleted.

    Example: callconfig check http://127.0.0.1:8080 --require-coverage --report junit:check.xml
    """

    url: str | None = option(
        "URL of the server, with the path prefix of the API; by default, a new mock is started and checked",
        URL,
        default=None,
        is_argument=True,
    )
    check_workers: int = option("number of generated requests at the same time", POSITIVE, default=1, flag="workers")
    require_coverage: bool = option(
        "fail when a documented status that a client can provoke was never seen", default=False
    )


@command
class CompareOptions(SendingOptions):
    """Compare the responses of two servers.

    Have the same conversations with two servers, and report each difference in the status, the shape or a value of the
    responses. Without an x-resource in the contract, the servers get generated requests instead. Identities, times and
    the texts of errors may differ. The resources that a run creates stay on the servers.

    Example: callconfig compare http://127.0.0.1:8080 https://staging.example.com/api
    """

    url_a: str = option("URL of the first server, with the path prefix of the API", URL, is_argument=True)
    url_b: str = option("URL of the second server, with the path prefix of the API", URL, is_argument=True)


@command
class VerifyOptions(JudgingOptions):
    """Judge recorded traffic.

    Judge recorded traffic against the contract. A FILE is a HAR file, NDJSON whose lines are HAR entries or entries of
    the mock's journal, or a pact (version 2 to 4); the format is detected. A request that breaks the contract is an
    error if the server accepted it, and a warning if the server refused it.

    Example: callconfig verify session.har --only-host api.example.com --report junit:verify.xml
    """

    files: tuple[str, ...] = option(
        "recording: a file, a URL, or - for standard input", metavar="FILE...", is_argument=True
    )
    only_host: tuple[str, ...] = option("judge only requests to this host, or host:port", HOST, default=())
    base_path: str = option("path prefix of the API in the recording", BASE_PATH, default="")
    coverage: bool = option("print which operations, statuses, members and rules the traffic exercised", default=False)
    coverage_minimum: tuple[tuple[str, float], ...] = option(
        f"fail when the coverage of {', '.join(COVERAGE_KINDS)} is lower, such as members=80", COVERAGE, default=()
    )


@command
class ProxyOptions(JudgingOptions):
    """Judge live traffic.

    Forward each request unchanged to another server, and judge the request and the response. Each response gets the
    header field Callconfig-Findings, with the number of findings and the first finding.

    Example: callconfig proxy --upstream https://staging.example.com --record session.har
    """

    upstream: str = option("URL of the server to forward to, with the path prefix of the API", URL)
    host: str = option("address to listen on", ADDRESS, default="127.0.0.1")
    port: int = option("port to listen on; 0 selects a free port", PORT, default=8080)
    enforce: bool = option(
        "respond with a problem instead of forwarding a request or a response that breaks the contract", default=False
    )
    record: Path | None = option("HAR file to write the traffic to", default=None)


@command
class DiffOptions:
    """Find the breaking changes of a contract.

    Compare two OpenAPI 3.0 or 3.1 documents. Each change is safe (proven), breaking, or undecided. A breaking change is
    shown with a request that OLD accepts and NEW refuses, or with a response that NEW permits and OLD does not. The
    exit code is 1 when a change is breaking, or when the version of NEW is too low for the changes. OLD and NEW are
    files, or git-ref:file.

    Example: callconfig diff main:openapi.yaml openapi.yaml --traffic session.har --report markdown:diff.md
    """

    old: str = option("contract that clients rely on: a file, or git-ref:file", is_argument=True)
    new: str = option("contract that replaces OLD: a file, or git-ref:file", is_argument=True)
    undecided: str = option(
        "severity of an undecided change, which is neither proven safe nor shown to break",
        click.Choice(("error", "warning")),
        default="error",
    )
    traffic: tuple[Path, ...] = option(
        "recorded traffic, to show which clients break: HAR, NDJSON, a pact or a mock's journal", default=()
    )
    accepted: Path | None = option(
        "YAML or JSON list of accepted breaks, each with operation, fingerprint, reason and until",
        default=None,
    )
    report: tuple[tuple[str, Path], ...] = option(
        f"write a report as {', '.join(DIFF_REPORT_FORMATS)}", DIFF_REPORT, default=()
    )


@command
class DocsBuildOptions:
    """Write the reference as files.

    Write index.html, reference.md and the contract to a folder. Each example of the contract that has an x-request is
    executed on a new mock; the build fails if a response differs from the documented one.

    Example: callconfig docs build -o site
    """

    output: Path = option("folder to write to; created if it does not exist", metavar="DIR", short="o")
    contract: Path | None = option("OpenAPI 3.0 or 3.1 file, instead of the built-in contract", default=None)


@command
class McpOptions:
    """Serve the mock to agents.

    Speak the Model Context Protocol on standard input and output. Each operation of the API and each control is a tool;
    the contract and the reference are resources. Without --url, the command starts a mock on loopback, and ends it at
    the end of the input.

    Example: callconfig mcp --url http://127.0.0.1:8080 --session agent
    """

    contract: Path | None = option("OpenAPI file of the API, instead of the built-in contract", default=None)
    url: str | None = option(
        "URL of a running mock, with the path prefix of the API; by default, a new mock is started",
        URL,
        default=None,
    )
    session: str | None = option("session of the requests, as in X-Mock-Session", NAME, default=None)
    token: str | None = option("bearer token for the API", TOKEN, default=None, secret=True)
    control_token: str | None = option("bearer token for the controls", TOKEN, default=None, secret=True)
    store: str = option("store of the new mock: a file, or :memory:", PLACE, default=":memory:")
    port: int = option("port of the new mock, on loopback; 0 selects a free port", PORT, default=0)


@command
class InitOptions:
    """Propose the resources of a contract.

    Read an OpenAPI 3.0 or 3.1 file, and print a patch that declares its resources: each gets an x-resource in its
    schema, so that `serve` stores it. No file is changed; `patch FILE resources.patch` applies the patch. Notes on
    standard error name guesses, and operations that are not understood.

    Example: callconfig init other.yaml > resources.patch
    """

    file: Path = option("OpenAPI 3.0 or 3.1 file", is_argument=True)


@command
class LintOptions:
    """Check whether files are valid contracts.

    Check whether each FILE is an OpenAPI 3.0 or 3.1 document that all commands can use, and whether each of its schemas
    compiles. For each invalid file, print its first error in one line.

    Example: callconfig lint openapi.yaml
    """

    files: tuple[Path, ...] = option("OpenAPI 3.0 or 3.1 file", metavar="FILE...", is_argument=True)
