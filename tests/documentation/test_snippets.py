"""Each request of the reference runs as it is shown, in each language, and gets the documented response."""

import asyncio
import contextlib
import io
import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from callconfig.app import example_mock
from callconfig.contract.document import Contract
from callconfig.contract.witness import ABSENT
from callconfig.documentation.exchanges import Example, examples
from callconfig.documentation.execution import ExampleResponse, differences_of, send
from callconfig.documentation.snippets import curl, javascript, python
from callconfig.verification.target import serving
from starlette.types import ASGIApp, Receive, Scope, Send

END = "-- the end of a program --"


class Worlds:
    """A mock for each language and example, after the example's earlier requests, below a separate path."""

    def __init__(self, contract: Contract, documented: Contract) -> None:
        self.examples = [example for example in examples(documented) if example.is_executable]
        self._mocks = {
            f"/{language}/{index}": asyncio.run(_given(contract, example))
            for language in ("curl", "python", "javascript")
            for index, example in enumerate(self.examples)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = "/".join(scope["path"].split("/")[:3])
        path = scope["path"].removeprefix(place)
        await self._mocks[place]({**scope, "path": path, "raw_path": path.encode()}, receive, send)


async def _given(contract: Contract, example: Example) -> ASGIApp:
    mock = await example_mock(contract)()
    await send(mock, example.given)
    return mock


@pytest.fixture(scope="module")
def worlds(contract: Contract, documented: Contract) -> Worlds:
    return Worlds(contract, documented)


@pytest.fixture(scope="module")
def server(worlds: Worlds) -> Iterator[str]:
    with serving(worlds) as root:
        yield root


@pytest.mark.xdist_group("snippets")
def test_the_curl_commands_run(worlds: Worlds, server: str) -> None:
    for index, example in enumerate(worlds.examples):
        command = curl(example.sent, f"{server}/curl/{index}")
        ran = subprocess.run(["sh", "-c", f"{command} --silent"], capture_output=True, text=True, check=True)
        head, _, body = ran.stdout.partition("\n\n")
        _expect(example, f"{head.split()[1]} {body}")


@pytest.mark.xdist_group("snippets")
def test_the_python_programs_run(worlds: Worlds, server: str) -> None:
    for index, example in enumerate(worlds.examples):
        program = python(example.sent, f"{server}/python/{index}")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(program, example.anchor, "exec"), {})  # noqa: S102 (it is ours, and this is its test)
        _expect(example, printed.getvalue())


@pytest.mark.xdist_group("snippets")
@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not here")
def test_the_javascript_programs_run(worlds: Worlds, server: str) -> None:
    programs = [
        javascript(example.sent, f"{server}/javascript/{index}") for index, example in enumerate(worlds.examples)
    ]
    module = "\n".join(f"{{\n{program}\nconsole.log('{END}');\n}}" for program in programs)
    ran = subprocess.run(
        ["node", "--input-type=module"], input=module, capture_output=True, text=True, check=True, timeout=60
    )
    for example, printed in zip(worlds.examples, ran.stdout.split(f"{END}\n")[:-1], strict=True):
        _expect(example, printed)


def _expect(example: Example, printed: str) -> None:
    status, _, text = printed.strip().partition(" ")
    assert bool(text) == (example.body is not ABSENT), example.anchor
    body = text if isinstance(example.body, str) or not text else json.loads(text)
    headers = {"content-type": example.media_type, **{name.lower(): each for name, each in example.headers.items()}}
    assert list(differences_of(example, ExampleResponse(int(status), headers, body))) == [], example.anchor
