"""The published wheel: it has one package, works in an empty environment, and starts fast."""

import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from callconfig.tests.support.running import serving

pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.timeout(300)]  # environments are installed


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="there is one worker")
def test_all_that_use_the_wheel_have_one_worker(request: pytest.FixtureRequest) -> None:
    """Some versions of pytest hide groups from xdist, and then each worker builds and installs the wheel."""
    assert request.node.nodeid.endswith("@wheel")


def test_the_wheel_holds_one_package_and_nothing_beside_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.partition("/")[0] for name in names}
    assert {name.partition("-")[0] for name in top} == {"callconfig"}
    assert {"callconfig/openapi.yaml", "callconfig/py.typed", "callconfig/contract/schema.py"} <= set(names)
    assert not [name for name in names if name.startswith(("callconfig/tests", "callconfig/benchmarks"))]


def test_the_wheel_serves_from_an_empty_environment(installed: Path, tmp_path: Path, sample: dict[str, Any]) -> None:
    command = [installed / "bin" / "callconfig"]
    with serving("--store", ":memory:", command=command, folder=tmp_path) as server:
        created = server.client.post("/configurations", json=sample).json()
        code, _ = server.stop()
    assert created["reseller_id"] == sample["reseller_id"]
    assert code == 0


def test_the_package_serves_where_each_of_its_files_is_a_link(installed: Path, tmp_path: Path) -> None:
    """As some installers make it, such as uv with its link mode `symlink`."""
    (package,) = installed.glob("lib/python*/site-packages/callconfig")
    shutil.copytree(package, tmp_path / "callconfig", copy_function=os.symlink)
    command: list[str | Path] = ["env", f"PYTHONPATH={tmp_path}", installed / "bin" / "python", "-m", "callconfig"]
    with serving("--store", ":memory:", command=command, folder=tmp_path) as server:
        assert server.client.get("/_mock/openapi.json").is_success
