"""The pytest plugin as a client team has it: installed from the wheel, in a project with folders of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.timeout(300)]  # environments are installed

CONNECTION_REFUSED = 7  # curl's exit code
HEAVY = ("connexion", "yaml", "orjson", "jsonschema_rs", "starlette", "tinydb", "uvicorn", "httpx2", "callconfig.app")


def run(
    python: Path | str, project: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """pytest in the project, without what our own run has set."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CALLCONFIG"))}
    return subprocess.run(
        [python, "-m", "pytest", "-q", *arguments],
        cwd=project,
        env={**own, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_client_team_tests_its_code_from_the_installed_wheel(client_python: Path, project: Path) -> None:
    done = run(client_python, project, "-k", "not nobody")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_two_hundred_tests_in_parallel_on_one_mock_do_not_see_one_another(
    client_python: Path, project: Path, url: str
) -> None:
    done = run(client_python, project, "-n", "2", "-k", "nobody", environment={"CALLCONFIG_URL": url})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 passed" in done.stdout


def test_each_worker_starts_its_own_mock_where_there_is_none(client_python: Path, project: Path) -> None:
    done = run(client_python, project, "-n", "2", "-k", "nobody and 77")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_failing_test_shows_what_it_asked_of_the_mock(project: Path) -> None:
    done = run(sys.executable, project, "failing.py")
    assert done.returncode == 1
    assert "0 of 1 requests came in 0.01 s" in done.stdout
    assert re.search(r"-+ Requests to the mock -+\nPOST /configurations 201\n", done.stdout)
    assert "pytest_plugin.py" not in done.stdout


def test_nothing_heavy_is_imported_and_nothing_is_started_before_a_fixture_is_used(
    client_python: Path, project: Path
) -> None:
    (project / "test_modules.py").write_text(
        f"import sys\n\ndef test_modules():\n    assert not set({HEAVY!r}) & set(sys.modules)\n"
    )
    done = run(client_python, project, "test_modules.py", "--noconftest")
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_plugin_takes_next_to_no_time(client_python: Path) -> None:
    code = (
        "import pytest, time; t = time.perf_counter(); import callconfig.pytest_plugin; print(time.perf_counter() - t)"
    )
    seconds = min(float(subprocess.check_output([client_python, "-c", code])) for _ in range(3))
    assert seconds < 0.05


def test_a_suite_does_without_the_plugin_when_it_says_so(client_python: Path, project: Path) -> None:
    done = run(client_python, project, "-p", "no:callconfig", "-k", "own_packages")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fixture 'mock' not found" in run(client_python, project, "-p", "no:callconfig", "-k", "outage").stdout


def test_a_mock_that_does_not_start_is_told_by_its_own_words(project: Path) -> None:
    (project / "conftest.py").write_text(
        "import pytest\nfrom callconfig.pytest_plugin import MockSettings\n\n"
        "@pytest.fixture(scope='session')\n"
        "def mock_settings():\n    return MockSettings(options=['--seed', 'none.json'])\n"
    )
    (project / "test_one.py").write_text("def test_one(mock):\n    pass\n")
    done = run(sys.executable, project, "test_one.py")
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
    done = run(sys.executable, project, "test_one.py", environment={"CALLCONFIG_AUTH": "nothing.json"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_mock_outlives_a_suite_that_is_killed(project: Path, tmp_path: Path) -> None:
    (project / "test_one.py").write_text(
        "import time, pathlib\n\ndef test_one(mock_server):\n"
        f"    pathlib.Path({str(tmp_path / 'url')!r}).write_text(mock_server.root)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "test_one.py"], cwd=project, stdout=subprocess.DEVNULL
    ) as run:
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
