"""`callconfig docs build`: the reference as files."""

import asyncio
import gc
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from ..contract.document import BUILT_IN, Contract, InvalidContract
from ..contract.finding import counted
from ..outcome import FINDINGS, OK, CouldNotRun, printable
from .execution import FreshMock, WrongExamples, execute
from .facts import Facts
from .page import render_markdown, render_page
from .samples import text_of


def build(path: Path | None, output: Path, example_mock: Callable[[Contract], FreshMock]) -> int:
    """Write index.html, reference.md and openapi.yaml into `output`; FINDINGS when a documented response is wrong.

    Raises CouldNotRun. Nothing is written unless every file was rendered.
    """
    gc.disable()  # every object is needed to the end, and collecting takes a third of the time
    try:
        return _build(path or BUILT_IN, output, example_mock)
    finally:
        gc.enable()


def _build(source: Path, output: Path, example_mock: Callable[[Contract], FreshMock]) -> int:
    try:
        contract = Contract.load(source)
        responses = asyncio.run(execute(contract, example_mock(contract)))
    except InvalidContract as error:
        raise CouldNotRun(str(error)) from error
    except WrongExamples as error:
        print(*error.differences, sep="\n", file=sys.stderr)
        places = counted(len(error.differences), "place")
        print(f"callconfig: {source}: documented responses differ in {places} from the mock's", file=sys.stderr)
        return FINDINGS
    except (AttributeError, LookupError) as error:  # missing handlers, or names
        raise CouldNotRun(f"{source}: its examples cannot be run on this mock: {error}") from error
    if contract.path is None and (output / "openapi.yaml").resolve() == source.resolve():
        raise CouldNotRun(f"{source}: has parts in other files, so the whole cannot take its place; choose another -o")
    facts = Facts(contract, responses)
    page, markdown = render_page(facts), render_markdown(facts)
    # The file itself, unless the document has several files: JSON is YAML.
    text = contract.text if contract.path else text_of(contract.document).encode()
    files = {"index.html": page.html.encode(), "reference.md": markdown.encode(), "openapi.yaml": text}
    try:
        output.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=output, prefix=".new-") as new:
            for name, content in files.items():
                Path(new, name).write_bytes(content)
            for name in files:  # now that each is complete
                Path(new, name).replace(output / name)
    except OSError as error:
        raise CouldNotRun(f"{error.filename2 or output}: cannot be written: {error.strerror}") from error
    ran = "no example was run, because none has an x-request, or there is no x-examples with the time"
    if responses:
        ran = f"{counted(len(responses), 'example')} run, all responses as documented"
    print(printable(f"{contract.title} {contract.version}: {ran}"))
    for name, content in files.items():
        print(f"  {printable(str(output / name))}  {len(content) / 1000:.0f} kB")
    return OK
