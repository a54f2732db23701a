"""The `callconfig` command: one small function for each sub-command. Nothing heavy is imported before it is needed."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

OK, FINDINGS, USAGE, COULD_NOT_RUN = range(4)
EXIT_CODES = "exit codes: 0 it worked, 1 findings, 2 wrong usage, 3 could not run"

DEFAULT_STORE = ".callconfig/configurations.jsonl"


class CouldNotRun(Exception):
    """What stops a command, in one line that says what is wrong and what to do."""


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
    _flag(parser, "--quiet", help="do not print a line for each request")


def _option(parser: argparse.ArgumentParser, name: str, **settings: Any) -> None:
    """An option whose default can come from its environment variable."""
    variable = _variable(name)
    settings["help"] += f" [${variable}; default: {_shown(settings['default'])}]"
    if (given := os.environ.get(variable)) is not None:
        convert: Callable[[str], Any] = settings.get("type", str)
        repeatable = settings.get("action") == "append"
        try:
            settings["default"] = list(map(convert, given.split(os.pathsep))) if repeatable else convert(given)
        except (ValueError, argparse.ArgumentTypeError) as error:
            parser.error(f"environment variable {variable}: {error}")
    parser.add_argument(name, **settings)


def _flag(parser: argparse.ArgumentParser, name: str, *, help: str) -> None:  # noqa: A002 (argparse's own name)
    variable = _variable(name)
    given = os.environ.get(variable, "").lower() in ("1", "true", "yes", "on")
    parser.add_argument(
        name, action=argparse.BooleanOptionalAction, default=given, help=f"{help} [${variable}; default: no]"
    )


def _variable(name: str) -> str:
    return "CALLCONFIG_" + name.lstrip("-").replace("-", "_").upper()


def _shown(default: Any) -> str:
    return str(default) if default not in ("", []) else "none"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; choose 0 to 65535")
    return int(text)


def _base_path(text: str) -> str:
    path = text.rstrip("/")
    if path and (not path.startswith("/") or set("?#{} ") & set(path)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path; it starts with / like /agent/voice")
    return path


def _serve(options: argparse.Namespace) -> int:
    from .server import serve

    return serve(options)
