"""The pytest plugin in a client team's project, installed from the wheel."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from callconfig.tests.support.running import PYTEST

pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.timeout(300)]  # environments are installed

CLIENT = Path(__file__).parent / "client"
CONNECTION_REFUSED = 7  # curl's exit code
HEAVY = ("connexion", "yaml", "orjson", "jsonschema_rs", "starlette", "tinydb", "uvicorn", "httpx2", "callconfig.app")


Pytest = Sequence[str | Path]
OURS = PYTEST
"""pytest in our own environment, which has the plugin as well, for tests that need no installation."""


@pytest.fixture(scope="session")
def team(client_python: Path) -> Pytest:
    """pytest in the environment of a client team."""
    return client_python, "-m", "pytest", "-q"


def run(
    pytest: Pytest, project: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run pytest in the project, without our own environment variables."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CALLCONFIG"))}
    return subprocess.run(
        [*pytest, *arguments],
        cwd=project,
        env={**own, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_client_team_tests_its_code_from_the_installed_wheel(team: Pytest, project: Path) -> None:
    done = run(team, project, "-k", "not nobody")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout


def test_two_hundred_tests_in_parallel_on_one_mock_do_not_see_one_another(
    team: Pytest, project: Path, url: str
) -> None:
    done = run(team, project, "-n", "2", "-k", "nobody", environment={"CALLCONFIG_URL": url})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 passed" in done.stdout


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The run of a suite whose tests fail."""
    return run(OURS, shutil.copytree(CLIENT, tmp_path_factory.mktemp("failing") / "project"), "failing.py")


def test_a_failing_test_shows_what_it_asked_of_the_mock(failing: subprocess.CompletedProcess[str]) -> None:
    assert failing.returncode == 1
    assert "0 of 1 requests came in 0.01 s" in failing.stdout
    assert re.search(r"-+ Requests to the mock -+\nPOST /configurations 201\n", failing.stdout)
    assert "pytest_plugin.py" not in failing.stdout
    assert "harness/" not in failing.stdout


def test_a_failing_test_tells_of_requests_that_were_in_no_session(
    failing: subprocess.CompletedProcess[str], project: Path, url: str
) -> None:
    section = r"-+ Requests that were in no test's session.*base_url\? -+\nPOST /configurations 201\n"
    assert re.search(section, failing.stdout)
    other = run(OURS, project, "failing.py", "-k", "fails", environment={"CALLCONFIG_URL": url})
    assert "0 of 1 requests came" in other.stdout
    assert "no test's session" not in other.stdout


def test_a_mock_that_does_not_answer_is_told_by_its_url(failing: subprocess.CompletedProcess[str]) -> None:
    message = "MockError: GET http://127.0.0.1:9/_mock/state: the mock does not respond: [Errno 111] Connection refused"
    assert message in failing.stdout


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, url: str) -> str:
    """The output of a suite that is strict in some places."""
    project = shutil.copytree(CLIENT, tmp_path_factory.mktemp("strict") / "project")
    return run(OURS, project, "strict.py", "-rA", environment={"CALLCONFIG_URL": url}).stdout


@pytest.mark.parametrize("test", ["that_keeps_the_contract", "that_is_not_strict", "that_says_that_it_is_not_strict"])
def test_a_strict_test_passes_when_all_was_as_it_should_be(strict: str, test: str) -> None:
    assert f"PASSED strict.py::test_{test}\n" in strict


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        (
            "test_that_sends_what_the_contract_does_not_take",
            "a request broke the contract: POST /configurations 400 /max_retry must be at least 0, not -1",
        ),
        (
            "test_that_goes_to_an_unknown_path",
            (
                "a request broke the contract: GET /v2/configurations 404 "
                '/v2/configurations is no path of the contract; did you mean "/configurations"?'
            ),
        ),
        (
            "test_that_leaves_an_expectation_unmet",
            (
                'expected 2 requests that match {"operation": "createConfiguration", "body": {"template": "other"}}, '
                "and 0 came\n  near: POST /configurations 201\n"
                '    body /template must be one of "other", not "welcome"'
            ),
        ),
        (
            "test_that_does_more_than_was_expected",
            (
                'expected 1 requests that match {"operation": "createConfiguration"}, and 2 came\n'
                "  POST /configurations 201\n  POST /configurations 201"
            ),
        ),
        ("TestOverride::test_that_a_fixture_makes_strict", "a request broke the contract: POST /configurations 400"),
    ],
)
def test_a_strict_test_fails_and_says_which_request_and_how(strict: str, test: str, reason: str) -> None:
    assert f"FAILED strict.py::{test}" in strict
    assert reason in strict


def test_a_whole_suite_is_strict_by_its_ini_file(project: Path, url: str) -> None:
    (project / "pytest.ini").write_text("[pytest]\npythonpath = .\nmock_strict = true\n")
    done = run(OURS, project, "strict.py", "-k", "is_not_strict", "-rA", environment={"CALLCONFIG_URL": url})
    assert "FAILED strict.py::test_that_is_not_strict" in done.stdout
    assert "PASSED strict.py::test_that_says_that_it_is_not_strict" in done.stdout


def test_each_worker_starts_its_own_mock_and_the_run_tells_what_all_exercised_of_the_contract(
    team: Pytest, project: Path
) -> None:
    reports = ("--mock-coverage-report", "json:coverage.json", "--mock-coverage-report", "html:coverage.html")
    done = run(team, project, "-n", "2", "-k", "once or survived or fork", "--mock-coverage", *reports)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  operations      2 of 3      66 %\n" in done.stdout
    assert "createConfiguration: exercised\n  statuses: 201 x6, 409 x1, 503 x2\n" in done.stdout
    summary = json.loads((project / "coverage.json").read_text())["coverage"]["summary"]
    assert summary["operations"] == {"exercised": 2, "of": 3}
    assert "<summary>updateConfiguration</summary>" in (project / "coverage.html").read_text()


def test_a_run_that_exercises_less_than_was_asked_for_fails(project: Path, url: str) -> None:
    (project / "test_one.py").write_text(
        "def test_one(mock, scheduler):\n    scheduler.create('a')\n\ndef test_none():\n    pass\n"
    )

    def asking_for(minimum: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        options = ("test_one.py", "--mock-coverage-minimum", minimum, *arguments)
        return run(OURS, project, *options, environment={"CALLCONFIG_URL": url})

    done = asking_for("operations=100")
    assert "33 % of operations were exercised (1 of 3), less than 100 %" in done.stdout
    assert (done.returncode, "2 passed" in done.stdout) == (1, True)
    assert asking_for("operations=33").returncode == 0
    nothing = asking_for("rules=1", "-k", "none")
    assert (nothing.returncode, "no test has used the mock" in nothing.stdout) == (1, True)
    for wrong in ("nothing=1", "members=x", "members"):
        refused = asking_for(wrong)
        assert refused.returncode == 4
        assert f"'{wrong}' is not KIND=PERCENT with one of operations, statuses, members, rules" in refused.stderr


def test_the_same_words_in_javascript(project: Path, url: str) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not on this machine")
    command = ["node", "--test", "--test-reporter=tap", "scheduler.test.mjs"]
    environment = {**os.environ, "CALLCONFIG_URL": url}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 6" in done.stdout


def test_nothing_heavy_is_imported_and_nothing_is_started_before_a_fixture_is_used(team: Pytest, project: Path) -> None:
    (project / "test_modules.py").write_text(
        f"import sys\n\ndef test_modules():\n    assert not set({HEAVY!r}) & set(sys.modules)\n"
    )
    done = run(team, project, "test_modules.py", "--noconftest")
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_plugin_takes_next_to_no_time_beside_pytest(client_python: Path) -> None:
    code = """
from time import process_time
times = [process_time()]
import pytest
times.append(process_time())
import callconfig.pytest_plugin
times.append(process_time())
print((times[2] - times[1]) / (times[1] - times[0]))
"""
    share = min(float(subprocess.check_output([client_python, "-c", code])) for _ in range(3))
    assert share < 0.3  # it is 0.08


def test_a_suite_does_without_the_plugin_when_it_says_so(team: Pytest, project: Path) -> None:
    done = run(team, project, "-p", "no:callconfig", "-k", "own_packages")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fixture 'mock' not found" in run(team, project, "-p", "no:callconfig", "-k", "outage").stdout


def test_a_mock_that_does_not_start_is_told_by_its_own_words(project: Path) -> None:
    (project / "conftest.py").write_text(
        "import pytest\nfrom callconfig.pytest_plugin import MockSettings\n\n"
        "@pytest.fixture(scope='session')\n"
        "def mock_settings():\n    return MockSettings(options=['--seed', 'none.json'])\n"
    )
    (project / "test_one.py").write_text("def test_one(mock):\n    pass\n")
    done = run(OURS, project, "test_one.py")
    assert "the mock did not start: callconfig: seed none.json: No such file or directory" in done.stdout


def test_settings_are_the_client_teams_to_override(project: Path) -> None:
    (project / "conftest.py").write_text(
        "import pytest\nfrom callconfig.pytest_plugin import MockSettings\n\n"
        "@pytest.fixture(scope='session')\n"
        "def mock_settings():\n    return MockSettings(base_path='/agent/voice', control_token='letmein')\n"
    )
    (project / "test_one.py").write_text(
        "from scheduler import Scheduler\n\n"
        "def test_one(mock):\n"
        "    Scheduler(mock.base_url, mock.headers).create('a')\n"
        "    assert mock.requests(path='/agent/voice/configurations')\n"
        "    assert mock.base_url.endswith('/agent/voice')\n"
    )
    done = run(OURS, project, "test_one.py", environment={"CALLCONFIG_AUTH": "nothing.json"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_suite_whose_warnings_are_errors_gets_none(project: Path) -> None:
    (project / "test_one.py").write_text("def test_one(mock):\n    assert mock.requests() == []\n")
    arguments = ("test_one.py", "-W", "error", "--mock-coverage")
    done = run(OURS, project, *arguments, environment={"PYTHONWARNDEFAULTENCODING": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nno test has used the mock\n" in done.stdout


def test_no_mock_outlives_a_suite_that_is_killed(project: Path, tmp_path: Path) -> None:
    (project / "test_one.py").write_text(
        "import time, pathlib\n\ndef test_one(mock_server):\n"
        f"    pathlib.Path({str(tmp_path / 'url')!r}).write_text(mock_server.root)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([*OURS, "test_one.py"], cwd=project, stdout=subprocess.DEVNULL) as run:
        try:
            while not (tmp_path / "url").exists():
                assert run.poll() is None, "the suite ended"
                time.sleep(0.05)
        finally:
            run.kill()
    root = (tmp_path / "url").read_text()
    for _ in range(50):
        if subprocess.run(["curl", "-s", root + "/configurations"], check=False).returncode == CONNECTION_REFUSED:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the mock is still there")


def test_a_suite_has_the_mock_of_a_contract_of_its_own(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    shutil.copy(Path(__file__).parent.parent / "support" / "contracts" / "shops.yaml", project)
    (project / "conftest.py").write_text(
        "import pytest\nfrom callconfig.pytest_plugin import MockSettings\n\n\n"
        '@pytest.fixture(scope="session")\ndef mock_settings():\n    return MockSettings(contract="shops.yaml")\n'
    )
    (project / "test_seeded.py").write_text(
        "import pytest\n\n\n@pytest.fixture\ndef mock_seed():\n    return {'shops': [{'id': 7, 'name': 'a'}]}\n\n\n"
        "def test_tables(mock):\n    assert [each['id'] for each in mock.state(table='shops')] == [7]\n"
        "    assert mock.state(table='shops_offers') == []\n"
    )
    (project / "test_shops.py").write_text(
        "import urllib.request\n\nimport pytest\nfrom callconfig.pytest_plugin import MockError\n\n\n"
        "def test_tables(mock):\n"
        '    (shop,) = mock.seed([{"name": "a"}], table="shops")\n'
        '    mock.seed([{"x-callconfig-shop": shop["id"], "item": "tea", "price": 2}], table="shops_offers")\n'
        '    assert mock.configuration() == mock.configuration("shops")\n'
        '    assert mock.configuration("shops_offers", item="tea")["item"] == "tea"\n'
        '    with pytest.raises(MockError, match="must be one of"):\n'
        '        mock.configuration("offers")\n'
        '    assert mock.state(table="shops") == [shop]\n'
        '    assert [each["item"] for each in mock.state(table="shops_offers")] == ["tea"]\n'
        "    with pytest.raises(MockError, match=\"must be 'shops' or 'shops_offers', not None\"):\n"
        "        mock.state()\n"
        "    with pytest.raises(MockError, match=\"must be 'shops' or 'shops_offers', not None\"):\n"
        '        mock.seed([{"name": "a"}])\n'
        "    with pytest.raises(MockError, match=\"not 'shop'\"):\n"
        '        mock.seed([], table="shop")\n'
        '    assert mock.state(table="shops") == [shop]\n\n\n'
        "def test_shops(mock):\n"
        '    mock.load({"state": {"shops": [{"id": 7, "name": "a"}]}})\n'
        '    assert b\'"id":7\' in urllib.request.urlopen(f"{mock.base_url}/shops").read()\n'
        '    assert len(mock.requests(operation="listShops")) == 1\n'
    )
    done = run(OURS, project, "--mock-coverage")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "listShops" in done.stdout
