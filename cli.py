"""The `callconfig` command: one small function for each sub-command, which imports heavy modules itself."""

import contextlib
import errno
import gc
import importlib
import inspect
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import click

from .options import (
    CheckOptions,
    CompareOptions,
    DiffOptions,
    DocsBuildOptions,
    InitOptions,
    LintOptions,
    McpOptions,
    ProxyOptions,
    ServeOptions,
    VerifyOptions,
)
from .outcome import COULD_NOT_RUN, INTERRUPTING_SIGNALS, USAGE, CouldNotRun, printable, program
from .streams import steady_streams

EXIT_CODES = "Exit codes: 0 success, 1 findings, 2 wrong usage, 3 could not run."
VARIABLES = "Each option has an environment variable, which sets the default of the option unless it is empty."

Options = TypeVar("Options")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    if arguments is not None:
        before = {number: signal.getsignal(number) for number in INTERRUPTING_SIGNALS}
        try:
            return _run(list(arguments), owns_process=False)
        finally:
            for number, handler in before.items():
                if signal.getsignal(number) is not handler:  # in the main thread, as others cannot change one
                    signal.signal(number, handler)
    output = steady_streams()
    # A library's use of another is not the user's concern. With PYTHONWARNINGS=error, it would end the command.
    warnings.simplefilter("ignore", DeprecationWarning)
    sys.warnoptions.append("ignore::DeprecationWarning")  # for the processes of `--workers`
    try:
        code = _run(sys.argv[1:], owns_process=True)
    except KeyboardInterrupt:  # while an error is printed
        code = COULD_NOT_RUN
    for number in INTERRUPTING_SIGNALS:  # a second one does not change the outcome
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.flush()
    if output.failure is None or output.failure.errno == errno.EPIPE:  # who reads it may have seen enough
        return code
    print(f"callconfig: standard output could not be written: {output.failure.strerror}", file=sys.stderr)
    return COULD_NOT_RUN


def _run(arguments: list[str], *, owns_process: bool) -> int:
    """Run the command, which may be all that this process does, or not."""
    try:
        with COMMANDS.make_context("callconfig", arguments, obj=owns_process) as context:
            code: int = COMMANDS.invoke(context)
    except click.exceptions.Exit as ended:  # --help and --version
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.UsageError as error:
        _print_usage_error(error)
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        print("callconfig: interrupted", file=sys.stderr)
        return COULD_NOT_RUN
    except (CouldNotRun, OSError, UnicodeError) as error:
        print(f"callconfig: {printable(_one_line(error))}", file=sys.stderr)
        return COULD_NOT_RUN
    return code


def _print_usage_error(error: click.UsageError) -> None:
    """Print a usage error below the usage of its command."""
    if error.ctx is not None:
        click.echo(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n", err=True)
    click.echo(f"Error: {printable(error.format_message())}", err=True)


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error) or type(error).__name__


def _command(name: str, options: type[Options], load: Callable[[], Callable[[Options], int]]) -> click.Command:
    """A command: its parameters are the fields of `options`, its help the paragraphs of their docstring."""

    @click.pass_obj
    def invoke(owns_process: bool, /, **values: Any) -> int:
        _expect_files_kept(values)
        with _without_collection() if owns_process else contextlib.nullcontext():
            run = load()
        if owns_process and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from now on there is something to end cleanly
        return run(options(**values))

    paragraphs = inspect.cleandoc(options.__doc__ or "").split("\n\n")
    summary, description, example = [*paragraphs, "", ""][:3]  # `python -OO` leaves none
    return click.Command(
        name,
        params=list(_parameters(options)),
        callback=invoke,
        short_help=summary,
        help=description,
        epilog=f"{example}\n\n{VARIABLES}\n\n{EXIT_CODES}",
    )


def _parameters(options: type[Any]) -> Iterator[click.Parameter]:
    """The parameters of a command: its own first, then those that it shares with others."""
    declared = {each.name: each for each in fields(options)}
    for owner in options.__mro__:
        yield from (_parameter(declared[name]) for name in inspect.get_annotations(owner))


def _parameter(field: Field[Any]) -> click.Parameter:
    metadata, required, several = field.metadata, field.default is MISSING, "tuple" in str(field.type)
    read_as: click.ParamType[Any] = metadata["type"] or (
        click.Path(path_type=Path) if "Path" in str(field.type) else click.STRING
    )
    attributes: dict[str, Any] = {
        "type": read_as,
        "metavar": metadata.get("metavar") or {click.Path: "FILE", click.IntRange: "N"}.get(type(read_as)),
        "help": metadata["words"],
        "required": required,
        **({} if required else {"default": field.default}),
    }
    if "is_argument" in metadata:
        return click.Argument([field.name], nargs=-1 if several else 1, **attributes)
    flag = metadata.get("flag") or field.name.replace("_", "-")
    attributes |= {
        "help": f"{metadata['words']}; repeatable" if several else metadata["words"],
        "envvar": f"CALLCONFIG_{field.name.upper()}",
        "show_envvar": True,
        "show_default": field.default != "",
    }
    if field.type is bool:
        return click.Option([f"--{flag}/--no-{flag}", field.name], **attributes | {"type": click.BOOL})
    short = [f"-{metadata['short']}"] if "short" in metadata else []
    return click.Option([*short, f"--{flag}", field.name], multiple=several, **attributes)


def _expect_files_kept(values: Mapping[str, Any]) -> None:
    """Raises UsageError where a report would replace a file that the command reads, or another report."""
    given = [values.get(name) or () for name in ("contract", "files", "old", "new", "traffic", "accepted", "baseline")]
    read = chain.from_iterable([each] if isinstance(each, str | Path) else each for each in given)
    taken = {*map(os.path.realpath, read)}
    written = [*(path for _, path in values.get("report", ())), *filter(None, [values.get("record")])]
    for path in written:
        if (place := os.path.realpath(path)) in taken:
            raise click.UsageError(f"{path} has another use already; choose another file", click.get_current_context())
        if path.is_file() or not path.exists():  # unlike a terminal
            taken.add(place)


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Exclude modules that are loaded meanwhile from garbage collection, a quarter of the time of a short command."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _extra(name: str) -> Iterator[None]:
    """Raises CouldNotRun where a package of an extra is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise CouldNotRun(f"{error.name} is not installed; install callconfig[{name}]") from error


@contextlib.contextmanager
def _loading() -> Iterator[None]:
    """Show on a terminal that the command is loading, until its progress replaces the line."""
    if sys.stderr.isatty():
        print("  loading", end="\r", file=sys.stderr, flush=True)
    yield


class _LazyModule(ModuleType):
    """A module that loads the one of its name when an attribute is first used."""

    def __getattr__(self, name: str) -> object:
        self.unregister()
        return getattr(importlib.import_module(self.__name__), name)

    def unregister(self) -> None:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]


class _LazyFunctions(_LazyModule):
    """A stand-in whose attributes are functions, which load the module when they are called."""

    def __getattr__(self, name: str) -> object:
        return lambda *given, **named: getattr(importlib.import_module(self.__name__), name)(*given, **named)


@contextlib.contextmanager
def _lazy_imports(*names: str, functions_of: Sequence[str] = ()) -> Iterator[None]:
    """Imports of these modules meanwhile get stand-ins, unless they are loaded already."""
    kinds: dict[str, type[_LazyModule]] = dict.fromkeys(names, _LazyModule) | dict.fromkeys(
        functions_of, _LazyFunctions
    )
    stand_ins = {name: kind(name) for name, kind in kinds.items() if name not in sys.modules}
    sys.modules |= stand_ins
    try:
        yield
    finally:
        for stand_in in stand_ins.values():
            stand_in.unregister()


def _import_connexion() -> None:
    """Import Connexion without clients and test servers, a third of a mock's start, which the mock does not use."""
    unused = ("starlette.testclient", "werkzeug.serving", "werkzeug.test")
    with _lazy_imports("httpx", "requests", functions_of=unused):
        import connexion  # noqa: F401 (others import it, too)


def _serve() -> Callable[[ServeOptions], int]:
    _import_connexion()
    from .mock import serve

    return serve


def _check() -> Callable[[CheckOptions], int]:
    with _extra("check"), _loading():
        from .verification.check import check
    return check


def _compare() -> Callable[[CompareOptions], int]:
    with _extra("check"), _loading():
        from .verification.compare import compare
    return compare


def _verify() -> Callable[[VerifyOptions], int]:
    from .verification.verify import verify

    return verify


def _proxy() -> Callable[[ProxyOptions], int]:
    from .verification.proxy import proxy

    return proxy


def _diff() -> Callable[[DiffOptions], int]:
    from .difference.diff import diff

    return diff


def _docs_build() -> Callable[[DocsBuildOptions], int]:
    _import_connexion()
    from .app import example_mock
    from .documentation.build import build

    return lambda options: build(options.contract, options.output, example_mock)


def _init() -> Callable[[InitOptions], int]:
    from .proposal import init

    return lambda options: init(options.file)


def _lint() -> Callable[[LintOptions], int]:
    from .lint import lint

    return lambda options: lint(options.files)


def _mcp() -> Callable[[McpOptions], int]:
    _import_connexion()
    with _extra("mcp"):
        from .mcp_server import serve
    return serve


def _print_version(context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        click.echo(" ".join(program().values()))
        context.exit()


COMMANDS = click.Group(
    "callconfig",
    help="A mock server, contract tests and documentation, made from one OpenAPI file.",
    epilog=EXIT_CODES,
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Show the version and exit.",
        )
    ],
    no_args_is_help=True,
    context_settings={"max_content_width": 100},
    commands=[
        _command("serve", ServeOptions, _serve),
        _command("check", CheckOptions, _check),
        _command("compare", CompareOptions, _compare),
        _command("verify", VerifyOptions, _verify),
        _command("proxy", ProxyOptions, _proxy),
        _command("init", InitOptions, _init),
        _command("lint", LintOptions, _lint),
        _command("mcp", McpOptions, _mcp),
        _command("diff", DiffOptions, _diff),
        click.Group(
            "docs",
            help="Build the reference from the contract.",
            short_help="Build the documentation.",
            no_args_is_help=True,
            commands=[_command("build", DocsBuildOptions, _docs_build)],
        ),
    ],
)
