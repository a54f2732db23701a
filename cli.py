"""The `callconfig` command: one small function for each sub-command. Nothing heavy is imported before it is needed."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .outcome import COULD_NOT_RUN, OK, CouldNotRun

EXIT_CODES = "exit codes: 0 it worked, 1 findings, 2 wrong usage, 3 could not run"

DEFAULT_STORE = ".callconfig/configurations.jsonl"
REPORT_FORMATS = ("junit", "sarif", "json", "html", "har")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except CouldNotRun as error:
        print(f"callconfig: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        return OK
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="callconfig",
        description="One OpenAPI file, and what is made from it: a mock server that behaves like the contract.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"callconfig {version('callconfig')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _serve_parser(commands)
    _check_parser(commands)
    _compare_parser(commands)
    _verify_parser(commands)
    _proxy_parser(commands)
    _docs_parser(commands)
    return parser


def _serve_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "serve",
        help="run the mock server",
        description="Run a mock of the API. It validates like the contract and remembers what it was told.",
        epilog=f"Each option has an environment variable, CALLCONFIG_ and its name. {EXIT_CODES}",
    )
    parser.set_defaults(run=_serve)
    _option(parser, "--host", default="127.0.0.1", help="address to listen on")
    _option(parser, "--port", type=_port, default=8080, help="port to listen on; 0 picks a free one")
    _option(parser, "--store", metavar="PLACE", default=DEFAULT_STORE, help="a file, :memory: or a postgresql:// URL")
    _flag(parser, "--fsync", help="acknowledge a write only when it survives power loss")
    _option(
        parser,
        "--seed",
        metavar="FILE",
        action="append",
        type=Path,
        default=[],
        help="JSON array of configurations to start with; those already stored stay as they are; repeatable",
    )
    _option(parser, "--base-path", type=_base_path, default="", help="prefix to mount the API under")
    _option(
        parser,
        "--workers",
        metavar="N",
        type=_positive,
        default=1,
        help="processes to serve from; more than one needs a postgresql:// store, and there are no controls then",
    )
    _flag(parser, "--controls", default=True, help="let tests steer the mock below /_mock, each in its session")
    _option(
        parser,
        "--control-token",
        metavar="TOKEN",
        type=_token,
        default=None,
        help="what controls ask for as `Authorization: Bearer TOKEN`; needed when more than this machine can connect",
    )
    _option(parser, "--journal", metavar="N", type=_count, default=1000, help="requests to keep for each session")
    _option(parser, "--auth", metavar="FILE", type=Path, default=None, help="JSON file of tokens that requests need")
    _flag(parser, "--quiet", help="do not print a line for each request")


def _check_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "check",
        help="hold a server to the contract",
        description="Hold a server to the contract: a model of what must be stored talks to it, then Schemathesis "
        "sends generated requests, valid and invalid. Each failure is shown with what was expected, what came, and the "
        "curl commands that show it again. Without URL a fresh mock is checked. What a run creates on a server stays "
        "there, under names that begin with check- and the seed.",
        epilog="Example: callconfig check http://127.0.0.1:8080 --require-coverage --report junit:check.xml. "
        f"{EXIT_CODES}",
    )
    parser.set_defaults(run=_check, command="check")
    parser.add_argument(
        "url", metavar="URL", nargs="?", type=_url, help="the server, with the prefix that it mounts the API under"
    )
    _conversing_options(parser)
    _option(
        parser,
        "--workers",
        metavar="N",
        variable="CALLCONFIG_CHECK_WORKERS",
        type=_positive,
        default=1,
        help="generated requests on their way at a time",
    )
    _flag(parser, "--require-coverage", help="fail when a documented status was never seen that a client can provoke")
    _judging_options(parser)


def _compare_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "compare",
        help="find where two servers differ",
        description="Have the same conversations with two servers and report where they answer differently in status, "
        "shape or value. Identities, times and the words of errors may differ. What a run creates stays there.",
        epilog=f"Example: callconfig compare http://127.0.0.1:8080 https://staging.example.com/api. {EXIT_CODES}",
    )
    parser.set_defaults(run=_compare, command="compare")
    parser.add_argument("url_a", metavar="URL_A", type=_url, help="the first server, with its prefix")
    parser.add_argument("url_b", metavar="URL_B", type=_url, help="the second server, with its prefix")
    _conversing_options(parser)
    _judging_options(parser)


def _conversing_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that sends requests of its own."""
    _option(parser, "--token", metavar="TOKEN", type=_token, default=None, help="bearer token to send")
    _option(
        parser,
        "--header",
        metavar="'NAME: VALUE'",
        action="append",
        type=_header,
        default=[],
        separator="\n",
        help="header field to send with every request; repeatable",
    )
    for name, what in (("--include", "only these operations"), ("--exclude", "not these operations")):
        _option(
            parser,
            name,
            metavar="OPERATION",
            action="append",
            default=[],
            separator=",",
            help=f"{what}, by operationId, * and ? allowed; repeatable",
        )
    _option(
        parser,
        "--seed",
        dest="random_seed",
        metavar="N",
        variable="CALLCONFIG_RANDOM_SEED",
        type=int,
        default=None,
        help="make the same choices as an earlier run; without it they are new",
    )
    _option(parser, "--max-examples", metavar="N", type=_positive, default=20, help="generated cases for each property")
    _option(parser, "--max-time", metavar="SECONDS", type=_seconds, default=None, help="end the run after this time")
    _option(
        parser,
        "--max-failures",
        metavar="N",
        type=_positive,
        default=None,
        help="end the run after so many different errors",
    )
    _option(parser, "--rate-limit", metavar="N", type=_seconds, default=None, help="at most so many requests a second")


def _proxy_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "proxy",
        help="judge traffic on its way",
        description="Forward every request to another server, unchanged, and judge both directions. A response whose "
        "interaction broke the contract gets the header field Callconfig-Findings with their number and the first one.",
        epilog=f"Example: callconfig proxy --upstream https://staging.example.com --record session.har. {EXIT_CODES}",
    )
    parser.set_defaults(run=_proxy, command="proxy")
    parser.add_argument(
        "--upstream", metavar="URL", type=_url, required=True, help="the server to forward to, with its prefix"
    )
    _option(parser, "--host", default="127.0.0.1", help="address to listen on")
    _option(parser, "--port", type=_port, default=8080, help="port to listen on; 0 picks a free one")
    _flag(parser, "--enforce", help="answer a problem instead of passing on what breaks the contract")
    _option(parser, "--record", metavar="FILE", type=Path, default=None, help="write the traffic as HAR")
    _judging_options(parser)


def _verify_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "verify",
        help="judge recorded traffic",
        description="Judge recorded traffic against the contract. A FILE is a HAR file, NDJSON with a HAR entry or a "
        "line of the mock's journal on each line, or a pact (version 2 to 4); its contents say which. A request that "
        "breaks the contract is an error when the server took it, and a warning when the server refused it.",
        epilog="Example: callconfig verify session.har --only-host api.example.com --report junit:verify.xml. "
        f"{EXIT_CODES}",
    )
    parser.set_defaults(run=_verify, command="verify")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a recording")
    _option(
        parser,
        "--only-host",
        metavar="HOST",
        action="append",
        default=[],
        separator=",",
        help="judge only requests to this host, or host:port; repeatable",
    )
    _option(parser, "--base-path", type=_base_path, default="", help="prefix that the API was mounted under")
    _judging_options(parser)


def _docs_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "docs", help="build the documentation", description="The reference, made from the contract."
    )
    actions = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    build = actions.add_parser(
        "build",
        help="write the reference as files",
        description="Write index.html, reference.md and the contract to a folder. Each example of the contract that "
        "says how it comes about is run on a fresh mock; an answer that is not the documented one fails the build.",
        epilog=f"Example: callconfig docs build -o site. {EXIT_CODES}",
    )
    build.set_defaults(run=_docs_build)
    build.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="the folder, made if need be")
    _contract_option(build)


def _contract_option(parser: argparse.ArgumentParser) -> None:
    _option(
        parser,
        "--contract",
        metavar="FILE",
        type=Path,
        default=None,
        help="an OpenAPI 3.0 file instead of the built-in one",
    )


def _judging_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that judges."""
    _contract_option(parser)
    _option(
        parser,
        "--report",
        metavar="FORMAT:PATH",
        action="append",
        type=_report,
        default=[],
        separator=",",
        help=f"write a report: {', '.join(REPORT_FORMATS)}; har has the traffic; repeatable",
    )
    _option(
        parser,
        "--baseline",
        metavar="FILE",
        type=Path,
        default=None,
        help="accept the findings of this earlier json report",
    )


def _option(
    parser: argparse.ArgumentParser,
    name: str,
    *,
    variable: str = "",
    separator: str = os.pathsep,
    **settings: Any,
) -> None:
    """An option whose default can come from its environment variable, which has many values between separators."""
    variable = variable or _variable(name)
    settings["help"] += f" [${variable}; default: {_shown(settings['default'])}]"
    if given := os.environ.get(variable):  # CI systems set what they do not have to the empty string
        convert: Callable[[str], Any] = settings.get("type", str)
        repeatable = settings.get("action") == "append"
        try:
            settings["default"] = list(map(convert, given.split(separator))) if repeatable else convert(given)
        except (ValueError, argparse.ArgumentTypeError) as error:
            parser.error(f"environment variable {variable}: {error}")
    parser.add_argument(name, **settings)


def _flag(
    parser: argparse.ArgumentParser,
    name: str,
    *,
    help: str,  # noqa: A002 (argparse's own name)
    default: bool = False,
) -> None:
    variable = _variable(name)
    given = os.environ.get(variable, "yes" if default else "").lower() in ("1", "true", "yes", "on")
    shown = "yes" if default else "no"
    parser.add_argument(
        name, action=argparse.BooleanOptionalAction, default=given, help=f"{help} [${variable}; default: {shown}]"
    )


def _variable(name: str) -> str:
    return "CALLCONFIG_" + name.lstrip("-").replace("-", "_").upper()


def _shown(default: Any) -> str:
    return str(default) if default not in ("", [], None) else "none"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; choose 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1000000")
    return int(text)


def _token(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError("a token is visible ASCII characters, and at least one")
    return text


def _base_path(text: str) -> str:
    path = text.rstrip("/")
    if path and (not path.startswith("/") or set("?#{} ") & set(path)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path; it starts with / like /agent/voice")
    return path


def _report(text: str) -> tuple[str, Path]:
    name, _, path = text.partition(":")
    if name not in REPORT_FORMATS or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not FORMAT:PATH with one of {', '.join(REPORT_FORMATS)}")
    return name, Path(path)


def _serve(options: argparse.Namespace) -> int:
    from .server import serve

    return serve(options)


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000000")
    return int(text)


def _url(text: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} is not the URL of a server; write it like http://127.0.0.1:8080")
    return text.rstrip("/")


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number greater than 0")
    return number


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name.strip() or not text.isascii() or not text.isprintable() or " " in name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not a header field like 'X-Team: calls'")
    return name.strip(), value.strip()


def _check(options: argparse.Namespace) -> int:
    with _extra("check"):
        from .verification.check import check
    return check(options)


def _compare(options: argparse.Namespace) -> int:
    with _extra("check"):
        from .verification.compare import compare
    return compare(options)


@contextlib.contextmanager
def _extra(name: str) -> Iterator[None]:
    """Raises CouldNotRun where what an extra brings is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise CouldNotRun(f"{error.name} is not installed; install callconfig[{name}]") from error


def _verify(options: argparse.Namespace) -> int:
    from .verification.verify import verify

    return verify(options)


def _proxy(options: argparse.Namespace) -> int:
    from .verification.proxy import proxy

    return proxy(options)


def _docs_build(options: argparse.Namespace) -> int:
    from .app import example_mock
    from .documentation.build import build

    return build(options.contract, options.output, example_mock)
