"""Fixtures for client teams: a mock for the run, and for each test a session on it.

pytest loads this module in every suite of an environment that has callconfig, so it imports next to nothing before a
fixture is used. The mock runs in a separate process.
"""

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from .harness.collecting import Collected, minimum, report
from .harness.declarations import Match, NewRule, Scenario, absent, any_of, pattern
from .harness.recorded import Recorded
from .harness.server import MockError, MockServer, MockSettings, started
from .harness.tools import Mock

__all__ = [
    "Match",
    "Mock",
    "MockError",
    "MockServer",
    "MockSettings",
    "NewRule",
    "Recorded",
    "Scenario",
    "absent",
    "any_of",
    "pattern",
]

DEFAULT = "default"
"""The session of requests that name none."""
STRICT = "mock_strict"


_COLLECTED = pytest.StashKey[Collected]()
_COVERAGE_TEXT = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(STRICT, "fail a test when a request of it broke the contract", "bool", default=False)
    group = parser.getgroup("callconfig", "the mock of callconfig")
    group.addoption("--mock-coverage", action="store_true", help="print the coverage of the contract")
    group.addoption(
        "--mock-coverage-minimum",
        action="append",
        default=[],
        type=minimum,
        metavar="KIND=PERCENT",
        help="fail when the coverage of operations, statuses, members or rules is lower; repeatable",
    )
    group.addoption(
        "--mock-coverage-report",
        action="append",
        default=[],
        type=report,
        metavar="FORMAT:PATH",
        help="write the coverage as json or html; repeatable",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{STRICT}(strict=True): fail when a request of the test broke the contract")
    if workerinput := getattr(config, "workerinput", None):
        if folder := workerinput.get("callconfig_collected"):
            config.stash[_COLLECTED] = Collected(Path(folder))
    elif any(map(config.getoption, ("mock_coverage", "mock_coverage_minimum", "mock_coverage_report"))):
        config.stash[_COLLECTED] = Collected(Path(tempfile.mkdtemp(prefix="callconfig-")))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker of pytest-xdist the folder of this process's journals."""
    if (collected := node.config.stash.get(_COLLECTED, None)) is not None:
        node.workerinput["callconfig_collected"] = str(collected.folder)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Measure the coverage by the journals of all workers; less than the minimum fails the run."""
    config = session.config
    collected = config.stash.get(_COLLECTED, None)
    if collected is None or hasattr(config, "workerinput"):
        return
    enough, coverage_text = collected.measured(
        config.getoption("mock_coverage_minimum"), config.getoption("mock_coverage_report")
    )
    shutil.rmtree(collected.folder)
    config.stash[_COVERAGE_TEXT] = coverage_text
    if not enough and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if (coverage_text := config.stash.get(_COVERAGE_TEXT, None)) is not None:
        terminalreporter.section("coverage of the contract")
        terminalreporter.write_line(coverage_text.rstrip("\n"))


@pytest.fixture(scope="session")
def mock_settings() -> MockSettings:
    """The settings of the mock. Override it to use another mock, or to start one with other options."""
    return MockSettings(url=os.environ.get("CALLCONFIG_URL"), control_token=os.environ.get("CALLCONFIG_CONTROL_TOKEN"))


Seed = Iterable[Mapping[str, Any]] | Mapping[str, Iterable[Mapping[str, Any]]]


@pytest.fixture
def mock_seed() -> Seed:
    """The documents that each test begins with: none. Override it to give them, of several resources by table."""
    return ()


@pytest.fixture
def mock_scenario() -> Scenario | Path | str | None:
    """The scenario, or its file, that each test begins with: none. Override it to give one."""
    return None


@pytest.fixture
def mock_strict(request: pytest.FixtureRequest) -> bool:
    """Whether a test fails when one of its requests broke the contract: by its marker, else by the ini file.

    Override it for a folder, a file or a class.
    """
    marker = request.node.get_closest_marker(STRICT)
    if marker is None:
        return bool(request.config.getini(STRICT))
    return bool(marker.args[0] if marker.args else marker.kwargs.get("strict", True))


@pytest.fixture(scope="session")
def mock_server(mock_settings: MockSettings) -> Iterator[MockServer]:
    """The mock of this run, or of this worker when pytest-xdist runs several."""
    if mock_settings.url is not None:
        yield MockServer.at(mock_settings.url, mock_settings.control_token, mock_settings.contract)
    else:
        with started(mock_settings) as server:
            yield server


@pytest.fixture
def mock(
    mock_server: MockServer,
    mock_seed: Seed,
    mock_scenario: Scenario | Path | str | None,
    mock_strict: bool,
    request: pytest.FixtureRequest,
) -> Iterator[Mock]:
    """The test's session on the mock: `base_url`, `seed`, `requests`, `wait_for`, `expect`, `rules`, `clock`."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:80].strip("-") or "test"
    mock = Mock(mock_server, f"{readable}-{secrets.token_hex(4)}", strict=mock_strict)
    request.node.stash[_LATEST_STRAY] = _requests_of_no_test(mock_server)["last"]
    if mock_scenario is not None:
        mock.load(mock_scenario)
    if isinstance(mock_seed, Mapping) and mock_seed:
        mock.load({"state": {table: [*map(dict, documents)] for table, documents in mock_seed.items()}})
    elif seed := list(mock_seed):
        mock.seed(seed)
    yield mock
    if (collected := request.config.stash.get(_COLLECTED, None)) is not None:
        collected.keep(mock, mock_server)
    mock.end()


_LATEST_STRAY = pytest.StashKey[int]()
"""The number of the latest request in the default session when a test began."""


def _requests_of_no_test(server: MockServer, after: int = 0, limit: int = 0) -> dict[str, Any]:
    """The requests in the default session, which belong to no test."""
    search = {"after": after, "limit": limit}
    found: dict[str, Any] = server.control("POST", "/requests/find", search, session=DEFAULT)
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a passing test whose expectations of the client were not met."""
    result = yield
    mock = getattr(item, "funcargs", {}).get("mock")
    if isinstance(mock, Mock) and (failures := mock.failures()):
        pytest.fail("\n".join(failures), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the requests to the mock in the report of a failing test."""
    report = yield
    mock, server = (getattr(item, "funcargs", {}).get(name) for name in ("mock", "mock_server"))
    if call.when == "call" and report.failed and isinstance(mock, Mock) and isinstance(server, MockServer):
        try:
            report.sections.append(("Requests to the mock", mock.journal()))
            if strays := _requests_of_no_test(server, item.stash[_LATEST_STRAY], 100)["requests"]:
                title = "Requests that were in no test's session while this test ran; did they go to mock.base_url?"
                report.sections.append((title, "\n".join(repr(Recorded(each)) for each in strays)))
        except MockError as error:
            report.sections.append(("Requests to the mock", str(error)))
    return report
